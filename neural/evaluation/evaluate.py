"""The published numbers: solvers over the clips that no training has seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ...capture.virtual_imu import ImuErrors, virtual_recording
from ...rig.arrays import Array
from ...rig.motion import Motion
from ..features import NETWORK_FPS
from .clips import ALL, CONDITIONS, EvaluationClip, Progress
from .comparison import Comparison, Seen
from .frechet import frechet_distance
from .generation_metrics import TAKES_UNITS, takes_metrics
from .metrics import UNITS, average, pair_metrics
from .motion_encoder import MotionEncoder
from .solvers import Solver, Take

__all__ = ["TABLE_UNITS", "Row", "evaluate_solvers"]

TABLE_UNITS: Mapping[str, str] = {**UNITS, "frechet": "", **TAKES_UNITS}


@dataclass(frozen=True)
class Row:
    """Averages of one solver under one condition over one group of clips."""

    network: str
    condition: str
    group: str
    clips: int
    frames: int
    metrics: Mapping[str, float]  # of `TABLE_UNITS`


@dataclass
class _Results:
    """What one solver did under one condition with the clips of one group, clip after clip."""

    metrics: list[dict[str, float]] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    features: list[Array] = field(default_factory=list)
    true_features: list[Array] = field(default_factory=list)


def evaluate_solvers(
    solvers: Mapping[str, Solver],
    clips: Sequence[EvaluationClip],
    progress: Progress,
    *,
    conditions: Mapping[str, ImuErrors | None] = CONDITIONS,
    encoder: MotionEncoder | None = None,
) -> list[Row]:
    """Solve every clip with every solver under every condition.

    Args:
        solvers: by the name they have in the table.
        clips: at any rate; clip number n has the sensor errors of seed n.
        progress: told (done, all, clip name).
        conditions: what the sensors get wrong, by name; None is nothing.
        encoder: for the Fréchet distance, which is NaN without.

    Returns:
        A row per solver, condition and group, and one for all groups together where there are several.
    """
    results: dict[tuple[str, str, str], _Results] = {}
    groups = {clip.group for clip in clips}
    for number, clip in enumerate(clips):
        progress(number, len(clips), clip.name)
        truth = clip.motion.resampled(NETWORK_FPS)
        true_features, seen = _features(encoder, truth), Seen(truth)
        for condition, errors in conditions.items():
            seeded = None if errors is None else replace(errors, seed=number)
            recording = virtual_recording(truth, errors=seeded)
            for name, solver in solvers.items():
                takes = solver(recording, truth)
                found = _judged(takes, seen)
                features = _features(encoder, takes[0].motion)
                for group in (clip.group, ALL) if len(groups) > 1 else (clip.group,):
                    kept = results.setdefault((name, condition, group), _Results())
                    kept.metrics.append(found)
                    kept.lengths.append(len(truth))
                    kept.features.append(features)
                    kept.true_features.append(true_features)
    return [_row(key, kept) for key, kept in results.items()]


def _judged(takes: Sequence[Take], truth: Seen) -> dict[str, float]:
    """The mean over takes of every metric, and what is said of takes together."""
    found = [pair_metrics(Comparison(Seen(take.motion), truth, take.contacts)) for take in takes]
    mean = average(found, [1] * len(found))
    return {**mean, **takes_metrics([take.motion for take in takes], found)}


def _features(encoder: MotionEncoder | None, motion: Motion) -> Array:
    return np.empty((0, 1)) if encoder is None else encoder.features(motion)


def _row(key: tuple[str, str, str], kept: _Results) -> Row:
    metrics = average(kept.metrics, kept.lengths)
    features, true = np.concatenate(kept.features), np.concatenate(kept.true_features)
    metrics["frechet"] = frechet_distance(features, true)
    ordered = {name: metrics[name] for name in TABLE_UNITS}
    return Row(*key, len(kept.lengths), sum(kept.lengths), ordered)
