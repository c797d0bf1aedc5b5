"""What top-down networks answer: SimCC (a distribution for each axis) or heat maps, to keypoints of the crop.

SimCC: Li et al. 2022, "SimCC: a simple coordinate classification perspective for human pose estimation";
the split ratio is bins for each pixel of the crop, and RTMPose's confidence is the lower peak of both axes.
Heat maps: the highest cell, moved towards its higher neighbours by a parabola through the logarithms
(after Zhang et al. 2020, "Distribution-aware coordinate representation"; along each axis).
"""

import numpy as np

from ...rig.arrays import Array

__all__ = ["decode_heatmaps", "decode_simcc"]


def decode_simcc(across: Array, down: Array, size: tuple[int, int]) -> tuple[Array, Array]:
    """Keypoints of a crop.

    Args:
        across: (K, X) of each bin along x.
        down: (K, Y) of each bin along y.
        size: width and height of the crop in pixels.

    Returns:
        (K, 2) pixels of the crop, and (K,) confidence.
    """
    bins = np.stack([across.argmax(axis=-1), down.argmax(axis=-1)], axis=-1)
    # RTMPose's bin b is the coordinate b / split ratio, in pixels whose centres are whole numbers.
    ratio = np.array([across.shape[-1] / size[0], down.shape[-1] / size[1]])
    sure = np.minimum(across.max(axis=-1), down.max(axis=-1))
    return bins / ratio, np.clip(sure, 0.0, 1.0)


def decode_heatmaps(maps: Array, size: tuple[int, int]) -> tuple[Array, Array]:
    """Keypoints of a crop.

    Args:
        maps: (K, H, W).
        size: width and height of the crop in pixels.

    Returns:
        (K, 2) pixels of the crop, and (K,) confidence.
    """
    count, rows, columns = maps.shape
    best = maps.reshape(count, -1).argmax(axis=-1)
    y, x = np.divmod(best, columns)
    k = np.arange(count)
    sure = maps[k, y, x]
    with np.errstate(divide="ignore"):
        logs = np.log(np.maximum(maps, 1e-10))
    moved = np.stack([x + _vertex(logs[k, y], x), y + _vertex(logs[k, :, x], y)], axis=-1)
    # A cell's centre is the centre of the pixels that it stands for.
    scale = np.array([size[0] / columns, size[1] / rows])
    return (moved + 0.5) * scale - 0.5, np.clip(sure, 0.0, 1.0)


def _vertex(values: Array, at: Array) -> Array:
    """Where the parabola through a peak (K, N) at `at` and its neighbours is highest, within half a cell."""
    k = np.arange(len(values))
    inside = (at > 0) & (at < values.shape[-1] - 1)
    middle = np.clip(at, 1, values.shape[-1] - 2) if values.shape[-1] > 2 else at
    if values.shape[-1] < 3:
        return np.zeros(len(values))
    before, here, after = values[k, middle - 1], values[k, middle], values[k, middle + 1]
    bend = before - 2.0 * here + after
    with np.errstate(divide="ignore", invalid="ignore"):
        shift = np.where(bend < 0.0, 0.5 * (before - after) / bend, 0.0)
    return np.asarray(np.where(inside, np.clip(shift, -0.5, 0.5), 0.0))
