"""The published tables: networks over the clips that no training has seen."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from torch import nn

from ...capture.virtual_imu import ImuErrors, virtual_recording
from ...rig.arrays import Array
from ...rig.errors import ModelError
from ...rig.motion import Motion
from ..contacts import STANDING
from ..features import NETWORK_FPS
from ..feet import clean_feet
from ..library import load_library
from ..predict import pose_body
from ..threads import one_thread
from ..weights import EMBEDDED, load_network
from .metrics import UNITS, average, motion_metrics

__all__ = [
    "CONDITIONS",
    "EvaluationClip",
    "Row",
    "evaluate_networks",
    "library_clips",
    "markdown_table",
    "trained_networks",
]

# Perfect sensors, and sensors as people wear them after a calibration by pose.
CONDITIONS: Mapping[str, ImuErrors | None] = {"perfect": None, "worn": ImuErrors.worn()}
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class EvaluationClip:
    """A motion to be found again, and the set it counts for."""

    name: str
    group: str  # the source data set
    motion: Motion


@dataclass(frozen=True)
class Row:
    """Averages of one network under one condition over one group of clips."""

    network: str
    condition: str
    group: str
    frames: int
    metrics: Mapping[str, float]


def evaluate_networks(
    networks: Mapping[str, nn.Module],
    clips: Sequence[EvaluationClip],
    progress: Progress,
) -> list[Row]:
    """Solve every clip with every network under every condition.

    Args:
        networks: by the name they have in the table.
        clips: at any rate.
        progress: told (done, all, clip name).
    """
    results: dict[tuple[str, str, str], list[tuple[dict[str, float], int]]] = {}
    for number, clip in enumerate(clips):
        truth = clip.motion.resampled(NETWORK_FPS)
        progress(number, len(clips), clip.name)
        for condition, errors in CONDITIONS.items():
            seeded = None if errors is None else replace(errors, seed=number)
            recording = virtual_recording(truth, errors=seeded)
            for name, network in networks.items():
                bones, acceleration = recording.world_from_sensor, recording.acceleration
                with one_thread():
                    solved = _solved(network, bones, acceleration, truth)
                key = (name, condition, clip.group)
                found = motion_metrics(solved, truth)
                results.setdefault(key, []).append((found, len(truth)))
    rows = [_row(key, pairs) for key, pairs in results.items()]
    for name in networks:
        for condition in CONDITIONS:
            pairs = [
                p for (n, c, _), ps in results.items() if (n, c) == (name, condition) for p in ps
            ]
            rows.append(_row((name, condition, "all"), pairs))
    return rows


def _solved(network: nn.Module, bones: Array, acceleration: Array, truth: Motion) -> Motion:
    """As `solve` does it: posed, then feet cleaned, on the performer's own skeleton."""
    posed = pose_body(network, bones, acceleration, truth.skeleton, truth.fps)
    return clean_feet(posed.motion, posed.contacts > STANDING)


def _row(key: tuple[str, str, str], pairs: Sequence[tuple[dict[str, float], int]]) -> Row:
    lengths = [length for _, length in pairs]
    return Row(*key, sum(lengths), average([metrics for metrics, _ in pairs], lengths))


def markdown_table(rows: Sequence[Row]) -> str:
    """The rows as a table for a README; a metric per line, a network per column."""
    heads = [f"{row.network}, {row.condition}" for row in rows]
    lines = ["| metric | unit | " + " | ".join(heads) + " |", "|---" * (len(rows) + 2) + "|"]
    for name, unit in UNITS.items():
        cells = [f"{row.metrics[name]:.2f}" for row in rows]
        lines.append(f"| {name.replace('_', ' ')} | {unit} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def library_clips(library: Path, split: str = "test") -> list[EvaluationClip]:
    """The clips of a built library's split, each in the group of its data set."""
    return [
        EvaluationClip(clip.name, clip.name.split("/")[0], clip.motion)
        for clip in load_library(library, split)
    ]


def trained_networks(folders: Sequence[Path]) -> dict[str, nn.Module]:
    """The embedded network, and those that `pallas train` left in `folders`.

    Raises:
        ModelError: a folder holds no finished network.
    """
    networks = {"pallas": load_network(EMBEDDED / "pallas")[0]}
    for folder in folders:
        found = [
            p for p in sorted(folder.glob("*.json")) if p.with_suffix(".safetensors").is_file()
        ]
        if not found:
            raise ModelError(f"{folder} holds no finished network; finish pallas train first")
        for path in found:
            networks[path.stem] = load_network(path.with_suffix(""))[0]
    return networks
