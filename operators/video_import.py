"""Import Views: clips and keypoints of calibrated cameras become cameras, backgrounds and empties."""

from pathlib import Path

import bpy
import numpy as np

from ..rig.errors import SceneError
from ..scene.camera_clips import Clip, read_clip
from ..scene.clock import Clock
from ..scene.keypoint_people import CameraView, add_people
from .solving import add_packages, find_torch
from .video_detection import Detecting
from .video_job import VideoJob, VideoOperator
from .video_reading import Found, Reading, Source, read_people

__all__ = ["PALLAS_OT_import_views", "asked_reading", "enough_views", "put_people"]


class PALLAS_OT_import_views(VideoOperator, bpy.types.Operator):
    """Read keypoints, or detect them in clips, and place people in space: a camera for each view with its clip behind it, an empty for every keypoint. The viewport stays free, Esc cancels"""  # noqa: E501  a tooltip

    bl_idname = "pallas.import_views"
    bl_label = "Import Views"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context):
        return enough_views(cls, context)

    def begin(self, context):
        add_packages(context)
        if len(context.scene.pallas.video.views) == 1:
            find_torch(context)
        asked = asked_reading(context)
        return VideoJob(lambda tell: read_people(asked, tell))

    def end(self, context, result):
        settings = context.scene.pallas.video
        _, told = put_people(context, result)
        for line in told:
            self.warn(line)
        return f"{settings.keypoints.parent.name}: {settings.summary}"


def enough_views(cls: type, context: bpy.types.Context) -> bool:
    """Whether the panel has what an import needs; its buttons say what is missing."""
    settings = context.scene.pallas.video
    if not len(settings.views):
        cls.poll_message_set("Add clips or keypoints first")
        return False
    if not settings.calibration and len(settings.views) > 1:
        cls.poll_message_set("Choose the calibration")
        return False
    return True


def asked_reading(context: bpy.types.Context) -> Reading:
    """Gather what the panel says.

    Raises:
        FormatError: Blender can't read a clip.
    """
    settings = context.scene.pallas.video
    return Reading(
        tuple(_source(row) for row in settings.views),
        Path(bpy.path.abspath(settings.calibration)) if settings.calibration else None,
        settings.up,
        settings.fps,
        settings.sync,
        settings.reorder,
        settings.people,
        settings.cutoff,
        settings.height,
        settings.focal,
        settings.person,
        Detecting(
            settings.detector,
            Path(bpy.path.abspath(settings.model)) if settings.model else None,
            None if settings.layout == "AUTO" else settings.layout,
        ),
    )


def put_people(
    context: bpy.types.Context, found: Found
) -> tuple[list[bpy.types.Object], tuple[str, ...]]:
    """Put what was read into the scene, and choose the first person in the panel.

    Returns:
        The parent of each person's empties, and what to tell.
    """
    settings = context.scene.pallas.video
    views = [
        CameraView(camera, source.clip, source.told, offset)
        for camera, source, offset in zip(found.cameras, found.sources, found.offsets, strict=True)
    ]
    parents, told = add_people(_called(found.sources), found.people, views)
    settings.keypoints, settings.summary = parents[0], _summary(found)
    space = context.space_data
    if space is not None and space.type == "VIEW_3D":  # a line from each empty hides them all
        space.overlay.show_relationship_lines = False
    if context.scene.pallas.retarget.fit_range:
        last = Clock.of(parents[0]).frames(len(found.people[0].markers))[-1]
        context.scene.frame_end = max(context.scene.frame_end, round(last))
    return parents, (*found.told, *told)


def _source(row: bpy.types.PropertyGroup) -> Source:
    keypoints, clip = (Path(bpy.path.abspath(p)) if p else None for p in (row.keypoints, row.clip))
    if keypoints is None and clip is None:
        raise SceneError(
            f"row {row.name!r} has neither keypoints nor a clip; give one, or remove it"
        )
    return Source(keypoints, clip, _clip(clip), row.offset)


def _clip(path: Path | None) -> Clip | None:
    return None if path is None else read_clip(path)


def _called(sources: tuple[Source, ...]) -> str:
    """The folder that holds all of the files; of one file its own name."""
    paths = [path for s in sources for path in (s.keypoints, s.clip) if path is not None]
    if len(paths) == 1:
        return paths[0].stem
    shared = set(paths[0].parents).intersection(*(path.parents for path in paths))
    return max(shared, key=lambda path: len(path.parts), default=paths[0]).stem or "Video"


def _summary(found: Found) -> str:
    person = found.people[0]
    off = "" if np.isnan(found.error) else f", {found.error:.1f} px off"
    several = f", {len(found.people)} people" if len(found.people) > 1 else ""
    return f"{_cameras(len(found.cameras))}, {len(person.markers)} frames at {found.fps:g} Hz{several}{off}"


def _cameras(count: int) -> str:
    return "1 camera" if count == 1 else f"{count} cameras"
