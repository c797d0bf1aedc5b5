"""Datasets: one sample of a spec in the viewport, and all of it in a process of its own."""

import os
import sys
from pathlib import Path

import bpy

from ..render.dataset.clip import build_clip
from ..render.dataset.motions import find_motions
from ..render.dataset.spec import read_spec
from ..rig.errors import SceneError
from .common import LongOperator, PallasOperator, ProcessJob

__all__ = [
    "RENDERING_OPERATORS",
    "DatasetJob",
    "PALLAS_OT_preview_sample",
    "PALLAS_OT_render_dataset",
]

_SAMPLE = "PALLAS sample"


def _spec_path(context):
    path = context.scene.pallas.dataset.spec
    if not path:
        raise SceneError("no spec is chosen; choose a .toml file, such as examples/people.toml")
    return Path(bpy.path.abspath(path))


class _ChosenSpec:
    """Mixin: needs a spec."""

    @classmethod
    def poll(cls, context):
        if not context.scene.pallas.dataset.spec:
            cls.poll_message_set("Choose a spec first")
            return False
        return True


class PALLAS_OT_preview_sample(_ChosenSpec, PallasOperator, bpy.types.Operator):
    """Build one clip of the spec in a scene of its own, seen through its first camera"""

    bl_idname = "pallas.preview_sample"
    bl_label = "Preview Sample"
    bl_options = {"REGISTER", "UNDO"}

    def run(self, context):
        path, number = _spec_path(context), context.scene.pallas.dataset.clip
        settings = context.scene.pallas.dataset
        folder = settings.folder
        spec = read_spec(path)
        if number >= spec.dataset.clips:
            raise SceneError(f"the spec has clips 0 to {spec.dataset.clips - 1}, not {number}")
        sources, before = find_motions(spec), context.window.scene
        scene = bpy.data.scenes.new(_SAMPLE)
        context.window.scene = scene
        try:
            clip = build_clip(spec, number, sources, scene)
        except BaseException:
            context.window.scene = before
            bpy.data.scenes.remove(scene)
            raise
        own = scene.pallas.dataset
        own.spec, own.folder, own.clip = str(path), folder, number
        scene.render.engine = "CYCLES"
        scene.render.resolution_x, scene.render.resolution_y = spec.image.width, spec.image.height
        scene.frame_set(1)
        _look_through_camera(context)
        return f"Clip {number}: {spec.dataset.frames} frames, people: {len(clip.actors)}"


def _look_through_camera(context):
    for area in context.window.screen.areas:
        if area.type == "VIEW_3D":
            area.spaces.active.region_3d.view_perspective = "CAMERA"


class DatasetJob(ProcessJob):
    """`pallas render` in a process of its own; how far it is, by the records in its folder."""

    def __init__(self, command: list[str], folder: Path, frames: int) -> None:
        super().__init__(command)
        self._folder, self._frames = folder, frames

    @property
    def fraction(self) -> float:
        """Of all frames, those that are done."""
        records = self._folder / "frames"
        if not records.is_dir():
            return 0.0
        done = sum(name.endswith(".json") for _, _, files in os.walk(records) for name in files)
        return done / self._frames


class PALLAS_OT_render_dataset(_ChosenSpec, LongOperator, bpy.types.Operator):
    """Render what is missing of the dataset beside Blender; Esc stops, and what is done is kept"""

    bl_idname = "pallas.render_dataset"
    bl_label = "Render Dataset"
    bl_options = {"REGISTER"}

    def start(self, context):
        path = _spec_path(context)
        folder = context.scene.pallas.dataset.folder
        if folder.startswith("//") and not bpy.data.filepath:
            raise SceneError(
                f"{folder} lies beside this file, which isn't saved yet; save it, or choose a folder"
            )
        self._folder = Path(bpy.path.abspath(folder))
        spec = read_spec(path)
        command = [*_program(), "render", str(path), "-o", str(self._folder), "--sheet"]
        return DatasetJob(command, self._folder, spec.frames)

    def finish(self, context, result):
        return f"Rendered {self._folder}; see sheet.png and statistics.html there"


def _program() -> list[str]:
    """What runs a command of ours: this Blender, or this Python where Blender is a module of it."""
    if bpy.app.module:
        return [sys.executable, "-m", f"{__package__.rpartition('.')[0]}.pallas_blender.cli"]
    return [bpy.app.binary_path, "--background", "--command", "pallas"]


RENDERING_OPERATORS = (PALLAS_OT_preview_sample, PALLAS_OT_render_dataset)
