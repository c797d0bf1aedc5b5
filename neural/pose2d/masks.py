"""COCO's masks: run lengths, plain or as text, and polygons."""

from typing import Any, Final

import numpy as np

from ...capture.run_lengths import runs_of
from ...rig.arrays import Mask
from ...rig.errors import FormatError

__all__ = ["mask_of"]

_LARGEST: Final = 1 << 28  # pixels


def mask_of(segmentation: Any, height: int, width: int) -> Mask:  # noqa: ANN401  JSON
    """The mask (H, W) of an annotation's segmentation; empty where there is none.

    Raises:
        FormatError: it is damaged.
    """
    try:
        if isinstance(segmentation, dict):
            return _of_runs(segmentation, height, width)
        mask = np.zeros((height, width), dtype=bool)
        for row in segmentation or ():
            mask |= _inside(np.asarray(row, dtype=np.float64).reshape(-1, 2), height, width)
    except (TypeError, ValueError, KeyError, IndexError, OverflowError) as error:
        raise FormatError(f"a mask is damaged: {' '.join(str(error).split())[:100]}") from error
    return mask


def _of_runs(rle: dict[str, Any], height: int, width: int) -> Mask:
    rows, columns = (int(side) for side in rle["size"])
    counts = rle["counts"]
    runs = np.asarray(runs_of(counts) if isinstance(counts, str) else counts, dtype=np.int64)
    if (rows, columns) != (height, width) or not 0 < rows * columns <= _LARGEST:
        raise ValueError(f"it is {columns}x{rows} for a picture of {width}x{height}")
    if runs.ndim != 1 or (runs < 0).any() or runs.sum() != rows * columns:
        raise ValueError(f"its runs don't fill {columns}x{rows} pixels")
    flat = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    return np.ascontiguousarray(flat.reshape(columns, rows).T)


def _inside(corners: np.typing.NDArray[np.float64], height: int, width: int) -> Mask:
    """Pixels whose middle a polygon (N, 2) goes around, by crossings of each row."""
    if not np.isfinite(corners).all():
        raise ValueError("a corner is no number")
    y = np.arange(height)[:, None] + 0.5
    x1, y1 = corners.T
    x2, y2 = np.roll(corners, -1, axis=0).T
    crosses = (y1 <= y) != (y2 <= y)  # (H, N)
    with np.errstate(divide="ignore", invalid="ignore"):
        at = np.where(crosses, x1 + (y - y1) * (x2 - x1) / (y2 - y1), np.inf)
    first = np.ceil(np.clip(at - 0.5, 0, width)).astype(int)
    flips = np.zeros((height, width + 1), dtype=np.int64)
    np.add.at(flips, (np.arange(height)[:, None], first), 1)
    return np.asarray(np.cumsum(flips, axis=1)[:, :width] % 2 == 1)
