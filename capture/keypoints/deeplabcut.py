"""DeepLabCut's CSV: rows `scorer`, (`individuals`,) `bodyparts`, `coords` above, then a row for each frame.

    scorer,     DLC_resnet50, DLC_resnet50, DLC_resnet50, …
    bodyparts,  left_knee,    left_knee,    left_knee, …
    coords,     x,            y,            likelihood, …
    0,          310.2,        402.9,        0.98, …

The names of the keypoints are the user's; those of a body are known however they are spelt.
"""

import csv
import io
from collections.abc import Mapping
from typing import Final

import numpy as np

from ...rig.arrays import Array
from ...rig.errors import FormatError
from ..textfile import numbers
from .keypoints import Keypoints
from .layout import layout_of_names

__all__ = ["is_deeplabcut", "keypoints_of_columns", "parse_deeplabcut"]

_HEADERS: Final = ("scorer", "individuals", "bodyparts", "coords")
_MOST_COLUMNS: Final = 20_000


def is_deeplabcut(text: str) -> bool:
    """Whether a CSV starts as DeepLabCut's do."""
    return text.lstrip().lower().startswith(("scorer,", "scorer;", "scorer\t"))


def parse_deeplabcut(text: str) -> Keypoints:
    """Keypoints of a CSV of DeepLabCut, one person or several.

    Raises:
        FormatError: a header is missing, columns are not x, y (and likelihood) of each keypoint, or a
        line is damaged.
    """
    return keypoints_of_columns(*_split(text))


def keypoints_of_columns(
    headers: Mapping[str, list[str]], frames: Array, table: Array
) -> Keypoints:
    """Keypoints of a table of DeepLabCut's.

    Args:
        headers: `bodyparts`, `coords` and, of several people, `individuals`: a name for each column.
        frames: (T,) their numbers, in any order.
        table: (T, C).

    Raises:
        FormatError: columns are not x, y (and likelihood) of each keypoint, or frames are missing.
    """
    width = len(headers["bodyparts"])
    if table.shape != (len(frames), width) or not len(frames):
        raise FormatError(f"the table has shape {table.shape}, and {width} columns have names")
    if not (np.abs(frames) < 1e7).all() or (frames % 1 != 0).any():
        raise FormatError(
            "the first column is not the frame's number; expected one row for each frame"
        )
    animals = headers.get("individuals", ["one"] * width)
    coords = [name.lower() for name in headers["coords"]]
    people, points = list(dict.fromkeys(animals)), list(dict.fromkeys(headers["bodyparts"]))
    if len(people) * len(points) > _MOST_COLUMNS:
        raise FormatError(f"{len(people)} people of {len(points)} keypoints are too many")
    places = {
        (animal, part, axis): column
        for column, (animal, part, axis) in enumerate(
            zip(animals, headers["bodyparts"], coords, strict=True)
        )
    }
    full = np.full((len(frames), len(people), len(points), 3), np.nan)
    full[..., 2] = 1.0
    for (animal, part, axis), column in places.items():
        if axis not in ("x", "y", "likelihood"):
            raise FormatError(
                f"a column is {axis[:40]!r} of {part[:40]!r}; expected x, y or likelihood"
            )
        at = ("x", "y", "likelihood").index(axis)
        full[:, people.index(animal), points.index(part), at] = table[:, column]
    order = np.argsort(frames, kind="stable")
    start = int(frames[order[0]])
    if not np.array_equal(frames[order], np.arange(start, start + len(frames))):
        raise FormatError("frames are missing or there twice; expected one row for each")
    full = full[order]
    confidence = np.nan_to_num(full[..., 2])
    return Keypoints(layout_of_names(points), full[..., :2], confidence, start=start)


def _split(text: str) -> tuple[dict[str, list[str]], Array, Array]:
    """Header rows by their names, the frames' numbers (T,), and the values (T, C)."""
    separator = max(",;\t", key=text.partition("\n")[0].count)
    headers: dict[str, list[str]] = {}
    rows: list[Array] = []
    reader = csv.reader(io.StringIO(text), delimiter=separator)
    try:
        for fields in reader:
            if not any(fields):
                continue
            name = fields[0].strip().lower()
            if name in _HEADERS and not rows:
                headers[name] = [field.strip() for field in fields[1:]]
            else:
                rows.append(_row(reader.line_num, fields))
    except csv.Error as error:
        raise FormatError(f"line {reader.line_num}: {error}") from None
    widths = {len(row) - 1 for row in rows} | {len(names) for names in headers.values()}
    if not rows or not {"bodyparts", "coords"} <= set(headers) or len(widths) != 1 or widths == {0}:
        raise FormatError(
            f"found header rows {', '.join(headers) or 'none'} and {len(rows)} frames with "
            f"{sorted(widths)[:3]} "
            "values; expected DeepLabCut's rows bodyparts and coords and as many values in every frame"
        )
    table = np.array(rows)
    return headers, table[:, 0], table[:, 1:]


def _row(line: int, fields: list[str]) -> Array:
    try:
        return numbers([field.strip() or "nan" for field in fields], missing=True)
    except ValueError as error:
        raise FormatError(f"line {line}: {error}") from None
