"""Automatic bone map: what names say and how the bones hang together, weighed into one answer."""

from collections.abc import Sequence
from typing import Final, cast

import numpy as np

from ..errors import SceneError
from .bone_map import ROLES, BoneMap
from .bones import Bones
from .fingers import find_fingers
from .limbs import ARM, LEG, Limb, best_limb
from .naming import Reading, read_names
from .presets import fit_preset, preset_decides, recognised
from .structure import Tree, body_tree, layers
from .trunk import Trunk, find_trunk, level_trunk

__all__ = ["match_bones"]

_Pair = tuple[Limb | None, Limb | None]
_LEAST_LEG: Final = -1.0  # score under which a pair of chains is no pair of legs
_LEAST_ARM: Final = -1.0
_STANDS: Final = 0.15  # of a leg's length: a chain that ends this near the floor stands on it
_SAME: Final = 0.85  # how surely a name must say a part for the bone to be a second one of it
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
    known = recognised(bones.names) if presets else None
    fitted = fit_preset(known, bones.names) if known else None
    found = _match_automatically(bones, refuse=fitted is None)
    return _joined(bones, found, fitted) if fitted else cast(BoneMap, found)


def _match_automatically(bones: Bones, *, refuse: bool) -> BoneMap | None:
    readings = read_names(bones.names)
    for kept in layers(bones, readings):
        if kept:
            found = _match_tree(bones, readings, body_tree(bones, readings, kept))
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
    legs, arms, worth = _find_limbs(tree, pairs, False)
    if tree.named:
        otherwise = _find_limbs(tree, pairs, True)
        if otherwise[2] > worth + _SHIFT_COST:
            legs, arms, _ = otherwise
    if legs is None:
        return None
    both_legs = [leg for leg in legs if leg]
    both_arms = [arm for arm in arms or () if arm]
    trunk = find_trunk(tree, both_legs, both_arms, [arm.path[0] for arm in both_arms])
    if trunk is None:
        return None
    _refuse_animals(tree, pairs, both_legs, trunk)
    return _told(bones, readings, tree, trunk, legs, arms or (None, None))


def _find_limbs(
    tree: Tree, pairs: Sequence[tuple[int, int]], shifted: bool
) -> tuple[_Pair | None, _Pair | None, float]:
    """The likeliest legs and arms among all pairs of chains, and how well they fit."""
    as_legs = [_best_pair(tree, pair, LEG, shifted) for pair in pairs]
    leg = _best_index(as_legs, _LEAST_LEG)
    if leg is None:
        return None, None, -np.inf
    length = _length(as_legs[leg])
    as_arms = [
        None if i == leg else _best_pair(tree, pair, ARM, shifted) for i, pair in enumerate(pairs)
    ]
    small = [4.0 * max(0.5 - _length(pair) / max(length, 1e-9), 0.0) for pair in as_arms]
    arm = _best_index(as_arms, _LEAST_ARM, small)
    worth = _score(as_legs[leg]) + (_score(as_arms[arm]) if arm is not None else 0.0)
    return as_legs[leg], None if arm is None else as_arms[arm], worth


def _best_pair(
    tree: Tree, roots: tuple[int, int], parts: tuple[str, str, str], shifted: bool
) -> _Pair | None:
    left, right = (best_limb(tree, root, parts, shifted) if root >= 0 else None for root in roots)
    return (left, right) if left or right else None


def _best_index(
    pairs: Sequence[_Pair | None], least: float, cost: Sequence[float] | None = None
) -> int | None:
    worth = [
        _score(pair) - (cost[i] if cost else 0.0) if pair else -np.inf
        for i, pair in enumerate(pairs)
    ]
    best = int(np.argmax(worth)) if worth else 0
    return best if worth and worth[best] > least else None


def _score(pair: _Pair | None) -> float:
    """Mean of both sides; a missing side counts against it."""
    limbs = [limb for limb in pair or () if limb]
    return float(np.mean([limb.score for limb in limbs])) - 0.5 * (2 - len(limbs))


def _length(pair: _Pair | None) -> float:
    return float(np.mean([limb.length for limb in pair or () if limb] or [0.0]))


