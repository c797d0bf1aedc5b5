"""Peaks of confidence maps: every local maximum, moved towards its higher neighbours."""

from typing import NamedTuple

import numpy as np

from ...rig.arrays import Array, Mask

__all__ = ["MOST", "Peaks", "find_peaks"]

MOST = 32  # peaks of a keypoint
_TINY = 1e-10


class Peaks(NamedTuple):
    """N peaks of all keypoints, by keypoint."""

    point: np.typing.NDArray[np.int64]  # (N,) which keypoint
    place: Array  # (N, 2) x and y in cells
    score: Array  # (N,) of the map there


def find_peaks(maps: Array, threshold: float = 0.1, most: int = MOST) -> Peaks:
    """The local maxima of (K, h, w) maps, the background left out.

    Along each axis a parabola through the logarithms of a peak and its neighbours gives the part of a cell:
    exact for a Gaussian.

    Args:
        maps: confidence.
        threshold: a peak is higher.
        most: peaks of a keypoint; the highest are kept.
    """
    point, y, x = np.nonzero(_highest(maps) & (maps > threshold))
    score = maps[point, y, x].astype(np.float64)
    if len(score):
        order = np.lexsort((-score, point))
        rank = np.arange(len(order)) - np.searchsorted(point[order], point[order])
        kept = np.sort(order[rank < most])
        point, y, x, score = point[kept], y[kept], x[kept], score[kept]
    logs = np.log(np.maximum(np.pad(maps, ((0, 0), (1, 1), (1, 1)), mode="edge"), _TINY))
    across = _vertex(*(logs[point, y + 1, x + step] for step in range(3)))
    down = _vertex(*(logs[point, y + step, x + 1] for step in range(3)))
    inside_x, inside_y = (x > 0) & (x < maps.shape[2] - 1), (y > 0) & (y < maps.shape[1] - 1)
    place = np.stack([x + np.where(inside_x, across, 0.0), y + np.where(inside_y, down, 0.0)], -1)
    return Peaks(point, place, score)


def _highest(maps: Array) -> Mask:
    """Higher than all eight neighbours; of equal ones the first in reading order."""
    padded = np.pad(maps, ((0, 0), (1, 1), (1, 1)), constant_values=-np.inf)
    height, width = maps.shape[1:]
    wins = np.ones(maps.shape, dtype=bool)
    for row in range(3):
        for column in range(3):
            other = padded[:, row : row + height, column : column + width]
            if (row, column) < (1, 1):
                wins &= maps > other
            elif (row, column) > (1, 1):
                wins &= maps >= other
    return wins


def _vertex(before: Array, at: Array, after: Array) -> Array:
    """Where the parabola through three values is highest, from -0.5 to 0.5."""
    bend = before - 2.0 * at + after
    with np.errstate(divide="ignore", invalid="ignore"):
        moved = 0.5 * (before - after) / bend
    return np.clip(np.where(bend < 0.0, moved, 0.0), -0.5, 0.5)
