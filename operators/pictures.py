"""Render: a sheet of the take."""

import tempfile
from pathlib import Path

import bpy
from bpy.props import StringProperty

from ..render.course import take_span
from ..render.preview import render_sheet
from ..rig.errors import SceneError
from .common import LongOperator, ProcessJob, animated_armature

__all__ = ["PALLAS_OT_render_sheet"]


class PALLAS_OT_render_sheet(LongOperator, bpy.types.Operator):
    """Render frames of the active armature's action side by side, in a process of its own"""

    bl_idname = "pallas.render_sheet"
    bl_label = "Render Sheet"
    bl_options = {"REGISTER"}

    filepath: StringProperty(name="PNG", description="Of the panel if empty", subtype="FILE_PATH")

    @classmethod
    def poll(cls, context):
        return animated_armature(
            cls, context, "Select an animated armature", "Apply a motion to the armature first"
        )

    def run(self, context):
        # Scripts and background sessions wait; only a button needs a process beside the viewport.
        path = self._path(context)
        render = context.scene.pallas.render
        render_sheet(
            path, context.object, frames=render.frames, height=render.height, force=render.overwrite
        )
        return f"Rendered {path}"

    def start(self, context):
        take_span(context.object)
        self._made = self._path(context)
        copy = Path(tempfile.mkdtemp(dir=bpy.app.tempdir)) / "take.blend"
        bpy.ops.wm.save_as_mainfile(filepath=str(copy), copy=True, compress=True)
        render = f"import bpy; bpy.ops.pallas.render_sheet(filepath={str(self._made)!r})"
        command = [bpy.app.binary_path, "--background", str(copy)]
        return ProcessJob([*command, "--python-exit-code", "3", "--python-expr", render])

    def finish(self, context, result):
        return f"Rendered {self._made}"

    def _path(self, context):
        path = self.filepath or context.scene.pallas.render.sheet
        if path.startswith("//") and not bpy.data.filepath:
            raise SceneError(
                f"{path} lies beside this file, which isn't saved yet; save it, or choose a folder"
            )
        return Path(bpy.path.abspath(path))
