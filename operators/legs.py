"""Legs on a character: pinned keys, and how sure every joint is."""

import bpy

from ..capture.formats import read_motion
from ..rig.errors import SceneError
from ..scene.action_notes import motion_of, pins_of, set_pins
from ..scene.confidence import confidence_shown, hide_confidence, show_confidence
from ..scene.worn import leg_keys
from .common import PallasOperator, animated_armature

__all__ = [
    "PALLAS_OT_clear_pins",
    "PALLAS_OT_pin_keys",
    "PALLAS_OT_show_confidence",
]


class PALLAS_OT_pin_keys(PallasOperator, bpy.types.Operator):
    """Keep the legs as they are in the frames of the leg keys that are selected in the Dope Sheet or Graph Editor, or in the current frame if none is"""  # noqa: E501  a tooltip

    bl_idname = "pallas.pin_keys"
    bl_label = "Pin Keys"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context):
        return animated_armature(cls, context)

    def run(self, context):
        action = _own_action(context.object)
        frames = list(leg_keys(context.object, selected=True)) or [
            context.scene.frame_current_final
        ]
        set_pins(action, {*pins_of(action), *frames})
        return f"{len(pins_of(action))} frames pinned in {action.name}"


class PALLAS_OT_clear_pins(PallasOperator, bpy.types.Operator):
    """Pin no frame of this Action any more"""

    bl_idname = "pallas.clear_pins"
    bl_label = "Clear Pins"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context):
        if not animated_armature(cls, context):
            return False
        if not pins_of(context.object.animation_data.action):
            cls.poll_message_set("No frame is pinned")
            return False
        return True

    def run(self, context):
        action = _own_action(context.object)
        count = len(pins_of(action))
        set_pins(action, ())
        return f"{count} pins cleared"


class PALLAS_OT_show_confidence(PallasOperator, bpy.types.Operator):
    """Curves of how sure the solve is of every joint, 0 to 1, in the Graph Editor; press again to remove them"""  # noqa: E501  a tooltip

    bl_idname = "pallas.show_confidence"
    bl_label = "Confidence Curves"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context):
        if not animated_armature(cls, context):
            return False
        if not (
            confidence_shown(context.object) or motion_of(context.object.animation_data.action)
        ):
            cls.poll_message_set("The Action is of no solved motion; solve a take and apply it")
            return False
        return True

    def run(self, context):
        armature = context.object
        action = _own_action(armature)
        if confidence_shown(armature):
            hide_confidence(armature)
            return f"Confidence removed from {armature.name}"
        path, start = motion_of(action)
        if not path.exists():
            raise SceneError(
                "the solved motion is gone with the last session; solve and apply it again"
            )
        count = show_confidence(armature, read_motion(path), start)
        return f"Confidence of {count} joints as curves of {armature.name}"


def _own_action(armature: bpy.types.Object) -> bpy.types.Action:
    """The object's Action, if it can be changed.

    Raises:
        SceneError: it is linked from another file.
    """
    action = armature.animation_data.action
    if action.library is not None:
        raise SceneError(
            f"the Action {action.name!r} is linked from another file; make it local first"
        )
    return action
