"""How a picture of training looks: light, colours, blur, noise, JPEG, holes, textures behind people."""

from typing import Final

import numpy as np
import numpy.typing as npt

from .variation import Variation

__all__ = ["Floats", "Random", "compressed", "looked", "pasted"]

Floats = npt.NDArray[np.float32]
Random = np.random.Generator
_BLOCK: Final = 8
_LUMA: Final = np.array(  # JPEG's quantisation table for luminance at quality 50 (ITU-T T.81, K.1)
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ],
    dtype=np.float32,
)
_GREY: Final = np.array([0.299, 0.587, 0.114], dtype=np.float32)
_PLACE: Final = np.arange(_BLOCK)
_COSINES: Final = np.where(_PLACE[:, None] == 0, np.sqrt(1 / 8), 0.5) * np.cos(
    np.pi * (2 * _PLACE + 1) * _PLACE[:, None] / 16
)


def pasted(picture: Floats, people: npt.NDArray[np.bool_], draw: Random) -> Floats:
    """The people of a picture (H, W, 3) before a random texture: patches of colour of all sizes."""
    height, width = people.shape
    texture = np.zeros((height, width, 3))
    for cells in (2, 5, 12, 40):
        patches = draw.uniform(0.0, 255.0, (cells, cells, 3))
        rows, columns = np.arange(height) * cells // height, np.arange(width) * cells // width
        texture += draw.uniform(0.2, 1.0) * (patches[rows][:, columns] - 127.5)
    background = np.clip(127.5 + texture, 0.0, 255.0)
    return np.where(people[..., None], picture, background).astype(np.float32)


def looked(picture: Floats, variation: Variation, draw: Random) -> npt.NDArray[np.uint8]:
    """A picture (H, W, 3) from 0 to 255 as another camera in another light might have taken it."""
    if draw.random() < variation.holes:
        picture = _with_holes(picture, draw)
    picture = _lit(picture, variation, draw)
    if draw.random() < variation.blur:
        picture = _blurred(picture, draw)
    if variation.noise:
        noise = draw.standard_normal(picture.shape, dtype=np.float32)
        picture = picture + draw.uniform(0.0, 255.0 * variation.noise) * noise
    if draw.random() < variation.jpeg:
        picture = compressed(picture.astype(np.float32), draw.uniform(0.5, 4.0))
    return np.clip(picture + 0.5, 0.0, 255.0).astype(np.uint8)


def _with_holes(picture: Floats, draw: Random) -> Floats:
    picture = picture.copy()
    height, width = picture.shape[:2]
    for _ in range(draw.integers(1, 4)):
        high, wide = (int(side * draw.uniform(0.05, 0.3)) for side in (height, width))
        top, left = draw.integers(0, height - high + 1), draw.integers(0, width - wide + 1)
        picture[top : top + high, left : left + wide] = draw.uniform(0.0, 255.0, 3)
    return picture


def _lit(picture: Floats, variation: Variation, draw: Random) -> Floats:
    if draw.random() < variation.grey:
        picture = np.repeat((picture @ _GREY)[..., None], 3, axis=-1)
    gain = np.exp(
        variation.contrast * draw.uniform(-1, 1) + variation.colour * draw.uniform(-1, 1, 3)
    )
    offset = 127.5 + 255.0 * variation.brightness * draw.uniform(-1, 1)
    return ((picture - 127.5) * gain + offset).astype(np.float32)


def _blurred(picture: Floats, draw: Random) -> Floats:
    """Out of focus (a Gaussian), or moved (a line along an axis)."""
    sigma = draw.uniform(0.5, 2.0)
    places = np.arange(-4, 5)
    kernel = np.exp(-0.5 * (places / sigma) ** 2)
    if draw.random() < 0.3:
        reach = draw.integers(1, 5)
        return _along(picture, (np.abs(places) <= reach).astype(float), int(draw.integers(0, 2)))
    return _along(_along(picture, kernel, 0), kernel, 1)


def _along(picture: Floats, kernel: npt.NDArray[np.float64], axis: int) -> Floats:
    reach = len(kernel) // 2
    pad = [(reach, reach) if number == axis else (0, 0) for number in range(3)]
    padded, count = np.pad(picture, pad, mode="edge"), picture.shape[axis]
    parts = (
        np.float32(weight) * np.take(padded, range(step, step + count), axis=axis)
        for step, weight in enumerate(kernel / kernel.sum())
        if weight
    )
    return np.asarray(sum(parts), dtype=np.float32)


def compressed(picture: Floats, strength: float) -> Floats:
    """What JPEG leaves of a picture whose sides are multiples of 8; strength 1 is its quality 50."""
    height, width, channels = picture.shape
    blocks = picture.reshape(height // _BLOCK, _BLOCK, width // _BLOCK, _BLOCK, channels)
    cosines = _COSINES.astype(np.float32)
    waves = np.einsum("ui,aibjc,vj->aubvc", cosines, blocks - 128.0, cosines, optimize=True)
    steps = np.maximum(strength * _LUMA, 1.0)[None, :, None, :, None]
    kept = np.round(waves / steps) * steps
    back = np.einsum("ui,aubvc,vj->aibjc", cosines, kept, cosines, optimize=True)
    return np.asarray(back.reshape(picture.shape) + 128.0, dtype=np.float32)
