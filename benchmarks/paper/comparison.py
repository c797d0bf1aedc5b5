"""Two engines' answers to one trial side by side: joint angles by coordinate and side, and marker errors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import torch

from pallas.rig.arrays import Array
from pallas.rig.model import KinematicModel
from pallas.rig.model.kinematics import markers_in_world
from pallas.rig.solve import Fit, Markers, Problem, Shape, solve

__all__ = ["COLUMNS", "Row", "angle_differences", "angle_table", "error_table", "fitted", "placed"]

COLUMNS: Final = (
    "Hip flexion", "Hip adduction", "Hip rotation", "Knee flexion", "Ankle varus/valgus", "Ankle flexion",
)  # fmt: skip
SIDES: Final = ("Left", "Right")


@dataclass(frozen=True, eq=False)
class Row:
    """One answer.

    Attributes:
        label: engine and setting.
        distances: (T, M) metres between the model's markers and the measured ones.
        differences: per side, mean absolute difference of the angles from the other engine's, degrees, in the
            order of `COLUMNS`; empty for the other engine itself.
    """

    label: str
    distances: Array
    differences: Mapping[str, Sequence[float]] = field(default_factory=dict)


def fitted(
    model: KinematicModel, targets: Array, shape: Shape | None = None, method: str = "lm"
) -> Fit:
    """All markers of a model with the same weight: poses first, then, if asked for, everything at once.

    Args:
        model: with M markers.
        targets: (T, M, 3) metres.
        shape: sizes and marker places that are unknown too.
        method: of the last step.
    """
    term = Markers(model.marker_names, targets)
    poses = solve(Problem(model, (term,)), model.default_pose)
    if shape is None and method == "lm":
        return poses
    return solve(Problem(model, (term,), shape=shape), poses.pose, method=method)


def everything(model: KinematicModel, markers: Sequence[str] | None = None) -> Shape:
    """Full-body scale, a scale per body, and markers along their free axes (all unless told)."""
    bodies = tuple((body,) for body in model.bodies[1:])
    return Shape(full=True, groups=bodies, markers=tuple(markers or model.marker_names))


def placed(model: KinematicModel, fit: Fit, pose: Array | None = None) -> Array:
    """(T, M, 3) metres: the model's markers in the fitted poses, or in others."""
    poses = torch.as_tensor(fit.pose if pose is None else pose)
    scales, positions = torch.as_tensor(fit.scales), torch.as_tensor(fit.positions)
    return markers_in_world(model, poses, scales, positions).numpy()


def angle_differences(
    ours: Mapping[str, Array], theirs: Mapping[str, Array], names: Mapping[str, Sequence[str]]
) -> dict[str, list[float]]:
    """Mean absolute differences in degrees, per side, of the coordinates that `names` lists per side.

    Args:
        ours: coordinate to (T,) radians.
        theirs: the same of the other engine.
        names: per side, coordinates in the order of `COLUMNS`.
    """
    return {
        side: [_mean_difference(ours[name] - theirs[name]) for name in coordinates]
        for side, coordinates in names.items()
    }


def _mean_difference(difference: Array) -> float:
    wrapped = (difference + np.pi) % (2.0 * np.pi) - np.pi
    return float(np.degrees(np.abs(wrapped).mean()))


def angle_table(other: str, rows: Sequence[Row]) -> str:
    """Rows that were compared with the other engine, as a Markdown table."""
    lines = [
        f"| mean difference from {other}, degrees | | {' | '.join(COLUMNS)} |",
        "|---|---|" + "---|" * len(COLUMNS),
    ]
    for row in rows:
        for side, values in row.differences.items():
            numbers = " | ".join(f"{value:.2f}" for value in values)
            lines.append(f"| {row.label} | {side} | {numbers} |")
    return "\n".join(lines) + "\n"


def error_table(rows: Sequence[Row]) -> str:
    """Marker errors of all rows, as a Markdown table."""
    lines = ["| marker error, mm | mean | RMS |", "|---|---|---|"]
    for row in rows:
        mean, rms = 1e3 * row.distances.mean(), 1e3 * rms_of(row.distances)
        lines.append(f"| {row.label} | {mean:.2f} | {rms:.2f} |")
    return "\n".join(lines) + "\n"


def rms_of(distances: Array) -> float:
    """Root of the mean square."""
    return float(np.sqrt(np.square(distances).mean()))
