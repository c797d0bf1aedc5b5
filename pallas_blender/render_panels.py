"""The panel of datasets: a spec, one sample of it, and all of it."""

import bpy
from bpy.props import IntProperty, StringProperty

from .panel import Panel

__all__ = ["PALLAS_PG_dataset", "PALLAS_PT_dataset"]


class PALLAS_PG_dataset(bpy.types.PropertyGroup):
    spec: StringProperty(
        name="Spec", description="A .toml file that says what is rendered", subtype="FILE_PATH"
    )
    clip: IntProperty(name="Clip", description="Number of the clip to preview", default=0, min=0)
    folder: StringProperty(
        name="Folder",
        description="Of the dataset; what is done there already is kept",
        default="//dataset",
        subtype="DIR_PATH",
        options={"OUTPUT_PATH", "PATH_SUPPORTS_BLEND_RELATIVE"},
    )


class PALLAS_PT_dataset(Panel, bpy.types.Panel):
    bl_label = "Dataset"
    bl_parent_id = "PALLAS_PT_render"

    def draw(self, context):
        settings = context.scene.pallas.dataset
        column = self.column()
        column.prop(settings, "spec")
        row = column.row(align=True)
        row.prop(settings, "clip")
        row.operator("pallas.preview_sample", text="Preview", icon="HIDE_OFF")
        column.prop(settings, "folder")
        column.operator("pallas.render_dataset", icon="RENDER_ANIMATION")
