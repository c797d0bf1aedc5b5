"""Live calibration: who wears which tracker, the pose and the bows, headings put right while it runs."""

import bpy
from bpy.props import BoolProperty

from ..capture.session.calibrating import Calibrating
from ..rig.errors import RecordingError, SceneError
from ..rig.skeleton import body_skeleton
from . import live_current
from .common import PallasOperator
from .live_lists import own_characters

__all__ = ["PALLAS_OT_calibrate_live", "PALLAS_OT_find_trackers", "PALLAS_OT_reset_heading"]

_LOADING = 60.0  # seconds that the networks may take to load


class PALLAS_OT_find_trackers(PallasOperator, bpy.types.Operator):
    """Find out which tracker the chosen performer wears where, by one movement each"""

    bl_idname = "pallas.find_trackers"
    bl_label = "Find Placements"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context):
        return live_current.is_connected(cls)

    def run(self, context):
        live, capture = context.scene.pallas.live, live_current.current()
        number = live.active_performer + 1
        trackers = [
            tracker.name
            for tracker in live.trackers
            if tracker.performer == number and tracker.name in _sending()
        ]
        capture.finding = capture.wait(_LOADING).find(trackers)
        return f"Finds {len(trackers)} trackers: {capture.finding.prompt}"


class PALLAS_OT_calibrate_live(PallasOperator, bpy.types.Operator):
    """Calibrate all performers: a countdown, the pose, and bows where they are asked for"""

    bl_idname = "pallas.calibrate_live"
    bl_label = "Calibrate"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context):
        return live_current.is_connected(cls)

    def run(self, context):
        live, capture = context.scene.pallas.live, live_current.current()
        session = capture.wait(_LOADING)
        own_characters(context)
        names = []
        for number, performer in enumerate(live.performers, start=1):
            worn = {t.placement: t.name for t in live.trackers if t.performer == number}
            worn.pop("none", None)
            if worn:
                session.perform(performer.name, worn, body_skeleton(performer.height))
                names.append(performer.name)
        if not names:
            raise RecordingError(
                "nobody wears a tracker; choose for each tracker where it is worn, or Find Placements"
            )
        move = live.move and live.pose == "npose"
        for name in names:
            guide = Calibrating(live.pose, move=move, remove_drift=live.remove_drift)
            session.calibrate(name, guide)
        return f"Calibrates {' and '.join(names)}"


class PALLAS_OT_reset_heading(PallasOperator, bpy.types.Operator):
    """Put the trackers' headings right; stand as in the calibration pose"""

    bl_idname = "pallas.reset_heading"
    bl_label = "Reset Heading"
    bl_options = {"REGISTER"}

    keep_facing: BoolProperty(
        name="Keep Facing", description="The character goes on facing where it faces", default=True
    )

    @classmethod
    def poll(cls, context):
        return live_current.is_connected(cls)

    def run(self, context):
        session = live_current.current().wait(_LOADING)
        if not session.performers:
            raise SceneError("nobody is calibrated yet; calibrate first")
        for name in session.performers:
            session.reset_heading(name, keep_facing=self.keep_facing)
        return "Headings are right again"


def _sending() -> set[str]:
    return {s.tracker for s in live_current.states().values() if s.paired and s.rate > 0.0}
