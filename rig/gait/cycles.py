"""Curves over the gait cycle."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..arrays import Array, checked
from ..errors import ShapeError

__all__ = ["MeanCycle", "mean_cycle", "resampled_cycles"]


@dataclass(frozen=True, eq=False)
class MeanCycle:
    """Mean and scatter of a curve over cycles.

    Attributes:
        mean: (S, ...), NaN without cycles.
        sd: (S, ...) sample standard deviation, NaN with less than two cycles.
        count: of the cycles.
    """

    mean: Array
    sd: Array
    count: int


def resampled_cycles(
    times: npt.ArrayLike, values: npt.ArrayLike, spans: npt.ArrayLike, samples: int = 101
) -> Array:
    """Cut values into cycles, each of `samples` points from 0 to 100 %, by straight lines between frames.

    Args:
        times: (T,) seconds, increasing.
        values: (T, ...), angles unwrapped; NaN where missing.
        spans: (N, 2) seconds, first and last of each cycle.
        samples: points of each.

    Returns:
        (N, samples, ...); NaN where the values are missing or the cycle is outside their times.

    Raises:
        ShapeError: times and values differ in length.
    """
    times = checked("times", times, (None,))
    values = np.asarray(values, dtype=np.float64)
    spans = checked("the cycles' spans", np.reshape(spans, (-1, 2)), (None, 2))
    if values.ndim == 0 or len(values) != len(times):
        raise ShapeError(f"values have shape {values.shape}, expected ({len(times)}, ...)")
    at = spans[:, :1] + np.linspace(0.0, 1.0, samples) * np.diff(spans, axis=1)
    flat = values.reshape(len(times), -1 if len(times) else 0)
    found = np.full((*at.shape, flat.shape[1]), np.nan)
    if len(times):
        for k, column in enumerate(flat.T):
            found[..., k] = np.interp(at, times, column, left=np.nan, right=np.nan)
    return found.reshape(*at.shape, *values.shape[1:])


def mean_cycle(cycles: Array) -> MeanCycle:
    """Mean and standard deviation of (N, S, ...) over the cycles that are whole; others are left out."""
    whole = (
        cycles[np.isfinite(cycles).reshape(len(cycles), -1).all(axis=1)] if len(cycles) else cycles
    )
    nothing = np.full(cycles.shape[1:], np.nan)
    return MeanCycle(
        np.asarray(whole.mean(axis=0)) if len(whole) else nothing,
        np.asarray(whole.std(axis=0, ddof=1)) if len(whole) > 1 else nothing,
        len(whole),
    )
