"""Masks as run lengths, column by column, as COCO's tools have them."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

__all__ = ["box_of", "decoded", "encoded", "encoded_parts", "runs_of"]

_GROUP: Final = 5  # bits in a character
_FIRST: Final = 48  # the character of zero
Mask = npt.NDArray[np.bool_]


def encoded(mask: Mask) -> dict[str, Any]:
    """A mask (H, W) as COCO's compressed RLE: `{"size": [H, W], "counts": text}`."""
    flat = np.concatenate([[False], mask.T.ravel(), [False]])
    changes = np.flatnonzero(flat[1:] != flat[:-1])
    ends = np.concatenate([[0], changes, [mask.size]] if mask.size else [[0], [0]])
    runs = np.diff(ends)
    # A mask that ends set has no last run of zeros.
    if len(runs) > 1 and runs[-1] == 0:
        runs = runs[:-1]
    return {"size": list(mask.shape), "counts": _characters(runs.tolist())}


def encoded_parts(numbers: npt.NDArray[np.integer[Any]]) -> dict[int, dict[str, Any]]:
    """The compressed RLE of every number but 0 in a picture (H, W) of numbers, all at once."""
    flat = numbers.T.ravel()
    starts = np.flatnonzero(np.concatenate([[True], flat[1:] != flat[:-1]]))
    lengths = np.diff(np.concatenate([starts, [flat.size]]))
    found = {}
    for number in np.unique(flat[starts]).tolist():
        if number == 0:
            continue
        own = flat[starts] == number
        # Two runs of one number never follow each other; what lies between is one run of zeros.
        ends = np.stack([starts[own], starts[own] + lengths[own]], axis=-1).ravel()
        runs = np.diff(np.concatenate([[0], ends, [flat.size]]))
        runs = runs[:-1] if runs[-1] == 0 else runs
        found[number] = {"size": list(numbers.shape), "counts": _characters(runs.tolist())}
    return found


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


def _characters(runs: list[int]) -> str:
    """Each run, from the fourth on as its difference to the one before the last, in groups of five bits."""
    text = bytearray()
    for index, run in enumerate(runs):
        value = run - runs[index - 2] if index > 2 else run
        more = True
        while more:
            group = value & 31
            value >>= _GROUP
            more = value != (-1 if group & 16 else 0)
            text.append((group | (32 if more else 0)) + _FIRST)
    return text.decode("ascii")


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
