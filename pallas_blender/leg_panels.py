"""The panels of legs: which ones a solve gives, and changing those that a character wears."""

import bpy

from ..scene.action_notes import pins_of
from ..scene.confidence import confidence_shown
from .frame_range import draw_range
from .panel import Panel

__all__ = ["PALLAS_PT_change_legs", "PALLAS_PT_legs"]


class PALLAS_PT_legs(Panel, bpy.types.Panel):
    bl_label = "Legs"

    def draw(self, context):
        legs = context.scene.pallas.legs
        column = self.column()
        column.prop(legs, "mode")
        if legs.mode == "generated":
            for name in ("seed", "takes", "temperature"):
                column.prop(legs, name)
            if legs.takes > 1:
                column.prop(legs, "output")
        elif legs.mode == "seated":
            column.prop(legs, "use_seat_height")
            if legs.use_seat_height:
                column.prop(legs, "seat_height")
        else:
            column.prop(legs, "clean_feet")


class PALLAS_PT_change_legs(Panel, bpy.types.Panel):
    bl_label = "On the Character"
    bl_parent_id = "PALLAS_PT_legs"

    def draw(self, context):
        legs = context.scene.pallas.legs
        column = self.column()
        row = column.row(align=True)
        row.operator("pallas.pin_keys", icon="PINNED")
        row.operator("pallas.clear_pins", text="", icon="X")
        animation = context.object.animation_data if context.object else None
        pins = pins_of(animation.action if animation else None)
        if pins:
            column.label(text=f"Pinned frames: {len(pins)}")
        column.separator()
        if legs.mode != "generated":
            for name in ("seed", "temperature"):
                column.prop(legs, name)
        draw_range(column, legs)
        column.operator("pallas.regenerate_legs", icon="FILE_REFRESH")
        column.separator()
        shown = confidence_shown(context.object)
        icon = "HIDE_OFF" if shown else "HIDE_ON"
        column.operator("pallas.show_confidence", icon=icon, depress=shown)
