"""Which role each bone of the found limbs and trunk has, and how sure that is."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from .bone_map import ROLES, BoneMap
from .bones import Bones
from .fingers import find_fingers
from .limbs import Limb, Pair
from .naming import Reading
from .structure import Tree
from .trunk import Trunk

__all__ = ["map_of_parts"]

_SAME: Final = 0.85  # how surely a name must say a part for the bone to be a second one of it


def map_of_parts(
    bones: Bones,
    readings: Sequence[Reading],
    tree: Tree,
    trunk: Trunk,
    legs: Pair,
    arms: Pair,
) -> BoneMap:
    """The roles in the order of ROLES, with how sure each is, and what is left.

    Args:
        bones: the whole rig.
        readings: what each of its names says.
        tree: the bones that can be parts of the body.
        trunk: the trunk's bones, places in the tree.
        legs: the left leg and the right; without names, the legs at +x and -x.
        arms: the arms in the same order.
    """
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
        confidence[bones.names[root]] = _sure(readings[root].parts.get("root", 0.0))
    roles = {role: roles[role] for role in ROLES if role in roles}
    mapped = {name for names in roles.values() for name in names}
    return BoneMap(roles, confidence, tuple(n for n in bones.names if n not in mapped))


def _sides(tree: Tree, legs: Pair) -> tuple[str, str]:
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
    return round(_sure(said) if mirrored else 0.8 * _sure(said), 3)


def _sure(said: float) -> float:
    return 0.5 + 0.45 * said if said > 0 else 0.4
