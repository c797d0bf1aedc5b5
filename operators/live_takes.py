"""Takes of live trackers: record, stop, solve."""

import json
import time
from pathlib import Path

import bpy

from ..capture.formats import read_recording
from ..capture.output import new_file
from ..capture.session.raw_log import RawLogWriter
from ..rig.errors import OutputError, SceneError
from . import live_current
from .common import PallasOperator
from .take import summary

__all__ = ["PALLAS_OT_record_take", "PALLAS_OT_solve_take", "PALLAS_OT_stop_take"]


class PALLAS_OT_record_take(PallasOperator, bpy.types.Operator):
    """Write everything that comes into a new take; a crash loses its last second at most"""

    bl_idname = "pallas.record_take"
    bl_label = "Record"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context):
        capture = live_current.current()
        if capture is None or capture.recorder.recording:
            cls.poll_message_set("Connect first" if capture is None else "A take is being recorded")
            return False
        return True

    def run(self, context):
        live, capture = context.scene.pallas.live, live_current.current()
        path = _free_path(live)
        names = [device.name for device in capture.recorder.devices]
        log = RawLogWriter(path, source=", ".join(names), name=path.stem, notes=live.notes)
        capture.record(log)
        return f"Records {path.name}"


class PALLAS_OT_stop_take(PallasOperator, bpy.types.Operator):
    """End the take; it becomes the one to solve"""

    bl_idname = "pallas.stop_take"
    bl_label = "Stop"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context):
        capture = live_current.current()
        if capture is None or not capture.recorder.recording:
            cls.poll_message_set("No take is being recorded")
            return False
        return True

    def run(self, context):
        capture = live_current.current()
        path, count = capture.stop()
        with new_file(path.with_suffix(".report.json"), force=True) as temporary:
            temporary.write_text(json.dumps(capture.report(), indent=2) + "\n", encoding="utf-8")
        if count == 0:
            raise OutputError(
                f"{path.name} holds nothing, for nothing came; see the list of trackers"
            )
        settings = context.scene.pallas
        settings.capture.take, settings.capture.summary = str(path), f"{count} readings"
        settings.solve.motion = settings.solve.summary = ""  # they belong to the take before
        return f"{path.name}: {count} readings in {time.monotonic() - capture.began:.1f} s"


class PALLAS_OT_solve_take(PallasOperator, bpy.types.Operator):
    """Solve the take that was recorded last; Solve and Legs say how"""

    bl_idname = "pallas.solve_take"
    bl_label = "Solve Take"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context):
        capture = live_current.current()
        if capture is not None and capture.recorder.recording:
            cls.poll_message_set("Stop the take first")
            return False
        if not context.scene.pallas.capture.take:
            cls.poll_message_set("Record or load a take first")
            return False
        return True

    def invoke(self, context, event):
        return self._solve(context, "INVOKE_DEFAULT")

    def execute(self, context):
        return self._solve(context, "EXEC_DEFAULT")

    def _solve(self, context, how):
        with self.telling():
            capture = context.scene.pallas.capture
            capture.summary = summary(read_recording(capture.take))
        return bpy.ops.pallas.solve(how)


def _free_path(live: bpy.types.PropertyGroup) -> Path:
    """The next name that is free: NAME.pallas, NAME 2.pallas and so on.

    Raises:
        SceneError: the folder is beside a file that was never saved.
        OutputError: the folder can't be made.
    """
    if live.folder.startswith("//") and not bpy.data.filepath:
        raise SceneError(
            f"takes go to {live.folder}, beside the .blend file, which was never saved; save it, or choose a "
            "folder"
        )
    folder = Path(bpy.path.abspath(live.folder))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"the folder {folder} can't be made: {error.strerror or error}"
        ) from error
    name = bpy.path.clean_name(live.take.strip()) or "take"
    number = 1
    while (path := folder / f"{name}{f' {number}' if number > 1 else ''}.pallas").exists():
        number += 1
    return path
