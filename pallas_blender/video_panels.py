"""The panels of video: clips or keypoints of calibrated cameras, people in space, a character that moves."""

import math
import textwrap

import bpy

from ..capture.video.detector import lacks
from ..operators.solving import packages_folder
from ..scene.keypoint_overlay import errors_now
from ..scene.keypoint_views import cameras_of, has_views
from .detectors import all_detectors
from .panel import Panel

__all__ = [
    "PALLAS_PT_video",
    "PALLAS_PT_video_cameras",
    "PALLAS_PT_video_solve",
    "PALLAS_UL_video_views",
]

_WIDE = 8  # pixels of a letter, about, at the usual scale
_MARGIN = 60


class PALLAS_PT_video(Panel, bpy.types.Panel):
    bl_label = "Video"

    def draw(self, context):
        video = context.scene.pallas.video
        column = self.column()
        row = column.row()
        row.template_list("PALLAS_UL_video_views", "", video, "views", video, "active_view", rows=3)
        side = row.column(align=True)
        side.operator("pallas.add_views", text="", icon="ADD")
        side.operator("pallas.remove_view", text="", icon="REMOVE")
        if video.active_view < len(video.views):
            view = video.views[video.active_view]
            for name in ("clip", "keypoints", "offset"):
                column.prop(view, name)
        column.prop(video, "calibration")
        if any(view.clip and not view.keypoints for view in video.views):
            _detectors(column, context, video)
        column.operator("pallas.video_to_action", icon="PLAY")
        for problem in video.problems:
            _lines(column, context, problem.name, "ERROR")
        if video.summary:
            _lines(column, context, video.summary, "CHECKMARK")
        if video.report:
            column.operator("wm.path_open", text="Open Report", icon="URL").filepath = video.report


class PALLAS_PT_video_cameras(Panel, bpy.types.Panel):
    bl_label = "Cameras and Keypoints"
    bl_parent_id = "PALLAS_PT_video"

    def draw(self, context):
        video = context.scene.pallas.video
        column = self.column()
        alone = len(video.views) == 1
        several = ("people", "cutoff", "sync", "reorder")
        for name in ("up", "fps", *(("height", "focal", "person") if alone else several)):
            column.prop(video, name)
        column.operator("pallas.import_views", icon="IMPORT")
        column.prop(video, "keypoints")
        if not has_views(video.keypoints):
            return
        row = column.row(align=True)
        row.prop(video, "show")
        row.prop(video, "show_solved")
        errors = errors_now(video.keypoints, context.scene.frame_current_final)
        for _, item in cameras_of(video.keypoints):
            row = column.row(align=True)
            row.label(text=f"{item.name}: {_pixels(errors[item.name])}", icon="CAMERA_DATA")
            looked = context.scene.camera == item
            button = row.operator(
                "pallas.look_through", text="", icon="VIEW_CAMERA", depress=looked
            )
            button.camera = item.name


class PALLAS_PT_video_solve(Panel, bpy.types.Panel):
    bl_label = "Solve Video"
    bl_parent_id = "PALLAS_PT_video"

    def draw(self, context):
        video = context.scene.pallas.video
        column = self.column()
        column.prop(context.scene.pallas.retarget, "target")
        column.operator("pallas.solve_video", icon="PLAY")
        column.separator()
        row = column.row(align=True)
        row.prop(video, "clear_start")
        row.prop(video, "clear_end", text="")
        column.operator("pallas.clear_keypoints", icon="KEY_DEHLT")
        column.prop(video, "folder")


class PALLAS_UL_video_views(bpy.types.UIList):
    def draw_item(self, context, layout, data, item, icon, active_data, active_property):
        row = layout.row(align=True)
        row.label(text=item.name, icon="CAMERA_DATA")
        row.label(text="", icon="FILE_MOVIE" if item.clip else "BLANK1")
        row.label(text="", icon="EMPTY_AXIS" if item.keypoints else "BLANK1")


def _detectors(column, context, video):
    """The detectors beside each other; those that lack a package are grey, and a line says which."""
    folder = packages_folder(context)
    kinds = all_detectors()
    missing = {name: lacks(kind, folder) for name, kind in kinds.items()}
    column.label(text="People are found in the clips by:")
    row = column.row(align=True)
    row.use_property_split = False  # the names stand on the buttons
    for name in kinds:
        button = row.row(align=True)
        button.enabled = not missing[name]
        button.prop_enum(video, "detector", name)
    for name, kind in kinds.items():
        if missing[name]:
            _lines(column, context, f"{kind.label} needs {missing[name]}", "INFO")
    kind = kinds[video.detector]
    if kind.takes_model:
        column.prop(video, "model")
        column.prop(video, "layout")
    if kind.needs_model and not video.model:
        _lines(column, context, f"{kind.label} needs its network's file", "ERROR")


def _pixels(off):
    """How far this camera's empties are off, and the solved body."""
    told = (
        "nothing seen" if math.isnan(off.measured) else f"{off.measured:.1f} px, {off.count} points"
    )
    return told if math.isnan(off.solved) else f"{told}; solved {off.solved:.1f} px"


def _lines(column, context, text, icon):
    """A line as wide as the sidebar, and those that follow it."""
    scale = context.preferences.system.ui_scale
    width = max(int((context.region.width / scale - _MARGIN) / _WIDE), 20)
    for number, line in enumerate(textwrap.wrap(text, width)):
        column.label(text=line, icon="BLANK1" if number else icon)
