"""Turn four clips' keypoints into a moving character in Blender's window, and write down what happened.

Runs inside Blender, in a folder with stage.py and the folder "trial": keypoints, clips and the calibration of
four cameras. Leaves there: found.json, video.ppm and fixed.ppm (the screen), and the same as .png, small
enough to keep.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).resolve().parent))  # Blender leaves it out
from stage import HERE, Stage, tell

PATIENCE = 400.0  # seconds for the whole route, on a slow machine
FRAME = 22


def story(stage: Stage) -> Iterator[float]:
    """The steps; each `yield` is how many seconds Blender may draw and work until the next."""
    found = stage.found
    stage.run("views", bpy.ops.pallas.add_views, directory=str(HERE / "trial"))
    found["rows"] = [[row.name, bool(row.clip), bool(row.keypoints)] for row in video().views]
    bpy.ops.ed.undo_push(message="Views")
    yield 0.5
    found["before"] = contents()
    stage.start("route", bpy.ops.pallas.video_to_action)
    stage.press("Escape")
    yield 2.0
    found["in spite of Esc"] = contents()
    stage.start("route", bpy.ops.pallas.video_to_action)
    yield from stage.wait(lambda: contents()["actions"] > 1, PATIENCE)
    found["after the route"] = contents()
    found["summary"], found["problems"] = video().summary, [p.name for p in video().problems]
    found["report"] = video().report and Path(video().report).stat().st_size
    found["rate"] = [bpy.context.scene.render.fps, bpy.context.scene.frame_end]
    yield from look(stage)
    yield from stage.scroll_sidebar(14)
    yield 3.0
    stage.shoot("video")
    yield from back_and_forth(stage)
    yield from mend(stage)


def look(stage: Stage) -> Iterator[float]:
    """Through the second camera, in the middle of the trial, the first lines of the sidebar above."""
    camera = next(
        item.name for item in bpy.data.objects if item.type == "CAMERA" and "2" in item.name
    )
    stage.run("look", bpy.ops.pallas.look_through, camera=camera)
    bpy.context.scene.frame_set(FRAME)
    stage.found["seen through"] = [camera, stage.area.spaces.active.region_3d.view_perspective]
    stage.area.spaces.active.region_3d.view_camera_zoom = 0.0
    for item in bpy.data.objects:
        item.select_set(False)
    yield 1.0


def back_and_forth(stage: Stage) -> Iterator[float]:
    """Undo takes all of it away, redo brings it back."""
    found = stage.found
    for step, keys in (("looked away", "ctrl+z"), ("undone", "ctrl+z")):
        stage.press(keys)
        yield 3.0
        found[step] = contents()
    for _ in range(2):
        stage.press("ctrl+shift+z")
        yield 3.0
    found["redone"] = contents()


def mend(stage: Stage) -> Iterator[float]:
    """A stretch of the left wrist is taken away; the next solve fills it."""
    found, settings = stage.found, video()
    bpy.context.scene.frame_set(FRAME)
    wrist = next(o for o in bpy.data.objects if o.get("pallas_marker") == "LWrist")
    wrist.select_set(True)
    settings.clear_start, settings.clear_end = 15, 20
    stage.run("clear", bpy.ops.pallas.clear_keypoints)
    found["keys left"] = keys("LWrist")
    actions = contents()["actions"]
    stage.start("again", bpy.ops.pallas.solve_video)
    yield from stage.wait(lambda: contents()["actions"] > actions, PATIENCE)
    found["keys after"] = keys("LWrist")
    found["summary after"] = video().summary
    yield 2.0
    stage.shoot("fixed")


def video() -> bpy.types.PropertyGroup:
    """The panel's settings; undo makes new ones."""
    return bpy.context.scene.pallas.video


def keys(name: str) -> int:
    """How many keys one coordinate of a keypoint has."""
    item = next(o for o in bpy.data.objects if o.get("pallas_marker") == name)
    action = item.animation_data.action
    bag = action.layers[0].strips[0].channelbag(item.animation_data.action_slot)
    return len(bag.fcurves.find("location", index=0).keyframe_points)


def contents() -> dict[str, int]:
    """What an undo must take away."""
    return {
        "actions": len(bpy.data.actions),
        "cameras": sum(o.type == "CAMERA" for o in bpy.data.objects),
        "characters": sum(o.type == "ARMATURE" for o in bpy.data.objects),
        "keypoints": sum("pallas_marker" in o for o in bpy.data.objects),
    }


tell(story)
