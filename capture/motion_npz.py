"""Motions as npz: exact, small, and readable with numpy alone.

    version          int, 1
    names            (J,) text            parents  (J,) int, -1 for the root
    offsets, tips    (J, 3) metres        fps      float
    root_position    (T, 3) metres, z up  rotations  (T, J, 4) w x y z, parent_from_joint
    confidence       (T, J), optional

What is in an npz is read by `npz`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..rig.errors import FormatError, ShapeError
from ..rig.motion import Motion
from ..rig.skeleton import Skeleton
from .npz import parse_npz
from .output import new_file
from .textfile import LARGEST, naming, read_bytes

__all__ = ["parse_motion_npz", "read_motion_npz", "write_motion_npz"]

_VERSION = 1
_NUMBERS = ("parents", "offsets", "tips", "fps", "root_position", "rotations")
_MAY_BE_NAN = ("tips", "rotations", "root_position")


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
    arrays = parse_npz(content)
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
