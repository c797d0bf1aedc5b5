"""A person's own SMPL, SMPL-H or SMPL-X model as a character: an armature with its skin."""

import bpy
import numpy as np
from bpy.props import FloatVectorProperty, StringProperty

from ..capture.smpl_model import read_smpl_model
from ..scene.smpl_mesh import add_body
from .files import ImportOperator, offered

__all__ = ["PALLAS_OT_add_body_model"]

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
        context.scene.pallas.retarget.target = body
        return f"Added {body.name}, {len(body.data.bones)} bones"
