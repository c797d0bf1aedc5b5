"""Surfaces of rings and boxes, moved by vertices of a body."""

import numpy as np
import numpy.typing as npt

from ...rig.arrays import Array
from .skinned import Indices, Shape

__all__ = ["nearest", "sheet"]


def nearest(places: Array, others: Array) -> Indices:
    """(N,) for every place (N, 3) the one of others (M, 3) that is nearest to it."""
    squares = (others**2).sum(axis=1) - 2.0 * places @ others.T
    found: Indices = squares.argmin(axis=1)
    return found


def sheet(
    places: Array,
    rings: int,
    around: int,
    rows: int | npt.NDArray[np.integer],
    *,
    closed: bool = True,
) -> Shape:
    """Quads between rings of places.

    Args:
        places: (rings * around, 3) metres, ring by ring.
        rings: how many.
        around: places in each.
        rows: the body's vertex that each place moves with, or one for all.
        closed: whether each ring's end meets its start.
    """
    ring = np.arange(around if closed else around - 1)
    following = (ring + 1) % around
    step = np.arange(rings - 1)[:, None] * around
    corners = (step + ring, step + following, step + around + following, step + around + ring)
    faces = np.stack(corners, axis=-1).reshape(-1, 4)
    moved = np.broadcast_to(rows, len(places)).astype(np.int64)
    return Shape(places, moved, faces, np.zeros(len(faces), dtype=np.int32))
