"""OpenEXR files of scanlines: those that Blender writes are read, ours are written, without a library.

After the layout in "OpenEXR File Layout" (openexr.com/en/latest/OpenEXRFileLayout.html): magic, version,
header attributes, table of offsets, then blocks of lines with each channel's numbers one after the other.
"""

import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ...rig.errors import FileError, FormatError

__all__ = ["exr_bytes", "read_exr"]

_MAGIC: Final = 20000630
_TILED_DEEP_MULTI: Final = 0x200 | 0x800 | 0x1000
_KINDS: Final = {0: np.dtype("<u4"), 1: np.dtype("<f2"), 2: np.dtype("<f4")}
_NONE, _ZIP, _LINES = 0, 3, 16
Pixels = npt.NDArray[Any]


def read_exr(path: Path | str) -> dict[str, Pixels]:
    """Read an uncompressed or ZIP-compressed picture of scanlines.

    Returns:
        Every channel (H, W) by its name, as `ViewLayer.Depth.Z`.

    Raises:
        FileError: the file can't be read.
        FormatError: it is no such picture, or is cut.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise FileError(f"{path} can't be read: {error.strerror or error}") from error
    try:
        return _parsed(content)
    except (struct.error, ValueError, IndexError, KeyError, zlib.error, OverflowError) as error:
        raise FormatError(f"{path} is no EXR picture of scanlines, or is cut: {error}") from error


def _parsed(content: bytes) -> dict[str, Pixels]:
    magic, version = struct.unpack_from("<ii", content)
    if magic != _MAGIC or version & _TILED_DEEP_MULTI:
        raise ValueError("it begins like another file, or has tiles or parts")
    header, place = _header(content, 8)
    left, top, right, bottom = struct.unpack("<4i", header["dataWindow"])
    width, height = right - left + 1, bottom - top + 1
    if not (0 < width <= 1 << 16 and 0 < height <= 1 << 16):
        raise ValueError(f"it is {width} by {height} pixels")
    compression = header["compression"][0]
    if compression not in (_NONE, 2, _ZIP):
        raise ValueError(f"it has compression {compression}")
    lines = {_NONE: 1, 2: 1, _ZIP: _LINES}[compression]
    channels = _channels(header["channels"])
    pixel = sum(kind.itemsize for _, kind in channels)
    blocks = -(-height // lines)
    if len(content) < place + 8 * blocks:
        raise ValueError("the table of lines is cut")
    offsets = np.frombuffer(content, "<u8", blocks, place)
    if compression == _NONE:
        return _plain(content, offsets, channels, (width, height))
    raw = bytearray()
    for number, offset in enumerate(offsets.tolist()):
        _, size = struct.unpack_from("<ii", content, offset)
        block = content[offset + 8 : offset + 8 + size]
        expected = min(lines, height - number * lines) * width * pixel
        raw += block if size == expected else _unfiltered(zlib.decompress(block))
    return _split(np.frombuffer(bytes(raw), np.uint8).reshape(height, -1), channels, width)


def _plain(
    content: bytes,
    offsets: Pixels,
    channels: list[tuple[str, np.dtype[Any]]],
    size: tuple[int, int],
) -> dict[str, Pixels]:
    """Lines without compression: all are as long, so they are one table of bytes."""
    width, height = size
    line = width * sum(kind.itemsize for _, kind in channels)
    first = int(offsets.min())
    steps = np.argsort(offsets)
    whole = np.frombuffer(content, np.uint8, height * (line + 8), first).reshape(height, line + 8)
    if (np.diff(offsets) == line + 8).all():  # in order, as ever
        return _split(whole[:, 8:], channels, width)
    rows = np.empty(height, dtype=np.int64)
    rows[steps] = np.arange(height)
    return _split(whole[rows, 8:], channels, width)


def _split(
    rows: Pixels, channels: list[tuple[str, np.dtype[Any]]], width: int
) -> dict[str, Pixels]:
    found, at = {}, 0
    for name, kind in channels:
        size = width * kind.itemsize
        found[name] = np.ascontiguousarray(rows[:, at : at + size]).view(kind)
        at += size
    return found


def _header(content: bytes, place: int) -> tuple[dict[str, bytes], int]:
    found = {}
    while content[place] != 0:
        name, place = _text(content, place)
        _, place = _text(content, place)
        (size,) = struct.unpack_from("<i", content, place)
        if size < 0 or place + 4 + size > len(content):
            raise ValueError("its header is cut")
        found[name] = content[place + 4 : place + 4 + size]
        place += 4 + size
    return found, place + 1


def _text(content: bytes, place: int) -> tuple[str, int]:
    end = content.index(b"\0", place)
    return content[place:end].decode("latin-1"), end + 1


def _channels(content: bytes) -> list[tuple[str, np.dtype[Any]]]:
    found, place = [], 0
    while content[place] != 0:
        name, place = _text(content, place)
        kind, _, across, down = struct.unpack_from("<iiii", content, place)
        if (across, down) != (1, 1):
            raise ValueError("a channel is sampled more coarsely")
        found.append((name, _KINDS[kind]))
        place += 16
    return found


def _filtered(raw: bytes) -> bytes:
    """OpenEXR's step before ZIP: even bytes, then odd ones, each as its difference to the one before."""
    values = np.frombuffer(raw, np.uint8)
    halves = np.concatenate([values[0::2], values[1::2]])
    steps = np.empty_like(halves)
    steps[0] = halves[0]
    steps[1:] = halves[1:] - halves[:-1] + np.uint8(128)
    return steps.tobytes()


