"""How sure every joint is: curves for the Graph Editor, of custom properties of the armature."""

from typing import Final

import bpy

from ..rig.errors import SceneError
from ..rig.motion import Motion
from ..rig.retarget.body import joint_bones
from ..rig.skeleton import BODY_JOINTS
from .action_notes import bone_map_of
from .armature import read_rest_pose
from .curves import channels_of, write_curve

__all__ = ["confidence_shown", "hide_confidence", "show_confidence"]

_PROPERTIES: Final[dict[str, str]] = {joint: f"confidence_{joint}" for joint in BODY_JOINTS}
_PATHS: Final[frozenset[str]] = frozenset(f'["{name}"]' for name in _PROPERTIES.values())


def confidence_shown(armature_object: bpy.types.Object | None) -> bool:
    """Whether the current Action has such curves."""
    channels = None if armature_object is None else channels_of(armature_object)
    return channels is not None and any(channels.fcurves.find(path) for path in _PATHS)


def show_confidence(armature_object: bpy.types.Object, motion: Motion, start: float) -> int:
    """Key "confidence_left_knee" and so on, between 0 and 1, in the current Action.

    Args:
        armature_object: which wears the motion.
        motion: with confidence.
        start: scene frame of the motion's first frame.

    Returns:
        How many joints have a curve: those with a bone.

    Raises:
        SceneError: there is no Action, or the motion has no confidence.
    """
    channels = channels_of(armature_object)
    if channels is None:
        raise SceneError(f"{armature_object.name!r} has no Action; apply a solved motion first")
    if motion.confidence is None:
        raise SceneError("the motion does not say how sure its joints are; solve the take again")
    action = armature_object.animation_data.action
    bones = joint_bones(bone_map_of(action, read_rest_pose(armature_object).bones))
    scene = bpy.context.scene
    frames = start + motion.times * scene.render.fps / scene.render.fps_base
    for joint, values in zip(motion.skeleton.names, motion.confidence.T, strict=True):
        if joint not in bones:
            continue
        name = _PROPERTIES[joint]
        armature_object[name] = float(values[0])
        armature_object.id_properties_ui(name).update(
            min=0.0, max=1.0, description=f"How sure the solve is of the {joint.replace('_', ' ')}"
        )
        write_curve(channels, f'["{name}"]', 0, frames, values, group="Confidence")
    armature_object.update_tag()  # else what is drawn knows nothing of the properties
    return sum(joint in bones for joint in motion.skeleton.names)


def hide_confidence(armature_object: bpy.types.Object) -> None:
    """Take the curves out of every Action of the armature, and the properties away."""
    slot = armature_object.animation_data.action_slot.identifier
    bags = [
        bag
        for action in bpy.data.actions
        if action.library is None
        for layer in action.layers
        for strip in layer.strips
        for bag in strip.channelbags
        if bag.slot.identifier == slot
    ]
    for bag in bags:
        for path in _PATHS:
            curve = bag.fcurves.find(path)
            if curve is not None:
                bag.fcurves.remove(curve)
        group = bag.groups.get("Confidence")
        if group is not None and not len(group.channels):
            bag.groups.remove(group)
    for name in _PROPERTIES.values():
        armature_object.pop(name, None)
