"""Pictures as files: developed from linear light, with a sensor's noise, as PNG, JPEG or EXR."""

import struct
import zlib
from pathlib import Path
from typing import Any, Final

import bpy
import numpy as np
import numpy.typing as npt

from ...rig.arrays import Array
from ...rig.errors import OutputError
from .exr import exr_bytes

__all__ = ["developed", "picture_bytes", "png_bytes"]

_BRIGHTEST: Final = 65504.0  # of half floats
Pixels = npt.NDArray[Any]


def developed(light: Array, noise: float, random: np.random.Generator) -> Pixels:
    """(H, W, 3) bytes in sRGB of linear light, bright parts rolled off softly.

    Args:
        light: (H, W, 3) linear, 1 is a white wall in full light.
        noise: standard deviation at full white, of 1; that of shot noise falls with the root of the light.
        random: what the noise is drawn from.
    """
    light = np.fmin(np.fmax(light.astype(np.float32), 0.0), _BRIGHTEST)
    if noise > 0.0:
        spread = noise * np.sqrt(np.clip(light, 0.02, 1.0))
        grain = random.standard_normal(light.shape, dtype=np.float32)
        light = np.clip(light + spread * grain, 0.0, None)
    knee = 0.8
    bright = light > knee
    over = light[bright] - knee
    light[bright] = knee + (1.0 - knee) * over / (over + (1.0 - knee))
    dark = light <= 0.0031308
    coded = 255.0 * (1.055 * light ** np.float32(1 / 2.4) - 0.055)
    coded[dark] = 255.0 * 12.92 * light[dark]
    return np.rint(coded).astype(np.uint8)  # at most 255: the soft end stays below 1


def png_bytes(pixels: Pixels) -> bytes:
    """(H, W, 3) bytes as PNG."""
    height, width, _ = pixels.shape
    rows = pixels.reshape(height, width * 3)
    # Each byte as its difference to that of the pixel on the left: type 1.
    steps = rows.copy()
    steps[:, 3:] -= rows[:, :-3]
    raw = np.concatenate([np.ones((height, 1), np.uint8), steps], axis=1).tobytes()
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"sRGB", b"\0"), (b"IDAT", zlib.compress(raw, 4)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


def picture_bytes(
    light: Array, kind: str, quality: int, noise: float, random: np.random.Generator, folder: Path
) -> bytes:
    """A picture as the spec wants it: "png", "jpeg", or "exr" with linear light in half floats."""
    if kind == "exr":
        half = np.clip(light, -65504.0, 65504.0).astype(np.float16)
        return exr_bytes({name: half[..., k] for k, name in enumerate("RGB")})
    pixels = developed(light, noise, random)
    return png_bytes(pixels) if kind == "png" else _jpeg_bytes(pixels, quality, folder)


def _jpeg_bytes(pixels: Pixels, quality: int, folder: Path) -> bytes:
    """By Blender's own library."""
    height, width, _ = pixels.shape
    image = bpy.data.images.new("Picture", width, height)
    try:
        full = np.ones((height, width, 4), dtype=np.float32)
        full[..., :3] = pixels[::-1] / np.float32(255.0)
        image.pixels.foreach_set(full.ravel())
        path = folder / "picture.jpg"
        image.filepath_raw, image.file_format = str(path), "JPEG"
        try:
            image.save(quality=quality)
            content = path.read_bytes()
        except (RuntimeError, OSError) as error:
            raise OutputError(
                f"{path} can't be written; make room and run the same command again"
            ) from error
        path.unlink()
        return content
    finally:
        bpy.data.images.remove(image)
