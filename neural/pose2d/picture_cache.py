"""Pictures and masks kept in memory once they were read, as far as there is room."""

from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from .coco_set import Labelled, read_picture

__all__ = ["PictureCache"]

_MOST: Final = 3 << 30  # bytes
_BITS: Final = np.array([1, 2], dtype=np.uint8)


class PictureCache:
    """Reads each picture once; what doesn't fit is read every time.

    Args:
        most: bytes that are kept.
    """

    def __init__(self, most: int = _MOST) -> None:
        self._most, self._used = most, 0
        self._kept: dict[Path, npt.NDArray[np.uint8]] = {}

    def __call__(self, one: Labelled) -> npt.NDArray[np.uint8]:
        """(5, H, W): red, green, blue; 1 where people are; 1 where nothing is known.

        Raises:
            FileError, FormatError: the picture can't be read.
        """
        packed = self._kept.get(one.path)
        if packed is None:
            packed = _packed(one)
            if self._used + packed.nbytes <= self._most:
                self._used += packed.nbytes
                self._kept[one.path] = packed
        masks = (packed[3] & _BITS[:, None, None]) > 0
        return np.concatenate([packed[:3], masks.astype(np.uint8)])


def _packed(one: Labelled) -> npt.NDArray[np.uint8]:
    """(4, H, W): the colours, and both masks in one."""
    masks = one.mask("people") * _BITS[0] + one.mask("unknown") * _BITS[1]
    return np.concatenate([read_picture(one).transpose(2, 0, 1), masks[None]])
