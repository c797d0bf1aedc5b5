"""Orientations of sensors as OpenSense keeps them: an STO file whose cells are "w,x,y,z"."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from ..rig import quaternion
from ..rig.arrays import Array
from ..rig.errors import FormatError
from .storage_text import StorageText, parse_storage_text
from .textfile import naming, read_text

__all__ = ["OrientationTable", "holds_quaternions", "parse_quaternions", "read_quaternions"]

_UNIT_ERROR: Final = 0.1  # a quaternion farther from unit length is none


@dataclass(frozen=True, eq=False)
class OrientationTable:
    """Orientations of sensors over time, as in the file.

    Attributes:
        names: S labels.
        times: (T,) seconds.
        world_from_sensor: (T, S, 4) unit quaternions w, x, y, z in the recording's own world; NaN where
            missing.
    """

    names: tuple[str, ...]
    times: Array
    world_from_sensor: Array


def read_quaternions(path: Path | str) -> OrientationTable:
    """Read a table of orientations, as OpenSense writes them.

    Raises:
        FileError: the file can't be read.
        FormatError: it is no STO, is damaged, or holds no quaternions.
    """
    content = read_text(path)
    with naming(path):
        return parse_quaternions(content)


def holds_quaternions(path: Path | str) -> bool:
    """Whether the header of a MOT or STO file says that its cells are quaternions.

    Raises:
        FileError: the file can't be read.
        FormatError: it is empty or no text.
    """
    header = read_text(path).partition("endheader")[0]
    return "datatype=quaternion" in header.lower().replace(" ", "")


def parse_quaternions(text: str) -> OrientationTable:
    """Parse the text of an STO file of orientations. See `read_quaternions`."""
    table = parse_storage_text(text)
    kind = table.header.get("datatype", "nothing")
    if kind.lower() != "quaternion":
        raise FormatError(f"the header says DataType={kind[:20]}, expected Quaternion")
    times = np.array([table.numbers(row, cells[:1])[0] for row, cells in enumerate(table.rows)])
    table.check_clock(times)
    values = np.array([_quaternions(table, row) for row in range(len(table.rows))])
    return OrientationTable(table.names[1:], times, quaternion.normalised(values))


def _quaternions(table: StorageText, row: int) -> Array:
    """(S, 4); NaN where empty or all zero."""
    place, cells = table.places[row], table.rows[row][1:]
    values = np.full((len(cells), 4), np.nan)
    for sensor, cell in enumerate(cells):
        if not cell or cell.lower() == "nan":
            continue
        parts = [part.strip() for part in cell.split(",")]
        if len(parts) != 4:
            raise FormatError(f"line {place}: found {cell[:60]!r}, expected w,x,y,z")
        values[sensor] = table.numbers(row, parts)
    length = np.linalg.norm(values, axis=1)
    wrong = (length > 0) & (np.abs(length - 1.0) > _UNIT_ERROR)
    if wrong.any():
        raise FormatError(
            f"line {place}: a quaternion has length {length[np.argmax(wrong)]:.4g}, expected 1"
        )
    values[length == 0] = np.nan
    return values
