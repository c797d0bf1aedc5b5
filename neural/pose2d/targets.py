"""What the maps should be, from keypoints: Gaussians around points, unit vectors along limbs."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from ...rig.arrays import Array

__all__ = ["SIGMA", "WIDTH", "target_maps"]

SIGMA: Final = 7.0 / 8.0  # cells; OpenPose's 7 pixels
WIDTH: Final = 1.0  # cells around a limb's line and its ends, or short limbs would have no cell
_BATCH: Final = 4  # people at a time, for the memory's sake
Floats = npt.NDArray[np.float32]


def target_maps(
    points: Array, limbs: Sequence[tuple[int, int]], shape: tuple[int, int]
) -> tuple[Floats, Floats]:
    """Confidence maps and fields of people.

    After Cao et al. 2017, equations 6 to 9: the highest of the people's Gaussians; the mean of the directions
    of the people whose limb is there.

    Args:
        points: (P, K, 2) x and y in cells, NaN where unlabelled.
        limbs: (from, to) of each limb.
        shape: height and width of the maps.

    Returns:
        (K + 1, h, w), last the background; and (2L, h, w).
    """
    places: Floats = points.astype(np.float32)
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    confidence = np.zeros((points.shape[1], *shape), np.float32)
    total = np.zeros((len(limbs), 2, *shape), np.float32)
    count = np.zeros((len(limbs), 1, *shape), np.float32)
    ends = np.array(limbs)
    for row in range(0, len(points), _BATCH):
        some = places[row : row + _BATCH]
        confidence = np.maximum(confidence, _gaussians(some, x, y).max(axis=0))
        on, direction = _on_limbs(some[:, ends[:, 0]], some[:, ends[:, 1]], x, y)
        total += np.einsum("plhw,plc->lchw", on, direction)
        count += on.sum(axis=0)[:, None]
    background = 1.0 - confidence.max(axis=0, keepdims=True)
    fields = total / np.maximum(count, 1.0)
    return np.concatenate([confidence, background]), fields.reshape(-1, *shape)


def _gaussians(points: Floats, x: Floats, y: Floats) -> Floats:
    """(P, K, h, w); zero for what is NaN."""
    across = (x[0] - points[..., :1]) ** 2
    down = (y[:, 0] - points[..., 1:]) ** 2
    spread = -0.5 / SIGMA**2
    values = np.exp(spread * across)[..., None, :] * np.exp(spread * down)[..., :, None]
    return np.nan_to_num(values).astype(np.float32)


def _on_limbs(start: Floats, end: Floats, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """(P, L, h, w) ones where a cell is on a limb, and (P, L, 2) the limbs' directions."""
    vector = end - start
    length = np.linalg.norm(vector, axis=-1, keepdims=True)
    there = np.isfinite(length) & (length > 1e-3)
    direction = np.where(there, vector / np.where(there, length, 1.0), 0.0)
    origin = np.where(there, start, 0.0)
    dx = x - origin[..., 0, None, None]
    dy = y - origin[..., 1, None, None]
    ux, uy = direction[..., 0, None, None], direction[..., 1, None, None]
    along = dx * ux + dy * uy
    past = along - np.clip(along, 0.0, np.where(there, length, 0.0)[..., None])
    on = (past**2 + (dy * ux - dx * uy) ** 2 <= WIDTH**2) & there[..., None]
    return on.astype(np.float32), direction.astype(np.float32)
