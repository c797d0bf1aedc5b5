"""Whole animation curves, in and out at once, through an Action's slots.

Blender 4.4 gave Actions slots and channel bags; 5.0 took `action.fcurves` away. What is done here is the same
on 4.5, 5.0 and later.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import bpy
import numpy as np
import numpy.typing as npt

from ..rig.arrays import Array

__all__ = [
    "CONSTANT",
    "LINEAR",
    "Columns",
    "channels_of",
    "new_action",
    "new_channels",
    "read_curve",
    "write_curve",
    "write_new_curves",
]

CONSTANT: Final[int] = 0  # Keyframe.interpolation as foreach_set takes it
LINEAR: Final[int] = 1

Columns = tuple[str, Sequence[int], Array, str]  # path, columns C, values (T, C), group


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
    keys = np.stack([frames, values], axis=1).astype(np.float32)
    _add_keys(curve, keys.ravel(), _kinds(len(keys), interpolation))
    # New keys come selected; what is selected is to be the user's choice.
    for part in ("select_control_point", "select_left_handle", "select_right_handle"):
        curve.keyframe_points.foreach_set(part, np.zeros(len(keys), dtype=bool))
    curve.update()


def write_new_curves(
    action: bpy.types.Action,
    channels: bpy.types.ActionChannelbag,
    frames: Array,
    found: Iterable[Columns],
) -> None:
    """Write the first curves of a new Action, as `write_curve` does, in half the time.

    Args:
        action: from `new_action`, without curves.
        channels: of `new_channels`.
        frames: (T,) scene frames, increasing; the same for all curves.
        found: by property its path, which columns of it, their values (T, C), and a group; each path once.
    """
    keys = np.empty((len(frames), 2), dtype=np.float32)
    keys[:, 0] = frames
    kinds = _kinds(len(frames), LINEAR)
    curve = None
    for path, columns, values, name in found:
        group = channels.groups.get(name) or channels.groups.new(name)
        for column, line in zip(columns, values.T, strict=True):
            curve = channels.fcurves.new(path, index=column)
            curve.group = group
            keys[:, 1] = line
            _add_keys(curve, keys.ravel(), kinds)
            curve.keyframe_points.handles_recalc()
    action.deselect_keys()
    if curve is not None:
        curve.update()  # of one is enough to tell Blender that the Action has changed


def _kinds(count: int, interpolation: int) -> npt.NDArray[np.uint8]:
    """(T,) of bytes, which is how Blender keeps it: anything else it converts key by key."""
    return np.full(count, interpolation, dtype=np.uint8)


def _add_keys(
    curve: bpy.types.FCurve, keys: npt.NDArray[np.float32], kinds: npt.NDArray[np.uint8]
) -> None:
    """Add keys (2 T,), frames and values in turn, without handles."""
    points = curve.keyframe_points
    points.add(len(kinds))
    points.foreach_set("co", keys)
    points.foreach_set("interpolation", kinds)


def read_curve(curve: bpy.types.FCurve) -> Array:
    """(T, 2) frames and values of a curve's keys."""
    points = np.empty(2 * len(curve.keyframe_points), dtype=np.float32)
    curve.keyframe_points.foreach_get("co", points)
    return points.reshape(-1, 2).astype(np.float64)
