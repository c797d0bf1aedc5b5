"""How the bones of a rig hang together: chains, sides and mirror images of what can be a body."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from ..arrays import Array
from .bones import Bones
from .naming import Reading

__all__ = ["Tree", "body_tree", "layers"]

_FEWEST_DEFORM: Final = 10  # bones marked as for the skin that make a layer of their own
_FEWEST_SIDED: Final = 6  # bones with a mirror image by name; fewer, and places tell the sides
_NEAR: Final = 0.02  # of the rig's size; a mirror image is this near


@dataclass(frozen=True, eq=False)
class Tree:
    """N bones that can be parts of a body, parents first, and what is known of each.

    Attributes:
        names, parents, readings: as in a rig; a parent is the nearest that is in the tree.
        heads, tails: (N, 3) metres; a tail is NaN where neither the bone nor its children tell it.
        sides: "left", "right" or "" per bone.
        mirror: the other side's bone, -1 for none.
        lateral: (N,) metres of each head to the left of the middle.
        named: whether names tell the sides.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    readings: tuple[Reading, ...]
    heads: Array
    tails: Array
    sides: tuple[str, ...]
    mirror: tuple[int, ...]
    lateral: Array
    named: bool

    @cached_property
    def children(self) -> tuple[tuple[int, ...], ...]:
        """Per bone, the bones that hang on it."""
        return _children(self.parents)

    @cached_property
    def floor(self) -> float:
        """Height of the lowest bone end, metres."""
        return float(np.nanmin(np.concatenate([self.heads[:, 2], self.tails[:, 2]])))

    @cached_property
    def size(self) -> float:
        """The rig's largest extent, metres."""
        return float(np.ptp(self.heads, axis=0).max()) or 1.0

    def above(self, bone: int) -> list[int]:
        """The bone's parent, that one's parent, and so on."""
        found = []
        while (bone := self.parents[bone]) >= 0:
            found.append(bone)
        return found

    def under(self, bone: int) -> Iterator[int]:
        """The bone and all that hang on it."""
        yield bone
        for child in self.children[bone]:
            yield from self.under(child)

    def path(self, first: int, last: int) -> list[int]:
        """The bones from `first` down to `last`, both included; empty if `last` does not hang on it."""
        chain = [last, *self.above(last)]
        return chain[: chain.index(first) + 1][::-1] if first in chain else []

    def common(self, bones: Sequence[int]) -> int:
        """The nearest bone that all of them are or hang on, -1 for none."""
        chains = [[bone, *self.above(bone)] for bone in bones if bone >= 0]
        return next((b for b in chains[0] if all(b in chain for chain in chains)), -1)

    def limb_roots(self) -> list[tuple[int, int]]:
        """(left, right) first bones of everything that comes in pairs; -1 where a side is missing."""
        first = [
            bone
            for bone, side in enumerate(self.sides)
            if side and (self.parents[bone] < 0 or self.sides[self.parents[bone]] != side)
        ]
        found = []
        for bone in first:
            other = self.mirror[bone]
            if self.sides[bone] == "left":
                found.append((bone, other if other in first else -1))
            elif other not in first:
                found.append((-1, bone))
        return found


def layers(bones: Bones, readings: Sequence[Reading]) -> Iterator[list[int]]:
    """The bones that may be the body, the likeliest choice first: those for the skin, else all."""
    usable = [i for i, reading in enumerate(readings) if not reading.helper and not reading.other]
    deform = [i for i in usable if readings[i].deform]
    if len(deform) >= _FEWEST_DEFORM:
        yield deform
    plain = [i for i in usable if not readings[i].deform and not readings[i].original]
    yield plain
    if len(plain) < len(usable):
        yield usable


def body_tree(bones: Bones, readings: Sequence[Reading], kept: Sequence[int]) -> Tree:
    """The chosen bones as a tree, with sides told by names, else by places."""
    place = {bone: new for new, bone in enumerate(kept)}
    parents = _parents_among(bones, place)
    order = _parents_first(parents)
    kept, parents = [kept[i] for i in order], [parents[i] for i in order]
    parents = [order.index(p) if p >= 0 else -1 for p in parents]
    said = tuple(readings[i] for i in kept)
    heads, tails = bones.heads[kept], _tails(bones)[kept]
    mirror = _mirror_by_name(said)
    named = sum(other >= 0 for other in mirror) >= _FEWEST_SIDED
    if named:
        sides = tuple(reading.side for reading in said)
        lateral = _lateral(heads, sides, mirror)
    else:
        sides, mirror, lateral = _sides_by_place(parents, heads)
    names = tuple(bones.names[i] for i in kept)
    return Tree(names, tuple(parents), said, heads, tails, sides, tuple(mirror), lateral, named)


