"""C3D out: Intel floats, millimetres and z-up unless told otherwise; no analog channels."""

import struct
from pathlib import Path
from typing import Final

import numpy as np

from ..rig.errors import FormatError
from ..rig.trajectories import MarkerTrajectories
from .axes import metres_per
from .c3d import C3D_MARK
from .c3d_parameters import BLOCK, Value, format_parameters
from .marker_file import file_unit
from .output import new_file
from .up_axis import from_world

__all__ = ["format_c3d", "write_c3d"]

_LINES: Final = 255  # that one parameter holds
_LONGEST_NAME: Final = 127
_MOST_MARKERS: Final = 8192
_MOST_BLOCKS: Final = 255  # of parameters
_FULL_WORD: Final = 65535
_RIGHT: Final = {"x": "+Y", "y": "+X", "z": "+X"}  # on a screen, for each axis that is up


def write_c3d(
    path: Path | str,
    markers: MarkerTrajectories,
    *,
    up: str = "z",
    unit: str = "mm",
    force: bool = False,
) -> None:
    """Write markers, turned so that the file's axis `up` points up. Times start at the nearest whole frame.

    Raises:
        OutputError: `path` is there already and `force` is off, or it can't be written.
        FormatError: what the format has no room for: too many markers, frames before time 0, long names.
    """
    content = format_c3d(markers, up=up, unit=unit)
    with new_file(path, force=force) as temporary:
        temporary.write_bytes(content)


def format_c3d(markers: MarkerTrajectories, *, up: str = "z", unit: str = "mm") -> bytes:
    """The bytes of a C3D file. See `write_c3d`."""
    frames, count = len(markers), len(markers.names)
    first = round(markers.start * markers.fps) + 1
    last = first + frames - 1
    _check(markers, first, last)
    written = file_unit(unit)
    positions = from_world(markers.positions, up) / metres_per(
        "inch" if written == "in" else written
    )
    seen = np.isfinite(positions).all(axis=-1)
    data = np.zeros((frames, count, 4), dtype="<f4")
    data[..., :3] = np.where(seen[..., None], positions, 0.0)
    data[..., 3] = np.where(seen, 0.0, -1.0)
    scale = -max(float(np.abs(data[..., :3]).max(initial=0.0)), 1.0) / 32000.0
    parameters = _parameters(markers, first, last, scale, up, written)
    if len(parameters) > _MOST_BLOCKS * BLOCK:
        raise FormatError(
            f"the names of {count} markers need too much room for a C3D file; shorten them"
        )
    start = 2 + len(parameters) // BLOCK
    # The section holds the number of the block behind it, which its own length tells.
    parameters = _parameters(markers, first, last, scale, up, written, start)
    words = (count, 0, min(first, _FULL_WORD), min(last, _FULL_WORD), 0)
    header = struct.pack("<BB5Hf2Hf", 2, C3D_MARK, *words, scale, start, 0, markers.fps)
    # Not filled up to a block: with many frames ezc3d reads to the end of the file.
    return header.ljust(BLOCK, b"\0") + parameters + data.tobytes()


def _check(markers: MarkerTrajectories, first: int, last: int) -> None:
    if not markers.names or not len(markers) or len(markers.names) > _MOST_MARKERS:
        raise FormatError(
            f"{len(markers)} frames of {len(markers.names)} markers can't be written as C3D; expected at "
            f"least one of each and at most {_MOST_MARKERS} markers"
        )
    if not 1 <= first <= last < 2**32:
        raise FormatError(
            f"the markers start at {markers.start:g} s; C3D counts frames from time 0; expected a start at "
            "or after it"
        )
    long = [name for name in markers.names if len(name.encode()) > _LONGEST_NAME]
    if long:
        raise FormatError(
            f"marker {long[0][:40]!r}… has a name of over {_LONGEST_NAME} letters; shorten it"
        )


def _parameters(
    markers: MarkerTrajectories,
    first: int,
    last: int,
    scale: float,
    up: str,
    unit: str,
    start: int = 0,
) -> bytes:
    sign, axis = "-" if up.startswith("-") else "+", up[-1]
    count = last - first + 1
    point: list[tuple[str, Value]] = [
        ("USED", len(markers.names)),
        ("SCALE", scale),
        ("RATE", markers.fps),
        ("DATA_START", start),
        ("FRAMES", min(count, _FULL_WORD)),
        ("LONG_FRAMES", float(count)),
        ("UNITS", unit),
        ("X_SCREEN", _RIGHT[axis]),
        ("Y_SCREEN", sign + axis.upper()),
    ]
    for group in range(0, len(markers.names), _LINES):
        suffix = str(group // _LINES + 1) if group else ""
        point.append((f"LABELS{suffix}", list(markers.names[group : group + _LINES])))
    trial: list[tuple[str, Value]] = [
        (f"ACTUAL_{end}_FIELD", [frame % 65536, frame // 65536])
        for end, frame in (("START", first), ("END", last))
    ]
    # Other programs expect these groups even where nothing is in them.
    analog: list[tuple[str, Value]] = [("USED", 0), ("RATE", markers.fps), ("GEN_SCALE", 1.0)]
    plates: list[tuple[str, Value]] = [("USED", 0)]
    return format_parameters(
        [("POINT", point), ("ANALOG", analog), ("TRIAL", trial), ("FORCE_PLATFORM", plates)]
    )
