"""Measured markers as animated empties, and back."""

from typing import Final

import bpy
import numpy as np

from ..rig.arrays import Array, Mask
from ..rig.errors import SceneError
from ..rig.trajectories import MarkerTrajectories
from .clock import Clock
from .curves import CONSTANT, channels_of, new_action, new_channels, read_curve, write_curve

__all__ = [
    "MARKER_PROPERTY",
    "add_markers",
    "checked_marker_set",
    "is_marker_set",
    "marker_objects",
    "read_marker_set",
    "write_hiding",
]

MARKER_PROPERTY: Final[str] = "pallas_marker"  # custom property: the name in the file
_PLACE: Final[str] = "pallas_place"  # custom property: which column of the file it was
_SET: Final[str] = (
    "pallas_marker_set"  # custom property of the parent of all: how many samples there are
)
_SIZE: Final[float] = 0.01  # metres, radius
_LONGEST_GAP: Final[int] = 10_000_000  # samples; keys further apart than this are no recording


def is_marker_set(item: bpy.types.Object | None) -> bool:
    """Whether an object is the parent of measured markers."""
    return item is not None and _SET in item


def checked_marker_set(item: bpy.types.Object | None) -> bpy.types.Object:
    """Return the object if it is the parent of measured markers.

    Raises:
        SceneError: it is nothing, or something else.
    """
    if item is None or not is_marker_set(item):
        found = "nothing" if item is None else repr(item.name)
        raise SceneError(f"found {found}, expected the parent of markers; import markers first")
    return item


def marker_objects(marker_set: bpy.types.Object) -> dict[str, bpy.types.Object]:
    """The empties of a set by their markers' names, in the order of the file.

    Raises:
        SceneError: two of them have the same marker.
    """
    found = [c for c in marker_set.children if c.type == "EMPTY" and MARKER_PROPERTY in c]
    found.sort(key=lambda item: (item.get(_PLACE, len(found)), item.name))
    by_name = {str(item[MARKER_PROPERTY]): item for item in found}
    if len(by_name) < len(found):
        twice = next(i for i in found if by_name[str(i[MARKER_PROPERTY])] is not i)
        raise SceneError(
            f"two empties of {marker_set.name!r} are marker {twice[MARKER_PROPERTY]!r}; "
            "delete one of them"
        )
    return by_name


def add_markers(
    markers: MarkerTrajectories,
    name: str,
    *,
    start: float | None = None,
    collection: bpy.types.Collection | None = None,
) -> bpy.types.Object:
    """Add an animated empty for every marker, all under one parent, in a collection of their own.

    The scene's frame rate stays as it is: keys lie at the samples' own times, on fractions of a frame where
    the two rates differ. A marker has no keys where it was not seen, and is hidden there.

    Args:
        markers: T frames of M markers, metres, z up.
        name: of the parent; the collection is called "Markers: NAME".
        start: scene frame of the first sample; the scene's first frame if None.
        collection: where the new collection goes; the scene's if None.

    Returns:
        The parent.

    Raises:
        SceneError: there is no frame or no marker.
    """
    if len(markers) == 0 or not markers.names:
        raise SceneError(
            f"the recording has {len(markers)} frames of {len(markers.names)} markers, expected at "
            "least one of each; choose another file"
        )
    scene = bpy.context.scene
    clock = Clock.in_scene(scene, markers.fps, markers.start)
    if start is not None:
        clock = Clock(clock.fps, clock.start, start, clock.step)
    own = bpy.data.collections.new(f"Markers: {name}")
    (scene.collection if collection is None else collection).children.link(own)
    parent = bpy.data.objects.new(name, None)
    parent.empty_display_type, parent.empty_display_size = "ARROWS", 0.1
    parent[_SET] = len(markers)
    clock.keep(parent)
    own.objects.link(parent)
    action = new_action(f"{name} markers")
    frames = clock.frames(len(markers))
    for place, marker in enumerate(markers.names):
        item = _empty(marker, place, parent)
        own.objects.link(item)
        _animate(action, item, frames, markers.positions[:, place])
    return parent


def _empty(marker: str, place: int, parent: bpy.types.Object) -> bpy.types.Object:
    item = bpy.data.objects.new(marker, None)
    item.empty_display_type, item.empty_display_size = "SPHERE", _SIZE
    item[MARKER_PROPERTY], item[_PLACE] = marker, place
    item.parent = parent
    return item


def _animate(
    action: bpy.types.Action, item: bpy.types.Object, frames: Array, positions: Array
) -> None:
    """Keys where the marker was seen; hidden where it was not."""
    seen = np.isfinite(positions).all(axis=-1)
    if not seen.any():
        item.hide_viewport = item.hide_render = True
        return
    item.location = positions[seen][0]
    channels = new_channels(action, item)
    for axis in range(3):
        write_curve(
            channels, "location", axis, frames[seen], positions[seen, axis], group="Location"
        )
    write_hiding(channels, frames, seen)


def write_hiding(channels: bpy.types.ActionChannelbag, frames: Array, seen: Mask) -> None:
    """Hide an object, in views and pictures, on the frames (T,) on which it is not `seen` (T,)."""
    if seen.all():
        return
    turns = np.concatenate([[True], seen[1:] != seen[:-1]])
    for path in ("hide_viewport", "hide_render"):
        hidden = (~seen[turns]).astype(np.float64)
        write_curve(channels, path, 0, frames[turns], hidden, group="Seen", interpolation=CONSTANT)


def read_marker_set(marker_set: bpy.types.Object) -> MarkerTrajectories:
    """Read the markers back from their keys, with whatever was edited: the parent's place and size too.

    A sample without a key on all three axes is missing.

    Raises:
        SceneError: the object is no parent of markers, or there is no key.
    """
    clock = Clock.of(checked_marker_set(marker_set))
    items = marker_objects(marker_set)
    keys = {name: _keys(item, clock) for name, item in items.items()}
    numbers = [samples for axes in keys.values() for samples, _ in axes]
    filled = [samples for samples in numbers if len(samples)]
    if not filled:
        raise SceneError(f"the markers of {marker_set.name!r} have no keys; import them again")
    first = int(min(samples.min() for samples in filled))
    stop = int(max(samples.max() for samples in filled)) + 1
    if first >= 0 and stop <= int(marker_set[_SET]):  # nothing is seen at the ends
        first, stop = 0, int(marker_set[_SET])
    count = stop - first
    if count > _LONGEST_GAP:
        raise SceneError(
            f"the keys of {marker_set.name!r} reach over {count} samples; delete the stray ones"
        )
    positions = np.full((count, len(items), 3), np.nan)
    for place, axes in enumerate(keys.values()):
        for axis, (samples, values) in enumerate(axes):
            positions[samples - first, place, axis] = values
    world = np.array(marker_set.matrix_world, dtype=np.float64)
    positions = positions @ world[:3, :3].T + world[:3, 3]
    return MarkerTrajectories(tuple(items), positions, clock.fps, clock.start + first / clock.fps)


def _keys(item: bpy.types.Object, clock: Clock) -> list[tuple[Array, Array]]:
    """For every axis, which samples have a key, and its value."""
    channels = channels_of(item)
    found = []
    for axis in range(3):
        curve = None if channels is None else channels.fcurves.find("location", index=axis)
        points = np.empty((0, 2)) if curve is None else read_curve(curve)
        found.append((clock.samples(points[:, 0]), points[:, 1]))
    return found