def _refuse_animals(
    tree: Tree, pairs: Sequence[tuple[int, int]], legs: Sequence[Limb], trunk: Trunk
) -> None:
    if not level_trunk(tree, trunk, legs):
        return
    reach = _STANDS * legs[0].length
    standing = 0
    for pair in pairs:
        under = [bone for root in pair if root >= 0 for bone in tree.under(root)]
        heights = np.concatenate([tree.heads[under, 2], tree.tails[under, 2]])
        lowest, highest = float(np.nanmin(heights)), float(np.nanmax(heights))
        if lowest - tree.floor < reach and highest - lowest > 0.5 * legs[0].length:
            standing += 2
    raise SceneError(
        f"the rig has a level trunk on {max(standing, 2)} legs, as an animal; expected an upright humanoid: "
        "choose a humanoid rig, or set the bones by hand"
    )


def _told(
    bones: Bones,
    readings: Sequence[Reading],
    tree: Tree,
    trunk: Trunk,
    legs: _Pair,
    arms: _Pair,
) -> BoneMap:
    """The roles in the order of ROLES, with how sure each is, and what is left."""
    found: dict[str, tuple[int, ...]] = {
        "hips": (trunk.hips,),
        "spine": trunk.spine,
        "neck": trunk.neck,
        "head": (trunk.head,) if trunk.head >= 0 else (),
    }
    for side, leg, arm in zip(_sides(tree, legs), legs, arms, strict=True):
        if leg:
            found |= {f"{side}_{part}": own for part, own in _leg_roles(tree, leg).items()}
        if arm:
            found |= {f"{side}_{part}": own for part, own in _arm_roles(tree, arm, trunk).items()}
    roles = {role: tuple(tree.names[b] for b in own) for role, own in found.items() if own}
    confidence = {
        tree.names[b]: _confidence(tree, b, role) for role, own in found.items() for b in own
    }
    root = _root(bones, readings, roles["hips"][0])
    if root is not None:
        roles = {"root": (bones.names[root],), **roles}
        confidence[bones.names[root]] = 0.5 + 0.45 * readings[root].parts.get("root", 0.0)
    roles = {role: roles[role] for role in ROLES if role in roles}
    mapped = {name for names in roles.values() for name in names}
    return BoneMap(roles, confidence, tuple(n for n in bones.names if n not in mapped))


def _sides(tree: Tree, legs: _Pair) -> tuple[str, str]:
    """What the first and second of each pair are; without names, toes tell what is forward."""
    if tree.named:
        return "left", "right"
    forward = np.zeros(3)
    left = np.zeros(3)
    for leg, sign in zip(legs, (1, -1), strict=True):
        if leg:
            foot = leg.bones[2]
            left += sign * tree.heads[leg.bones[0]]
            tips = [b for b in tree.under(foot)] if foot >= 0 else []
            ends = np.vstack([tree.heads[tips], tree.tails[tips]]) if tips else np.zeros((1, 3))
            ends = ends[~np.isnan(ends).any(axis=1)]
            forward += ends.mean(axis=0) - (tree.heads[foot] if foot >= 0 else ends.mean(axis=0))
    if not (legs[0] and legs[1]):
        return "left", "right"
    up_cross_forward = np.cross((0.0, 0.0, 1.0), forward)
    return ("right", "left") if float(up_cross_forward @ left) < -1e-9 else ("left", "right")


def _leg_roles(tree: Tree, leg: Limb) -> dict[str, tuple[int, ...]]:
    thigh, shin, foot = leg.bones
    found: dict[str, tuple[int, ...]] = {"thigh": (thigh,), "shin": (shin,)}
    found["foot"] = (foot,) if foot >= 0 else ()
    found["thigh_twist"] = _twists(tree, leg, 0, "thigh")
    found["shin_twist"] = _twists(tree, leg, 1, "shin")
    found["toe"] = _toe(tree, foot) if foot >= 0 else ()
    return found


def _toe(tree: Tree, foot: int) -> tuple[int, ...]:
    """The bone that bends at the ball: a toe by name, the first of several; else the foot's only child."""
    under = [bone for bone in tree.under(foot) if bone != foot]
    named = [bone for bone in under if tree.readings[bone].parts.get("toe", 0.0) > 0.25]
    if named:
        most = max(tree.readings[bone].parts["toe"] for bone in named)
        best = [bone for bone in named if tree.readings[bone].parts["toe"] == most]
        return (min(best, key=lambda bone: tree.readings[bone].numbers[:1]),)
    silent = [bone for bone in tree.children[foot] if not tree.readings[bone].parts]
    if tree.named or not silent:
        return ()
    level = tree.heads[silent, :2] - tree.heads[foot, :2]
    return (silent[int(np.argmax(np.hypot(level[:, 0], level[:, 1])))],)  # the heel is nearer


