"""Filters that look at some frames around each: polynomials, the median, and outliers."""

from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ..arrays import Array
from .options import Hampel, Median, SavitzkyGolay

__all__ = ["hampel", "median", "savitzky_golay"]

_DEVIATION: Final = 1.4826  # of the normal distribution, by its median absolute deviation


def savitzky_golay(values: Array, fps: float, options: SavitzkyGolay) -> Array:
    """Fit polynomials to (T, n) without gaps; at the ends those of the first and last whole window.

    A stretch shorter than the window is one window.
    Source: Savitzky and Golay, Analytical Chemistry 36, 1964.
    """
    reach = max(_reach(options.window, fps), (options.degree + 1) // 2)
    reach = min(reach, (len(values) - 1) // 2)
    width = 2 * reach + 1
    places = np.arange(-reach, reach + 1) / max(reach, 1)
    powers = np.vander(places, min(options.degree, width - 1) + 1)
    smoothing = powers @ np.linalg.pinv(powers)  # (width, width)
    windows = sliding_window_view(values, width, axis=0)  # (T - width + 1, n, width)
    out = np.empty_like(values)
    out[reach : len(values) - reach] = windows @ smoothing[reach]
    out[:reach] = smoothing[:reach] @ values[:width]
    out[len(values) - reach :] = smoothing[reach + 1 :] @ values[-width:]
    return out


def median(values: Array, fps: float, options: Median) -> Array:
    """The median around each frame of (T, n) without gaps."""
    return np.asarray(np.nanmedian(_around(values, _reach(options.window, fps)), axis=-1))


def hampel(values: Array, fps: float, options: Hampel) -> Array:
    """Replace the outliers of (T, n) without gaps.

    Source: Hampel, J. Am. Stat. Assoc. 69, 1974; Pearson, IEEE Trans. Control Syst. Technol. 10, 2002.
    """
    around = _around(values, _reach(options.window, fps))
    middle = np.nanmedian(around, axis=-1)
    spread = _DEVIATION * np.nanmedian(np.abs(around - middle[..., None]), axis=-1)
    return np.where(np.abs(values - middle) > options.threshold * spread, middle, values)


def _reach(window: float, fps: float) -> int:
    """Frames on either side, at least one."""
    return max(round((window * fps - 1.0) / 2.0), 1)


def _around(values: Array, reach: int) -> Array:
    """(T, n, width), NaN beyond the ends."""
    reach = min(reach, len(values))
    edge = np.full((reach, values.shape[1]), np.nan)
    return sliding_window_view(np.concatenate([edge, values, edge]), 2 * reach + 1, axis=0)
