"""What the panel Video shows: `scene.pallas.video`, and its rows, a camera each."""

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    EnumProperty,
    FloatProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

from ..capture.keypoints.layout import LAYOUTS
from ..scene.keypoint_views import has_views
from .detectors import all_detectors

__all__ = [
    "VIDEO_PROPERTY_GROUPS",
    "PALLAS_PG_video",
    "PALLAS_PG_video_problem",
    "PALLAS_PG_video_view",
]

_RELATIVE = {"PATH_SUPPORTS_BLEND_RELATIVE"}


class PALLAS_PG_video_view(bpy.types.PropertyGroup):
    # `name` is every property group's own: of the file that the row began with.
    clip: StringProperty(
        name="Clip",
        description="Video of this camera; people are detected in it where there are no keypoints",
        subtype="FILE_PATH",
        options=_RELATIVE,
    )
    keypoints: StringProperty(
        name="Keypoints",
        description="File or folder of keypoints that a detector found in this camera's video",
        subtype="FILE_PATH",
        options=_RELATIVE,
    )
    offset: FloatProperty(
        name="Started",
        description="By how much later than the others this camera started",
        subtype="TIME_ABSOLUTE",
        precision=3,
    )


class PALLAS_PG_video_problem(bpy.types.PropertyGroup):
    # `name` is every property group's own: the line.
    pass


class PALLAS_PG_video(bpy.types.PropertyGroup):
    views: CollectionProperty(type=PALLAS_PG_video_view)
    active_view: IntProperty(name="Active")
    calibration: StringProperty(
        name="Calibration",
        description="Of the cameras: Pose2Sim's Calib.toml or Qualisys' .qca.txt",
        subtype="FILE_PATH",
        options=_RELATIVE,
    )
    up: EnumProperty(
        name="Up",
        description="The calibration's axis that points up",
        items=[(axis, axis.upper(), "") for axis in ("z", "y", "x", "-x", "-y", "-z")],
    )
    detector: EnumProperty(
        name="Detector",
        description="What finds people in clips without keypoints",
        items=[(name, kind.label or name, kind.title) for name, kind in all_detectors().items()],
        default="mediapipe",
    )
    model: StringProperty(
        name="Network",
        description="File of the detector's network: an ONNX file, or what `pallas train pose2d` wrote; its "
        "own, where it has one, if empty",
        subtype="FILE_PATH",
        options=_RELATIVE,
    )
    layout: EnumProperty(
        name="Layout",
        description="Of the keypoints that the network finds",
        items=[
            ("AUTO", "By Their Number", "Where their number tells"),
            *((key, key, f"{len(layout)} keypoints") for key, layout in LAYOUTS.items()),
        ],
    )
    fps: FloatProperty(
        name="Frame Rate",
        description="Of the keypoints; 0 is what they or their clips say. The scene keeps its own",
        default=0.0,
        min=0.0,
        soft_max=240.0,
    )
    person: IntProperty(
        name="Person",
        description="Who of those that one camera saw; 1 is the surest",
        default=1,
        min=1,
        max=16,
    )
    people: IntProperty(name="People", description="How many are placed", default=1, min=1, max=20)
    sync: BoolProperty(
        name="Synchronise", description="Find when each camera started, by how people move"
    )
    reorder: BoolProperty(
        name="Reorder Cameras",
        description="Where views and cameras are exchanged, go on in the order that fits",
    )
    cutoff: FloatProperty(
        name="Smooth Below",
        description="Cut-off of the filter over the keypoints in space, hertz; 0 leaves them as they are",
        default=6.0,
        min=0.0,
        soft_max=20.0,
    )
    height: FloatProperty(
        name="Height",
        description="Of the person, where one camera saw it: nothing else tells how far away it is",
        default=1.7,
        min=0.5,
        max=2.5,
        unit="LENGTH",
    )
    focal: FloatProperty(
        name="Focal Length",
        description="Of one camera without calibration, in pixels; 0 for that of a usual phone or webcam",
        default=0.0,
        min=0.0,
        soft_max=5000.0,
    )
    keypoints: PointerProperty(
        name="Keypoints",
        description="Parent of one person's empties",
        type=bpy.types.Object,
        poll=lambda self, item: has_views(item),
    )
    show: BoolProperty(
        name="Measured",
        description="Draw what a camera saw (crosses) and the empties (diamonds) over its view",
        default=True,
    )
    show_solved: BoolProperty(
        name="Solved",
        description="Draw the solved body's points (squares) over a camera's view",
        default=True,
    )
    clear_start: IntProperty(name="From", description="First frame of the bad stretch", default=1)
    clear_end: IntProperty(name="To", description="Last frame of the bad stretch", default=1)
    folder: StringProperty(
        name="Report",
        description="Folder for the report of joint angles; beside this file, or, where it isn't saved, in "
        "Blender's temporary folder, if empty",
        subtype="DIR_PATH",
        options=_RELATIVE,
    )
    report: StringProperty(name="Report")  # the HTML file
    summary: StringProperty(name="Summary")
    problems: CollectionProperty(type=PALLAS_PG_video_problem)


VIDEO_PROPERTY_GROUPS = (PALLAS_PG_video_view, PALLAS_PG_video_problem, PALLAS_PG_video)
