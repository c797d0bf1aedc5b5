"""Keys of keypoints: which were measured, which were filled in, and those of a bad stretch taken away.

What is filled in is keyed as Blender's "Generated" keys, so that it is told apart in the Dope Sheet and the
next solve does not take it for a measurement.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

import bpy
import numpy as np

from ..rig.arrays import Array, Mask
from ..rig.errors import SceneError
from ..rig.trajectories import MarkerTrajectories
from .clock import Clock
from .curves import channels_of, new_channels, read_curve, write_curve
from .markers import (
    MARKER_PROPERTY,
    checked_marker_set,
    marker_objects,
    read_marker_set,
    write_hiding,
)

__all__ = ["clear_keys", "fill_keys", "read_measured"]

_MEASURED: Final = 0  # Keyframe.type as foreach_set takes it
_FILLED: Final = 5
_ON: Final = 1e-3  # of a frame, within which a key lies on it


def read_measured(parent: bpy.types.Object) -> MarkerTrajectories:
    """The empties' places (T, K, 3) in the world where they have measured keys, NaN elsewhere.

    Every keypoint is there, in the order of the file, whether or not it has keys left; and every sample.

    Raises:
        SceneError: the object is no parent of keypoints, or nothing that was measured is left.
    """
    whole = read_marker_set(checked_marker_set(parent))
    clock = Clock.of(parent)
    first = round((whole.start - clock.start) * clock.fps)
    positions = np.array(whole.positions)
    for column, item in enumerate(marker_objects(parent).values()):
        filled = _filled(item, clock) - first
        filled = filled[(filled >= 0) & (filled < len(positions))]
        positions[filled, column] = np.nan
    if not np.isfinite(positions).any():
        raise SceneError(
            f"nothing that was measured is left of {parent.name!r}; import the views again"
        )
    return replace(whole, positions=positions)


def fill_keys(parent: bpy.types.Object, measured: MarkerTrajectories, places: Array) -> int:
    """Key the empties at every sample: measured keys stay as they are, the others are filled in.

    Args:
        parent: of the empties.
        measured: as `read_measured` gave it.
        places: (T, K, 3) where each keypoint is, in the world, metres; NaN where that isn't known.

    Returns:
        How many keys were filled in.
    """
    clock = Clock.of(checked_marker_set(parent))
    frames = clock.first + clock.step * (
        round((measured.start - clock.start) * clock.fps) + np.arange(len(measured))
    )
    world = np.array(parent.matrix_world, dtype=np.float64)
    own = np.linalg.inv(world)
    items, count = marker_objects(parent), 0
    for column, name in enumerate(measured.names):
        item = items.get(name)
        if item is None:
            continue
        seen = np.isfinite(measured.positions[:, column]).all(axis=-1)
        told = np.where(seen[:, None], measured.positions[:, column], places[:, column])
        _write(parent, item, frames, told @ own[:3, :3].T + own[:3, 3], seen)
        count += int((np.isfinite(told).all(axis=-1) & ~seen).sum())
    return count


def clear_keys(items: Iterable[bpy.types.Object], first: float, last: float) -> int:
    """Take away the keys of keypoints from one scene frame to another, both included.

    Returns:
        How many there were, three curves of one keypoint counted once.

    Raises:
        SceneError: none of the objects is a keypoint.
    """
    found = [item for item in items if MARKER_PROPERTY in item]
    if not found:
        raise SceneError("found no keypoint, expected their empties; select some first")
    return sum(_cleared(item, first, last) for item in found)


def _filled(item: bpy.types.Object, clock: Clock) -> Array:
    """Samples whose keys were filled in."""
    channels = channels_of(item)
    curve = None if channels is None else channels.fcurves.find("location", index=0)
    if curve is None:
        return np.zeros(0, dtype=np.int64)
    kinds = np.zeros(len(curve.keyframe_points), dtype=np.int32)
    curve.keyframe_points.foreach_get("type", kinds)
    return clock.samples(read_curve(curve)[:, 0])[kinds == _FILLED]


def _write(
    parent: bpy.types.Object, item: bpy.types.Object, frames: Array, local: Array, seen: Mask
) -> None:
    there = np.isfinite(local).all(axis=-1)
    if not there.any():
        return
    channels = channels_of(item) or new_channels(_action(parent), item)
    kinds = np.where(seen[there], _MEASURED, _FILLED).astype(np.int32)
    for axis in range(3):
        write_curve(channels, "location", axis, frames[there], local[there, axis], group="Location")
        curve = channels.fcurves.find("location", index=axis)
        curve.keyframe_points.foreach_set("type", kinds)
        curve.update()
    for path in ("hide_viewport", "hide_render"):
        former = channels.fcurves.find(path)
        if former is not None:
            channels.fcurves.remove(former)
        setattr(item, path, False)
    write_hiding(channels, frames, there)


def _action(parent: bpy.types.Object) -> bpy.types.Action:
    """The one that moves the other empties."""
    actions = [
        item.animation_data.action
        for item in marker_objects(parent).values()
        if item.animation_data is not None and item.animation_data.action is not None
    ]
    if not actions:
        raise SceneError(f"the keypoints of {parent.name!r} have no Action; import them again")
    return actions[0]


def _cleared(item: bpy.types.Object, first: float, last: float) -> int:
    channels = channels_of(item)
    counts = [0]
    for axis in range(3):
        curve = None if channels is None else channels.fcurves.find("location", index=axis)
        if curve is None:
            continue
        points = read_curve(curve)
        kinds = np.zeros(len(points), dtype=np.int32)
        curve.keyframe_points.foreach_get("type", kinds)
        kept = (points[:, 0] < first - _ON) | (points[:, 0] > last + _ON)
        counts.append(int((~kept).sum()))
        if kept.all():
            continue
        if not kept.any():
            channels.fcurves.remove(curve)
            continue
        write_curve(channels, "location", axis, points[kept, 0], points[kept, 1], group="Location")
        again = channels.fcurves.find("location", index=axis)
        again.keyframe_points.foreach_set("type", kinds[kept])
        again.update()
    return max(counts)
