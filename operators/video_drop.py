"""Files dropped onto a 3D view: rows of clips and keypoints, markers as empties, a motion to retarget."""

from pathlib import Path

import bpy
from bpy.props import CollectionProperty, StringProperty

from ..rig.errors import SceneError
from ..scene.markers import is_marker_set
from .common import PallasOperator
from .video_views import VIDEO_SUFFIXES, add_views

__all__ = [
    "PALLAS_FH_clip",
    "PALLAS_FH_keypoints",
    "PALLAS_FH_markers",
    "PALLAS_FH_motion",
    "PALLAS_OT_drop_clips",
    "PALLAS_OT_drop_keypoints",
    "PALLAS_OT_drop_markers",
    "PALLAS_OT_drop_motion",
]


class _Dropped(PallasOperator):
    """Mixin: the files come from the drop."""

    bl_options = {"REGISTER", "UNDO"}

    directory: StringProperty(subtype="DIR_PATH", options={"SKIP_SAVE", "HIDDEN"})
    files: CollectionProperty(
        type=bpy.types.OperatorFileListElement, options={"SKIP_SAVE", "HIDDEN"}
    )

    def paths(self) -> list[Path]:
        found = [Path(self.directory) / file.name for file in self.files if file.name]
        if not found:
            raise SceneError("no file was dropped; drop one onto the 3D view")
        return found


class _OverView:
    """Mixin for a file handler: over 3D views."""

    @classmethod
    def poll_drop(cls, context):
        return context.area is not None and context.area.type == "VIEW_3D"


class PALLAS_OT_drop_clips(_Dropped, bpy.types.Operator):
    """Add a row for each clip to the panel Video"""

    bl_idname = "pallas.drop_clips"
    bl_label = "PALLAS: Clips of Cameras"

    def run(self, context):
        return add_views(context.scene.pallas.video, self.paths())


class PALLAS_OT_drop_keypoints(_Dropped, bpy.types.Operator):
    """Add a row for each file of keypoints to the panel Video; a calibration becomes its calibration"""

    bl_idname = "pallas.drop_keypoints"
    bl_label = "PALLAS: Keypoints or Calibration"

    def run(self, context):
        return add_views(context.scene.pallas.video, self.paths())


class PALLAS_OT_drop_markers(_Dropped, bpy.types.Operator):
    """Import markers as animated empties"""

    bl_idname = "pallas.drop_markers"
    bl_label = "PALLAS: Markers"

    def run(self, context):
        told = []
        for path in self.paths():
            try:
                bpy.ops.pallas.import_markers(filepath=str(path))
            except RuntimeError as error:  # what the operator reported
                raise SceneError(str(error).removeprefix("Error: ").strip()) from None
            parent = context.scene.pallas.markers.markers
            told.append(parent.name if is_marker_set(parent) else path.name)
        return f"Imported {', '.join(told)}"


class PALLAS_OT_drop_motion(_Dropped, bpy.types.Operator):
    """Choose the motion to retarget; the active armature gets it where no character is chosen"""

    bl_idname = "pallas.drop_motion"
    bl_label = "PALLAS: Motion to Retarget"

    def run(self, context):
        settings, path = context.scene.pallas.retarget, self.paths()[0]
        settings.source, settings.file = "FILE", str(path)
        active = context.object
        if settings.target is None and active is not None and active.type == "ARMATURE":
            settings.target = active
        who = "choose the character" if settings.target is None else settings.target.name
        return f"{path.name} is the motion to retarget, onto: {who}"


class PALLAS_FH_clip(_OverView, bpy.types.FileHandler):
    bl_idname = "PALLAS_FH_clip"
    bl_label = "PALLAS: Clips of Cameras"
    bl_import_operator = "pallas.drop_clips"
    bl_file_extensions = ";".join(VIDEO_SUFFIXES)


class PALLAS_FH_keypoints(_OverView, bpy.types.FileHandler):
    bl_idname = "PALLAS_FH_keypoints"
    bl_label = "PALLAS: Keypoints or Calibration"
    bl_import_operator = "pallas.drop_keypoints"
    bl_file_extensions = ".json;.toml"


class PALLAS_FH_markers(_OverView, bpy.types.FileHandler):
    bl_idname = "PALLAS_FH_markers"
    bl_label = "PALLAS: Markers"
    bl_import_operator = "pallas.drop_markers"
    bl_file_extensions = ".trc;.c3d"


class PALLAS_FH_motion(_OverView, bpy.types.FileHandler):
    bl_idname = "PALLAS_FH_motion"
    bl_label = "PALLAS: Motion to Retarget"
    bl_import_operator = "pallas.drop_motion"
    bl_file_extensions = ".bvh"
