"""The panels of retargeting: the solved take on a character, and any motion on any rig."""

import bpy

from ..scene.importing import IMPORTED_SUFFIXES
from ..scene.smpl_mesh import noted_model
from .frame_range import draw_range
from .panel import Panel

__all__ = ["PALLAS_PT_bones", "PALLAS_PT_retarget", "PALLAS_PT_retarget_any", "PALLAS_UL_bones"]

_SURE, _LIKELY = 0.9, 0.6  # below the first worth a look, below the second worth a correction


class PALLAS_PT_retarget(Panel, bpy.types.Panel):
    bl_label = "Retarget"

    def draw(self, context):
        armature = context.object
        column = self.column()
        column.operator("pallas.add_character", icon="OUTLINER_OB_ARMATURE")
        if armature is not None and armature.type == "ARMATURE":
            column.label(text=f"Onto {armature.name}", icon="ARMATURE_DATA")
        else:
            column.label(text="Onto a new character", icon="ADD")
        column.prop(context.scene.pallas.retarget, "fit_range")
        column.operator("pallas.apply_to_character", icon="ANIM")


class PALLAS_PT_retarget_any(Panel, bpy.types.Panel):
    bl_label = "Onto Any Rig"
    bl_parent_id = "PALLAS_PT_retarget"

    def draw(self, context):
        settings = context.scene.pallas.retarget
        column = self.column()
        column.prop(settings, "source")
        if settings.source == "ARMATURE":
            column.prop(settings, "armature")
        elif settings.source == "FILE":
            column.prop(settings, "file")
            row = column.row(align=True)
            imported = settings.file.lower().endswith(IMPORTED_SUFFIXES)
            text = "Clip" if imported else "Person"
            icon = "ACTION" if imported else "USER"
            row.prop_search(settings, "part", settings, "parts", text=text, icon=icon)
            row.operator("pallas.list_parts", text="", icon="FILE_REFRESH")
        if settings.source != "SOLVED":
            column.prop(settings, "source_map")
        column.prop(settings, "target")
        column.operator("pallas.add_body_model", icon="OUTLINER_OB_ARMATURE")
        for name in ("contacts", "root"):
            column.prop(settings, name)
        if settings.target is not None and "torso" in settings.target.data.bones:
            column.prop(settings, "controls")
        draw_range(column, settings)
        column.prop(settings, "step")
        column.operator("pallas.match_bones", icon="VIEWZOOM")
        row = column.row(align=True)
        row.operator("pallas.preview_retarget", icon="ARMATURE_DATA")
        row.operator("pallas.retarget", icon="ANIM")
        if noted_model(settings.target) is not None:
            column.operator("pallas.correct_skin", icon="MOD_SMOOTH")


class PALLAS_PT_bones(Panel, bpy.types.Panel):
    bl_label = "Bones"
    bl_parent_id = "PALLAS_PT_retarget_any"

    @classmethod
    def poll(cls, context):
        return len(context.scene.pallas.retarget.bones) > 0

    def draw(self, context):
        settings = context.scene.pallas.retarget
        column = self.layout.column()
        if settings.rig:
            column.label(text=f"Recognised: {settings.rig}", icon="CHECKMARK")
        column.template_list("PALLAS_UL_bones", "", settings, "bones", settings, "active_bone")
        column.operator("pallas.show_unmapped", icon="RESTRICT_SELECT_OFF")
        row = column.row(align=True)
        row.operator("pallas.load_bone_map", icon="FILE_FOLDER")
        row.operator("pallas.save_bone_map", icon="FILE_TICK")


class PALLAS_UL_bones(bpy.types.UIList):
    def draw_item(self, context, layout, data, item, icon, active_data, active_property):
        row = layout.split(factor=0.45)
        row.label(text=item.name.replace("_", " "), icon=_colour(item))
        if data.target is not None:
            row.prop_search(item, "bone", data.target.data, "bones", text="")
        else:
            row.prop(item, "bone", text="")


def _colour(item):
    """Green, yellow or red; grey where there is no bone."""
    if not item.bone:
        return "STRIP_COLOR_09"
    if item.confidence >= _SURE:
        return "STRIP_COLOR_04"
    return "STRIP_COLOR_03" if item.confidence >= _LIKELY else "STRIP_COLOR_01"
