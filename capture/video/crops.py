"""Crops of a picture for top-down networks, and back."""

from typing import NamedTuple

import numpy as np

from ...rig.arrays import Array
from .frames import Picture

__all__ = ["Box", "box_around", "crop", "tiles"]

_MARGIN = 1.25  # around the keypoints, as RTMPose and ViTPose are trained


class Box(NamedTuple):
    """A part of a picture, in pixels: its centre and its width and height."""

    x: float
    y: float
    width: float
    height: float

    def of_shape(self, aspect: float) -> "Box":
        """The least box around it with width / height `aspect`."""
        width = max(self.width, self.height * aspect)
        return Box(self.x, self.y, width, width / aspect)

    def to_picture(self, points: Array, size: tuple[int, int]) -> Array:
        """Points (..., 2) of a crop of `size` pixels, in the picture."""
        scale = np.array([self.width / size[0], self.height / size[1]])
        corner = np.array([self.x - self.width / 2, self.y - self.height / 2])
        return np.asarray((points + 0.5) * scale + corner - 0.5)


def box_around(points: Array) -> Box:
    """The box around keypoints (K, 2) of a person, with a margin."""
    low, high = points.min(axis=0), points.max(axis=0)
    width, height = np.maximum((high - low) * _MARGIN, 8.0)
    x, y = (low + high) / 2 + 0.5
    return Box(float(x), float(y), float(width), float(height))


def crop(picture: Picture, box: Box, size: tuple[int, int]) -> Picture:
    """A part of a picture at `size` (width, height): bilinear, averaged where it shrinks, black outside."""
    scale = np.array([box.width / size[0], box.height / size[1]])
    step = max(1, int(scale.min()))
    corner = np.array([box.x - box.width / 2, box.y - box.height / 2])
    first = np.floor(corner).astype(int) - step
    cells = np.ceil((corner - first + (box.width, box.height)) / step).astype(int) + 1
    small = _averaged(picture, first, cells, step)
    x, y = (
        ((np.arange(size[axis]) + 0.5) * scale[axis] + corner[axis] - first[axis]) / step - 0.5
        for axis in (0, 1)
    )
    sampled = _along(_along(small, y, 0), x, 1)
    return np.asarray(np.clip(sampled + 0.5, 0, 255).astype(np.uint8))


def _averaged(picture: Picture, first: Array, cells: Array, step: int) -> Array:
    """(rows, columns, 3) means of squares of `step` pixels, from pixel `first` (x, y) on; black outside."""
    size = cells * step
    part = np.zeros((size[1], size[0], 3), np.uint8)
    low = np.maximum(first, 0)
    high = np.maximum(np.minimum(first + size, picture.shape[1::-1]), low)
    (left, top), (right, bottom) = low - first, high - first
    part[top:bottom, left:right] = picture[low[1] : high[1], low[0] : high[0]]
    rows = part.reshape(cells[1], step, -1).sum(
        axis=1, dtype=np.uint16 if step < 256 else np.uint32
    )
    mean = np.tile(np.eye(3, dtype=np.float32), (step, 1)) / np.float32(step**2)
    means = rows.reshape(-1, 3 * step).astype(np.float32) @ mean  # a product is the quickest sum
    return np.asarray(means.reshape(cells[1], cells[0], 3))


def _along(picture: Array, places: Array, axis: int) -> Array:
    """Linear between the pixels of one axis; zero outside."""
    count = picture.shape[axis]
    low = np.floor(places).astype(int)
    part = (places - low).astype(np.float32)
    inside = (places > -1.0) & (places < count)
    shape = (-1, 1, 1) if axis == 0 else (1, -1, 1)
    first = np.take(picture, low.clip(0, count - 1), axis=axis).astype(np.float32)
    second = np.take(picture, (low + 1).clip(0, count - 1), axis=axis).astype(np.float32)
    mixed = first + (second - first) * part.reshape(shape)
    return np.asarray(mixed * inside.reshape(shape))


def tiles(width: int, height: int) -> list[Box]:
    """Where to look for somebody of whom nothing is known: the picture, then overlapping parts of it."""
    boxes = [Box(width / 2, height / 2, width, height)]
    for part in (0.6, 0.35):
        side = part * max(width, height)
        columns = max(1, round(2 * width / side) - 1)
        rows = max(1, round(2 * height / side) - 1)
        boxes += [
            Box(width * (c + 1) / (columns + 1), height * (r + 1) / (rows + 1), side, side)
            for r in range(rows)
            for c in range(columns)
        ]
    return boxes
