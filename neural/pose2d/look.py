"""Pictures through a network: one size, or several whose maps are averaged."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ...capture.video.crops import Box, crop
from ...capture.video.frames import Picture
from ...rig.arrays import Array
from .network import STRIDE, Maps, PafNetwork

__all__ = ["averaged_maps", "maps_of", "network_size", "normalised"]

_SMALLEST: Final = 8 * STRIDE
_LONGEST: Final = 3.0  # times the other side; what is longer is padded


def normalised(pictures: Tensor) -> Tensor:
    """Pictures (B, H, W, 3) of bytes as networks take them: (B, 3, H, W), value / 256 - 0.5."""
    return pictures.permute(0, 3, 1, 2).float() / 256.0 - 0.5


def network_size(width: float, height: float, longest: int) -> tuple[int, int]:
    """Width and height, multiples of 8, of about the same shape."""
    most = max(width, height)
    sides = [max(side / most, 1.0 / _LONGEST) * longest for side in (width, height)]
    return _whole_cells(sides[0]), _whole_cells(sides[1])


def maps_of(network: PafNetwork, picture: Picture) -> Maps:
    """The last stage's maps of one picture whose sides are multiples of 8, as (C, h, w) tensors."""
    with torch.inference_mode():
        last = network(normalised(torch.from_numpy(picture)[None]))[-1]
    return Maps(last.confidence[0], last.pafs[0])


def averaged_maps(
    network: PafNetwork, picture: Picture, box: Box, longest: int, scales: Sequence[float]
) -> tuple[Array, Array, Box, tuple[int, int]]:
    """Maps of a part of a picture, averaged over scales, as Cao et al. do.

    Args:
        network: ready to look.
        picture: (H, W, 3).
        box: the part.
        longest: pixels of the longer side at scale 1.
        scales: the maps have the size of the largest.

    Returns:
        Confidence (K + 1, h, w) and fields (2L, h, w); the part that they show, and the width and height in
        pixels that they stand for.
    """
    base = network_size(box.width, box.height, longest)
    box = box.of_shape(base[0] / base[1])
    sizes = [(_whole_cells(base[0] * scale), _whole_cells(base[1] * scale)) for scale in scales]
    found = [maps_of(network, crop(picture, box, size)) for size in sizes]
    largest = max(range(len(sizes)), key=lambda number: sizes[number])
    shape = tuple(found[largest].pafs.shape[-2:])
    means = [
        torch.stack([_resized(getattr(maps, name), shape) for maps in found]).mean(dim=0).numpy()
        for name in ("confidence", "pafs")
    ]
    return np.asarray(means[0]), np.asarray(means[1]), box, sizes[largest]


def _whole_cells(side: float) -> int:
    return max(_SMALLEST, STRIDE * round(side / STRIDE))


def _resized(maps: Tensor, shape: tuple[int, ...]) -> Tensor:
    if tuple(maps.shape[-2:]) == shape:
        return maps
    return functional.interpolate(maps[None], shape, mode="bicubic", align_corners=False)[0]
