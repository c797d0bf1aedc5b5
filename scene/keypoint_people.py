"""People that cameras saw, put into the scene: the cameras, their clips, and empties where keypoints are."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import bpy
import numpy as np

from ..capture.cameras.camera import Camera
from ..capture.cameras.reconstruct import Person
from ..rig.trajectories import MarkerTrajectories
from .camera_clips import Clip, show_clip
from .camera_objects import add_camera, lens_bend, resized
from .clock import Clock, scene_fps
from .keypoint_views import Seen, keep_views
from .markers import add_markers

__all__ = ["CameraView", "SeenPerson", "add_people"]

_BENT = 1.0  # pixels, from which on a lens is worth a word


@dataclass(frozen=True, eq=False)
class CameraView:
    """A camera, its clip if there is one, and the seconds to add to the clip's time."""

    camera: Camera
    path: Path | None = None
    clip: Clip | None = None
    offset: float = 0.0


@dataclass(frozen=True, eq=False)
class SeenPerson:
    """One person's keypoints in space, and what the cameras saw of the same ones in the same frames."""

    markers: MarkerTrajectories
    seen: Seen

    @classmethod
    def of(cls, person: Person, names: Sequence[str], cameras: Sequence[Camera]) -> Self:
        """Of a reconstruction; `names` are those of the layout's keypoints."""
        views = person.views
        pixels, confidence = np.asarray(views.pixels), np.asarray(views.confidence)
        seen = Seen(tuple(names), tuple(cameras), pixels, confidence)
        return cls(person.markers, seen.of(person.markers.names))


def add_people(
    name: str, people: Sequence[SeenPerson], views: Sequence[CameraView]
) -> tuple[list[bpy.types.Object], list[str]]:
    """Add cameras with their clips behind them, and an empty for every keypoint of every person.

    All hangs on one empty, in a collection of its own. The scene's frame rate and camera stay as they are.

    Args:
        name: of the collection.
        people: one or more, of the same frames.
        views: C, in the order of the people's.

    Returns:
        The parent of each person's empties, and what to tell: sizes that differ, lenses that bend.
    """
    scene = bpy.context.scene
    collection = bpy.data.collections.new(f"Video: {name}")
    scene.collection.children.link(collection)
    root = bpy.data.objects.new(name, None)
    root.empty_display_type, root.empty_display_size = "PLAIN_AXES", 0.2
    collection.objects.link(root)
    markers = people[0].markers
    clock = Clock.in_scene(scene, markers.fps, markers.start)
    told: list[str] = []
    cameras = [_add_view(view, collection, root, clock, told) for view in views]
    parents = []
    for number, person in enumerate(people, start=1):
        called = f"{name} keypoints" if len(people) == 1 else f"{name} person {number}"
        parent = add_markers(person.markers, called, collection=collection)
        parent.parent = root
        keep_views(parent, cameras, person.seen)
        parents.append(parent)
    bpy.context.view_layer.update()
    return parents, told


def _add_view(
    view: CameraView,
    collection: bpy.types.Collection,
    root: bpy.types.Object,
    clock: Clock,
    told: list[str],
) -> bpy.types.Object:
    camera = view.camera
    if view.clip is not None:
        camera, line = resized(camera, view.clip.size)
        told += [line] if line else []
    bend = lens_bend(camera)
    if bend > _BENT:
        told.append(
            f"The lens of {camera.name} bends by up to {bend:.0f} pixels; Blender's camera does not"
        )
    item = add_camera(camera, collection, root)
    if view.path is not None and view.clip is not None:
        scene = bpy.context.scene
        first = clock.first + (view.offset - clock.start) * scene_fps(scene)
        show_clip(item, view.path, view.clip, first, scene)
    return item
