"""Angles without jumps of whole turns."""

import math

import numpy as np
import numpy.typing as npt

from ..arrays import Array

__all__ = ["unwrapped"]


def unwrapped(angles: npt.ArrayLike) -> Array:
    """Add whole turns so that no step from frame to frame, or over a gap, is more than half a turn.

    Args:
        angles: (T, ...) radians, NaN where missing.

    Returns:
        (T, ...) radians; missing stays missing.
    """
    angles = np.array(angles, dtype=np.float64)
    columns = angles.reshape(
        len(angles), math.prod(angles.shape[1:])
    )  # a view, so that `angles` is changed
    for column in columns.T:
        seen = np.isfinite(column)
        column[seen] = np.unwrap(column[seen], period=2.0 * math.pi)
    return columns.reshape(angles.shape)
