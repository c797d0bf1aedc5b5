"""Two engines' answers to one trial side by side: joint angles by coordinate and side, and marker errors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from ik.report import block

from pallas.rig.arrays import Array
from pallas.rig.model import KinematicModel
from pallas.rig.solve import Shape
from pallas.rig.solve.marker_ik import MarkerFit, MarkerOptions, fit_markers
from pallas.rig.trajectories import MarkerTrajectories

__all__ = ["COLUMNS", "Row", "angle_differences", "angle_table", "error_table", "fitted", "gains"]

COLUMNS: Final = (
    "Hip flexion", "Hip adduction", "Hip rotation", "Knee flexion", "Ankle varus/valgus", "Ankle flexion",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Row:
    """One answer.

    Attributes:
        label: engine and setting.
        distances: (T, M) metres between the model's markers and the measured ones.
        differences: per side, mean absolute difference of the angles from the other engine's, degrees, in the
            order of `COLUMNS`; empty where nothing is compared.
    """

    label: str
    distances: Array
    differences: Mapping[str, Sequence[float]] = field(default_factory=dict)

    @property
    def rms(self) -> float:
        """Root of the mean square of the distances, millimetres."""
        return float(1e3 * np.sqrt(np.square(self.distances).mean()))


def fitted(
    model: KinematicModel,
    trial: MarkerTrajectories,
    method: str = "lm",
    *,
    everything: bool = False,
) -> MarkerFit:
    """All markers with the same weight.

    Args:
        model: its markers' names are the trial's.
        trial: T frames.
        method: "lm" or "lbfgs".
        everything: whether the full-body scale, a scale per body and the markers along their free axes are
            unknown too; else the poses alone.
    """
    bodies = tuple((body,) for body in model.bodies[1:])
    shape = Shape(full=True, groups=bodies, markers=model.marker_names) if everything else None
    return fit_markers(model, trial, MarkerOptions(method=method, shape=shape))


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
    header = [f"mean difference from {other}, degrees", "side", *COLUMNS]
    lines = [
        [row.label, side, *(f"{value:.2f}" for value in values)]
        for row in rows
        for side, values in row.differences.items()
    ]
    return block(header, lines)


def error_table(rows: Sequence[Row]) -> str:
    """Marker errors of all rows, as a Markdown table."""
    lines = [[row.label, f"{1e3 * row.distances.mean():.2f}", f"{row.rms:.2f}"] for row in rows]
    return block(["marker error, mm", "mean", "RMS"], lines)


def gains(rows: Sequence[Row]) -> str:
    """How much lower the RMS error is with everything in one solve than with the poses alone."""
    only = [row for row in rows if "poses only" in row.label]
    both = [row for row in rows if "one solve" in row.label]
    header = ["RMS marker error, against", *(row.label for row in both)]
    lines = [
        [before.label, *(f"{100.0 * (after.rms / before.rms - 1.0):+.0f} %" for after in both)]
        for before in only
    ]
    return block(header, lines)
