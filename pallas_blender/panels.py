"""The sidebar tab "PALLAS": one panel a step, in the order of work. Panels draw; they never compute."""

from pathlib import PurePath

import bpy

from ..scene.osim_armature import is_osim
from ..scene.residuals import residuals_shown
from .leg_panels import PALLAS_PT_change_legs, PALLAS_PT_legs
from .live_panels import (
    PALLAS_PT_live,
    PALLAS_PT_live_performers,
    PALLAS_PT_live_record,
    PALLAS_PT_live_trackers,
    PALLAS_UL_live_performers,
    PALLAS_UL_live_trackers,
)
from .panel import Panel
from .render_panels import PALLAS_PT_dataset
from .retarget_panels import (
    PALLAS_PT_bones,
    PALLAS_PT_retarget,
    PALLAS_PT_retarget_any,
    PALLAS_UL_bones,
)
from .video_panels import (
    PALLAS_PT_video,
    PALLAS_PT_video_cameras,
    PALLAS_PT_video_solve,
    PALLAS_UL_video_views,
)

__all__ = [
    "PANELS",
    "PALLAS_PT_capture",
    "PALLAS_PT_markers",
    "PALLAS_PT_render",
    "PALLAS_PT_solve",
]


class PALLAS_PT_capture(Panel, bpy.types.Panel):
    bl_label = "Capture"

    def draw(self, context):
        capture = context.scene.pallas.capture
        column = self.column()
        column.operator("pallas.load_take", icon="FILE_FOLDER")
        if capture.take:
            column.label(text=PurePath(capture.take).name, icon="ACTION")
            column.label(text=capture.summary)


class PALLAS_PT_solve(Panel, bpy.types.Panel):
    bl_label = "Solve"

    def draw(self, context):
        solve = context.scene.pallas.solve
        column = self.column()
        column.prop(solve, "pose")
        column.prop(solve, "use_pose_at")
        if solve.use_pose_at:
            column.prop(solve, "pose_start")
            column.prop(solve, "pose_end")
        column.prop(solve, "use_facing")
        if solve.use_facing:
            column.prop(solve, "facing")
        column.prop(solve, "map")
        column.prop(solve, "height")
        column.prop(solve, "acceleration_unit")
        column.separator()
        column.operator("pallas.solve", icon="PLAY")
        if solve.motion:
            column.label(text=solve.summary, icon="CHECKMARK")


class PALLAS_PT_markers(Panel, bpy.types.Panel):
    bl_label = "Markers"

    def draw(self, context):
        markers = context.scene.pallas.markers
        column = self.column()
        column.operator("pallas.import_markers", icon="FILE_FOLDER")
        column.prop(markers, "markers")
        column.separator()
        column.operator("pallas.import_osim", icon="ARMATURE_DATA")
        column.prop(markers, "model")
        if markers.model is not None and not is_osim(markers.model):
            column.operator("pallas.attach_markers", icon="SNAP_ON")
        column.separator()
        for name in ("tasks", "scale", "fit_markers", "smoothness", "robust"):
            column.prop(markers, name)
        column.operator("pallas.solve_markers", icon="PLAY")
        if markers.summary:
            column.label(text=markers.summary, icon="CHECKMARK")
        shown = residuals_shown(markers.markers)
        icon = "HIDE_OFF" if shown else "HIDE_ON"
        column.operator("pallas.show_residuals", icon=icon, depress=shown)
        column.separator()
        row = column.row(align=True)
        for kind in ("mot", "trc", "osim"):
            row.operator(f"pallas.export_{kind}", text=kind.upper(), icon="EXPORT")


class PALLAS_PT_render(Panel, bpy.types.Panel):
    bl_label = "Render"

    def draw(self, context):
        render = context.scene.pallas.render
        column = self.column()
        for name in ("sheet", "frames", "height", "overwrite"):
            column.prop(render, name)
        column.operator("pallas.render_sheet", icon="RENDER_STILL")


PANELS = (
    PALLAS_PT_capture,
    PALLAS_UL_live_trackers,
    PALLAS_UL_live_performers,
    PALLAS_PT_live,
    PALLAS_PT_live_trackers,
    PALLAS_PT_live_performers,
    PALLAS_PT_live_record,
    PALLAS_UL_video_views,
    PALLAS_PT_video,
    PALLAS_PT_video_cameras,
    PALLAS_PT_video_solve,
    PALLAS_PT_solve,
    PALLAS_PT_legs,
    PALLAS_PT_change_legs,
    PALLAS_UL_bones,
    PALLAS_PT_retarget,
    PALLAS_PT_retarget_any,
    PALLAS_PT_bones,
    PALLAS_PT_markers,
    PALLAS_PT_render,
    PALLAS_PT_dataset,
)
