"""Which keypoint is which: the layouts of the detectors, as data, and others from their names.

Keypoints have the same names in every layout (`Nose`, `LShoulder`, `RBigToe` …; L is the person's left),
so that layouts are compared by name. `points.json` says how our joints and OpenCap's points are made of them.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from ...rig.arrays import Array
from ...rig.errors import FormatError

__all__ = ["LAYOUTS", "Layout", "layout_of_count", "layout_of_names", "likeliest", "named_layout"]

_FOLDER = Path(__file__).parent
_FEW: Final = 4  # known names that make strange ones a body
_FRAMES: Final = 30  # tell which layout it is as well as thousands


def _read(name: str) -> Any:  # noqa: ANN401  JSON
    return json.loads((_FOLDER / name).read_text(encoding="utf-8"))


_POINTS: Final[Mapping[str, Mapping[str, list[list[str]]]]] = MappingProxyType(_read("points.json"))
_SPELLINGS: Final[Mapping[str, str]] = MappingProxyType(_read("spellings.json"))


@dataclass(frozen=True)
class Layout:
    """K keypoints of one person.

    Attributes:
        key: short name, as `body_25`.
        names: K different names.
        limbs: pairs of indices that a stick figure draws.
        pairs: indices of a keypoint of the left and its mirror image.
        title: for people.
    """

    key: str
    names: tuple[str, ...]
    limbs: tuple[tuple[int, int], ...] = ()
    pairs: tuple[tuple[int, int], ...] = ()
    title: str = ""

    def __len__(self) -> int:
        return len(self.names)

    @property
    def joints(self) -> dict[str, tuple[int, ...]]:
        """Which of our 24 joints is the mean of which keypoints."""
        return self._made("joints")

    @property
    def opencap(self) -> dict[str, tuple[int, ...]]:
        """Which of OpenCap's 20 points is the mean of which keypoints."""
        return self._made("opencap")

    @property
    def mirrored(self) -> tuple[int, ...]:
        """K indices: the keypoint of the other side, or itself."""
        order = list(range(len(self)))
        for left, right in self.pairs:
            order[left], order[right] = right, left
        return tuple(order)

    def _made(self, table: str) -> dict[str, tuple[int, ...]]:
        places = {name: k for k, name in enumerate(self.names)}
        found = {}
        for point, ways in _POINTS[table].items():
            way = next((way for way in ways if all(name in places for name in way)), None)
            if way is not None:
                found[point] = tuple(places[name] for name in way)
        return found


def _layout(key: str, row: Mapping[str, Any]) -> Layout:
    limbs = tuple((a, b) for a, b in row["limbs"])
    pairs = tuple((a, b) for a, b in row["pairs"])
    return Layout(key, tuple(row["names"]), limbs, pairs, row["title"])


LAYOUTS: Final[Mapping[str, Layout]] = MappingProxyType(
    {key: _layout(key, row) for key, row in _read("layouts.json").items()}
)


def named_layout(key: str) -> Layout:
    """The layout called `key`.

    Raises:
        FormatError: there is none; the message lists those there are.
    """
    if key not in LAYOUTS:
        raise FormatError(f"no layout {key[:40]!r}; expected one of: {', '.join(LAYOUTS)}")
    return LAYOUTS[key]


def layout_of_count(count: int, among: Sequence[str] = ()) -> tuple[Layout, ...]:
    """The layouts with `count` keypoints, or only those of `among`.

    Raises:
        FormatError: there is none; the message tells the counts that are known.
    """
    keys = among or tuple(LAYOUTS)
    fitting = tuple(LAYOUTS[key] for key in keys if len(LAYOUTS[key]) == count)
    if not fitting:
        known = ", ".join(f"{len(LAYOUTS[key])} ({key})" for key in keys)
        raise FormatError(f"people have {count} keypoints; expected {known}")
    return fitting


def likeliest(layouts: Sequence[Layout], positions: Array) -> Layout:
    """The layout under which the limbs are shortest: joined wrongly, points lie far apart.

    Args:
        layouts: with the same number K of keypoints; the first where nothing tells.
        positions: (T, P, K, D), NaN where missing.
    """
    if len(layouts) == 1:
        return layouts[0]
    step = max(1, -(-len(positions) // _FRAMES))
    shown = positions[::step].reshape(-1, *positions.shape[2:])
    shown = shown[np.isfinite(shown).all(axis=-1).sum(axis=-1) >= len(layouts[0]) // 2]
    lengths = [_limb_length(layout, shown) for layout in layouts]
    return layouts[int(np.argmin(lengths))]


def _limb_length(layout: Layout, people: Array) -> float:
    """Mean length of the limbs that were seen, in people's own sizes (N, K, D); infinite where none was."""
    first, second = np.array(layout.limbs).T
    away = people[:, first] - people[:, second]
    lengths = np.sqrt(np.einsum("nld,nld->nl", away, away))
    lengths = lengths[np.isfinite(lengths)]
    return float(lengths.mean()) if len(lengths) else np.inf


def layout_of_names(names: Sequence[str]) -> Layout:
    """The layout with these keypoints, however they are spelt; a new one where none has just these.

    `left_knee`, `KneeL`, `l knee` and `LKnee` are the same. Names that are no part of a body stay as
    they are.

    Raises:
        FormatError: two keypoints have the same name, or there is none.
    """
    ours = [_our_name(name) or name for name in names]
    if len(set(ours)) < len(ours):
        ours = list(names)
    if len(set(ours)) < len(ours) or not ours:
        raise FormatError(
            f"{len(ours)} keypoints have {len(set(ours))} names; expected different ones"
        )
    for layout in LAYOUTS.values():
        if layout.names == tuple(ours):
            return layout
    places = {name: k for k, name in enumerate(ours)}
    limbs = {
        (layout.names[a], layout.names[b]): None
        for layout in LAYOUTS.values()
        for a, b in layout.limbs
        if layout.names[a] in places and layout.names[b] in places
    }
    pairs = tuple(
        (k, places["R" + name[1:]])
        for k, name in enumerate(ours)
        if name[:1] == "L" and "R" + name[1:] in places
    )
    return Layout(
        "custom",
        tuple(ours),
        tuple((places[a], places[b]) for a, b in limbs),
        pairs,
        "named points",
    )


def _our_name(name: str) -> str | None:
    """The name that a keypoint has here, or None where it is no part of a body that we know."""
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", name)
    words = re.sub(r"^([LR])([A-Z])", r"\1 \2", words)
    parts = [part for part in re.split(r"[^A-Za-z0-9]+", words.lower()) if part]
    side = ""
    for spelling, letter in (("left", "L"), ("right", "R"), ("l", "L"), ("r", "R")):
        if spelling in parts:
            parts.remove(spelling)
            side = letter
            break
    core = "".join(parts)
    if core not in _SPELLINGS and not side and core[:1] in "lr" and core[1:] in _SPELLINGS:
        side, core = core[0].upper(), core[1:]
    if core not in _SPELLINGS:
        return None
    return side + _SPELLINGS[core]
