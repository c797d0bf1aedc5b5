"""OpenPose's own files quickly: they differ in their numbers alone, so all are parsed at once.

What is around the numbers is the same in most frames and parsed once; the numbers are one long list of JSON.
"""

import json
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
    """(N, width) numbers of N lists; None if they are not as long as each other, or no numbers."""
    widths = {one.count(b",") for one in lists}
    try:
        numbers = json.loads(b"[" + b",".join(lists) + b"]")
    except ValueError:
        return None
    return np.array(numbers, dtype=np.float64).reshape(len(lists), -1) if len(widths) == 1 else None
