"""Names that come in pairs of left and right: markers and bodies, in whatever spelling."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

__all__ = ["other_side", "side_pairs"]

_WORDS: Final = (("left", "right"), ("Left", "Right"), ("LEFT", "RIGHT"))
_LETTERS: Final = {"l": "r", "r": "l", "L": "R", "R": "L"}
_ALONE: Final = re.compile(
    r"(?<![A-Za-z])[lrLR](?![A-Za-z])"
)  # a letter between dots, digits, spaces


def other_side(name: str, names: Sequence[str]) -> str | None:
    """The name among `names` that differs from this one only in its side, or None.

    Found are LeftKnee and RightKnee, knee_l and knee_r, L.Knee and R.Knee, LKNE and RKNE, KneeL and KneeR.
    """
    there = set(names)
    return next((other for other in _mirrored(name) if other in there), None)


def side_pairs(names: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """All (left, right) among the names, in the order of their first mention."""
    pairs: list[tuple[str, str]] = []
    for name in names:
        other = other_side(name, names)
        if other is None or other_side(other, names) != name:
            continue
        pair = (name, other) if _is_left(name, other) else (other, name)
        if pair not in pairs:
            pairs.append(pair)
    return tuple(pairs)


def _mirrored(name: str) -> Iterator[str]:
    """Names that may be the other side's, the likeliest first."""
    for left, right in _WORDS:
        for ours, theirs in ((left, right), (right, left)):
            if ours in name:
                yield name.replace(ours, theirs)
    for found in _ALONE.finditer(name):
        place = found.start()
        yield name[:place] + _LETTERS[name[place]] + name[place + 1 :]
    if name[:1] in _LETTERS:
        yield _LETTERS[name[0]] + name[1:]
    if name[-1:] in _LETTERS:
        yield name[:-1] + _LETTERS[name[-1]]


def _is_left(name: str, other: str) -> bool:
    """Whether `name` is the left one: it has an l where the other first differs."""
    ours, _ = next((a, b) for a, b in zip(name, other, strict=False) if a != b)
    return ours in "lL"
