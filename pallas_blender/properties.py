"""What the panels show and the operators read: `scene.pallas.*`, saved with the file."""

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

from ..scene.markers import is_marker_set
from .leg_properties import PALLAS_PG_legs, PALLAS_PG_take
from .live_properties import LIVE_PROPERTY_GROUPS, POSES, PALLAS_PG_live
from .render_panels import PALLAS_PG_dataset
from .retarget_properties import PALLAS_PG_mapped_bone, PALLAS_PG_part, PALLAS_PG_retarget
from .video_properties import VIDEO_PROPERTY_GROUPS, PALLAS_PG_video

__all__ = [
    "PROPERTY_GROUPS",
    "PALLAS_PG_capture",
    "PALLAS_PG_markers",
    "PALLAS_PG_render",
    "PALLAS_PG_scene",
    "PALLAS_PG_solve",
]


class PALLAS_PG_capture(bpy.types.PropertyGroup):
    take: StringProperty(name="Take", description="The recording to solve", subtype="FILE_PATH")
    summary: StringProperty(name="Summary")


class PALLAS_PG_solve(bpy.types.PropertyGroup):
    pose: EnumProperty(
        name="Pose",
        description="The pose in which the performer stood still for calibration",
        items=POSES,
    )
    use_pose_at: BoolProperty(
        name="Pose At", description="Say when the pose was held instead of searching for it"
    )
    pose_start: FloatProperty(name="Start", min=0.0, default=0.0, subtype="TIME_ABSOLUTE")
    pose_end: FloatProperty(name="End", min=0.0, default=2.0, subtype="TIME_ABSOLUTE")
    map: StringProperty(
        name="Map",
        description="JSON file that says which sensor sits where; without one, by the sensors' names",
        subtype="FILE_PATH",
    )
    use_facing: BoolProperty(
        name="Facing",
        description="Say where the performer faced in the pose instead of finding it from the motion",
    )
    facing: FloatProperty(
        name="Angle", description="0 faces -Y, 90 degrees +X", subtype="ANGLE", default=0.0
    )
    height: FloatProperty(
        name="Height", description="Of the performer", default=1.7, min=0.5, max=2.5, unit="LENGTH"
    )
    acceleration_unit: EnumProperty(
        name="Acceleration",
        description="Unit of the recording's accelerations",
        items=(
            ("m/s^2", "m/s²", "Metres per second squared"),
            ("g", "g", "Multiples of 9.80665 m/s²"),
        ),
    )
    motion: StringProperty(name="Motion", subtype="FILE_PATH")
    takes: CollectionProperty(type=PALLAS_PG_take)  # all of them, the first as in `motion`
    summary: StringProperty(name="Summary")


class PALLAS_PG_markers(bpy.types.PropertyGroup):
    markers: PointerProperty(
        name="Markers",
        description="Parent of the measured markers",
        type=bpy.types.Object,
        poll=lambda self, item: is_marker_set(item),
    )
    model: PointerProperty(
        name="Model",
        description="An imported OpenSim model, or any armature whose bones wear markers",
        type=bpy.types.Object,
        poll=lambda self, item: item.type == "ARMATURE",
    )
    tasks: StringProperty(
        name="Weights",
        description="OpenSim's task set or inverse kinematics setup, with the weight of each marker; "
        "without one all count the same",
        subtype="FILE_PATH",
    )
    scale: BoolProperty(
        name="Fit Size",
        description="Find the performer's size too. An OpenSim model is added again in that size, body by "
        "body; another armature keeps its size, and the markers are scaled to it",
    )
    fit_markers: BoolProperty(
        name="Fit Marker Places",
        description="Let the markers that the model wears move on their bones to where the recording says",
    )
    smoothness: FloatProperty(
        name="Smoothness",
        description="How strongly a pose holds on to the one before; 0 takes every frame by itself",
        default=0.0,
        min=0.0,
        soft_max=1.0,
        precision=4,
    )
    robust: FloatProperty(
        name="Outliers From",
        description="A marker further off than this counts less; 0 lets all count fully",
        default=0.0,
        min=0.0,
        soft_max=0.2,
        unit="LENGTH",
    )
    solved: PointerProperty(name="Solved", type=bpy.types.Object)
    summary: StringProperty(name="Summary")


class PALLAS_PG_render(bpy.types.PropertyGroup):
    sheet: StringProperty(
        name="Sheet",
        description="PNG to write",
        default="//sheet.png",
        subtype="FILE_PATH",
        # Else Blender shows a file that is not there yet, or beside the .blend, as wrong.
        options={"OUTPUT_PATH", "PATH_SUPPORTS_BLEND_RELATIVE"},
    )
    frames: IntProperty(name="Frames", description="Figures in the row", default=8, min=1, max=24)
    height: IntProperty(
        name="Height", description="Of the picture", default=480, min=32, max=4320, subtype="PIXEL"
    )
    overwrite: BoolProperty(name="Overwrite", description="Replace a picture that is there")


class PALLAS_PG_scene(bpy.types.PropertyGroup):
    capture: PointerProperty(type=PALLAS_PG_capture)
    live: PointerProperty(type=PALLAS_PG_live)
    video: PointerProperty(type=PALLAS_PG_video)
    solve: PointerProperty(type=PALLAS_PG_solve)
    legs: PointerProperty(type=PALLAS_PG_legs)
    retarget: PointerProperty(type=PALLAS_PG_retarget)
    markers: PointerProperty(type=PALLAS_PG_markers)
    render: PointerProperty(type=PALLAS_PG_render)
    dataset: PointerProperty(type=PALLAS_PG_dataset)


# The last one points at the others, which must be registered first.
PROPERTY_GROUPS = (
    PALLAS_PG_take,
    PALLAS_PG_capture,
    *LIVE_PROPERTY_GROUPS,
    *VIDEO_PROPERTY_GROUPS,
    PALLAS_PG_solve,
    PALLAS_PG_legs,
    PALLAS_PG_mapped_bone,
    PALLAS_PG_part,
    PALLAS_PG_retarget,
    PALLAS_PG_markers,
    PALLAS_PG_render,
    PALLAS_PG_dataset,
    PALLAS_PG_scene,
)
