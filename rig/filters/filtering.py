"""One door to all filters."""

import numpy as np
import numpy.typing as npt

from ..arrays import Array
from ..errors import ShapeError
from .butterworth import butterworth
from .kalman import kalman
from .one_euro import one_euro
from .options import Butterworth, Filter, Hampel, KalmanSmoother, Median, OneEuro
from .stretches import bridged, checked_rate, stretches, trusted
from .windows import hampel, median, savitzky_golay

__all__ = ["filtered"]


def filtered(
    values: npt.ArrayLike,
    fps: float,
    options: Filter,
    *,
    longest_gap: float = 0.0,
    confidence: npt.ArrayLike | None = None,
) -> Array:
    """Filter over time; every number of a frame by itself, every stretch between gaps by itself.

    Gaps up to `longest_gap` are bridged first, by cubic curves (the Kalman smoother bridges them by its own
    model); longer ones, and those at the beginning and at the end, stay NaN.

    Args:
        values: (T, ...), NaN where missing; angles unwrapped (`unwrapped`).
        fps: frames per second.
        options: which filter, and how.
        longest_gap: seconds.
        confidence: (T, ...) with as many of the values' axes as wanted, 0 to 1: a measurement of confidence c
            is taken to be 1/c times as noisy, and at 0 missing. Only the Kalman smoother heeds what lies
            between.

    Returns:
        (T, ...) of the same shape. A single frame between gaps stays as it is.

    Raises:
        ShapeError: a rate, cut-off or shape that can't be.
    """
    values = np.asarray(values, dtype=np.float64)
    if values.ndim == 0:
        raise ShapeError("a single number can't be filtered; expected frames first: (T, ...)")
    checked_rate(fps, longest_gap)
    _check_cutoff(fps, options)
    trust = trusted(confidence, values.shape)
    flat = np.where(trust > 0.0, values.reshape(trust.shape), np.nan)
    whole = bridged(flat, int(longest_gap * fps + 1e-9))
    result = np.full_like(whole, np.nan)
    for frames, columns in stretches(np.isfinite(whole)):
        measured = flat[frames, columns]
        weights = np.where(np.isfinite(measured), trust[frames, columns] ** 2, 0.0)
        result[frames, columns] = _once(whole[frames, columns], weights, fps, options)
    return result.reshape(values.shape)


def _check_cutoff(fps: float, options: Filter) -> None:
    if isinstance(options, Butterworth | KalmanSmoother) and options.cutoff >= fps / 2:
        raise ShapeError(
            f"the cut-off is {options.cutoff:g} Hz at {fps:g} frames per second; expected below {fps / 2:g}"
        )


def _once(values: Array, weights: Array, fps: float, options: Filter) -> Array:
    """One stretch (T, n) without gaps."""
    match options:
        case Butterworth():
            return butterworth(values, fps, options)
        case KalmanSmoother():
            return kalman(values, weights, fps, options)[0]
        case OneEuro():
            return one_euro(values, fps, options)
        case Median():
            return median(values, fps, options)
        case Hampel():
            return hampel(values, fps, options)
        case _:
            return savitzky_golay(values, fps, options)
