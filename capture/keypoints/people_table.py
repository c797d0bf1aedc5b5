"""From what parsers collect, person by person, to the arrays of `Keypoints`."""

import json
import math
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from ...rig.arrays import Array
from ...rig.errors import FormatError
from ..textfile import LARGEST
from .keypoints import Keypoints
from .layout import Layout, layout_of_count, likeliest

__all__ = ["Seen", "collected", "number", "parse_json", "row_of", "split_row", "tabled"]

_MOST_FRAMES: Final = 2_000_000  # ten hours at 60 frames per second
_MOST_PEOPLE: Final = 64  # in a frame; the surest are kept
_MOST_NUMBERS: Final = 500_000_000


class Seen(NamedTuple):
    """One person in one frame: K rows of x, y (, z) and confidence."""

    frame: int
    points: Array


def parse_json(content: bytes) -> Any:  # noqa: ANN401  JSON
    """The value in a JSON document.

    Raises:
        FormatError: it is none, or is nested absurdly deep.
    """
    try:
        return json.loads(content)
    except RecursionError:
        raise FormatError("the JSON is nested too deep to be keypoints") from None
    except ValueError as error:  # UnicodeDecodeError too
        raise FormatError(f"no JSON, the file is cut or damaged: {str(error)[:100]}") from None


def number(value: Any, what: str) -> float:  # noqa: ANN401  JSON
    """A finite number of sensible size.

    Raises:
        FormatError: it is none.
    """
    good = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not good or not abs(value) < LARGEST:
        raise FormatError(f"{what} is {str(value)[:40]!r}; expected a number of sensible size")
    return float(value)


def row_of(values: Any, what: str) -> Array:  # noqa: ANN401  JSON
    """Numbers of a JSON list, nested or not; null is NaN.

    Raises:
        FormatError: it is no list of numbers of sensible size.
    """
    if not isinstance(values, list):
        raise FormatError(f"{what} is {str(values)[:40]!r}; expected a list of numbers")
    try:
        row = np.array(values, dtype=np.float64)
    except (ValueError, TypeError, OverflowError):
        raise FormatError(f"{what} holds something else than numbers: {str(values)[:60]}") from None
    if (np.abs(row) >= LARGEST).any():  # NaN compares false
        raise FormatError(f"{what} holds numbers that no picture has; the file is damaged")
    return row


def split_row(row: Array, width: int, what: str) -> Array:
    """A flat row as (K, width).

    Raises:
        FormatError: its length is no multiple of the width.
    """
    if row.ndim != 1 or len(row) % width or not len(row):
        raise FormatError(
            f"{what} has {row.size} numbers in {row.ndim} levels; expected one list, {width} for "
            "each keypoint"
        )
    return row.reshape(-1, width)


def collected(
    people: Iterable[Seen],
    *,
    layouts: Sequence[str] = (),
    layout: Layout | None = None,
    frames: Iterable[int] = (),
    **told: Any,  # noqa: ANN401  of Keypoints
) -> Keypoints:
    """People of all frames as arrays.

    Args:
        people: in any order.
        layouts: keys of those that may be; all if empty.
        layout: the one it is, where that is known.
        frames: numbers of all frames, those without anybody too.
        told: what else `Keypoints` takes.

    Raises:
        FormatError: nobody is there, people have different numbers of keypoints, or no layout has as many.
    """
    seen = list(people)
    counts = sorted({len(one.points) for one in seen})
    if not seen:
        raise FormatError(
            f"nobody is in any of {len(set(frames))} frames; expected somebody's keypoints"
        )
    if len(counts) > 1:
        raise FormatError(
            f"people have different numbers of keypoints, {counts[0]} and {counts[1]}; expected one layout"
        )
    numbers = np.array([one.frame for one in seen])
    points = np.array([one.points for one in seen])
    return tabled(numbers, points, layouts=layouts, layout=layout, frames=frames, **told)


def tabled(
    numbers: npt.NDArray[np.int64],
    points: Array,
    *,
    layouts: Sequence[str] = (),
    layout: Layout | None = None,
    frames: Iterable[int] = (),
    **told: Any,  # noqa: ANN401  of Keypoints
) -> Keypoints:
    """The same of N people (N, K, D + 1), seen in the frames `numbers` (N,)."""
    count = points.shape[1]
    if layout is not None and len(layout) != count:
        raise FormatError(f"people have {count} keypoints; {layout.key} has {len(layout)}")
    fitting = (layout,) if layout is not None else layout_of_count(count, layouts)
    others = list(frames) or [int(numbers[0])]
    first, last = min(int(numbers.min()), *others), max(int(numbers.max()), *others)
    if last - first >= _MOST_FRAMES:
        raise FormatError(
            f"frames are numbered from {first} to {last}, more than any recording has"
        )
    table = _table(numbers - first, points, last - first + 1)
    chosen = likeliest(fitting, table[..., :-1])
    return Keypoints(chosen, table[..., :-1], table[..., -1], start=first, **told)


def _table(places: npt.NDArray[np.int64], points: Array, frames: int) -> Array:
    """(T, P, K, D + 1) of people (N, K, D + 1) in the frames `places` (N,), NaN where nobody is."""
    order = np.argsort(places, kind="stable")
    rows = _rows(places[order])
    if rows.max() >= _MOST_PEOPLE:
        # The surest of a crowded frame are kept, in their order of that.
        crowded = np.bincount(places)[places] > _MOST_PEOPLE
        surest = np.where(crowded, -np.nansum(points[..., -1], axis=1), 0.0)
        order = np.lexsort((surest, places))
        order = order[rows < _MOST_PEOPLE]
        rows = rows[rows < _MOST_PEOPLE]
    shape = (frames, int(rows.max()) + 1, *points.shape[1:])
    if math.prod(shape) > _MOST_NUMBERS:
        raise FormatError(f"{frames} frames of {shape[1]} people are more than a recording has")
    table = np.full(shape, np.nan)
    table[places[order], rows] = points[order]
    return table


def _rows(places: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """(N,) how many of the same frame come before each, of frames in order."""
    begins = np.flatnonzero(np.diff(places, prepend=places[0] - 1))
    return np.asarray(
        np.arange(len(places)) - np.repeat(begins, np.diff(begins, append=len(places)))
    )
