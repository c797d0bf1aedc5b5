"""CSV tables with notes: comment lines that hold what has no column, then a header, then numbers.

    # mounting,waist,1,0,0,0
    time,waist.qw,waist.qx
    0.0,0.707,0.707

A note is a line that starts with "#", itself split at the separator. The separator may be a comma, a
semicolon or a tab; an empty cell and "nan" are missing values.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ..rig.arrays import Array
from ..rig.errors import FormatError
from .textfile import numbers

__all__ = ["CsvTable", "format_table", "parse_table"]


@dataclass(frozen=True)
class CsvTable:
    """A parsed file.

    Attributes:
        notes: the fields of every comment line, with the line it stands in.
        columns: C different names.
        values: (T, C), NaN where a cell is empty.
        lines: T line numbers, counted from 1.
    """

    notes: tuple[tuple[int, tuple[str, ...]], ...]
    columns: tuple[str, ...]
    values: Array
    lines: tuple[int, ...]

    def select(self, columns: Sequence[str]) -> Array:
        """(T, n) values of these columns.

        Raises:
            FormatError: one is not in the table.
        """
        lacking = [name for name in columns if name not in self.columns]
        if lacking:
            raise FormatError(
                f"found no column {lacking[0][:60]!r}; the columns are: {', '.join(self.columns)[:200]}"
            )
        places = {name: place for place, name in enumerate(self.columns)}
        return self.values[:, [places[name] for name in columns]]

    def check_clock(self, times: Array) -> None:
        """Raise FormatError, naming the line, where times (T,) do not strictly increase."""
        backwards = np.flatnonzero(~(np.diff(times, prepend=-np.inf) > 0))
        if len(backwards):
            row = int(backwards[0])
            before = f"after {times[row - 1]}" if row else "a number"
            raise FormatError(
                f"line {self.lines[row]}: time is {times[row]}, expected one {before}: sort the lines "
                "and drop repeated ones"
            )


def parse_table(text: str) -> CsvTable:
    """Parse the text of a CSV file with notes.

    Raises:
        FormatError: there is no header, a line has another number of values, or one is no number.
    """
    notes, header = [], None
    lines, rows = [], []
    separator = _separator(text)
    for line, fields in _rows(text, separator):
        if fields and fields[0].startswith("#"):
            notes.append((line, (fields[0][1:].strip(), *fields[1:])))
        elif not any(fields):
            continue
        elif header is None:
            header = _header(line, fields)
        else:
            rows.append(_row(line, fields, len(header)))
            lines.append(line)
    if header is None:
        raise FormatError("found no header line; expected the names of the columns")
    values = np.array(rows).reshape(len(rows), len(header))
    return CsvTable(tuple(notes), header, values, tuple(lines))


def _rows(text: str, separator: str) -> Iterable[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text), delimiter=separator)
    try:
        for fields in reader:
            yield reader.line_num, [field.strip() for field in fields]
    except csv.Error as error:
        raise FormatError(f"line {reader.line_num}: {error}") from None


def _separator(text: str) -> str:
    """The one that the header line, the first without "#", uses most."""
    lines = (line for line in text.splitlines() if line.strip() and not line.startswith("#"))
    header = next(lines, "")
    return max(",;\t", key=header.count)


def _header(line: int, fields: list[str]) -> tuple[str, ...]:
    if len(set(fields)) != len(fields):
        raise FormatError(f"line {line}: two columns have the same name; expected different ones")
    return tuple(fields)


def _row(line: int, fields: list[str], width: int) -> Array:
    if len(fields) != width:
        raise FormatError(
            f"line {line} has {len(fields)} values, expected {width}: the file is cut or damaged"
        )
    try:
        return numbers([field or "nan" for field in fields], missing=True)
    except ValueError as error:
        raise FormatError(f"line {line}: {error}") from None


def format_table(
    notes: Iterable[Sequence[str | float]], columns: Sequence[str], values: Array
) -> str:
    """The text of a CSV file: exact numbers, empty cells for NaN."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for first, *rest in notes:
        writer.writerow([f"# {first}", *map(_cell, rest)])
    writer.writerow(columns)
    writer.writerows([_cell(value) for value in row] for row in values.tolist())
    return text.getvalue()


def _cell(value: str | float) -> str:
    if isinstance(value, str):
        return value
    return "" if np.isnan(value) else repr(float(value))
