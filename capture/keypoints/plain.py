"""OpenPose's own files quickly: they differ in their numbers alone, so all are read at once.

What is around the numbers is the same in most frames and parsed as JSON once. A number with at most eight
digits on either side of its point is a whole number divided by a power of ten; both are exact, so that the
quotient is rounded as every parser of JSON rounds.
"""

import re
from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt

from ...rig.arrays import Array
from ...rig.errors import FormatError
from ..textfile import LARGEST
from .people_table import parse_json

__all__ = ["plain_people"]

_KEY: Final = b"pose_keypoints_2d"
_LIST: Final = re.compile(rb'"' + _KEY + rb'":\[([0-9.,]+)\]')
_COMMA, _ZERO = b",0"
_WORD: Final = 8  # digits that are taken at once
_TENS: Final = 10.0 ** np.arange(_WORD + 1)
_EXACT: Final = 2.0**53  # below which whole numbers are
# Eight digits in a word, the first lowest, become four numbers of two digits, two of four, and one.
_JOINED: Final = (
    (np.uint64(10), np.uint64(8), np.uint64(0x00FF00FF00FF00FF)),
    (np.uint64(100), np.uint64(16), np.uint64(0x0000FFFF0000FFFF)),
    (np.uint64(10000), np.uint64(32), np.uint64(0x00000000FFFFFFFF)),
)
_OWN: Final = (np.arange(_WORD) >= _WORD - np.arange(_WORD + 1)[:, None]) * np.uint8(255)


def plain_people(contents: Iterable[bytes]) -> tuple[npt.NDArray[np.int64], Array] | None:
    """The people of frames of OpenPose, where all are written as OpenPose itself writes them.

    Returns:
        How many are in each frame (T,), and their keypoints (N, K, 3); None where a file is damaged or
        otherwise written, or people have different numbers of keypoints: a parser of JSON has to tell.
    """
    known: dict[bytes, int] = {}
    counts, lists = [], []
    for content in contents:
        parts = _LIST.split(content)
        around, count = (b'"' + _KEY + b'":[0]').join(parts[::2]), len(parts) // 2
        if around not in known:
            known[around] = _people(around)
        if known[around] != count:
            return None
        counts.append(count)
        lists += parts[1::2]
    rows = _rows(lists) if lists else None
    if rows is None or rows.shape[1] % 3 or rows.max() >= LARGEST:
        return None
    return np.array(counts), rows.reshape(len(lists), -1, 3)


def _people(around: bytes) -> int:
    """How many people a frame has, whose keypoints are each `[0]`; -1 where it is anything else."""
    try:
        people = parse_json(around)["people"]
        own = [person[_KEY.decode()] for person in people]
    except (FormatError, LookupError, TypeError):
        return -1
    # The key nowhere else, not even spelt otherwise: the lists are those of the people, in their order.
    alone = around.count(_KEY) == len(own) and b"\\" not in around
    return len(own) if alone and isinstance(people, list) and all(o == [0] for o in own) else -1


def _rows(lists: list[bytes]) -> Array | None:
    """(N, width) of N lists of digits, points and commas; None if they are not as long or exact as that."""
    written = np.frombuffer(b",".join([*lists, b""]), dtype=np.uint8)
    marks = np.flatnonzero(written < _ZERO)  # commas and points; digits in runs before each
    lengths = np.diff(marks, prepend=-1) - 1
    last = np.flatnonzero(
        written[marks] == _COMMA
    )  # run of each number, behind its point if it has one
    points = np.diff(last, prepend=-1) - 1
    width = len(last) // len(lists)
    ends = np.cumsum([len(one) + 1 for one in lists]) - 1
    if lengths.min() < 1 or lengths.max() > _WORD or points.max() > 1:
        return None
    if not width or not np.array_equal(marks[last][width - 1 :: width], ends):
        return None
    runs = _whole(written, marks, lengths)
    tens = _TENS[lengths[last] * points]
    whole = runs[last] + runs[last - points] * (points * tens)
    return (whole / tens).reshape(-1, width) if whole.max() < _EXACT else None


def _whole(
    written: npt.NDArray[np.uint8], stops: npt.NDArray[np.intp], lengths: npt.NDArray[np.intp]
) -> Array:
    """(N,) whole numbers of so many digits in front of the places `stops`."""
    digits = np.concatenate([np.zeros(_WORD, dtype=np.uint8), written - _ZERO])
    words: npt.NDArray[np.uint64]  # one at each byte
    words = np.ndarray((len(written) + 1,), "<u8", digits, strides=(1,))
    whole = words[stops] & _OWN.view(words.dtype)[lengths, 0]  # without what is before
    for unit, bits, lanes in _JOINED:
        whole = (whole * unit + (whole >> bits)) & lanes
    return whole.astype(np.float64)
