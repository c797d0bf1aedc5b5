"""The text that MOT and STO files share: words, `endheader`, a line of names, and rows of cells."""

import re
from dataclasses import dataclass
from typing import Final

import numpy as np

from ..rig.arrays import Array
from ..rig.errors import FormatError
from .textfile import numbers

__all__ = ["StorageText", "parse_storage_text"]

_HEADER_LINES: Final = 200


@dataclass(frozen=True)
class StorageText:
    """A parsed file, its cells still text.

    Attributes:
        header: values by their keys in lower case; with `title`, the first line, and `simm` in SIMM's layout.
        names: C + 1 different labels, the first is that of time.
        rows: T rows of C + 1 cells.
        places: T line numbers, counted from 1.
    """

    header: dict[str, str]
    names: tuple[str, ...]
    rows: list[list[str]]
    places: tuple[int, ...]

    def numbers(self, row: int, cells: list[str]) -> Array:
        """The cells of a row as numbers, NaN where empty.

        Raises:
            FormatError: one is no number; the message names the line.
        """
        try:
            return numbers([cell or "nan" for cell in cells], missing=True)
        except ValueError as error:
            raise FormatError(f"line {self.places[row]}: {error}") from None

    def check_clock(self, times: Array) -> None:
        """Raise FormatError, naming the line, where times (T,) do not strictly increase."""
        backwards = np.flatnonzero(~(np.diff(times, prepend=-np.inf) > 0))
        if len(backwards):
            row = int(backwards[0])
            before = f"after {times[row - 1]}" if row else "that is a number"
            raise FormatError(
                f"line {self.places[row]}: time is {times[row]}, expected one {before}"
            )


def parse_storage_text(text: str) -> StorageText:
    """Split the text of a MOT or STO file.

    Raises:
        FormatError: it has no header, no time, no rows, or a row has another number of cells.
    """
    lines = text.split("\n")
    end = next(
        (n for n, line in enumerate(lines[:_HEADER_LINES]) if line.strip().lower() == "endheader"),
        None,
    )
    if end is None:
        raise FormatError("found no line 'endheader'; expected a MOT or STO file")
    header = _header(lines[:end])
    first = next((n for n in range(end + 1, len(lines)) if lines[n].strip()), None)
    if first is None:
        raise FormatError("found nothing below the header; expected the names of the columns")
    names = tuple(_cells(lines[first]))
    if names[0].lower() != "time":
        raise FormatError(f"line {first + 1}: the first column is {names[0][:40]!r}, expected time")
    for place, name in enumerate(names):
        if not name or name in names[:place]:
            raise FormatError(
                f"line {first + 1}: column {place + 1} is called {name[:60]!r}, expected a name that no "
                "other column has"
            )
    rows, places = [], []
    for number, line in enumerate(lines[first + 1 :], start=first + 2):
        cells = _cells(line)
        if not any(cells):
            continue
        if len(cells) != len(names):
            raise FormatError(
                f"line {number} has {len(cells)} values, expected {len(names)}: the file is cut or damaged"
            )
        rows.append(cells)
        places.append(number)
    if not rows:
        raise FormatError("the table has no row; expected lines with numbers")
    return StorageText(header, names, rows, tuple(places))


def _header(lines: list[str]) -> dict[str, str]:
    """Keys in lower case, with `title`; SIMM's `datarows 10` as `nrows`."""
    header = {"title": lines[0].strip() if lines else ""}
    for line in lines:
        key, equals, value = line.partition("=")
        if equals:
            header[key.strip().lower()] = value.strip()
        elif found := re.fullmatch(r"\s*data(rows|columns)\s+(\d+)\s*", line, re.IGNORECASE):
            header[f"n{found[1].lower()}"] = found[2]
            header["simm"] = "yes"
    return header


def _cells(line: str) -> list[str]:
    if "\t" not in line:
        return line.split()
    cells = [cell.strip() for cell in line.split("\t")]
    while len(cells) > 1 and not cells[-1]:
        cells.pop()
    return cells
