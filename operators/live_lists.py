"""The lists of the panel kept in step with what is heard, and characters with what the user chose."""

import bpy

from ..capture.session.guide import Phase
from ..scene.linked import overridden
from .live_capture import LiveCapture

__all__ = ["look", "own_characters"]


def look(capture: LiveCapture) -> None:
    """Called some times a second while a capture is connected."""
    live = bpy.context.scene.pallas.live
    _list_trackers(capture, live)
    _take_placements(capture, live)
    targets = {performer.name: performer.target for performer in live.performers}
    if live.performers:
        targets[""] = live.performers[0].target  # whoever another program solved
    capture.aim(targets)
    _redraw()


def own_characters(context: bpy.types.Context) -> None:
    """Override the performers' characters that are linked, so that they can move.

    Raises:
        SceneError: Blender can't override one.
    """
    for performer in context.scene.pallas.live.performers:
        if performer.target is not None:
            performer.target = overridden(performer.target, context)


def _list_trackers(capture: LiveCapture, live: bpy.types.PropertyGroup) -> None:
    for state in capture.recorder.trackers():
        known = live.trackers.get(state.tracker)
        if known is None:
            known = live.trackers.add()
            known.name, known.paired = state.tracker, state.paired
        elif known.paired != state.paired:
            capture.recorder.pair(state.tracker, known.paired)


def _take_placements(capture: LiveCapture, live: bpy.types.PropertyGroup) -> None:
    """What Find Placements has found so far, once it is over."""
    if capture.finding is None or not capture.finding.phase.over:
        return
    for placement, tracker in capture.finding.found.items():
        if tracker in live.trackers:
            live.trackers[tracker].placement = placement
    if capture.finding.phase is Phase.DONE:
        capture.finding = None


def _redraw() -> None:
    """The sidebars; the views redraw themselves when a pose changes."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            for region in area.regions:
                if area.type == "VIEW_3D" and region.type == "UI":
                    region.tag_redraw()
