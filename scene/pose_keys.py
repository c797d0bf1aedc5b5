"""Bones placed in the world, as keyframes in a new Action; nothing else of the armature is touched."""

from collections.abc import Iterable

import bpy
import numpy as np

from ..rig.arrays import Array
from ..rig.errors import SceneError
from .armature import checked_armature, of_all
from .curves import new_action, new_channels, write_new_curves
from .keyframes import checked_own
from .pose_channels import BoneChannel, Placed, channels
from .posed_rig import read_posed_rig

__all__ = ["checked_scale", "write_channels", "write_places"]

_STILL = 1e-6  # armature units; a location that never exceeds this needs no keys
_SCALED = 1e-3


def checked_scale(armature_object: bpy.types.Object) -> None:
    """Refuse an armature whose bones don't move rigidly.

    Raises:
        SceneError: the object is stretched unevenly, or a bone is scaled in the pose.
    """
    scale = np.array(armature_object.matrix_world.to_scale())
    if np.abs(scale / scale[0] - 1.0).max() > _SCALED:
        raise SceneError(
            f"{armature_object.name!r} is scaled by {', '.join(f'{s:.3g}' for s in scale)}; expected the "
            "same along x, y and z: apply its scale"
        )
    bones = armature_object.pose.bones
    scaled = np.flatnonzero((np.abs(of_all(bones, "scale", 3) - 1.0) > _SCALED).any(axis=1))
    if len(scaled):
        name = bones[int(scaled[0])].name
        raise SceneError(
            f"bone {name!r} is scaled in the pose; expected rigid bones: clear its scale (Alt S)"
        )


def write_places(
    armature_object: bpy.types.Object, name: str, frames: Array, placed: Placed
) -> bpy.types.Action:
    """Key bones so that they are where they are told, in a new Action.

    Bones that are not among them keep the pose they are in.

    Args:
        armature_object: any armature of this file; its rest pose and transform stay as they are.
        name: of the Action.
        frames: (T,) scene frames.
        placed: where the bones are.

    Raises:
        SceneError: no armature, an unknown bone, or one that is scaled.
    """
    checked_scale(armature_object)
    rig = read_posed_rig(armature_object)
    unknown = sorted({*placed.rotations, *placed.heads} - set(rig.rest.names))
    if unknown:
        raise SceneError(
            f"{armature_object.name!r} has no bone {', '.join(map(repr, unknown))} any more; "
            "solve again"
        )
    found = channels(rig, placed, len(frames), locks=False)
    kept = [channel for channel in found if _moves(armature_object, channel)]
    return write_channels(armature_object, name, frames, kept)


def write_channels(
    armature_object: bpy.types.Object, name: str, frames: Array, found: Iterable[BoneChannel]
) -> bpy.types.Action:
    """Write channels into a new Action and make it the object's current one.

    An Action that the object had before is kept in the file, unchanged.

    Args:
        armature_object: an armature of this file, or a library override of a linked one.
        name: of the Action.
        frames: (T,) scene frames, increasing; they need not be whole.
        found: channels of T frames.

    Raises:
        SceneError: the object is linked without an override.
    """
    checked_own(checked_armature(armature_object))
    action = new_action(name)
    curves = new_channels(action, armature_object)
    bones = armature_object.pose.bones
    lines = ((bones[c.bone].path_from_id(c.property), c.columns, c.values, c.bone) for c in found)
    write_new_curves(action, curves, frames, lines)
    return action


def _moves(armature_object: bpy.types.Object, channel: BoneChannel) -> bool:
    """Whether it needs keys: a location that is zero throughout, and was before, doesn't."""
    if channel.property != "location":
        return True
    now = np.array(armature_object.pose.bones[channel.bone].location)
    return max(np.abs(channel.values).max(initial=0.0), np.abs(now).max()) > _STILL
