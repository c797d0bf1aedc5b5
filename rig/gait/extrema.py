"""The tops of a wavy curve."""

import numpy as np

from ..arrays import Array

__all__ = ["extrema"]


def extrema(curve: Array, swing: float, edge: int) -> Array:
    """Find tops between which the curve falls and rises again by at least `swing`.

    The first and the last top need that on one side only, if they are at least `edge` frames inside.

    Args:
        curve: (T,) finite.
        swing: in the curve's unit.
        edge: frames.

    Returns:
        (n,) frames and parts of frames, where the parabola through a top and its neighbours is highest.
    """
    tops: list[int] = []
    top = bottom = 0  # the highest and lowest frame since the last turn
    rising: bool | None = None
    for frame, value in enumerate(curve):
        if value > curve[top]:
            top = frame
        if value < curve[bottom]:
            bottom = frame
        if rising is not False and value < curve[top] - swing:
            tops.append(top)
            rising, bottom = False, frame
        elif rising is not True and value > curve[bottom] + swing:
            rising, top = True, frame
    if rising:
        tops.append(top)
    edge = max(edge, 1)
    inside = [frame for frame in tops if edge <= frame < len(curve) - edge]
    return np.array([_between(curve, frame) for frame in inside], dtype=np.float64)


def _between(curve: Array, frame: int) -> float:
    before, here, after = curve[frame - 1 : frame + 2]
    bend = before - 2.0 * here + after
    return frame + (0.5 * (before - after) / bend if bend < 0.0 else 0.0)
