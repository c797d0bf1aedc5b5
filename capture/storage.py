"""MOT and STO: OpenSim's tables over time, with a header of words and a line that names the columns.

    Coordinates
    version=1
    nRows=151
    nColumns=24
    inDegrees=yes
    endheader
    time  pelvis_tilt  pelvis_tx  …
    0.00  4.84         0.60       …

Old SIMM motions (`datarows`, `datacolumns`) are read too. Which columns are angles only a model knows: see
`coordinates`. For quaternions see `orientation_table`.
"""

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from ..rig.arrays import Array, checked, frozen
from ..rig.errors import FormatError, ShapeError
from .storage_text import StorageText, parse_storage_text
from .textfile import FormatWarning, naming, read_text, write_text

__all__ = [
    "CoordinateTable",
    "format_storage",
    "parse_storage",
    "read_storage",
    "write_storage",
]

_YES: Final = {"yes": True, "y": True, "true": True, "no": False, "n": False, "false": False}


@dataclass(frozen=True, eq=False)
class CoordinateTable:
    """Columns over time, as in the file.

    Attributes:
        names: C different labels, without that of time.
        times: (T,) seconds, strictly increasing.
        values: (T, C) in the file's units, NaN where missing.
        in_degrees: whether those columns that are angles are in degrees; None where the file does not say.
        title: the file's first line.
    """

    names: tuple[str, ...]
    times: Array
    values: Array
    in_degrees: bool | None
    title: str = "Coordinates"

    def __post_init__(self) -> None:
        times = checked("times", self.times, (None,))
        values = checked("values", self.values, (len(times), len(self.names)))
        if not np.all(np.diff(times) > 0):
            raise ShapeError("the times of a table do not strictly increase")
        for name in self.names:
            if not name or self.names.count(name) > 1:
                raise ShapeError(
                    f"a column is called {name[:60]!r}, {self.names.count(name)} times; expected "
                    "different names"
                )
        object.__setattr__(self, "names", tuple(self.names))
        object.__setattr__(self, "times", frozen(times))
        object.__setattr__(self, "values", frozen(values))

    def __len__(self) -> int:
        return len(self.times)


def read_storage(path: Path | str) -> CoordinateTable:
    """Read a table of numbers.

    Raises:
        FileError: the file can't be read.
        FormatError: it is no MOT or STO, is damaged, or holds quaternions or vectors.
    """
    content = read_text(path)
    with naming(path):
        return parse_storage(content)


def parse_storage(text: str) -> CoordinateTable:
    """Parse the text of a MOT or STO file. See `read_storage`."""
    table = parse_storage_text(text)
    kind = table.header.get("datatype", "double").lower()
    if kind != "double":
        raise FormatError(f"the header says that every cell holds a {kind[:20]}; expected a number")
    values = np.array([table.numbers(row, cells) for row, cells in enumerate(table.rows)])
    table.check_clock(values[:, 0])
    _tell_lies(table)
    return CoordinateTable(
        table.names[1:],
        values[:, 0],
        values[:, 1:],
        _in_degrees(table.header, text),
        table.header["title"],
    )


def _in_degrees(header: Mapping[str, str], text: str) -> bool | None:
    if (stated := _YES.get(header.get("indegrees", "").lower())) is not None:
        return stated
    said = re.search(r"angles are in (degrees|radians)", text[:10_000], re.IGNORECASE)
    if said:
        return said[1].lower() == "degrees"
    return True if "simm" in header else None


def _tell_lies(table: StorageText) -> None:
    counted = (("nrows", "rows", len(table.rows)), ("ncolumns", "columns", len(table.names)))
    for key, what, there in counted:
        stated = table.header.get(key, "")
        if stated.isdecimal() and stated.lstrip("0") != str(there):
            warnings.warn(
                f"the header says {stated[:12]} {what}, there are {there}; these are read",
                FormatWarning,
                stacklevel=3,
            )


def write_storage(path: Path | str, table: CoordinateTable, *, force: bool = False) -> None:
    """Write a table as OpenSim does, with exact numbers.

    Raises:
        OutputError: `path` is there already and `force` is off, or it can't be written.
    """
    write_text(path, format_storage(table), force=force)


def format_storage(table: CoordinateTable) -> str:
    """The text of a MOT or STO file."""
    lines = [table.title or "Coordinates", "version=1", f"nRows={len(table)}"]
    lines.append(f"nColumns={len(table.names) + 1}")
    if table.in_degrees is not None:
        lines.append(f"inDegrees={'yes' if table.in_degrees else 'no'}")
    lines += ["", "endheader", "\t".join(["time", *table.names])]
    rows = np.column_stack([table.times, table.values]) + 0.0  # no -0
    lines += ["\t".join(map(repr, row)) for row in rows.tolist()]
    return "\n".join(lines) + "\n"
