"""Where the solved body has its keypoints: empties of their own, beside the measured ones that stay."""

from collections.abc import Sequence
from typing import Final

import bpy
import numpy as np

from ..rig.arrays import Array
from .clock import Clock
from .curves import channels_of, new_action, new_channels, write_curve

__all__ = ["put_solved_points", "solved_empties"]

_SOLVED: Final = (
    "pallas_solved"  # custom property of the measured empties' parent: that of the solved ones
)
_POINT: Final = "pallas_solved_point"  # custom property of an empty: its keypoint's name
_SIZE: Final = 0.008  # metres, half a cube's edge


def put_solved_points(
    parent: bpy.types.Object, names: Sequence[str], points: Array, first: int
) -> bpy.types.Object:
    """Key an empty for every point of a solved body; those of an earlier solve are keyed anew.

    They are in a collection of their own, can't be selected by accident, and move with the measured ones.

    Args:
        parent: of the measured empties.
        names: of P points.
        points: (T, P, 3) metres in the world.
        first: the clock's sample that row 0 is.

    Returns:
        The parent of the solved empties.
    """
    clock, root = Clock.of(parent), _root(parent)
    frames = clock.first + clock.step * (first + np.arange(len(points)))
    own = np.linalg.inv(np.array(parent.matrix_world, dtype=np.float64))
    local = points @ own[:3, :3].T + own[:3, 3]
    items = _children(root)
    for name in set(items) - set(names):
        bpy.data.objects.remove(items[name])
    action = next((i.animation_data.action for i in root.children if i.animation_data), None)
    action = action or new_action(root.name)
    for column, name in enumerate(names):
        item = items.get(name) or _empty(name, root)
        channels = channels_of(item) or new_channels(action, item)
        item.location = local[0, column]
        for axis in range(3):
            write_curve(
                channels, "location", axis, frames, local[:, column, axis], group="Location"
            )
    return root


def solved_empties(parent: bpy.types.Object) -> dict[str, bpy.types.Object]:
    """The empties of the last solve by their keypoints' names; none where nothing was solved."""
    root = parent.get(_SOLVED)
    return _children(root) if root is not None and root.users_scene else {}


def _children(root: bpy.types.Object) -> dict[str, bpy.types.Object]:
    return {str(item[_POINT]): item for item in root.children if _POINT in item}


def _root(parent: bpy.types.Object) -> bpy.types.Object:
    """What carries the solved empties: the earlier solve's, or a new one."""
    root = parent.get(_SOLVED)
    if root is not None and root.users_scene:
        return root
    name = f"{parent.name} solved"
    above = parent if parent.parent is None else parent.parent
    collection = bpy.data.collections.new(f"Solved: {parent.name}")
    above.users_collection[0].children.link(collection)
    root = bpy.data.objects.new(name, None)
    root.empty_display_type, root.empty_display_size = "PLAIN_AXES", 0.05
    root.parent, root.hide_select = parent, True
    collection.objects.link(root)
    parent[_SOLVED] = root
    return root


def _empty(name: str, root: bpy.types.Object) -> bpy.types.Object:
    item = bpy.data.objects.new(f"{name} solved", None)
    item.empty_display_type, item.empty_display_size = "CUBE", _SIZE
    item[_POINT], item.parent, item.hide_select = name, root, True
    root.users_collection[0].objects.link(item)
    return item