def _children(parents: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    found: list[list[int]] = [[] for _ in parents]
    for bone, parent in enumerate(parents):
        if parent >= 0:
            found[parent].append(bone)
    return tuple(tuple(own) for own in found)


def _parents_among(bones: Bones, place: dict[int, int]) -> list[int]:
    """Each kept bone's nearest kept ancestor; a generator's ORG-hand stands for the kept DEF-hand."""
    plain = {_plain(bones.names[bone]): bone for bone in place}
    found = []
    for bone in place:
        above, seen = bones.parents[bone], {bone}
        while above >= 0 and above not in place:
            twin = plain.get(_plain(bones.names[above]), -1)
            above = twin if twin >= 0 and twin not in seen else bones.parents[above]
            seen.add(above)
        found.append(place.get(above, -1))
    return found


def _plain(name: str) -> str:
    return name.removeprefix("ORG-").removeprefix("DEF-")


def _parents_first(parents: Sequence[int]) -> list[int]:
    """An order in which no bone comes before its parent; what hangs in a ring comes last, loose."""
    order: list[int] = []
    done = set()
    pending = list(range(len(parents)))
    while pending:
        ready = [i for i in pending if parents[i] < 0 or parents[i] in done]
        if not ready:
            return order
        order += ready
        done |= set(ready)
        pending = [i for i in pending if i not in done]
    return order


def _tails(bones: Bones) -> Array:
    """(B, 3) ends of the bones; where they are unknown, the middle of the children's heads."""
    tails = np.array(bones.tails, dtype=float)
    for bone, children in enumerate(bones.children):
        if children and np.isnan(tails[bone]).any():
            tails[bone] = bones.heads[list(children)].mean(axis=0)
    return tails


def _mirror_by_name(readings: Sequence[Reading]) -> list[int]:
    by_name = {(r.side, r.key, r.deform): i for i, r in enumerate(readings) if r.side}
    other = {"left": "right", "right": "left"}
    return [by_name.get((other[r.side], r.key, r.deform), -1) if r.side else -1 for r in readings]


def _lateral(heads: Array, sides: Sequence[str], mirror: Sequence[int]) -> Array:
    """(N,) metres to the left, along the line from the right side's bones to the left's."""
    left = [i for i, side in enumerate(sides) if side == "left" and mirror[i] >= 0]
    right = [mirror[i] for i in left]
    across = (heads[left] - heads[right]).mean(axis=0)
    across[2] = 0.0
    length = float(np.linalg.norm(across))
    if length < 1e-9:
        return np.zeros(len(heads))
    middle = (heads[left] + heads[right]).mean(axis=0) / 2
    return (heads - middle) @ (across / length)


def _sides_by_place(
    parents: Sequence[int], heads: Array
) -> tuple[tuple[str, ...], list[int], Array]:
    """Sides and mirror images by symmetry about x or y, whichever mirrors more bones; +x is left for now."""
    centres, counts = _subtree_centres(parents, heads)
    size = float(np.ptp(heads, axis=0).max()) or 1.0
    tries = [_sides_about(axis, parents, centres, counts, size) for axis in (0, 1)]
    best = max((0, 1), key=lambda axis: sum(other >= 0 for other in tries[axis][1]) - axis)
    sides, mirror = tries[best]
    across = heads[:, best] * (1 if best == 0 else -1)
    return tuple(sides), mirror, across - np.median(across)


def _subtree_centres(parents: Sequence[int], heads: Array) -> tuple[Array, Array]:
    """(N, 3) mean of the heads of each bone's subtree, and (N,) how many bones it has."""
    sums, counts = heads.copy(), np.ones(len(heads), dtype=int)
    for bone in range(len(parents) - 1, -1, -1):
        if parents[bone] >= 0:
            sums[parents[bone]] += sums[bone]
            counts[parents[bone]] += counts[bone]
    return sums / counts[:, None], counts


def _sides_about(
    axis: int, parents: Sequence[int], centres: Array, counts: Array, size: float
) -> tuple[list[str], list[int]]:
    """Sides and mirror images: brothers whose subtrees are each other's image, and all under them."""
    groups: dict[int, list[int]] = {}
    for bone, parent in enumerate(parents):
        groups.setdefault(parent, []).append(bone)
    middle = float(np.median(centres[:, axis]))
    sides, mirror = [""] * len(parents), [-1] * len(parents)
    flip = np.ones(3)
    flip[axis] = -1.0
    offset = np.zeros(3)
    offset[axis] = 2 * middle

    def pair(ours: Sequence[int], theirs: Sequence[int]) -> None:
        for bone in ours:
            image = centres[bone] * flip + offset
            near = [b for b in theirs if counts[b] == counts[bone] and mirror[b] < 0 and b != bone]
            far = [float(np.linalg.norm(centres[b] - image)) for b in near]
            if near and min(far) < _NEAR * size:
                other = near[int(np.argmin(far))]
                mirror[bone], mirror[other] = other, bone
                pair(groups.get(bone, []), groups.get(other, []))

    for parent, group in groups.items():
        if parent < 0 or mirror[parent] < 0:
            away = [b for b in group if centres[b][axis] - middle > _NEAR / 4 * size]
            pair(away, [b for b in group if b not in away])
    sign = 1 if axis == 0 else -1
    for bone, parent in enumerate(parents):
        if parent >= 0 and sides[parent]:
            sides[bone] = sides[parent]
        elif mirror[bone] >= 0:
            sides[bone] = "left" if sign * (centres[bone][axis] - middle) > 0 else "right"
    return sides, mirror
