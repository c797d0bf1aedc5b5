"""Keyframes of bones in bulk: whole curves written at once into a new Action, through its slot."""

from collections.abc import Mapping

import bpy

from ..rig.arrays import Array
from ..rig.errors import SceneError, ShapeError
from .armature import checked_armature
from .curves import Columns, new_action, new_channels, write_new_curves
from .rotation_modes import ROTATION_PROPERTY, rotation_values

__all__ = ["action_fcurves", "checked_own", "write_keyframes"]


def write_keyframes(
    armature_object: bpy.types.Object,
    name: str,
    frames: Array,
    rotations: Mapping[str, Array],
    locations: Mapping[str, Array] | None = None,
) -> bpy.types.Action:
    """Write pose-bone curves into a new Action and make it the object's current one.

    Each bone keeps its rotation mode: its curves are quaternions, Euler angles (unwrapped) or axis
    and angle accordingly. An Action that the object had before is kept in the file, unchanged.

    Args:
        armature_object: an armature of this file, or a library override of a linked one.
        name: of the Action.
        frames: (T,) times in scene frames, increasing; they need not be whole.
        rotations: by bone, (T, 4) unit quaternions (w, x, y, z) of the bone's matrix_basis.
        locations: by bone, (T, 3) of the bone's matrix_basis, in armature units.

    Raises:
        SceneError: no such bone, or the object is linked without an override.
        ShapeError: a curve has another length than `frames`.
    """
    _check(armature_object, frames, {**rotations}, {**(locations or {})})
    action = new_action(name)
    curves = new_channels(action, armature_object)
    bones = armature_object.pose.bones
    found = [_columns(bones[bone], "location", own) for bone, own in (locations or {}).items()]
    for bone, quaternions in rotations.items():
        mode = bones[bone].rotation_mode
        path = ROTATION_PROPERTY.get(mode, "rotation_euler")
        found.append(_columns(bones[bone], path, rotation_values(quaternions, mode)))
    write_new_curves(action, curves, frames, found)
    return action


def checked_own(item: bpy.types.Object) -> bpy.types.Object:
    """Return the object if it can be keyed.

    Raises:
        SceneError: it is linked from another file.
    """
    if item.library is not None:
        raise SceneError(
            f"{item.name!r} is linked from another file; make a library override of it "
            "first (Object > Library Override > Make)"
        )
    return item


def action_fcurves(action: bpy.types.Action) -> list[bpy.types.FCurve]:
    """Every curve of an Action, of all its layers, strips and slots."""
    bags = [bag for layer in action.layers for strip in layer.strips for bag in strip.channelbags]
    return [curve for bag in bags for curve in bag.fcurves]


def _columns(bone: bpy.types.PoseBone, path: str, values: Array) -> Columns:
    """One curve for every column of `values` (T, C), grouped under the bone's name."""
    return bone.path_from_id(path), range(values.shape[1]), values, bone.name


def _check(
    armature_object: bpy.types.Object,
    frames: Array,
    rotations: Mapping[str, Array],
    locations: Mapping[str, Array],
) -> None:
    """Refuse what can't be written before anything is."""
    checked_own(checked_armature(armature_object))
    unknown = sorted({*rotations, *locations} - set(armature_object.pose.bones.keys()))
    if unknown:
        raise SceneError(
            f"{armature_object.name!r} has no bone {', '.join(map(repr, unknown))}; "
            "check the map from joints to bones"
        )
    for bone, values, width in [
        *((b, v, 4) for b, v in rotations.items()),
        *((b, v, 3) for b, v in locations.items()),
    ]:
        if values.shape != (len(frames), width):
            raise ShapeError(
                f"the curve of {bone!r} has shape {values.shape}, expected ({len(frames)}, {width})"
            )
