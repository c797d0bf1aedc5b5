"""Our 24 joints as one side of retargeting: which bone follows which joint, and where a character stands."""

from dataclasses import replace
from typing import Final

import numpy as np

from .. import quaternion
from ..arrays import Array, frozen
from ..skeleton import Skeleton
from .bone_map import BoneMap
from .bones import Bones
from .kept import kept
from .presets import fit_preset, preset
from .rests import Rest

__all__ = ["body_bones", "joint_bones", "stance"]

_SPINE: Final = ("spine1", "spine2", "spine3")
_SUNK: Final = 0.15  # of the leg's length; soles this near z = 0 stand on it


def joint_bones(bone_map: BoneMap) -> dict[str, str]:
    """The bone that follows each of our joints, of those that have one.

    Where a rig has fewer or more bones of the spine than we have joints, the lowest and the highest joint
    follow its lowest and highest bone.
    """
    found: dict[str, str] = {}
    for role, joints in preset("pallas").bones.items():
        own = bone_map.bones.get(role, ())
        if not own:
            continue
        places = np.round(np.linspace(0, len(own) - 1, len(joints))) if len(joints) > 1 else [0]
        found |= {joint: own[int(k)] for joint, k in zip(joints, places, strict=True)}
    return found


@kept
def body_bones(skeleton: Skeleton, other: Bones, other_map: BoneMap) -> tuple[Bones, BoneMap]:
    """A body's joints as bones beside another rig, with what they do.

    Where the other spine has as many bones, ours are as long in proportion: then each of its bones follows
    one joint, and a motion that goes there and back again is the same.

    Args:
        skeleton: with our joint names.
        other: the rig that a motion is brought to, or from.
        other_map: what its bones do.

    Raises:
        SceneError: none of the joints has one of our names.
        ShapeError: the map doesn't fit the rig.
    """
    bones = Bones.of_skeleton(skeleton)
    bone_map = fit_preset("pallas", bones.names)
    ends = _spine_ends(Rest(other, other_map, "target"))
    if ends is None or bone_map.bones.get("spine") != _SPINE or "neck" not in bone_map.bones:
        return bones, bone_map
    heads = np.array(bones.heads)
    low, high = heads[bones.index("spine1")], heads[bones.index("neck")]
    for joint, end in zip(_SPINE[1:], ends[:-1], strict=True):
        heads[bones.index(joint)] = low + end * (high - low)
    return replace(bones, heads=heads), bone_map


@kept
def stance(bones: Bones, bone_map: BoneMap) -> tuple[Array, Array]:
    """Where a rig stands at rest.

    Returns:
        The turn (4,) from one that faces -Y, and the place (3,) in metres on its floor under its hips.

    Raises:
        ShapeError: the map doesn't fit the rig.
    """
    rest = Rest(bones, bone_map, "target")
    ankles = [rest.end(f"{side}_shin") for side in ("left", "right")]
    heights = [float(rest.in_body(place)[2]) for place in ankles if place is not None]
    floor = float(np.mean(heights) - rest.soles[:2].mean()) if heights else 0.0
    inside = rest.in_body(rest.centre)
    inside[2] = 0.0 if abs(floor) < _SUNK * rest.leg else floor
    return frozen(rest.frame), frozen(quaternion.rotate(rest.frame, inside))


def _spine_ends(rest: Rest) -> Array | None:
    """(3,) where each bone of a spine of three ends, as a fraction of its length; None of another spine."""
    rows = rest.roles.get("spine", ())
    tops = (rest.head("neck"), rest.head("head"), rest.tail("spine"))
    top = next((place for place in tops if place is not None), None)
    if len(rows) != len(_SPINE) or top is None:
        return None
    lengths = np.linalg.norm(np.diff([*rest.bones.heads[list(rows)], top], axis=0), axis=-1)
    if not lengths.min() > 0.0:
        return None
    ends: Array = np.cumsum(lengths) / lengths.sum()
    return ends
