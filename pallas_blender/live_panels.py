"""The panels of live capture: sources, trackers, performers, calibration, the take that is recorded."""

import time

import bpy

from ..operators import live_current
from .panel import Panel

__all__ = [
    "PALLAS_PT_live",
    "PALLAS_PT_live_performers",
    "PALLAS_PT_live_record",
    "PALLAS_PT_live_trackers",
    "PALLAS_UL_live_performers",
    "PALLAS_UL_live_trackers",
]

_WEAK = 0.2  # of a battery
_LONGEST_NAME = 8  # characters that the list has room for


class PALLAS_PT_live(Panel, bpy.types.Panel):
    bl_label = "Live"
    bl_parent_id = "PALLAS_PT_capture"

    def draw(self, context):
        live = context.scene.pallas.live
        column = self.column()
        row = column.row(align=True)
        row.prop(live, "source", text="")
        row.operator("pallas.add_live_source", text="", icon="ADD")
        for place, source in enumerate(live.sources):
            row = column.row(align=True)
            row.label(text=source.name, icon="LINKED")
            row.operator("pallas.remove_live_source", text="", icon="X").place = place
        capture = live_current.current()
        if capture is None:
            column.operator("pallas.connect_live", icon="PLAY")
        else:
            column.operator("pallas.disconnect_live", icon="PAUSE", depress=True)
        for line in live_current.told(capture):
            column.label(text=line, icon="ERROR")


class PALLAS_PT_live_trackers(Panel, bpy.types.Panel):
    bl_label = "Trackers"
    bl_parent_id = "PALLAS_PT_live"

    @classmethod
    def poll(cls, context):
        return len(context.scene.pallas.live.trackers) > 0

    def draw(self, context):
        live = context.scene.pallas.live
        column = self.column()
        column.template_list(
            "PALLAS_UL_live_trackers", "", live, "trackers", live, "active_tracker", rows=4
        )
        state = _state(live)
        if state is not None:
            column.label(text=f"{state.kind}, {state.address}")
            column.label(text=_counts(state))
            if state.note:
                column.label(text=state.note, icon="INFO")
        if live.active_tracker < len(live.trackers):
            tracker = live.trackers[live.active_tracker]
            for name in ("placement", "performer", "paired"):
                column.prop(tracker, name)
        column.operator("pallas.find_trackers", icon="VIEWZOOM")


class PALLAS_UL_live_trackers(bpy.types.UIList):
    def draw_item(self, context, layout, data, item, icon, active_data, active_property):
        state = live_current.states().get(item.name)
        name = layout.split(factor=0.45, align=True)
        name.label(text=_short(item.name), icon=_light(state))
        row = name.row(align=True)
        row.label(text="" if item.placement == "none" else item.placement.replace("_", " "))
        if state is not None:
            weak = state.battery is not None and state.battery < _WEAK
            row.label(text=f"{state.rate:.0f} Hz", icon="ERROR" if weak else "NONE")


class PALLAS_PT_live_performers(Panel, bpy.types.Panel):
    bl_label = "Performers"
    bl_parent_id = "PALLAS_PT_live"

    def draw(self, context):
        live = context.scene.pallas.live
        column = self.column()
        row = column.row()
        row.template_list(
            "PALLAS_UL_live_performers", "", live, "performers", live, "active_performer", rows=2
        )
        side = row.column(align=True)
        side.operator("pallas.add_performer", text="", icon="ADD")
        side.operator("pallas.remove_performer", text="", icon="REMOVE")
        if live.active_performer < len(live.performers):
            performer = live.performers[live.active_performer]
            column.prop(performer, "target")
            column.prop(performer, "height")
        column.prop(live, "pose")
        if live.pose == "npose":
            column.prop(live, "move")
        column.prop(live, "remove_drift")
        column.operator("pallas.calibrate_live", icon="ARMATURE_DATA")
        for line in live_current.guidance():
            column.label(text=line, icon="USER")
        column.operator("pallas.reset_heading", icon="ORIENTATION_GIMBAL")
        capture = live_current.current()
        if capture is not None and capture.shown:
            p50, p95 = capture.delay(0.5), capture.delay(0.95)
            column.label(text=f"Delay {p50:.0f} ms, 95 % below {p95:.0f} ms", icon="TIME")


class PALLAS_UL_live_performers(bpy.types.UIList):
    def draw_item(self, context, layout, data, item, icon, active_data, active_property):
        row = layout.row(align=True)
        row.prop(item, "name", text="", emboss=False, icon="OUTLINER_OB_ARMATURE")
        row.label(text=item.target.name if item.target is not None else "no character")


class PALLAS_PT_live_record(Panel, bpy.types.Panel):
    bl_label = "Take"
    bl_parent_id = "PALLAS_PT_live"

    def draw(self, context):
        live = context.scene.pallas.live
        capture = live_current.current()
        recording = capture is not None and capture.recorder.recording
        column = self.column()
        for name in ("folder", "take", "notes", "vmc"):
            column.prop(live, name)
        if recording:
            column.operator("pallas.stop_take", icon="SNAP_FACE", depress=True)
            seconds = time.monotonic() - capture.began
            column.label(text=f"{seconds:.0f} s, {capture.recorder.recorded} readings", icon="REC")
        else:
            column.operator("pallas.record_take", icon="REC")
        column.operator("pallas.solve_take", icon="PLAY")


def _short(name):
    """A tracker's name, or its end, which tells it from others."""
    return name if len(name) <= _LONGEST_NAME else f"…{name[-_LONGEST_NAME + 1 :]}"


def _state(live):
    """Of the tracker that is chosen in the list."""
    if live.active_tracker >= len(live.trackers):
        return None
    return live_current.states().get(live.trackers[live.active_tracker].name)


def _counts(state):
    came = state.received + state.lost
    lost = f"{100.0 * state.lost / came:.1f} % lost" if came else "nothing came"
    signal = "" if state.signal is None else f", {state.signal:.0f} dBm"
    battery = "" if state.battery is None else f", battery {100.0 * state.battery:.0f} %"
    return f"{lost}{signal}{battery}"


def _light(state):
    """Green where it sends, yellow where it is not paired, red where it is silent, grey where unknown."""
    if state is None:
        return "STRIP_COLOR_09"
    if not state.paired:
        return "STRIP_COLOR_03"
    return "STRIP_COLOR_04" if state.rate > 0.0 else "STRIP_COLOR_01"
