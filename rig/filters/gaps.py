"""Short gaps in tracks, closed by a smooth curve."""

from typing import Final

import numpy as np

from ..arrays import Array, Mask, checked

__all__ = ["close_gaps"]

_BESIDE: Final = 3  # frames on each side of a gap that tell the speed there


def close_gaps(positions: Array, longest: int) -> tuple[Array, Mask]:
    """Close gaps by cubic curves that leave and arrive with the speed on either side.

    Args:
        positions: (T, M, D), NaN where missing.
        longest: frames; longer gaps, and those at the beginning and at the end, stay.

    Returns:
        Positions (T, M, D), and where they were closed (T, M).
    """
    positions = np.array(checked("positions", positions, (None, None, None)))
    closed = np.zeros(positions.shape[:2], dtype=bool)
    seen = np.isfinite(positions).all(axis=-1)
    points, frames = np.nonzero(seen.T)
    steps = np.where(points[1:] == points[:-1], np.diff(frames), 0)
    for k in np.flatnonzero((steps > 1) & (steps <= longest + 1)):
        point, last, after = int(points[k]), int(frames[k]), int(frames[k + 1])
        track, there = positions[:, point], seen[:, point]
        inside = np.arange(last + 1, after)
        speeds = _speed(track, there, last, -1), _speed(track, there, after, 1)
        track[inside] = _curve(
            track[last], track[after], *speeds, (inside - last) / (after - last), after - last
        )
        there[inside] = closed[inside, point] = True
    return positions, closed


def _speed(track: Array, there: Mask, at: int, side: int) -> Array | None:
    """(D,) per frame, over a few frames on that side; None where the neighbour is missing."""
    for step in range(_BESIDE, 0, -1):
        other = at + side * step
        if 0 <= other < len(track) and there[other]:
            return np.asarray((track[other] - track[at]) / (side * step))
    return None


def _curve(
    start: Array,
    end: Array,
    leaving: Array | None,
    arriving: Array | None,
    part: Array,
    length: int,
) -> Array:
    """(n, D) of the cubic Hermite curve, at these parts of its length."""
    mean = (end - start) / length
    leaving = mean if leaving is None else leaving
    arriving = mean if arriving is None else arriving
    s = part[:, None]
    return np.asarray(
        (1 + 2 * s) * (1 - s) ** 2 * start
        + s * (1 - s) ** 2 * length * leaving
        + s**2 * (3 - 2 * s) * end
        + s**2 * (s - 1) * length * arriving
    )
