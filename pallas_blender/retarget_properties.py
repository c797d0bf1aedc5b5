"""What the panel of retargeting shows: `scene.pallas.retarget`, and the table of bones."""

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

from .frame_range import FrameRange

__all__ = ["PALLAS_PG_mapped_bone", "PALLAS_PG_part", "PALLAS_PG_retarget"]


def _chosen(self, context):
    """Who chooses a bone is sure of it."""
    self.confidence = 1.0 if self.bone else 0.0


def _other_file(self, context):
    """Another file has other people and clips."""
    self.part = ""
    self.parts.clear()


def _is_armature(self, item):
    return item.type == "ARMATURE"


class PALLAS_PG_mapped_bone(bpy.types.PropertyGroup):
    # `name` is every property group's own: the role. Roles of several bones have a row each, and one free.
    bone: StringProperty(name="Bone", description="The character's bone", update=_chosen)
    confidence: FloatProperty(name="Confidence", min=0.0, max=1.0)


class PALLAS_PG_part(bpy.types.PropertyGroup):
    # `name` is every property group's own: a person or clip of the motion's file.
    pass


class PALLAS_PG_retarget(FrameRange, bpy.types.PropertyGroup):
    fit_range: BoolProperty(
        name="Extend Scene",
        description="Move the scene's last frame back if the motion is longer",
        default=True,
    )
    source: EnumProperty(
        name="Source",
        description="Where the motion comes from",
        items=(
            ("SOLVED", "Solved Take", "The motion of the last solve"),
            ("ARMATURE", "Armature", "What another armature of this scene does"),
            ("FILE", "File", "BVH, FBX, glTF, VRM, AMASS and SMPL results"),
        ),
    )
    armature: PointerProperty(
        name="Armature",
        description="The armature that moves",
        type=bpy.types.Object,
        poll=_is_armature,
    )
    file: StringProperty(
        name="File",
        description="The motion",
        subtype="FILE_PATH",
        options={"PATH_SUPPORTS_BLEND_RELATIVE"},
        update=_other_file,
    )
    part: StringProperty(
        name="Part",
        description="Which person or clip of a file with several; the longest, or the current one, if empty",
    )
    parts: CollectionProperty(type=PALLAS_PG_part)
    target: PointerProperty(
        name="Character",
        description="The armature that gets the motion, as a new Action",
        type=bpy.types.Object,
        poll=_is_armature,
    )
    source_map: StringProperty(
        name="Source Map",
        description="JSON file of what the source's bones do; without one they are matched",
        subtype="FILE_PATH",
        options={"PATH_SUPPORTS_BLEND_RELATIVE"},
    )
    bones: CollectionProperty(type=PALLAS_PG_mapped_bone)
    active_bone: IntProperty(name="Active")
    rig: StringProperty(name="Rig")  # name of the preset that was recognised
    matched: StringProperty(name="Matched")  # the object that the table is of
    contacts: EnumProperty(
        name="Contacts",
        description="What keeps its place on the character's own proportions",
        items=(
            ("feet", "Feet", "Feet that stand, stand"),
            ("feet and hands", "Feet and Hands", "Hands that reach for something reach it, too"),
            ("off", "Off", "Limbs only keep their directions"),
        ),
    )
    root: EnumProperty(
        name="Travel",
        description="What carries the character over the floor",
        items=(
            ("hips", "Hips", "The hips alone"),
            ("bone", "Root Bone", "The bone on the floor, which the hips follow"),
            ("in place", "In Place", "Nothing: it stays where it is"),
        ),
    )
    controls: EnumProperty(
        name="Arms and Legs",
        description="Which controls of a Rigify rig get the keys; the switches are keyed in the Action",
        items=(
            ("ik", "IK", "Hands, feet, elbows and knees"),
            ("fk", "FK", "Every bone by its angle"),
        ),
    )
    use_range: BoolProperty(
        name="Range", description="Only a part of the motion, in frames of the scene"
    )
    step: IntProperty(name="Step", description="Keep every n-th frame", default=1, min=1)
