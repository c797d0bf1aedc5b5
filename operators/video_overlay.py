"""What cameras saw, drawn over their views while the panel says so."""

import bpy

from ..scene.keypoint_overlay import draw_reprojection

__all__ = ["disable", "enable"]

_handles: list[object] = []


def enable() -> None:
    """Draw over 3D views from now on."""
    if not _handles:
        draw, view = bpy.types.SpaceView3D.draw_handler_add, (_draw, (), "WINDOW", "POST_PIXEL")
        _handles.append(draw(*view))


def disable() -> None:
    """Draw no more."""
    while _handles:
        bpy.types.SpaceView3D.draw_handler_remove(_handles.pop(), "WINDOW")


def _draw() -> None:
    context = bpy.context
    settings = context.scene.pallas.video
    shown = {"measured": settings.show, "solved": settings.show_solved}
    if any(shown.values()) and context.space_data.overlay.show_overlays:
        draw_reprojection(context, settings.keypoints, **shown)
