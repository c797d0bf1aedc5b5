"""Which bones of a chain are thigh, shin and foot, or upper arm, forearm and hand."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import Final, TypeAlias

import numpy as np

from ..arrays import Array
from .structure import Tree

__all__ = ["ARM", "LEG", "Chain", "Limb", "Pair", "Parts", "best_limb", "chains"]

Parts: TypeAlias = tuple[str, str, str]
LEG: Final = ("thigh", "shin", "foot")
ARM: Final = ("upper_arm", "forearm", "hand")
_LONGEST: Final = 14  # bones of a chain that are looked at
_SHORTEST: Final = 1e-5  # metres; a shorter segment says nothing about proportions


@dataclass(frozen=True)
class Limb:
    """One leg or arm.

    Attributes:
        path: its bones from where it leaves the trunk to a tip.
        joints: places in `path` of its three bones; the last is len(path) where the rig has no foot or hand.
        score: how well names and lengths fit, about 3 for clear names, 0 for lengths alone.
        length: metres from the first joint over the second to the third.
        said: per joint, how surely the name means it.
    """

    path: tuple[int, ...]
    joints: tuple[int, int, int]
    score: float
    length: float
    said: tuple[float, float, float]

    @property
    def bones(self) -> tuple[int, int, int]:
        """The three bones; -1 for a missing foot or hand."""
        first, second, third = ((*self.path, -1)[j] for j in self.joints)
        return first, second, third


Pair: TypeAlias = tuple[Limb | None, Limb | None]
"""The left limb and the right."""


@dataclass(frozen=True, eq=False)
class Chain:
    """Bones that may be a leg or an arm, with C choices of its joints, told by their places.

    Attributes:
        path: its bones from where it leaves the trunk to a tip.
        parts: LEG or ARM.
        triples: (C, 3) places of the joints.
        fits: (C,) how well lengths and heights fit.
        lengths: (C,) metres from the first joint over the second to the third.
    """

    path: tuple[int, ...]
    parts: Parts
    triples: Array
    fits: Array
    lengths: Array


def chains(tree: Tree, root: int, parts: Parts) -> list[Chain]:
    """The chains that begin at `root`, as legs or as arms (`parts` is LEG or ARM)."""
    found = [_chain(tree, path, parts) for path in _paths(tree, root, parts)]
    return [chain for chain in found if len(chain.triples)]


def best_limb(tree: Tree, found: Sequence[Chain], shifted: bool) -> Limb | None:
    """The likeliest leg or arm among chains.

    Args:
        tree: the rig.
        found: the chains.
        shifted: whether names tell the joint at a bone's end, as in a detector's keypoints.
    """
    limbs = [_best_on_chain(tree, chain, shifted) for chain in found]
    return max(limbs, key=lambda limb: limb.score, default=None)


def _paths(tree: Tree, root: int, parts: Sequence[str]) -> Iterator[tuple[int, ...]]:
    """Chains from `root` to its tips, cut where fingers begin, each once."""
    fingers = ("thumb", "index", "middle", "ring", "pinky", "finger")
    seen: set[tuple[int, ...]] = set()

    def walk(path: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        onward = [
            child
            for child in tree.children[path[-1]]
            if not any(part in tree.readings[child].parts for part in fingers)
            if not tree.readings[child].palm
        ]
        if parts == ARM and len(path) > 2 and len(onward) > 2 and not tree.named:
            onward = onward[:1]
        if not onward or len(path) >= _LONGEST:
            if path not in seen:
                seen.add(path)
                yield path
            return
        for child in onward:
            yield from walk((*path, child))

    yield from walk((root,))


@cache
def _triples(count: int) -> Array:
    """(C, 3) rising places among `count` bones, the last of which may be the end behind them."""
    return np.array(list(combinations(range(count + 1), 3)), dtype=int).reshape(-1, 3)


def _chain(tree: Tree, path: tuple[int, ...], parts: Parts) -> Chain:
    points = np.vstack([tree.heads[list(path)], tree.tails[path[-1]]])
    triples = _triples(len(path))
    if np.isnan(points[-1]).any():
        triples = triples[triples[:, 2] < len(path)]
        points[-1] = points[-2]
    joints = points[triples]  # (C, 3, 3)
    upper, lower = np.linalg.norm(np.diff(joints, axis=1), axis=-1).T
    fits = _skips(tree, path, triples) + _proportions(upper, lower)
    if len(triples) and parts == LEG:
        fits += _leg_shape(tree, path, points, triples)
    elif len(triples):
        fits += _arm_shape(tree, path, points, triples, upper + lower)
    return Chain(path, parts, triples, fits, upper + lower)


def _best_on_chain(tree: Tree, chain: Chain, shifted: bool) -> Limb:
    said = _evidence(tree, chain.path, chain.parts, shifted)
    names = said[np.arange(3), chain.triples]  # (C, 3)
    total = names.sum(axis=1) + chain.fits
    best = int(np.argmax(total))
    first, second, third = chain.triples[best].tolist()
    one, two, three = np.maximum(names[best], 0.0).tolist()
    return Limb(
        chain.path,
        (first, second, third),
        float(total[best]),
        float(chain.lengths[best]),
        (one, two, three),
    )


def _evidence(tree: Tree, path: Sequence[int], parts: Sequence[str], shifted: bool) -> Array:
    """(3, n + 1) how surely each point is named as each joint; a wrong name counts against it."""
    found = np.zeros((3, len(path) + 1))
    for place, bone in enumerate(path):
        reading = tree.readings[bone]
        for row, part in enumerate(parts):
            weight = reading.parts.get(part, 0.0)
            if reading.parts and not weight:
                weight = -0.5 * max(reading.parts.values())
            found[row, place] = weight * (0.5 if reading.twist and weight > 0 else 1.0)
    if shifted:
        found = np.hstack([np.zeros((3, 1)), found[:, :-1]]) - 0.1
    return found


def _skips(tree: Tree, path: Sequence[int], triples: Array) -> Array:
    """(C,) the cost of bones between the joints that are not said to share twist, and of a missing end."""
    cost = np.array([0.05 if tree.readings[bone].twist else 0.15 for bone in path] + [0.0])
    sums = np.concatenate([[0.0], np.cumsum(cost)])
    between = sums[triples[:, 2]] - sums[triples[:, 0] + 1] - cost[triples[:, 1]]
    return -between - 0.3 * (triples[:, 2] == len(path)) - 0.02 * triples[:, 0]


def _proportions(upper: Array, lower: Array) -> Array:
    """(C,) the cost of segments that differ in length."""
    short = np.minimum(upper, lower) < _SHORTEST
    ratio = np.log(np.maximum(upper, _SHORTEST) / np.maximum(lower, _SHORTEST))
    return np.where(short, -1.2, -0.3 * np.minimum((ratio / 0.35) ** 2, 4.0))


def _leg_shape(tree: Tree, path: Sequence[int], points: Array, triples: Array) -> Array:
    """(C,) legs go down from beside the middle to the floor."""
    heights = points[:, 2] - tree.floor
    whole = max(float(heights.max()), _SHORTEST)
    first, knee, ankle = (heights[triples[:, k]] for k in range(3))
    cost = 2.0 * np.maximum(ankle / whole - 0.25, 0.0)
    cost += 2.0 * np.maximum(0.75 - (first - ankle) / whole, 0.0)
    cost += 0.5 * (knee > first) + 0.5 * (ankle > knee)
    beside = np.append(np.abs(tree.lateral[list(path)]), abs(tree.lateral[path[-1]]))
    cost += 0.5 * (beside[triples[:, 0]] < 0.3 * beside[triples[:, 2]])
    return -cost * (_upright(points) if tree.named else 1.0)


def _upright(points: Array) -> float:
    """How much of a chain goes up and down, 0 to 1; of a rig that lies, heights say little."""
    length = float(np.linalg.norm(np.diff(points, axis=0), axis=1).sum())
    return min(2.0 * float(np.ptp(points[:, 2])) / max(length, _SHORTEST), 1.0)


def _arm_shape(
    tree: Tree, path: Sequence[int], points: Array, triples: Array, length: Array
) -> Array:
    """(C,) arms are most of their chain, begin beside the middle, and end where fingers begin."""
    steps = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    whole = max(float(steps[-1]), _SHORTEST)
    rest = steps[-1] - steps[triples[:, 2]]
    cost = 2.0 * np.maximum(0.5 - length / whole, 0.0)
    cost += 2.0 * np.maximum(rest / np.maximum(length, _SHORTEST) - 0.5, 0.0)
    beside = np.append(np.abs(tree.lateral[list(path)]), abs(tree.lateral[path[-1]]))
    cost += 0.5 * (beside[triples[:, 0]] < 0.1 * beside[triples[:, 2]])
    branches = np.array([len(tree.children[bone]) > 1 for bone in path] + [False])
    return 0.4 * branches[triples[:, 2]] - cost
