"""Stream from trackers onto a character in Blender's window, and write down what happened.

Runs inside Blender, in a folder with live.json (source, and tracker by placement) and stage.py, while
emulated trackers send. Leaves there: found.json, live.ppm (the screen) and live.png (the same, small enough
to keep), and the take.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).resolve().parent))  # Blender leaves it out
from stage import HERE, Stage, tell

PATIENCE = 60.0  # seconds for what others do, on a slow machine
ATTEMPTS = 12  # at a calibration
ARM = "mixamorig:LeftArm"


def story(stage: Stage) -> Iterator[float]:
    """The steps; each `yield` is how many seconds Blender may draw and work until the next."""
    from bl_ext.user_default.pallas.operators import live_current  # noqa: PLC0415  once it is on

    asked = json.loads((HERE / "live.json").read_text(encoding="utf-8"))
    found, live = stage.found, bpy.context.scene.pallas.live
    stage.run("character", bpy.ops.pallas.add_character, sensors=False)
    character = bpy.context.object
    live.source, live.folder = asked["source"], str(HERE / "takes")
    stage.run("source", bpy.ops.pallas.add_live_source)
    stage.run("connect", bpy.ops.pallas.connect_live)
    capture = live_current.current()
    live.performers[0].target = character
    yield from stage.wait(lambda: capture.session or capture.failed, PATIENCE)
    found["failed"] = capture.failed
    yield from stage.wait(lambda: len(live.trackers) == len(asked["worn"]), PATIENCE)
    found["trackers"] = sorted(tracker.name for tracker in live.trackers)
    for placement, tracker in asked["worn"].items():
        live.trackers[tracker].placement = placement
    stage.run("record", bpy.ops.pallas.record_take)
    for _ in range(ATTEMPTS):  # the performer stands still, bows and walks again and again
        stage.run("calibrate", bpy.ops.pallas.calibrate_live)
        performer = capture.session.performers["Performer 1"]
        yield from stage.wait(lambda who=performer: who.guide.phase.over, PATIENCE)
        if performer.calibration is not None:
            break
    found["guidance"] = live_current.guidance()
    yield from stage.wait(lambda: capture.shown >= 5, PATIENCE)

    found["arm before"] = list(character.pose.bones[ARM].matrix_basis.to_quaternion())
    hips = character.matrix_world @ character.pose.bones["mixamorig:Hips"].head
    character.show_in_front = False
    stage.area.spaces.active.overlay.show_bones = False
    stage.look_at((hips.x, hips.y, 0.85), (1.35, 0.0, 0.7), 3.6)
    yield 1.0
    stage.shoot("live")
    found["arm after"] = list(character.pose.bones[ARM].matrix_basis.to_quaternion())
    found["shown"] = capture.shown
    found["report"] = capture.report()
    stage.run("stop", bpy.ops.pallas.stop_take)
    stage.run("disconnect", bpy.ops.pallas.disconnect_live)
    found["arm given back"] = list(character.pose.bones[ARM].matrix_basis.to_quaternion())
    stage.start("solve", bpy.ops.pallas.solve_take)
    yield from stage.wait(lambda: bpy.context.scene.pallas.solve.motion, PATIENCE)
    found["solved"] = bpy.context.scene.pallas.solve.summary


tell(story)
