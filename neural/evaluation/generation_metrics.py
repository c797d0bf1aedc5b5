"""What can only be said of several takes of one clip: the best of them, and how much they differ."""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np

from ...rig.motion import Motion
from .comparison import LEGS

__all__ = ["TAKES_UNITS", "best_of", "diversity", "takes_metrics"]

# Rows of a table with generated takes, beside those of `metrics.UNITS`.
TAKES_UNITS: Mapping[str, str] = {
    "sip_error_best": "degrees",
    "angular_error_lower_best": "degrees",
    "position_error_lower_best": "cm",
    "velocity_error_lower_best": "cm/s",
    "diversity": "cm",
}


def takes_metrics(
    takes: Sequence[Motion], found: Sequence[Mapping[str, float]]
) -> dict[str, float]:
    """Every metric of `TAKES_UNITS` for K takes of one clip; NaN for a single take.

    Args:
        takes: the motions.
        found: each take's metrics against the truth, as `motion_metrics` says them.
    """
    if len(takes) < 2:
        return dict.fromkeys(TAKES_UNITS, np.nan)
    best = {f"{name}_best": value for name, value in best_of(found).items()}
    best["diversity"] = diversity(takes)
    return {name: best[name] for name in TAKES_UNITS}


def best_of(found: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Best-of-K: for every metric by itself the least over K takes of a clip, NaN left out.

    min over k of metric(take k, truth): what someone gets who picks the take (Yuan and Kitani 2020 do so
    with displacement errors). For metrics of which less is better.
    """
    result = {}
    for name in found[0]:
        values = np.array([take[name] for take in found])
        known = values[np.isfinite(values)]
        result[name] = float(known.min()) if len(known) else np.nan
    return result


def diversity(takes: Sequence[Motion]) -> float:
    """Mean pairwise distance between K takes of the legs, cm.

    mean over pairs of takes, frames and leg joints [1, 2, 4, 5, 7, 8, 10, 11] of |(p - p0) - (q - q0)|, roots
    aligned: the average pairwise distance of Yuan and Kitani 2020, per joint instead of over the whole
    vector, so that its unit is that of the position error. Zero if all takes are the same.
    """
    places = [motion.world()[1] for motion in takes]
    legs = [place[:, LEGS] - place[:, :1] for place in places]
    pairs = [np.linalg.norm(a - b, axis=-1).mean() for a, b in combinations(legs, 2)]
    return float(100.0 * np.mean(pairs)) if pairs else np.nan