def _unfiltered(packed: bytes) -> bytes:
    steps = np.frombuffer(packed, np.uint8).copy()
    steps[1:] -= np.uint8(128)
    halves = np.cumsum(steps, dtype=np.uint8)
    values = np.empty_like(halves)
    middle = (len(halves) + 1) // 2
    values[0::2], values[1::2] = halves[:middle], halves[middle:]
    return values.tobytes()


def exr_bytes(channels: Mapping[str, Pixels], effort: int = 4) -> bytes:
    """A picture as OpenEXR with ZIP compression: the same numbers, the same bytes.

    Args:
        channels: (H, W) float16, float32 or uint32 by name; readers know "R", "G", "B" and "Z".
        effort: of ZIP, 1 to 9; 0 leaves the numbers as they are.
    """
    names = sorted(channels)
    kinds = {np.dtype(kind): number for number, kind in _KINDS.items()}
    height, width = channels[names[0]].shape
    listed = b"".join(
        name.encode() + b"\0" + struct.pack("<iiii", kinds[channels[name].dtype], 0, 1, 1)
        for name in names
    )
    box = struct.pack("<4i", 0, 0, width - 1, height - 1)
    attributes = (
        ("channels", "chlist", listed + b"\0"),
        ("compression", "compression", bytes([_ZIP])),
        ("dataWindow", "box2i", box),
        ("displayWindow", "box2i", box),
        ("lineOrder", "lineOrder", b"\0"),
        ("pixelAspectRatio", "float", struct.pack("<f", 1.0)),
        ("screenWindowCenter", "v2f", struct.pack("<ff", 0.0, 0.0)),
        ("screenWindowWidth", "float", struct.pack("<f", 1.0)),
    )
    head = struct.pack("<ii", _MAGIC, 2)
    for name, kind, value in attributes:
        head += (
            name.encode() + b"\0" + kind.encode() + b"\0" + struct.pack("<i", len(value)) + value
        )
    head += b"\0"
    rows = np.concatenate([np.ascontiguousarray(channels[n]).view(np.uint8) for n in names], axis=1)
    blocks = []
    for top in range(0, height, _LINES):
        raw = rows[top : top + _LINES].tobytes()
        packed = zlib.compress(_filtered(raw), effort) if effort else raw
        body = packed if len(packed) < len(raw) else raw
        blocks.append(struct.pack("<ii", top, len(body)) + body)
    starts = np.cumsum([len(head) + 8 * len(blocks), *(len(block) for block in blocks[:-1])])
    return head + starts.astype("<u8").tobytes() + b"".join(blocks)
