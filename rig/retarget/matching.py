"""Automatic bone map: what names say and how the bones hang together, weighed into one answer."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Final, cast

import numpy as np

from ..errors import SceneError
from .animals import refuse_four_legs, refuse_level_trunk
from .bone_map import ROLES, BoneMap
from .bones import Bones
from .kept import kept
from .limbs import ARM, LEG, Chain, Pair, Parts, best_limb, chains
from .naming import Reading, read_names
from .presets import fit_preset, preset_decides, recognised
from .roles import map_of_parts
from .structure import Tree, body_tree, layers
from .trunk import find_trunk

__all__ = ["match_bones"]

_Chains = Callable[[int, Parts], list[Chain]]
_LEAST_LEG: Final = -1.0  # score under which a pair of chains is no pair of legs
_LEAST_ARM: Final = -1.0
_SHIFT_COST: Final = 0.5  # names that tell a bone's end are rare: they must fit clearly better


def match_bones(bones: Bones, *, presets: bool = True) -> BoneMap:
    """Find what each bone of a humanoid rig does.

    Names are read in all common styles; where they say nothing, or several bones could be meant, chains,
    symmetry, lengths and heights decide. What no role is for is listed as unmapped.

    Args:
        bones: the rig at rest.
        presets: whether a rig that is recognised gets its preset's bones where that one knows better.

    Raises:
        SceneError: the bones are no humanoid's: no two legs under a trunk, or a level one, as an animal.
    """
    found = _matched(bones, presets)
    return replace(found, bones={**found.bones}, confidence={**found.confidence})


@kept
def _matched(bones: Bones, presets: bool) -> BoneMap:
    known = recognised(bones.names) if presets else None
    fitted = fit_preset(known, bones.names) if known else None
    found = _match_automatically(bones, refuse=fitted is None)
    return _joined(bones, found, fitted) if fitted else cast(BoneMap, found)


def _match_automatically(bones: Bones, *, refuse: bool) -> BoneMap | None:
    readings = read_names(bones.names)
    for layer in layers(bones, readings):
        if layer:
            found = _match_tree(bones, readings, body_tree(bones, readings, layer))
            if found is not None:
                return found
    if not refuse:
        return None
    raise SceneError(
        f"no pair of legs under a trunk among the {len(bones)} bones; expected a humanoid with at "
        "least hips, thighs and shins: choose a two-legged rig, or set the bones by hand"
    )


def _joined(bones: Bones, found: BoneMap | None, known: BoneMap) -> BoneMap:
    """What was found, surer where the preset agrees, with the preset's where it knows better or more."""
    if found is None:
        return known
    roles = dict(found.bones)
    for role in preset_decides(known.rig) & set(known.bones):
        roles = {r: own for r, own in roles.items() if not set(own) & set(known.bones[role])}
        roles[role] = known.bones[role]
    used = {name for own in roles.values() for name in own}
    for role, own in known.bones.items():
        if role not in roles and not used & set(own):
            roles[role] = own
    confidence = dict(found.confidence)
    for role, own in roles.items():
        if own == known.bones.get(role):
            confidence |= {name: known.confidence[name] for name in own}
    roles = {role: roles[role] for role in ROLES if role in roles}
    named = [name for own in roles.values() for name in own]
    unmapped = tuple(name for name in bones.names if name not in set(named))
    return BoneMap(roles, {name: confidence[name] for name in named}, unmapped, known.rig)


def _match_tree(bones: Bones, readings: Sequence[Reading], tree: Tree) -> BoneMap | None:
    pairs = tree.limb_roots()
    refuse_four_legs(tree, pairs)
    chains_of = cache(partial(chains, tree))
    legs, arms, worth = _find_limbs(tree, chains_of, pairs, False)
    if tree.named:
        otherwise = _find_limbs(tree, chains_of, pairs, True)
        if otherwise[2] > worth + _SHIFT_COST:
            legs, arms, _ = otherwise
    if legs is None:
        return None
    both_legs = [leg for leg in legs if leg]
    both_arms = [arm for arm in arms or () if arm]
    trunk = find_trunk(tree, both_legs, both_arms, [arm.path[0] for arm in both_arms])
    if trunk is None:
        return None
    refuse_level_trunk(tree, pairs, both_legs, trunk)
    return map_of_parts(bones, readings, tree, trunk, legs, arms or (None, None))


def _find_limbs(
    tree: Tree, chains_of: _Chains, pairs: Sequence[tuple[int, int]], shifted: bool
) -> tuple[Pair | None, Pair | None, float]:
    """The likeliest legs and arms among all pairs of chains, and how well they fit."""

    def best(pair: tuple[int, int], parts: Parts) -> Pair | None:
        left, right = (
            best_limb(tree, chains_of(root, parts), shifted) if root >= 0 else None for root in pair
        )
        return (left, right) if left or right else None

    as_legs = [best(pair, LEG) for pair in pairs]
    leg = _best_index(as_legs, _LEAST_LEG)
    if leg is None:
        return None, None, -np.inf
    length = _length(as_legs[leg])
    as_arms = [None if i == leg else best(pair, ARM) for i, pair in enumerate(pairs)]
    small = [4.0 * max(0.5 - _length(pair) / max(length, 1e-9), 0.0) for pair in as_arms]
    arm = _best_index(as_arms, _LEAST_ARM, small)
    worth = _score(as_legs[leg]) + (_score(as_arms[arm]) if arm is not None else 0.0)
    return as_legs[leg], None if arm is None else as_arms[arm], worth


def _best_index(
    pairs: Sequence[Pair | None], least: float, cost: Sequence[float] | None = None
) -> int | None:
    worth = [
        _score(pair) - (cost[i] if cost else 0.0) if pair else -np.inf
        for i, pair in enumerate(pairs)
    ]
    best = int(np.argmax(worth)) if worth else 0
    return best if worth and worth[best] > least else None


def _score(pair: Pair | None) -> float:
    """Mean of both sides; a missing side counts against it."""
    limbs = [limb for limb in pair or () if limb]
    return sum(limb.score for limb in limbs) / len(limbs) - 0.5 * (2 - len(limbs))


def _length(pair: Pair | None) -> float:
    lengths = [limb.length for limb in pair or () if limb]
    return sum(lengths) / max(len(lengths), 1)
