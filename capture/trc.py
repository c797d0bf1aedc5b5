"""TRC: marker positions as a table of text, in the many dialects that programs write.

    PathFileType  4  (X/Y/Z)  walk.trc
    DataRate  CameraRate  NumFrames  NumMarkers  Units  OrigDataRate  OrigDataStartFrame  OrigNumFrames
    100.0     100.0       238        41          mm     100.0         1                   238
    Frame#  Time  R.ASIS         L.ASIS         …
                  X1   Y1   Z1   X2   Y2   Z2   …

    1  0.00  617.2  1055.3  170.8  639.6  …

Fields are separated by tabs, or by blanks where there is no tab. A missing marker is empty, NaN or 0 0 0. The
header's counts often lie: what is there is read, and the difference told.
"""

import re
import warnings
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np

from ..rig.arrays import Array
from ..rig.errors import FormatError
from .frame_clock import frame_clock
from .marker_file import MarkerFile, RawMarkers, different_names, in_our_world
from .textfile import FormatWarning, naming, numbers, read_text

__all__ = ["parse_trc", "read_trc"]

_FIRST = 2  # columns before the first marker: frame and time
_HEADER_LINES = 30
_AXIS_LABEL = re.compile(r"[XYZxyz]\d*")


def read_trc(path: Path | str, *, up: str | None = None, unit: str | None = None) -> MarkerFile:
    """Read the markers of a TRC file; see `in_our_world` for `up` and `unit`.

    Raises:
        FileError: the file can't be read.
        FormatError: it is no TRC, is damaged, or its unit makes of the markers no person.
    """
    content = read_text(path)
    with naming(path):
        return in_our_world(parse_trc(content), up=up, unit=unit)


def parse_trc(text: str) -> RawMarkers:
    """Parse the text of a TRC file. See `read_trc`."""
    lines = text.split("\n")
    names_line = _names_line(lines)
    header = _header(lines[:names_line])
    names, first_row = _names(lines, names_line)
    rows, places = _rows(lines, first_row, len(names))
    clock = frame_clock(rows[:, 0], _number(header.get("datarate")), places)
    positions = clock.frames(rows[:, 1:].reshape(len(rows), len(names), 3))
    _tell_lies(header, {"numframes": len(rows), "nummarkers": len(names)})
    return RawMarkers(
        names, positions, clock.fps, clock.start, header.get("units", ""), up=None, usual_up="y"
    )


def _fields(line: str) -> list[str]:
    return [field.strip() for field in (line.split("\t") if "\t" in line else line.split())]


def _filled(line: str) -> list[str]:
    return [field for field in _fields(line) if field]


def _names_line(lines: list[str]) -> int:
    for number, line in enumerate(lines[:_HEADER_LINES]):
        if line.lstrip().lower().startswith("frame"):
            return number
    raise FormatError("found no line that starts with Frame#; expected a TRC file")


def _header(lines: list[str]) -> Mapping[str, str]:
    """Keys, in lower case, and values; {} where the file has no such lines."""
    for line, following in pairwise(lines):
        if line.lstrip().lower().startswith("datarate"):
            keys, values = _filled(line), _filled(following)
            if len(keys) != len(values):  # one is empty: tell them by their columns
                keys, values = _fields(line), _fields(following)
            return {key.lower(): value for key, value in zip(keys, values, strict=False) if key}
    return {}


def _number(word: str | None) -> float | None:
    try:
        return float(numbers([word])[0]) if word else None
    except ValueError:
        return None


def _names(lines: list[str], names_line: int) -> tuple[tuple[str, ...], int]:
    """The markers' names, and the line after those with names and axes."""
    fields = _fields(lines[names_line])
    filled = [(place, name) for place, name in enumerate(fields) if name][_FIRST:]
    names = different_names(
        [name for _, name in filled],
        [f"column {place + 1} of line {names_line + 1}" for place, _ in filled],
    )
    if not names:
        raise FormatError(f"line {names_line + 1} names no marker")
    axes = _filled(lines[names_line + 1]) if names_line + 1 < len(lines) else []
    if not (axes and all(_AXIS_LABEL.fullmatch(axis) for axis in axes)):
        return names, names_line + 1
    if len(axes) != 3 * len(names):
        unnamed = [k + 1 for k, name in enumerate(fields[_FIRST::3]) if not name]
        which = f"; number {unnamed[0]} has none" if unnamed else ""
        raise FormatError(
            f"line {names_line + 1} names {len(names)} markers, and the line below has {len(axes)} columns "
            f"X, Y, Z for them; expected a name for every three{which}"
        )
    return names, names_line + 2


def _rows(lines: list[str], first: int, markers: int) -> tuple[Array, tuple[int, ...]]:
    """Time and positions (T, 1 + 3M), and the number of each line."""
    rows, places, short = [], [], []
    width = _FIRST + 3 * markers
    for number, line in enumerate(lines[first:], start=first + 1):
        fields = _fields(line)
        if not any(fields):
            continue
        while len(fields) > width and not fields[-1]:
            fields.pop()
        if len(fields) < width and (len(fields) - _FIRST) % 3 == 0 and "\t" in line:
            short.append(number)
            fields += [""] * (width - len(fields))
        if len(fields) != width:
            raise FormatError(
                f"line {number} has {len(fields)} values, expected {width}, frame, time and three for each "
                f"of {markers} markers: the file is cut or damaged"
            )
        try:
            rows.append(numbers([field or "nan" for field in fields[1:]], missing=True))
        except ValueError as error:
            raise FormatError(f"line {number}: {error}") from None
        places.append(number)
    if not rows:
        raise FormatError("the file holds no frame; expected lines with numbers below the header")
    if short:
        warnings.warn(
            f"{len(short)} lines end early, the first is line {short[0]}; the markers they lack are missing",
            FormatWarning,
            stacklevel=3,
        )
    return np.array(rows), tuple(places)


def _tell_lies(header: Mapping[str, str], counted: Mapping[str, int]) -> None:
    for key, what in (("numframes", "frames"), ("nummarkers", "markers")):
        stated = _number(header.get(key))
        if stated is not None and stated != counted[key]:
            warnings.warn(
                f"the header says {stated:g} {what}, there are {counted[key]}; these are read",
                FormatWarning,
                stacklevel=3,
            )
