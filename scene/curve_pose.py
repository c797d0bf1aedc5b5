"""Where bones are by the curves of an Action and nothing else: no constraints, no drivers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import bpy
import numpy as np

from ..rig import quaternion
from ..rig.arrays import Array
from .armature import RestPose
from .rotation_modes import ROTATION_PROPERTY, quaternions_of

__all__ = ["CurvePose", "basis_of", "read_pose", "rotation_path", "unposed"]


@dataclass(frozen=True, eq=False)
class CurvePose:
    """T frames of some bones and of all above them, by index of bone.

    Attributes:
        basis: (T, 4) rotations of their own channels.
        turns: (T, 4) armature_from_bone.
        heads: (T, 3) where they start, armature units.
    """

    basis: dict[int, Array]
    turns: dict[int, Array]
    heads: dict[int, Array]


def read_pose(
    armature_object: bpy.types.Object,
    channels: bpy.types.ActionChannelbag,
    rest: RestPose,
    names: Iterable[str],
    frames: Array,
) -> CurvePose:
    """Pose bones, and all above them, by their curves at scene frames (T,), without constraints."""
    needed = {rest.names.index(name) for name in names}
    for bone in reversed(range(len(rest.names))):
        if bone in needed and rest.parents[bone] >= 0:
            needed.add(rest.parents[bone])
    pose = CurvePose({}, {}, {})
    starts = _in_armature(rest)
    still = np.tile(quaternion.IDENTITY, (len(frames), 1))
    for bone in sorted(needed):
        pose_bone = armature_object.pose.bones[rest.names[bone]]
        parent = rest.parents[bone]
        carried, start = still, starts[bone]
        if parent >= 0:
            carried = quaternion.multiply(
                pose.turns[parent], quaternion.conjugate(rest.armature_from_bone[parent])
            )
            start = pose.heads[parent] + quaternion.rotate(carried, start - starts[parent])
        if not pose_bone.bone.use_connect or parent < 0:
            axes = rest.armature_from_bone[bone if rest.local_location[bone] else parent]
            axes = axes if rest.local_location[bone] or parent >= 0 else quaternion.IDENTITY
            moved = _values(channels, pose_bone, "location", frames)
            start = start + quaternion.rotate(quaternion.multiply(carried, axes), moved)
        pose.heads[bone] = np.broadcast_to(start, (len(frames), 3))
        pose.basis[bone] = basis_of(armature_object, channels, pose_bone, frames)[0]
        pose.turns[bone] = quaternion.multiply(unposed(rest, bone, pose.turns), pose.basis[bone])
    return pose


def _in_armature(rest: RestPose) -> Array:
    """(B, 3) where bones start at rest, armature units."""
    back = np.linalg.inv(rest.world_from_armature)
    return rest.heads @ back[:3, :3].T + back[:3, 3]


def rotation_path(bone: bpy.types.PoseBone) -> str:
    """The data path of the channels that turn a bone, from its object."""
    return bone.path_from_id(ROTATION_PROPERTY.get(bone.rotation_mode, "rotation_euler"))


def basis_of(
    armature_object: bpy.types.Object,
    channels: bpy.types.ActionChannelbag,
    bone: bpy.types.PoseBone,
    frames: Array,
) -> tuple[Array, Array]:
    """A bone's rotation at scene frames (T,): quaternions (T, 4), and its channels' values (T, 3 or 4)."""
    path = ROTATION_PROPERTY.get(bone.rotation_mode, "rotation_euler")
    values = _values(channels, bone, path, frames)
    return quaternions_of(values, bone.rotation_mode), values


def unposed(rest: RestPose, bone: int, posed: Mapping[int, Array]) -> Array:
    """armature_from_bone (..., 4) before the bone's own channels, its parent being posed."""
    at_rest, parent = rest.armature_from_bone[bone], rest.parents[bone]
    if parent < 0 or not rest.inherits[bone]:
        return at_rest
    parent_rest = quaternion.conjugate(rest.armature_from_bone[parent])
    return quaternion.multiply(posed[parent], quaternion.multiply(parent_rest, at_rest))


def _values(
    channels: bpy.types.ActionChannelbag, bone: bpy.types.PoseBone, name: str, frames: Array
) -> Array:
    """(T, C) of a property's channels; where there is no curve, as it is now."""
    now = np.array(getattr(bone, name), dtype=np.float64)
    values = np.tile(now, (len(frames), 1))
    for column in range(len(now)):
        curve = channels.fcurves.find(bone.path_from_id(name), index=column)
        if curve is not None and len(curve.keyframe_points):
            values[:, column] = [curve.evaluate(float(frame)) for frame in frames]
    return values
