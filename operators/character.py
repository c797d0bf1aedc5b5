"""Retarget: the embedded character, and the solved motion on a character."""

from pathlib import Path

import bpy
from bpy.props import BoolProperty, StringProperty

from ..capture.formats import read_motion
from ..scene.character import add_character
from ..scene.linked import shown_armature
from ..scene.retarget_target import read_target
from ..scene.sensors import add_sensors
from ..scene.takes import Take, apply_takes
from .bone_table import own_character, told_map
from .common import PallasOperator

__all__ = ["PALLAS_OT_add_character", "PALLAS_OT_apply_to_character"]


class PALLAS_OT_add_character(PallasOperator, bpy.types.Operator):
    """Add the character that comes with PALLAS, 1.70 m tall, on a rig with Mixamo's bone names"""

    bl_idname = "pallas.add_character"
    bl_label = "Add Character"
    bl_options = {"REGISTER", "UNDO"}

    sensors: BoolProperty(
        name="Show Sensors", description="Small boxes where the sensors sit", default=True
    )

    def run(self, context):
        character = add_character()
        if self.sensors:
            add_sensors(character)
        return f"Added {character.name}"


class PALLAS_OT_apply_to_character(PallasOperator, bpy.types.Operator):
    """Write the solved motion onto the active armature as a new Action, or onto a new character; further takes as the panel Legs says"""  # noqa: E501  a tooltip

    bl_idname = "pallas.apply_to_character"
    bl_label = "Apply to Character"
    bl_options = {"REGISTER", "UNDO"}

    name: StringProperty(name="Action", description="Name of the new Action; the take's if empty")

    @classmethod
    def poll(cls, context):
        motion = context.scene.pallas.solve.motion
        if not motion:
            cls.poll_message_set("Solve a take first")
            return False
        if not Path(motion).exists():
            cls.poll_message_set("The solved motion is gone with the last session; solve again")
            return False
        return True

    def run(self, context):
        settings = context.scene.pallas
        takes = _takes(settings, self.name or Path(settings.capture.take).stem or "PALLAS")
        armature = shown_armature(context.object)
        if armature is None:
            armature = add_character()
            add_sensors(armature)
        armature, made = own_character(context, armature.name_full)
        action = apply_takes(
            armature,
            takes,
            tracks=settings.legs.output == "NLA",
            bone_map=told_map(settings.retarget, armature, read_target(armature)),
            controls=settings.retarget.controls,
        )
        first, last = action.frame_range
        if settings.retarget.fit_range:
            context.scene.frame_end = max(context.scene.frame_end, round(last))
        several = f", {len(takes)} takes" if len(takes) > 1 else ""
        keys = len(takes[0].motion)
        return f"{armature.name}{made}: {keys} keys, frames {first:.0f} to {last:.0f}{several}"


def _takes(settings: bpy.types.PropertyGroup, name: str) -> list[Take]:
    """The takes of the last solve, read before anything is changed."""
    solved = settings.solve
    named = [(f"{name} {take.name}".rstrip(), Path(take.motion)) for take in solved.takes]
    if not named or named[0][1] != Path(solved.motion):  # a file of before there were takes
        named = [(name, Path(solved.motion))]
    return [Take(title, read_motion(path), path) for title, path in named]
