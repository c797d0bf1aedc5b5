"""Batches of crops with what the maps should be, drawn from the seed and the step."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from ...rig.arrays import Array
from .coco_set import Labelled
from .layouts import FEET, PafLayout
from .looks import Floats, Random, looked, pasted
from .losses import Wanted
from .network import STRIDE, Maps
from .picture_cache import PictureCache
from .targets import target_maps
from .variation import Variation

__all__ = ["PoseBatch", "PoseSampler"]

_BOX: Final = 1.15  # around the keypoints of a person
_BLACK: Final = (
    0.5  # of the crops show black outside of the picture, as detectors do, others any colour
)
Bits = npt.NDArray[np.bool_]


class PoseBatch(NamedTuple):
    """B crops (B, S, S, 3) of bytes, what their maps should be, and their keypoints (P, K, 2) in pixels."""

    pictures: Tensor
    wanted: Wanted
    points: list[Array]


class _Drawn(NamedTuple):
    """A part of a picture, who is in it, and where nothing is known."""

    picture: Floats
    people: Bits
    unknown: Bits
    points: Array
    feet_known: bool


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
        self._cache = PictureCache()
        names = layout.layout.names
        feet = np.array([name in FEET for name in names])
        self._feet = (
            np.array([*feet, False]),
            np.array([feet[a] or feet[b] for a, b in layout.limbs]),
        )

    def __call__(self, number: int, rows: slice = slice(None)) -> PoseBatch:
        """Batch `number`, or some rows of it."""
        crops = [self._crop(number, row) for row in range(self.batch)[rows]]
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
        drawn = self._drawn(draw)
        if drawn.people.any() and not drawn.unknown.any():
            if draw.random() < self.variation.mix:
                drawn = _before(drawn, self._drawn(draw))
            elif draw.random() < self.variation.paste:
                drawn = drawn._replace(picture=pasted(drawn.picture, drawn.people, draw))
        shown = looked(drawn.picture, self.variation, draw)
        targets = self._targets(drawn.points, drawn.unknown, feet=drawn.feet_known)
        return _Crop(shown, drawn.points, *targets)

    def _drawn(self, draw: Random) -> _Drawn:
        one = self.pictures[int(draw.integers(len(self.pictures)))]
        points = self.layout.from_coco(one.points, one.feet)
        mirrored = bool(draw.random() < self.variation.mirror)
        picture_from_crop = self._placed(points, draw, mirrored=mirrored)
        matrix = np.linalg.inv(picture_from_crop)
        points = points @ matrix[:2, :2].T + matrix[:2, 2]
        if mirrored:
            points = points[:, list(self.layout.layout.mirrored)]
        outside = np.zeros(3, np.float32)
        if self.variation.colour and draw.random() > _BLACK:
            outside = draw.uniform(0.0, 255.0, 3).astype(np.float32)
        warped = self._warped(one, picture_from_crop, outside)
        return _Drawn(*warped, points, one.feet_known)

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
        self, one: Labelled, picture_from_crop: Array, outside: Floats
    ) -> tuple[Floats, Bits, Bits]:
        """The crop, and the masks of people and of what is unknown in it."""
        size = self.variation.size
        shrink = max(1, int(np.sqrt(abs(np.linalg.det(picture_from_crop[:2, :2])))))
        layers = torch.from_numpy(self._cache(one))[None].float()
        layers[0, :3] -= torch.from_numpy(outside)[:, None, None]
        if shrink > 1:
            layers = functional.avg_pool2d(layers, shrink, ceil_mode=True, count_include_pad=False)
        sides = float(shrink) * np.array([layers.shape[3], layers.shape[2]], dtype=np.float64)
        grid = _grid(picture_from_crop, size, sides)
        crop = functional.grid_sample(layers, grid, align_corners=False)[0].numpy()
        return crop[:3].transpose(1, 2, 0) + outside, crop[3] > 0.5, crop[4] > 0.25

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


def _grid(picture_from_crop: Array, size: int, sides: Array) -> Tensor:
    """(1, size, size, 2) where `grid_sample` finds each pixel of a crop in a picture of these sides."""
    at = np.arange(size, dtype=np.float32)
    scale = (2.0 / sides).astype(np.float32)
    turn = picture_from_crop[:2, :2].astype(np.float32) * scale[:, None]
    offset = ((picture_from_crop[:2, 2] + 0.5) * scale - 1.0).astype(np.float32)
    places = at[None, :, None] * turn[:, 0] + at[:, None, None] * turn[:, 1] + offset
    return torch.from_numpy(places)[None]


def _before(front: _Drawn, behind: _Drawn) -> _Drawn:
    """The people of one picture before another picture, whose people stay labelled where they are hidden."""
    return _Drawn(
        np.where(front.people[..., None], front.picture, behind.picture),
        front.people | behind.people,
        behind.unknown & ~front.people,
        np.concatenate([front.points, behind.points]),
        front.feet_known and behind.feet_known,
    )


def _stacked(arrays: list[Floats]) -> Tensor:
    return torch.from_numpy(np.stack(arrays))
