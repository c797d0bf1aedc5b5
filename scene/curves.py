"""Whole animation curves, in and out at once, through an Action's slots.

Blender 4.4 gave Actions slots and channel bags; 5.0 took `action.fcurves` away. What is done here is the same
on 4.5, 5.0 and later.
"""

from typing import Final

import bpy
import numpy as np

from ..rig.arrays import Array

__all__ = [
    "CONSTANT",
    "LINEAR",
    "channels_of",
    "new_action",
    "new_channels",
    "read_curve",
    "write_curve",
]

CONSTANT: Final[int] = 0  # Keyframe.interpolation as foreach_set takes it
LINEAR: Final[int] = 1


def new_action(name: str) -> bpy.types.Action:
    """An Action with one layer and one strip, and no slot yet."""
    action = bpy.data.actions.new(name)
    action.layers.new("Layer").strips.new(type="KEYFRAME")
    return action


def new_channels(action: bpy.types.Action, item: bpy.types.ID) -> bpy.types.ActionChannelbag:
    """Give an object, or another kind of data, a slot of an Action of `new_action`, and make both current.

    An Action that the object had before is kept when the file is saved.
    """
    slot = action.slots.new(id_type=item.id_type, name=item.name)
    animation = item.animation_data_create()
    former = animation.action
    if former is not None and former.library is None:
        former.use_fake_user = True
    animation.action = action
    animation.action_slot = slot
    return action.layers[0].strips[0].channelbag(slot, ensure=True)


def channels_of(item: bpy.types.ID) -> bpy.types.ActionChannelbag | None:
    """The curves that move an object: of its Action's current slot; None if it has none."""
    animation = item.animation_data
    if animation is None or animation.action is None or animation.action_slot is None:
        return None
    for layer in animation.action.layers:
        for strip in layer.strips:
            bag = strip.channelbag(animation.action_slot)
            if bag is not None:
                return bag
    return None


def write_curve(
    channels: bpy.types.ActionChannelbag,
    path: str,
    column: int,
    frames: Array,
    values: Array,
    *,
    group: str = "",
    interpolation: int = LINEAR,
) -> None:
    """Write one curve with T keys; one that is there already is replaced.

    Args:
        channels: where it goes.
        path: of the property, from the object.
        column: of an array property, else 0.
        frames: (T,) scene frames, increasing.
        values: (T,).
        group: under which the curve is listed.
        interpolation: between the keys: `LINEAR` or `CONSTANT`.
    """
    former = channels.fcurves.find(path, index=column)
    if former is not None:
        channels.fcurves.remove(former)
    curve = channels.fcurves.new(path, index=column)
    if group:
        curve.group = channels.groups.get(group) or channels.groups.new(group)
    points = np.stack([frames, values], axis=1).astype(np.float32)
    curve.keyframe_points.add(len(points))
    curve.keyframe_points.foreach_set("co", points.ravel())
    kinds = np.full(len(points), interpolation, dtype=np.int32)
    curve.keyframe_points.foreach_set("interpolation", kinds)
    # New keys come selected; what is selected is to be the user's choice.
    for part in ("select_control_point", "select_left_handle", "select_right_handle"):
        curve.keyframe_points.foreach_set(part, np.zeros(len(points), dtype=bool))
    curve.update()


def read_curve(curve: bpy.types.FCurve) -> Array:
    """(T, 2) frames and values of a curve's keys."""
    points = np.empty(2 * len(curve.keyframe_points), dtype=np.float32)
    curve.keyframe_points.foreach_get("co", points)
    return points.reshape(-1, 2).astype(np.float64)
