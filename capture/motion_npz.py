"""Motions as npz: exact, small, and readable with numpy alone.

    version          int, 1
    names            (J,) text            parents  (J,) int, -1 for the root
    offsets, tips    (J, 3) metres        fps      float
    root_position    (T, 3) metres, z up  rotations  (T, J, 4) w x y z, parent_from_joint
    confidence       (T, J), optional

Nothing is unpickled, and no array is made before its size is known to be in the file.
"""

import io
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from ..rig.errors import FormatError, ShapeError
from ..rig.motion import Motion
from ..rig.skeleton import Skeleton
from .output import new_file
from .textfile import LARGEST, naming, read_bytes

__all__ = ["parse_motion_npz", "read_motion_npz", "write_motion_npz"]

_VERSION = 1
_NUMBERS = ("parents", "offsets", "tips", "fps", "root_position", "rotations")
_MAY_BE_NAN = ("tips", "rotations", "root_position")
_MOST_BYTES = 4 << 30  # of all arrays together
_DEFLATE = 1032  # the most that deflate can shrink anything
# What zipfile and numpy's header reader raise on damaged bytes.
_DAMAGE = (
    zipfile.BadZipFile, zlib.error, EOFError, KeyError, NotImplementedError, OSError, OverflowError,
    RuntimeError, SyntaxError, TypeError, ValueError,
)  # fmt: skip


def read_motion_npz(path: Path | str) -> Motion:
    """Read a motion.

    Raises:
        FileError: the file can't be read.
        FormatError: it is no motion npz, or is cut.
    """
    content = read_bytes(path)
    with naming(path):
        return parse_motion_npz(content)


def parse_motion_npz(content: bytes) -> Motion:
    """Parse the bytes of a motion npz. See `read_motion_npz`."""
    arrays = _arrays(content)
    lacking = [name for name in ("version", "names", *_NUMBERS) if name not in arrays]
    if lacking:
        raise FormatError(
            f"the npz lacks {', '.join(lacking)}; expected a motion written by PALLAS"
        )
    if arrays["version"].tolist() != _VERSION:
        raise FormatError(
            f"the motion has version {str(arrays['version'])[:20]}, this program reads {_VERSION}; "
            "update PALLAS"
        )
    try:
        return _motion(arrays)
    except (ShapeError, TypeError, ValueError) as error:
        raise FormatError(f"the motion is damaged: {error}") from error


def _motion(arrays: Mapping[str, npt.NDArray[Any]]) -> Motion:
    for name in (*_NUMBERS, *(["confidence"] if "confidence" in arrays else [])):
        array = arrays[name]
        if array.dtype.kind not in "fiu":
            raise FormatError(f"{name} holds {array.dtype}, expected numbers")
        wrong = ~(np.abs(array.astype(np.float64)) < LARGEST)
        if name in _MAY_BE_NAN:
            wrong &= ~np.isnan(array.astype(np.float64))
        if wrong.any():
            raise FormatError(f"{name} holds a number of no sensible size")
    if arrays["names"].dtype.kind != "U" or arrays["names"].ndim != 1:
        raise FormatError(f"names holds {arrays['names'].dtype}, expected one text per joint")
    if arrays["fps"].ndim or arrays["parents"].ndim != 1 or not arrays["root_position"].ndim:
        raise FormatError("an array has the wrong number of axes")
    skeleton = Skeleton(
        tuple(arrays["names"].tolist()),
        tuple(int(parent) for parent in arrays["parents"]),
        arrays["offsets"],
        arrays["tips"],
    )
    return Motion(
        skeleton,
        arrays["root_position"],
        arrays["rotations"],
        float(arrays["fps"]),
        arrays.get("confidence"),
    )


def _arrays(content: bytes) -> dict[str, npt.NDArray[Any]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            total = sum(info.file_size for info in archive.infolist())
            if total > min(_MOST_BYTES, _DEFLATE * len(content)):
                raise FormatError(f"the npz claims to hold {total} bytes, more than it can")
            return {
                name.removesuffix(".npy"): _array(archive.read(name))
                for name in archive.namelist()
                if name.endswith(".npy")
            }
    except FormatError:
        raise
    except _DAMAGE as error:
        raise FormatError(f"no readable npz, the file is cut or damaged: {error}") from error


def _array(content: bytes) -> npt.NDArray[Any]:
    """One npy, its size compared with its header before any memory is taken."""
    stream, npy = io.BytesIO(content), cast(Any, np.lib.format)  # it has no types
    version = npy.read_magic(stream)
    if version != (1, 0):
        raise FormatError(f"an array has npy version {version}, expected (1, 0)")
    shape, by_columns, kind = npy.read_array_header_1_0(stream)
    if kind.hasobject or kind.itemsize == 0:
        raise FormatError(f"an array holds {kind}, expected numbers or text")
    data = content[stream.tell() :]
    count = 1
    for length in shape:  # Python integers: no overflow
        count *= length
    if count * kind.itemsize != len(data) or min(shape, default=0) < 0:
        raise FormatError(f"an array of {len(data)} bytes claims shape {str(shape)[:60]}")
    return np.frombuffer(data, kind).reshape(shape, order="F" if by_columns else "C")


def write_motion_npz(path: Path | str, motion: Motion, *, force: bool = False) -> None:
    """Write a motion; the same motion gives the same bytes.

    Raises:
        OutputError: `path` is there already and `force` is off, or it can't be written.
    """
    arrays: dict[str, npt.ArrayLike] = {
        "version": _VERSION,
        "names": np.array(motion.skeleton.names, dtype=np.str_),
        "parents": np.array(motion.skeleton.parents, dtype=np.int64),
        "offsets": motion.skeleton.offsets,
        "tips": motion.skeleton.tips,
        "fps": motion.fps,
        "root_position": motion.root_position,
        "rotations": motion.rotations,
    }
    if motion.confidence is not None:
        arrays["confidence"] = motion.confidence
    with new_file(path, force=force) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)
