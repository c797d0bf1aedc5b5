"""Runs of frames between gaps."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from ..arrays import Array, Mask
from ..errors import ShapeError
from .gaps import close_gaps

__all__ = ["bridged", "checked_rate", "stretches", "trusted"]


def checked_rate(fps: float, longest_gap: float) -> None:
    """Complain of a frame rate or a longest gap that makes no sense.

    Raises:
        ShapeError: the rate is not above 0, or the gap is below 0.
    """
    if not 0.0 < fps < float("inf"):
        raise ShapeError(f"the rate is {fps} frames per second; expected above 0")
    if not 0.0 <= longest_gap < float("inf"):
        raise ShapeError(f"the longest gap to bridge is {longest_gap:g} s; expected 0 or more")


def bridged(values: Array, longest: int) -> Array:
    """Close the gaps of (T, n), each column by itself, up to `longest` frames; inf is missing, too."""
    values = np.where(np.isfinite(values), values, np.nan)
    if longest < 1:
        return values
    return close_gaps(values[:, :, None], longest)[0][:, :, 0]


def stretches(seen: Mask) -> Iterator[tuple[slice, npt.NDArray[np.intp]]]:
    """Yield the runs of true frames of (T, n), with all columns whose gaps are the same together."""
    alike: dict[bytes, list[int]] = {}
    packed = np.packbits(seen, axis=0).T.copy()
    for column, pattern in enumerate(packed):
        alike.setdefault(pattern.tobytes(), []).append(column)
    for columns in alike.values():
        edges = np.flatnonzero(np.diff(seen[:, columns[0]], prepend=False, append=False))
        for first, stop in edges.reshape(-1, 2):
            yield slice(int(first), int(stop)), np.array(columns)


def trusted(confidence: npt.ArrayLike | None, shape: tuple[int, ...]) -> Array:
    """The confidence (T, n) of each of the values' numbers, none of it missing.

    Raises:
        ShapeError: its shape is not the beginning of the values' shape.
    """
    size = (shape[0], int(np.prod(shape[1:])))
    if confidence is None:
        return np.ones(size)
    given = np.asarray(confidence, dtype=np.float64)
    if given.ndim == 0 or given.shape != shape[: given.ndim]:
        raise ShapeError(
            f"the confidence has shape {given.shape} and the values {shape}; expected the same first axes"
        )
    wide = given.reshape(given.shape + (1,) * (len(shape) - given.ndim))
    return np.clip(np.nan_to_num(np.broadcast_to(wide, shape)), 0.0, 1.0).reshape(size)
