"""The HIERARCHY section of a BVH file: joints, offsets, channels and end sites, in the file's own units."""

import re
from dataclasses import dataclass, field

from ..rig.arrays import Array
from ..rig.errors import FormatError
from .textfile import numbers

__all__ = ["CHANNELS", "BvhJoint", "BvhTree", "parse_hierarchy"]

CHANNELS = ("xposition", "yposition", "zposition", "xrotation", "yrotation", "zrotation")
_WORDS = re.compile(r"[{}]|[^\s{}]+")


@dataclass
class BvhJoint:
    """One ROOT, JOINT or surplus End Site; `first` is the column of its first channel."""

    name: str
    parent: int
    offset: Array | None = None
    channels: tuple[str, ...] = ()
    first: int = 0
    tip: Array | None = None


@dataclass
class BvhTree:
    """One ROOT and what hangs from it, parents first."""

    joints: list[BvhJoint] = field(default_factory=list)


class _UniqueNames:
    """Gives every name once: the second "hand" becomes "hand_2"."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def __call__(self, name: str) -> str:
        name = name or "joint"
        unique = name
        while unique in self._counts:
            self._counts[name] += 1
            unique = f"{name}_{self._counts[name]}"
        self._counts[unique] = 1
        return unique


class _Words:
    """The words of a text, one by one, knowing the line each stands in."""

    def __init__(self, text: str) -> None:
        self._words = [
            (match.group(), number)
            for number, line in enumerate(text.splitlines(), start=1)
            for match in _WORDS.finditer(line)
        ]
        self._next = 0

    def peek(self) -> str:
        return self._words[self._next][0] if self._next < len(self._words) else ""

    def take(self, expected: str) -> str:
        if self._next >= len(self._words):
            raise FormatError(f"the hierarchy ends early, expected {expected}: the file is cut")
        self._next += 1
        return self._words[self._next - 1][0]

    def up_to_brace(self) -> str:
        """Everything before the next opening brace: names may hold spaces."""
        taken = []
        while self.peek() != "{":
            taken.append(self.take("an opening brace"))
        self.take("an opening brace")
        return " ".join(taken)

    def error(self, message: str) -> FormatError:
        line = self._words[max(self._next - 1, 0)][1] if self._words else 1
        return FormatError(f"line {line}: {message}")


def parse_hierarchy(text: str) -> tuple[tuple[BvhTree, ...], int]:
    """Parse the text between HIERARCHY and MOTION.

    Returns:
        The trees in the file's order, and the number of channels (columns) of all of them.

    Raises:
        FormatError: it is no BVH hierarchy; the message names the line.
    """
    words = _Words(text)
    if words.take("HIERARCHY").upper() != "HIERARCHY":
        raise words.error("found no HIERARCHY at the start; expected a BVH file")
    trees, columns = [], 0
    while words.peek():
        word = words.take("ROOT")
        if word.upper() != "ROOT":
            raise words.error(f"found {word[:40]!r}, expected ROOT or MOTION")
        tree, columns = _tree(words, columns)
        trees.append(tree)
    if not trees:
        raise words.error("the hierarchy has no ROOT; expected at least one")
    return tuple(trees), columns


def _tree(words: _Words, columns: int) -> tuple[BvhTree, int]:
    tree = BvhTree()
    unique = _UniqueNames()
    tree.joints.append(BvhJoint(unique(words.up_to_brace()), -1))
    open_joints = [0]
    while open_joints:  # a stack, not recursion: a file may nest deeper than Python allows
        joint = tree.joints[open_joints[-1]]
        word = words.take("a closing brace").upper()
        if word == "}":
            open_joints.pop()
        elif word == "JOINT":
            open_joints.append(len(tree.joints))
            tree.joints.append(BvhJoint(unique(words.up_to_brace()), open_joints[-2]))
        elif word == "OFFSET":
            joint.offset = _vector(words)
        elif word == "CHANNELS":
            joint.channels, joint.first = _channels(words), columns
            columns += len(joint.channels)
        elif word == "END":
            tip = _end_site(words)
            if joint.tip is None:
                joint.tip = tip
            elif tip is not None:  # a second end of one bone: kept as a joint that never turns
                surplus = unique(f"{joint.name}_end")
                tree.joints.append(BvhJoint(surplus, open_joints[-1], tip))
        else:
            raise words.error(
                f"found {word[:40]!r}, expected OFFSET, CHANNELS, JOINT, End Site or a closing brace"
            )
    return tree, columns


def _vector(words: _Words) -> Array:
    try:
        return numbers([words.take("three numbers") for _ in range(3)])
    except ValueError as error:
        if isinstance(error, FormatError):
            raise
        raise words.error(f"OFFSET: {error}") from None


def _channels(words: _Words) -> tuple[str, ...]:
    count = words.take("the number of channels")
    if not (count.isascii() and count.isdigit() and len(count) < 3):
        raise words.error(f"found {count[:40]!r} channels, expected a small number")
    channels = []
    for _ in range(int(count)):
        channel = words.take("a channel name").lower()
        if channel not in CHANNELS:
            raise words.error(f"unknown channel {channel[:40]!r}; expected: {', '.join(CHANNELS)}")
        channels.append(channel)
    return tuple(channels)


def _end_site(words: _Words) -> Array | None:
    """The end of a bone, or None for the zero offset that many programs write for want of better."""
    words.up_to_brace()
    tip = None
    while (word := words.take("a closing brace").upper()) != "}":
        if word != "OFFSET":
            raise words.error(f"found {word[:40]!r} in an End Site, expected OFFSET")
        tip = _vector(words)
    return tip if tip is not None and tip.any() else None
