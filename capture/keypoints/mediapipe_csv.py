"""MediaPipe's landmarks as CSV: a row for each frame (`nose_x, nose_y, nose_z, …`), or for each landmark.

Columns may be spelt `nose_x`, `NOSE.x`, `x0`, `landmark_0_x`, `x_1` …; numbers from 0 or from 1. In the
long form a column tells the frame and one the landmark, by number or by name.
"""

import csv
import io
import re
from typing import Final

import numpy as np

from ...rig.arrays import Array
from ...rig.errors import FormatError
from ..textfile import numbers
from .keypoints import Keypoints
from .layout import LAYOUTS, layout_of_names
from .mediapipe import of_landmarks

__all__ = ["is_mediapipe_csv", "parse_mediapipe_csv"]

_NAMES: Final = LAYOUTS["mediapipe_33"].names
_AXES: Final = {
    "x": 0,
    "y": 1,
    "z": 2,
    "v": 3,
    "vis": 3,
    "visibility": 3,
    "confidence": 3,
    "score": 3,
}
_FRAME: Final = (
    "frame",
    "frame_id",
    "frame_number",
    "frame_no",
    "frame_num",
    "frame_index",
    "image_id",
)
_LANDMARK: Final = (
    "landmark",
    "landmark_id",
    "landmark_index",
    "landmark_name",
    "keypoint",
    "name",
    "id",
    "joint",
)
_MOST_FRAMES: Final = 2_000_000


def is_mediapipe_csv(text: str) -> bool:
    """Whether the header of a CSV names MediaPipe's landmarks, a row for each frame or for each landmark."""
    header = _header(text)
    return _is_long(header) or len(_columns(header)) >= 2 * len(_NAMES)


def parse_mediapipe_csv(text: str, image_size: tuple[int, int] | None = None) -> Keypoints:
    """Landmarks of a CSV.

    Raises:
        FormatError: landmarks are missing, a line is damaged, or the image size is needed and not told.
    """
    header = _header(text)
    if not header:
        raise FormatError("found no header line; expected the names of the columns")
    separator = max(",;\t", key=text.partition("\n")[0].count)
    try:
        rows = list(csv.reader(io.StringIO(text), delimiter=separator))[1:]
    except csv.Error as error:
        raise FormatError(f"the table can't be read: {error}") from None
    rows = [[cell.strip() for cell in row] for row in rows if any(row)]
    wrong = next((k for k, row in enumerate(rows) if len(row) != len(header)), None)
    if wrong is not None or not rows:
        found = (
            f"row {(wrong or 0) + 1} has {len(rows[wrong or 0])} values"
            if rows
            else "there are no rows"
        )
        raise FormatError(f"{found}, expected {len(header)} in each: the file is cut or damaged")
    table, start = _of_long(header, rows) if _is_long(header) else _of_wide(header, rows)
    return of_landmarks(table, image_size, start=start)


def _header(text: str) -> list[str]:
    line = text.lstrip().partition("\n")[0][:100_000]
    return [field.strip().strip('"').lower() for field in line.split(max(",;\t", key=line.count))]


def _is_long(header: list[str]) -> bool:
    return {"x", "y"} <= set(header) and any(name in header for name in _LANDMARK)


def _columns(header: list[str]) -> dict[tuple[int, int], int]:
    """The column of (landmark, axis)."""
    found: dict[tuple[str, int], int] = {}
    for column, field in enumerate(header):
        parts = [
            part
            for part in re.split(r"[^a-z0-9]+", re.sub(r"^([xyzv])(\d+)$", r"\1_\2", field))
            if part
        ]
        axes = [part for part in parts if part in _AXES]
        rest = [
            part
            for part in parts
            if part not in _AXES and part not in ("landmark", "pose", "world")
        ]
        if len(axes) == 1 and rest:
            found[("_".join(rest), _AXES[axes[0]])] = column
    numbered = {int(name) for name, _ in found if re.fullmatch(r"\d{1,4}", name)}
    first = min(numbered, default=0)
    columns = {}
    for (name, axis), column in found.items():
        place = int(name) - first if re.fullmatch(r"\d{1,4}", name) else _place(name)
        if place is not None and 0 <= place < len(_NAMES):
            columns[(place, axis)] = column
    return columns


def _place(name: str) -> int | None:
    try:
        ours = layout_of_names([name]).names[0]
    except FormatError:
        return None
    return _NAMES.index(ours) if ours in _NAMES else None


def _of_wide(header: list[str], rows: list[list[str]]) -> tuple[Array, int]:
    columns = _columns(header)
    lacking = [_NAMES[k] for k in range(len(_NAMES)) if not {(k, 0), (k, 1)} <= set(columns)]
    if lacking:
        raise FormatError(
            f"no columns x and y for {', '.join(lacking)[:100]}; expected MediaPipe's 33 landmarks"
        )
    table = np.full((len(rows), 1, len(_NAMES), 4), np.nan)
    table[..., 2:] = 0.0, 1.0
    for (place, axis), column in columns.items():
        table[:, 0, place, axis] = _cells([row[column] for row in rows])
    return table, 0


def _of_long(header: list[str], rows: list[list[str]]) -> tuple[Array, int]:
    which = header.index(next(name for name in _LANDMARK if name in header))
    told = [row[which] for row in rows]
    numbered = [int(cell) for cell in told if re.fullmatch(r"\d{1,4}", cell)]
    first = min(numbered, default=0)
    places = [int(c) - first if re.fullmatch(r"\d{1,4}", c) else _place(c) for c in told]
    frames = _frames(header, rows, places)
    start = int(frames.min())
    if frames.max() - start >= _MOST_FRAMES:
        raise FormatError(
            f"frames are numbered from {start} to {frames.max():g}, more than any recording has"
        )
    values = np.zeros((len(rows), 4))
    values[:, 3] = 1.0
    for column, name in enumerate(header):
        if name in _AXES:
            values[:, _AXES[name]] = _cells([row[column] for row in rows])
    table = np.full((int(frames.max()) - start + 1, 1, len(_NAMES), 4), np.nan)
    for frame, place, row in zip(frames.astype(int) - start, places, values, strict=True):
        if place is not None and 0 <= place < len(_NAMES):
            table[frame, 0, place] = row
    return table, start


def _frames(header: list[str], rows: list[list[str]], places: list[int | None]) -> Array:
    """The frame of each row: told, or one more each time that the first landmark comes again."""
    column = next((header.index(name) for name in _FRAME if name in header), None)
    if column is None:
        return np.maximum(np.cumsum([place == places[0] for place in places]) - 1.0, 0.0)
    frames = _cells([row[column] for row in rows])
    if not (np.abs(frames) < 1e9).all() or (frames % 1 != 0).any():
        raise FormatError("a frame's number is missing or no whole number")
    return frames


def _cells(cells: list[str]) -> Array:
    try:
        return numbers([cell or "nan" for cell in cells], missing=True)
    except ValueError as error:
        raise FormatError(str(error)) from None
