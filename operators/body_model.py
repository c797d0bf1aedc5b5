"""A person's own SMPL, SMPL-H or SMPL-X model as a character: an armature with its skin."""

import bpy
import numpy as np
from bpy.props import FloatVectorProperty, StringProperty

from ..capture.smpl_model import read_smpl_model
from ..scene.smpl_mesh import add_body, correct_own_pose, note_model, noted_model
from .common import PallasOperator
from .files import ImportOperator, offered

__all__ = ["PALLAS_OT_add_body_model", "PALLAS_OT_correct_skin"]

_SHAPES = 10  # of the body's shape, as most files of motion have them


class PALLAS_OT_add_body_model(ImportOperator, bpy.types.Operator):
    """Add a body from your own SMPL, SMPL-H or SMPL-X file and make it the character; nothing in the file is run"""  # noqa: E501  a tooltip

    bl_idname = "pallas.add_body_model"
    bl_label = "Add Body Model"
    bl_options = {"REGISTER", "UNDO"}

    filepath: StringProperty(name="Model", subtype="FILE_PATH")
    filter_glob: offered((".npz", ".pkl"))
    betas: FloatVectorProperty(
        name="Shape", description="The body's first shape coefficients", size=_SHAPES
    )

    def run(self, context):
        model = read_smpl_model(self.path())
        body = add_body(model, np.array(self.betas))
        note_model(body, self.path())
        context.scene.pallas.retarget.target = body
        return f"Added {body.name}, {len(body.data.bones)} bones"


class PALLAS_OT_correct_skin(PallasOperator, bpy.types.Operator):
    """Key the body model's corrections of the skin for the poses of the character's Action, as shape keys"""

    bl_idname = "pallas.correct_skin"
    bl_label = "Correct Skin"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context):
        body = context.scene.pallas.retarget.target
        if noted_model(body) is None:
            cls.poll_message_set("Choose a character that was added by Add Body Model")
            return False
        if body.animation_data is None or body.animation_data.action is None:
            cls.poll_message_set("The character has no Action; retarget a motion onto it first")
            return False
        return True

    def run(self, context):
        body = context.scene.pallas.retarget.target
        first, last = (round(frame) for frame in body.animation_data.action.frame_range)
        model = read_smpl_model(noted_model(body))
        action = correct_own_pose(body, model, first, last)
        scene = context.scene
        scene.frame_set(scene.frame_current, subframe=scene.frame_subframe)
        return f"{body.name}: skin corrected on frames {first} to {last} in {action.name}"
