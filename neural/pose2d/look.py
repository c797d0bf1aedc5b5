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


def maps_of(network: PafNetwork, picture: Picture, *, mirrored: bool = False) -> Maps:
    """The last stage's maps of one picture whose sides are multiples of 8, as (C, h, w) tensors.

    With `mirrored` the mean of the picture's and of what its mirror image's say of it.
    """
    pictures = [picture, picture[:, ::-1]] if mirrored else [picture]
    with torch.inference_mode():
        last = network(normalised(torch.from_numpy(np.stack(pictures))))[-1]
    own = Maps(last.confidence[0], last.pafs[0])
    return _mean(own, _turned_over(network, last)) if mirrored else own


def _turned_over(network: PafNetwork, maps: Maps) -> Maps:
    """What the maps of a mirror image, the second of two, say of the picture itself."""
    layout = network.config.paf_layout
    keypoints = [*layout.layout.mirrored, layout.points]
    pafs = maps.pafs[1].unflatten(0, (-1, 2))[list(layout.mirrored_limbs)].flip(-1)
    across = torch.tensor([-1.0, 1.0])[:, None, None]
    return Maps(maps.confidence[1][keypoints].flip(-1), (pafs * across).flatten(0, 1))


def _mean(one: Maps, other: Maps) -> Maps:
    return Maps((one.confidence + other.confidence) / 2.0, (one.pafs + other.pafs) / 2.0)


def averaged_maps(
    network: PafNetwork,
    picture: Picture,
    box: Box,
    longest: int,
    scales: Sequence[float],
    *,
    mirrored: bool = False,
) -> tuple[Array, Array, Box, tuple[int, int]]:
    """Maps of a part of a picture, averaged over scales, as Cao et al. do.

    Args:
        network: ready to look.
        picture: (H, W, 3).
        box: the part.
        longest: pixels of the longer side at scale 1.
        scales: the maps have the size of the largest.
        mirrored: whether mirror images are averaged, too.

    Returns:
        Confidence (K + 1, h, w) and fields (2L, h, w); the part that they show, and the width and height in
        pixels that they stand for.
    """
    base = network_size(box.width, box.height, longest)
    box = box.of_shape(base[0] / base[1])
    sizes = [(_whole_cells(base[0] * scale), _whole_cells(base[1] * scale)) for scale in scales]
    crops = [crop(picture, box, size) for size in sizes]
    found = [maps_of(network, one, mirrored=mirrored) for one in crops]
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
