"""Which bones are hips, spine, neck and head, given where the legs and arms hang."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from .limbs import Limb
from .structure import Tree

__all__ = ["Trunk", "find_trunk", "level_trunk"]

_LEVEL: Final = 0.5  # rise over run of a trunk that lies like an animal's: under 27 degrees
_SHORT: Final = 0.05  # of the rig's size; a shorter trunk has no direction
_ALONG: Final = 0.7  # cosine to the trunk of legs that go on in its line
_NAMED: Final = 0.5  # how surely a name must say a part for it to decide


@dataclass(frozen=True)
class Trunk:
    """Places in the tree of the bones of the trunk; head is -1 if there is none."""

    hips: int
    spine: tuple[int, ...]
    neck: tuple[int, ...]
    head: int


def find_trunk(
    tree: Tree, legs: Sequence[Limb], arms: Sequence[Limb], arm_roots: Sequence[int]
) -> Trunk | None:
    """Hips, spine, neck and head; None where the legs hang on nothing.

    Args:
        tree: the rig.
        legs: one or two.
        arms: none, one or two.
        arm_roots: where the arms' chains begin.
    """
    held = [tree.parents[root] for root in arm_roots if root >= 0]
    chest = tree.common(held) if held and min(held) >= 0 else -1
    named = _named_head(tree)
    hips = _hips(tree, legs, chest if chest >= 0 else named)
    if hips < 0:
        return None
    if chest >= 0 and not tree.path(hips, chest):
        chest = -1
    head = named if named >= 0 and named != hips and _chain(tree, hips, named) else -1
    if head >= 0:
        top = _chain(tree, hips, head)[1:]
    elif chest >= 0:
        top = [*tree.path(hips, chest)[1:], *_up_from(tree, chest)]
    else:
        top = _up_from(tree, hips)
    return _split(tree, hips, chest, top, head)


def level_trunk(tree: Tree, trunk: Trunk, legs: Sequence[Limb]) -> bool:
    """Whether the trunk lies level on upright legs, as an animal's; a person who lies has level legs too."""
    last = (trunk.hips, *trunk.spine, *trunk.neck, *((trunk.head,) if trunk.head >= 0 else ()))[-1]
    line = tree.heads[last] - tree.heads[trunk.hips]
    run = float(np.hypot(line[0], line[1]))
    if run < _SHORT * tree.size or abs(float(line[2])) > _LEVEL * run:
        return False
    down = np.mean([tree.heads[leg.bones[0]] - tree.heads[leg.bones[1]] for leg in legs], axis=0)
    reach = float(np.linalg.norm(down) * np.linalg.norm(line))
    return reach < 1e-12 or abs(float(down @ line)) < _ALONG * reach


def _chain(tree: Tree, hips: int, head: int) -> list[int]:
    """The bones from hips to head, whichever of them the other hangs on."""
    return tree.path(hips, head) or tree.path(head, hips)[::-1]


def _says(tree: Tree, bone: int, part: str) -> float:
    return 0.0 if tree.sides[bone] else tree.readings[bone].parts.get(part, 0.0)


def _named_head(tree: Tree) -> int:
    said = [_says(tree, bone, "head") for bone in range(len(tree.names))]
    best = int(np.argmax(said))
    return best if said[best] > _NAMED else -1


def _hips(tree: Tree, legs: Sequence[Limb], upper: int) -> int:
    """The bone that carries legs and spine, or one above it that is named so."""
    roots = [leg.path[0] for leg in legs]
    held = [tree.parents[root] for root in roots]
    if min(held) < 0:  # the legs are loose: the trunk that begins nearest to them
        middle = tree.heads[[leg.bones[0] for leg in legs]].mean(axis=0)
        loose = [b for b, p in enumerate(tree.parents) if p < 0 and not tree.sides[b]]
        loose = [b for b in loose if upper < 0 or b in (upper, *tree.above(upper))]
        return min(loose, key=lambda b: float(np.linalg.norm(tree.heads[b] - middle)), default=-1)
    legs_only = tree.common(held)
    common = tree.common([*held, upper]) if upper >= 0 else legs_only
    if common < 0 or (common == upper and common != legs_only):
        return legs_only  # a trunk that hangs from the head
    if common != legs_only and _says(tree, legs_only, "hips") > _says(tree, common, "hips"):
        above_floor = tree.heads[common, 2] - tree.floor
        if above_floor < 0.5 * (tree.heads[legs_only, 2] - tree.floor):
            return legs_only  # legs and spine both hang on a bone at the floor
    chain = [common, *tree.above(common)]
    worth = [
        _says(tree, bone, "hips") + (0.5 if bone == common else -0.1 * up)
        for up, bone in enumerate(chain)
    ]
    return chain[int(np.argmax(worth))]


def _up_from(tree: Tree, bone: int) -> list[int]:
    """Bones in the middle from this one to the head, by height: it ends where they branch or end."""
    chain: list[int] = []
    while True:
        onward = [child for child in tree.children[bone] if not tree.sides[child]]
        if not onward or (chain and len(tree.children[bone]) > 1):
            break
        bone = max(onward, key=lambda b: max(float(tree.heads[c, 2]) for c in tree.under(b)))
        chain.append(bone)
    if len(chain) > 1 and _same_place(tree, chain[-1], chain[-2]):
        chain.pop()  # a bone that only gathers the face
    if len(chain) > 1 and not tree.children[chain[-1]]:
        points = tree.heads[[tree.parents[chain[-2]], *chain[-2:]]]
        before, last = np.linalg.norm(np.diff(points, axis=0), axis=1)
        if last > 1.3 * before and np.isnan(tree.tails[chain[-1]]).any():
            chain.pop()  # the crown of the head
    return chain


def _same_place(tree: Tree, bone: int, other: int) -> bool:
    return float(np.linalg.norm(tree.heads[bone] - tree.heads[other])) < 1e-3 * tree.size


def _split(tree: Tree, hips: int, chest: int, top: Sequence[int], head: int) -> Trunk:
    """Cut the chain above the hips into spine, neck and head."""
    chain = [bone for bone in top if not tree.sides[bone]]
    first = next((i for i, bone in enumerate(chain) if _says(tree, bone, "neck") > _NAMED), None)
    if head >= 0:
        chain = chain[:-1]
    elif chain and first != len(chain) - 1 and not _is_spine(tree, chain, chest):
        chain, head = chain[:-1], chain[-1]
    if first is None:
        first = chain.index(chest) + 1 if chest in chain else None
    if first is None:
        backs = [i for i, bone in enumerate(chain) if _says(tree, bone, "spine") > _NAMED]
        first = backs[-1] + 1 if backs else (0 if chest == hips else len(chain))
    return Trunk(hips, tuple(chain[:first]), tuple(chain[first:]), head)


def _is_spine(tree: Tree, chain: Sequence[int], chest: int) -> bool:
    """Whether the chain ends in the chest, so that the rig has no head."""
    last = chain[-1]
    return last == chest or (chest < 0 and _says(tree, last, "spine") > _NAMED)
