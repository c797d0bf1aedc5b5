"""What a bone's name says: its side, the part of the body, its number, whether it only helps others."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Final

__all__ = ["Reading", "read_name", "read_names"]

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


_FINGERS: Final = frozenset(("index", "middle", "ring", "pinky", "finger"))
_PARTLY: Final = 0.6  # what a known word is worth beside unknown ones


@dataclass(frozen=True)
class Reading:
    """What one name says.

    Attributes:
        side: "left", "right" or "" for neither.
        key: the name without its side, the same for both sides.
        parts: how surely the name means a part of the body; fingers without their number.
        numbers: the numbers in the name, in their order.
        helper: whether it moves others or holds something.
        other: whether it is a part of the body or of clothes that no role is for.
        twist: whether it says that it shares a limb's twist.
        palm: whether it is a bone of the palm.
        deform, original: whether it is said to be for the skin, or a rig generator's copy.
    """

    side: str = ""
    key: str = ""
    parts: Mapping[str, float] = field(default_factory=dict)
    numbers: tuple[int, ...] = ()
    helper: bool = False
    other: bool = False
    twist: bool = False
    palm: bool = False
    deform: bool = False
    original: bool = False


@dataclass(frozen=True)
class _Words:
    """The tables of words.json: what each word of a name means, how surely, and what to pass over.

    `leg` is a thigh in some rigs and a shin in most; noise says nothing about the part; helpers move other
    bones or hold things; others are parts of the face, of clothes and of the body that no role is for.
    """

    centre: Mapping[str, Mapping[str, float]]
    sided: Mapping[str, Mapping[str, float]]
    whole: Mapping[str, str]
    segments: Mapping[str, int]
    sides: Mapping[str, str]
    noise: frozenset[str]
    helpers: frozenset[str]
    others: frozenset[str]
    twists: frozenset[str]
    palms: frozenset[str]

    @cached_property
    def skipped(self) -> frozenset[str]:
        """Words beside the one that tells the part."""
        return self.noise | self.twists | self.palms | set(self.segments)

    @cached_property
    def known(self) -> frozenset[str]:
        """Words that have a meaning as they are, and so hold no letter for a side."""
        return self.skipped | self.helpers | self.others | set(self.centre) | set(self.sided)


@cache
def _words() -> _Words:
    table = json.loads((Path(__file__).parent / "words.json").read_text(encoding="utf-8"))
    lists = ("noise", "helpers", "others", "twists", "palms")
    table |= {name: frozenset(table[name]) for name in lists}
    table |= {name: _by_word(table[name]) for name in ("centre", "sided")}
    return _Words(**table)


def _by_word(table: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """From part to words, to word to parts."""
    found: dict[str, dict[str, float]] = {}
    for part, words in table.items():
        for word, weight in words.items():
            found.setdefault(word, {})[part] = weight
    return found


def read_names(names: Sequence[str]) -> tuple[Reading, ...]:
    """Read every name of a rig, without what most of them begin with."""
    prefix = _common_prefix(names)
    cut = [
        name[len(prefix) :] if name.startswith(prefix) and name != prefix else name
        for name in names
    ]
    return tuple(read_name(name) for name in cut)


@cache
def read_name(name: str) -> Reading:
    """Read one name, in whatever style: LeftUpLeg, thigh.L, Bip01 L Thigh, lThighBend, J_Bip_L_UpperLeg."""
    table = _words()
    if name.lower() in table.whole:
        return Reading(key=name.lower(), parts={table.whole[name.lower()]: 1.0})
    raw = _WORD.findall(name.rpartition(":")[2].rpartition("|")[2])
    words = [part for word in raw for part in _split(word.lower())]
    marked = words[:1]
    side, words = _side_of(words)
    letters = [word for word in words if not word.isdigit()]
    numbers = [int(word) for word in words if word.isdigit()]
    numbers += [table.segments[word] for word in letters if word in table.segments]
    said = set(letters)
    parts = _parts(letters, side)
    return Reading(
        side=side,
        key=" ".join(words),
        parts=parts,
        numbers=tuple(numbers),
        helper=bool(said & table.helpers),
        other=bool(said & table.others) or "".join(letters) in table.others,
        twist=bool(said & table.twists),
        palm=_in_palm(said, parts),
        deform=marked == ["def"],
        original=marked == ["org"],
    )


def _in_palm(said: set[str], parts: Mapping[str, float]) -> bool:
    """Whether a bone lies in the palm: index_metacarpal, LeftInHandIndex, c_index1_base; a thumb's moves."""
    base = "base" in said and bool(_FINGERS & set(parts))
    return "thumb" not in said and (base or bool(said & _words().palms) or {"in", "hand"} <= said)


def _split(word: str) -> tuple[str, ...]:
    """Words that some rigs write as one: upperarmtwist."""
    for ending in ("twist", "metacarpal"):
        if word.endswith(ending) and word != ending:
            return word.removesuffix(ending), ending
    return (word,)


def _side_of(words: list[str]) -> tuple[str, list[str]]:
    """The side, and the words without it; `lfemur` is one word, a side only if the rest is a known part."""
    table = _words()
    for place, word in enumerate(words):
        if word in table.sides and len(words) > 1:
            return table.sides[word], words[:place] + words[place + 1 :]
    for place, word in enumerate(words):
        if word in table.known:
            continue
        for letters, side in (("left", "left"), ("right", "right"), ("l", "left"), ("r", "right")):
            for rest in (word.removeprefix(letters), word.removesuffix(letters)):
                if rest != word and (rest in table.sided or rest in table.others):
                    return side, [*words[:place], rest, *words[place + 1 :]]
    return "", words


def _parts(letters: list[str], side: str) -> Mapping[str, float]:
    """How surely the words mean each part: all of them together, else the known ones among them."""
    table = _words()
    parts = table.sided if side else table.centre
    useful = [word for word in letters if word not in table.skipped]
    for whole in ("".join(letters), "".join(useful)):
        if whole in parts:
            return parts[whole]
    for size in (3, 2, 1):
        for start in range(len(useful) - size + 1):
            word = "".join(useful[start : start + size])
            if word in parts:
                return {part: _PARTLY * weight for part, weight in parts[word].items()}
    return {}


def _common_prefix(names: Sequence[str]) -> str:
    """What four of five names begin with, up to a separator: mixamorig: or Character1_."""
    counts: dict[str, int] = {}
    for name in names:
        for found in re.finditer(r"[:_. |-]", name):
            counts[name[: found.end()]] = counts.get(name[: found.end()], 0) + 1
    shared = [p for p, count in counts.items() if count >= 0.8 * len(names) and len(names) > 4]
    return max(shared, key=len, default="")
