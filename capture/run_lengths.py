"""Masks as run lengths, column by column, as COCO's tools have them."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

__all__ = ["box_of", "decoded", "encoded", "encoded_parts", "runs_of"]

_GROUP: Final = 5  # bits in a character
_MOST: Final = 7  # groups that a run of 2^31 pixels takes
_FIRST: Final = 48  # the character of zero
Mask = npt.NDArray[np.bool_]
Whole = npt.NDArray[np.int64]


def encoded(mask: Mask) -> dict[str, Any]:
    """A mask (H, W) as COCO's compressed RLE: `{"size": [H, W], "counts": text}`."""
    flat = np.concatenate([[False], mask.T.ravel(), [False]])
    changes = np.flatnonzero(flat[1:] != flat[:-1])
    ends = np.concatenate([[0], changes, [mask.size]] if mask.size else [[0], [0]])
    runs = np.diff(ends)
    # A mask that ends set has no last run of zeros.
    if len(runs) > 1 and runs[-1] == 0:
        runs = runs[:-1]
    text, _ = _characters(runs, np.arange(len(runs)))
    return {"size": list(mask.shape), "counts": text.decode("ascii")}


def encoded_parts(numbers: npt.NDArray[np.integer[Any]]) -> dict[int, dict[str, Any]]:
    """The compressed RLE of every number but 0 in a picture (H, W) of numbers, all at once."""
    flat = numbers.T.ravel()
    starts = np.flatnonzero(np.concatenate([[True], flat[1:] != flat[:-1]]))
    lengths = np.diff(np.concatenate([starts, [flat.size]]))
    kept = np.flatnonzero(flat[starts])
    kept = kept[np.argsort(flat[starts[kept]], kind="stable")]
    if not kept.size:
        return {}
    found, first, count = np.unique(flat[starts[kept]], return_index=True, return_counts=True)
    begin, end = starts[kept], starts[kept] + lengths[kept]
    # Two runs of one number never follow each other; what lies between is one run of zeros.
    before = np.concatenate([[0], end[:-1]])
    before[first] = 0
    last = flat.size - end[first + count - 1]
    # One after the other: zeros and ones of each run of a number, and what is left after its last.
    runs = np.stack([begin - before, end - begin], axis=-1).ravel()
    runs = np.insert(runs, 2 * (first + count), last)
    heads = 2 * first + np.arange(len(first))
    many = 2 * count + 1
    index = np.arange(len(runs)) - np.repeat(heads, many)
    text, ends = _characters(runs, index)
    size = list(numbers.shape)
    told = {}
    for number, head, some, rest in zip(found.tolist(), heads, many, last, strict=True):
        stop = head + some - (0 if rest else 1)
        told[number] = {"size": size, "counts": text[ends[head] : ends[stop]].decode("ascii")}
    return told


def decoded(rle: dict[str, Any]) -> Mask:
    """The mask (H, W) of a compressed RLE that `encoded` made."""
    height, width = rle["size"]
    runs = runs_of(rle["counts"])
    flat = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    return flat.reshape(width, height).T


def box_of(mask: Mask) -> tuple[float, float, float, float]:
    """Left, top, width and height in pixels of a mask that isn't empty."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    left, top = float(columns[0]), float(rows[0])
    return left, top, float(columns[-1] - columns[0] + 1), float(rows[-1] - rows[0] + 1)


def _characters(runs: Whole, index: Whole) -> tuple[bytes, Whole]:
    """Each run in groups of five bits, from a mask's fourth on as its difference to the one before the last.

    Args:
        runs: (N,) of one mask or several, one after the other.
        index: (N,) of each run in its mask.

    Returns:
        All characters, and (N + 1,) where each run's start.
    """
    values = runs.copy()
    later = np.flatnonzero(index > 2)
    values[later] -= runs[later - 2]
    steps = _GROUP * np.arange(_MOST)
    # A group more as long as what is left isn't the sign alone, which is the last group's highest bit.
    signs = (values ^ (values >> 63))[:, None] >> (steps + _GROUP - 1)
    more = signs != 0
    groups = ((values[:, None] >> steps) & 31) + np.where(more, 32, 0) + _FIRST
    used = np.concatenate([np.ones((len(values), 1), dtype=bool), more[:, :-1]], axis=1)
    ends = np.concatenate([[0], np.cumsum(used.sum(axis=1))])
    return groups[used].astype(np.uint8).tobytes(), ends


def runs_of(text: str) -> list[int]:
    """How long the runs of COCO's compressed text are, that of zeros first; a cut text gives fewer.

    Raises:
        ValueError: a character is none of ASCII's.
    """
    runs: list[int] = []
    value = shift = 0
    for byte in text.encode("ascii"):
        group = byte - _FIRST
        value |= (group & 31) << shift
        shift += _GROUP
        if group & 32:
            continue
        value -= (1 << shift) if group & 16 else 0
        runs.append(value + runs[-2] if len(runs) > 2 else value)
        value = shift = 0
    return runs
