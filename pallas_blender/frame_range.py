"""First and last frame of a part, as properties of a group and as rows of a panel."""

import bpy
from bpy.props import IntProperty

__all__ = ["FrameRange", "draw_range"]


class FrameRange:
    """Mixin for a property group that has `use_range`."""

    range_start: IntProperty(name="Start", default=1)
    range_end: IntProperty(name="End", default=250)


def draw_range(layout: bpy.types.UILayout, settings: bpy.types.PropertyGroup) -> None:
    """The switch, and both frames where it is on."""
    layout.prop(settings, "use_range")
    if settings.use_range:
        layout.prop(settings, "range_start")
        layout.prop(settings, "range_end")
