"""Velocities and accelerations of what was measured, by smoothing splines."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..arrays import Array
from ..errors import ShapeError
from .kalman import kalman
from .options import KalmanSmoother
from .stretches import bridged, checked_rate, stretches, trusted
from .unwrapping import unwrapped

__all__ = ["Derivatives", "differentiated"]


@dataclass(frozen=True, eq=False)
class Derivatives:
    """A smoothing spline in its frames.

    Attributes:
        values: (T, ...) smoothed.
        velocity: (T, ...) per second.
        acceleration: (T, ...) per second squared.
        cutoff: hertz; what moves so keeps 1/sqrt(2) of its size, in all three.
    """

    values: Array
    velocity: Array
    acceleration: Array
    cutoff: float


def differentiated(
    values: npt.ArrayLike,
    fps: float,
    cutoff: float = 6.0,
    *,
    angles: bool = False,
    longest_gap: float = 0.0,
    confidence: npt.ArrayLike | None = None,
) -> Derivatives:
    """Fit a quintic smoothing spline to each number of a frame, and give its derivatives.

    The spline multiplies a sine of frequency f by 1 / (1 + 0.414 (f/cutoff)^6), and shifts nothing in time;
    each stretch between gaps has its own. It is found by a Kalman smoother of constant acceleration, which is
    the same thing (Wahba, J. R. Stat. Soc. B 40, 1978). At a stretch's ends derivatives are less certain.

    Args:
        values: (T, ...), NaN where missing.
        fps: frames per second.
        cutoff: hertz, below half the frame rate.
        angles: the values are radians, to be unwrapped first.
        longest_gap: seconds; longer gaps stay NaN.
        confidence: as `filtered` takes it.

    Returns:
        Values, velocities and accelerations; all NaN in stretches of less than three measured frames.

    Raises:
        ShapeError: a rate, cut-off or shape that can't be.
    """
    values = unwrapped(values) if angles else np.asarray(values, dtype=np.float64)
    checked_rate(fps, longest_gap)
    if values.ndim == 0 or not 0.0 < cutoff < fps / 2:
        raise ShapeError(
            f"derivatives of an array of shape {values.shape} with a cut-off of {cutoff:g} Hz at {fps:g} "
            f"frames per second; expected (T, ...) and a cut-off above 0, below {fps / 2:g}"
        )
    trust = trusted(confidence, values.shape)
    flat = np.where(trust > 0.0, values.reshape(trust.shape), np.nan)
    whole = bridged(flat, int(longest_gap * fps + 1e-9))
    found = np.full((3, *whole.shape), np.nan)
    for frames, columns in stretches(np.isfinite(whole)):
        weights = np.where(np.isfinite(flat[frames, columns]), trust[frames, columns] ** 2, 0.0)
        enough = (weights > 0.0).sum(axis=0) >= 3
        if enough.any():
            kept = columns[enough]
            found[:, frames, kept] = kalman(
                whole[frames, kept], weights[:, enough], fps, KalmanSmoother(cutoff)
            )
    smooth, velocity, acceleration = (part.reshape(values.shape) for part in found)
    return Derivatives(smooth, velocity, acceleration, cutoff)
