"""Batches of crops with what the maps should be, drawn from the seed and the step."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from ...rig.arrays import Array
from .coco_set import Labelled, read_picture
from .layouts import FEET, PafLayout
from .looks import Floats, Random, looked, pasted
from .losses import Wanted
from .network import STRIDE, Maps
from .targets import target_maps
from .variation import Variation

__all__ = ["PoseBatch", "PoseSampler"]

_BOX: Final = 1.15  # around the keypoints of a person
_GREY: Final = 127.0  # outside of the picture


class PoseBatch(NamedTuple):
    """B crops (B, S, S, 3) of bytes, what their maps should be, and their keypoints (P, K, 2) in pixels."""

    pictures: Tensor
    wanted: Wanted
    points: list[Array]


class _Crop(NamedTuple):
    picture: npt.NDArray[np.uint8]
    points: Array
    confidence: Floats
    pafs: Floats
    region: Floats
    channels: Floats


class PoseSampler:
    """Draws batches; batch number n is the same whenever it is drawn.

    Args:
        pictures: to draw from.
        layout: of the maps.
        variation: of the crops.
        batch: crops in a batch.
        seed: of it all.
    """

    def __init__(
        self,
        pictures: Sequence[Labelled],
        layout: PafLayout,
        variation: Variation,
        batch: int,
        seed: int,
    ) -> None:
        self.pictures, self.layout, self.variation = pictures, layout, variation
        self.batch, self.seed = batch, seed
        names = layout.layout.names
        feet = np.array([name in FEET for name in names])
        self._feet = (
            np.array([*feet, False]),
            np.array([feet[a] or feet[b] for a, b in layout.limbs]),
        )

    def __call__(self, number: int) -> PoseBatch:
        """Batch `number`."""
        crops = [self._crop(number, row) for row in range(self.batch)]
        maps = Maps(_stacked([c.confidence for c in crops]), _stacked([c.pafs for c in crops]))
        channels = _stacked([c.channels for c in crops])[..., None, None]
        count = self.layout.points + 1
        wanted = Wanted(
            maps,
            _stacked([c.region for c in crops])[:, None],
            channels[:, :count],
            channels[:, count:],
        )
        pictures = torch.from_numpy(np.stack([c.picture for c in crops]))
        return PoseBatch(pictures, wanted, [c.points for c in crops])

    def _crop(self, number: int, row: int) -> _Crop:
        draw = np.random.default_rng([self.seed, number, row])
        one = self.pictures[int(draw.integers(len(self.pictures)))]
        points = self.layout.from_coco(one.points, one.feet)
        mirrored = bool(draw.random() < self.variation.mirror)
        picture_from_crop = self._placed(points, draw, mirrored=mirrored)
        matrix = np.linalg.inv(picture_from_crop)
        points = points @ matrix[:2, :2].T + matrix[:2, 2]
        if mirrored:
            points = points[:, list(self.layout.layout.mirrored)]
        picture, people, unknown = self._warped(one, picture_from_crop)
        if draw.random() < self.variation.paste and people.any() and not unknown.any():
            picture = pasted(picture, people, draw)
        shown = looked(picture, self.variation, draw)
        return _Crop(shown, points, *self._targets(points, unknown, feet=one.feet_known))

    def _placed(self, points: Array, draw: Random, *, mirrored: bool) -> Array:
        """(3, 3) pixels of the picture from those of a crop around somebody."""
        v = self.variation
        person = points[int(draw.integers(len(points)))]
        there = person[np.isfinite(person).all(axis=-1)]
        low, high = (there.min(0), there.max(0)) if len(there) else (np.zeros(2), np.full(2, 64.0))
        extent = max(float((high - low).max()) * _BOX, 16.0)
        part = np.exp(draw.uniform(np.log(v.smallest), np.log(v.largest)))
        scale = extent / part / v.size
        middle = (low + high) / 2 + draw.uniform(-v.shift, v.shift, 2) * v.size * scale
        angle = draw.uniform(-v.turn, v.turn)
        turn = (
            scale
            * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
            @ np.diag([-1.0 if mirrored else 1.0, 1.0])
        )
        matrix = np.eye(3)
        matrix[:2, :2] = turn
        matrix[:2, 2] = middle - turn @ np.full(2, (v.size - 1) / 2)
        return matrix

    def _warped(
        self, one: Labelled, picture_from_crop: Array
    ) -> tuple[Floats, npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """The crop, and the masks of people and of what is unknown in it."""
        size = self.variation.size
        shrink = max(1, int(np.sqrt(abs(np.linalg.det(picture_from_crop[:2, :2])))))
        picture = torch.from_numpy(read_picture(one)).permute(2, 0, 1).float()[None]
        masks = torch.from_numpy(np.stack([one.mask("people"), one.mask("unknown")])).float()[None]
        layers = torch.cat([picture - _GREY, masks], dim=1)
        if shrink > 1:
            layers = functional.avg_pool2d(layers, shrink, ceil_mode=True, count_include_pad=False)
        at = np.arange(size)
        x, y = np.meshgrid(at, at)
        places = np.stack([x, y], -1) @ picture_from_crop[:2, :2].T + picture_from_crop[:2, 2]
        sides = shrink * np.array([layers.shape[3], layers.shape[2]])
        grid = torch.from_numpy(((places + 0.5) * 2.0 / sides - 1.0).astype(np.float32))[None]
        crop = functional.grid_sample(layers, grid, align_corners=False)[0].numpy()
        return (crop[:3] + _GREY).transpose(1, 2, 0), crop[3] > 0.5, crop[4] > 0.25

    def _targets(
        self, points: Array, unknown: npt.NDArray[np.bool_], *, feet: bool
    ) -> tuple[Floats, Floats, Floats, Floats]:
        cells = self.variation.size // STRIDE
        places = (points + 0.5) / STRIDE - 0.5
        confidence, pafs = target_maps(places, self.layout.limbs, (cells, cells))
        region = 1.0 - unknown.reshape(cells, STRIDE, cells, STRIDE).any(axis=(1, 3))
        lacking = np.concatenate([self._feet[0], np.repeat(self._feet[1], 2)])
        channels = np.where(lacking & (not feet), 0.0, 1.0)
        return confidence, pafs, region.astype(np.float32), channels.astype(np.float32)


def _stacked(arrays: list[Floats]) -> Tensor:
    return torch.from_numpy(np.stack(arrays))
