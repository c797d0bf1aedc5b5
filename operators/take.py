"""Capture: choose a recording."""

import bpy
from bpy.props import StringProperty

from ..capture.formats import RECORDING_SUFFIXES, read_recording
from ..capture.imu import ImuRecording
from .files import ImportOperator, offered

__all__ = ["PALLAS_OT_load_take", "summary"]


class PALLAS_OT_load_take(ImportOperator, bpy.types.Operator):
    """Choose a recording of four motion sensors and check that it can be read"""

    bl_idname = "pallas.load_take"
    bl_label = "Load Take"
    bl_options = {"REGISTER", "UNDO"}

    filepath: StringProperty(name="Recording", subtype="FILE_PATH")
    filter_glob: offered(RECORDING_SUFFIXES)

    def run(self, context):
        path = self.path()
        told = summary(read_recording(path))
        capture, solve = context.scene.pallas.capture, context.scene.pallas.solve
        capture.take, capture.summary = str(path), told
        solve.motion = solve.summary = ""  # they belong to the take before
        return f"{path.name}: {told}"


def summary(recording: ImuRecording) -> str:
    """One line: how long, how many samples a second, which sensors, what is missing."""
    seconds = recording.times[-1] - recording.times[0] if len(recording) else 0.0
    rate = f" at {recording.fps:.0f} Hz" if len(recording) > 1 else ""
    gaps = len(recording.gaps)
    told = f"{seconds:.1f} s{rate}, {len(recording.placements)} sensors"
    return told + (f", {gaps} gap{'s' if gaps > 1 else ''}" if gaps else "")