def _arm_roles(tree: Tree, arm: Limb, trunk: Trunk) -> dict[str, tuple[int, ...]]:
    upper, fore, hand = arm.bones
    found: dict[str, tuple[int, ...]] = {"upper_arm": (upper,), "forearm": (fore,)}
    found["hand"] = (hand,) if hand >= 0 else ()
    found["shoulder"] = _shoulder(tree, arm, trunk)
    found["upper_arm_twist"] = _twists(tree, arm, 0, "upper_arm")
    found["forearm_twist"] = _twists(tree, arm, 1, "forearm")
    if hand >= 0:
        for finger, own in find_fingers(tree, hand).items():
            found |= {f"{finger}_{number}": (bone,) for number, bone in enumerate(own, 1)}
    return found


def _shoulder(tree: Tree, arm: Limb, trunk: Trunk) -> tuple[int, ...]:
    before = [bone for bone in arm.path[: arm.joints[0]] if bone not in trunk.spine]
    named = [bone for bone in before if tree.readings[bone].parts.get("shoulder", 0.0) > 0.25]
    if named:
        return (max(named, key=lambda bone: tree.readings[bone].parts["shoulder"]),)
    silent = [bone for bone in before if not tree.readings[bone].parts or not tree.named]
    return tuple(silent[:1])


def _twists(tree: Tree, limb: Limb, segment: int, part: str) -> tuple[int, ...]:
    """Bones between two joints, and those beside them that are named so, from the joint outwards."""
    start, end = limb.joints[segment], limb.joints[segment + 1]
    inside = list(limb.path[start + 1 : end])
    beside = [
        bone
        for child in tree.children[limb.path[start]]
        if child not in limb.path and _shares(tree, child, part)
        for bone in tree.under(child)
        if _shares(tree, bone, part)
    ]
    held = limb.path[start]
    following = tree.heads[limb.path[end]] if end < len(limb.path) else tree.tails[limb.path[-1]]
    along = following - tree.heads[held]
    far = {
        bone: float((tree.heads[bone] - tree.heads[held]) @ along) for bone in (*inside, *beside)
    }
    return tuple(sorted(far, key=lambda bone: far[bone]))


def _shares(tree: Tree, bone: int, part: str) -> bool:
    """Whether a name says that a bone shares twist, or is another one of the same part."""
    return tree.readings[bone].twist or tree.readings[bone].parts.get(part, 0.0) > _SAME


def _root(bones: Bones, readings: Sequence[Reading], hips: str) -> int | None:
    """The bone above the hips that is named root, else the topmost that stands on the floor."""
    above = []
    bone = bones.index(hips)
    while (bone := bones.parents[bone]) >= 0:
        above.append(bone)
    if not above:
        return None
    named = [
        b for b in above if readings[b].parts.get("root", 0.0) > 0.5 and not readings[b].original
    ]
    if named:
        return named[-1]
    floor = float(np.nanmin(bones.heads[:, 2]))
    high = float(bones.heads[bones.index(hips), 2]) - floor
    low = [b for b in above if bones.heads[b, 2] - floor < 0.2 * high]
    return low[-1] if low and above[-1] == low[-1] else None


def _confidence(tree: Tree, bone: int, role: str) -> float:
    """How sure a match is: over 0.5 where the name says so, 0.4 where only places do."""
    part = role.removeprefix("left_").removeprefix("right_").rstrip("_123")
    reading = tree.readings[bone]
    said = reading.parts.get(part, 0.0)
    if part.endswith("_twist"):
        said = max(
            1.0 if reading.twist else 0.0, reading.parts.get(part.removesuffix("_twist"), 0.0)
        )
    elif part in ("index", "middle", "ring", "pinky", "thumb"):
        said = max(said, 0.8 * reading.parts.get("finger", 0.0))
    elif part in ("neck", "head", "hips"):
        said = max(said, 0.6 * reading.parts.get("spine", 0.0))
    mirrored = not tree.sides[bone] or tree.mirror[bone] >= 0
    sure = 0.5 + 0.45 * said if said > 0 else 0.4
    return round(sure if mirrored else 0.8 * sure, 3)
