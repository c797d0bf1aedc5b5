"""Work in Blender's window as an animator would, and write down what happened.

Runs inside Blender, in a folder with take.pallas and stage.py. Leaves there: found.json, before.ppm and
after.ppm (the screen), and after.png (the same, small enough to keep).
"""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).resolve().parent))  # Blender leaves it out
from stage import HERE, Stage, tell

PATIENCE = 300.0  # seconds for the solve, on a slow machine


def story(stage: Stage) -> Iterator[float]:
    """The steps; each `yield` is how many seconds Blender may draw and work until the next."""
    found = stage.found
    found["torch before solving"] = "torch" in sys.modules
    look_at_character(stage)
    yield 1.0
    stage.shoot("before")

    stage.run("load", bpy.ops.pallas.load_take, filepath=str(HERE / "take.pallas"))
    yield 0.5
    stage.start("solve", bpy.ops.pallas.solve)
    stage.press("Escape")
    yield 1.0
    found["solved in spite of Esc"] = solved()
    started = time.monotonic()
    stage.start("solve", bpy.ops.pallas.solve)
    yield from stage.wait(solved, PATIENCE)
    found["solved"] = solved()
    found["solve seconds"] = time.monotonic() - started
    yield 0.5
    bpy.ops.ed.undo_push(message="Before")
    stage.run("apply", bpy.ops.pallas.apply_to_character)
    found["after applying"] = contents()
    show_character(stage)
    yield 2.0
    stage.shoot("after")
    stage.press("ctrl+z")
    yield 2.0
    found["after one undo"] = contents()
    stage.press("ctrl+shift+z")
    yield 2.0
    found["after redoing"] = contents()


def solved() -> bool:
    """Whether the solve, which works beside the window, is done."""
    return bpy.ops.pallas.apply_to_character.poll()


def contents() -> dict[str, int]:
    """What an undo must take away."""
    keyed = [o for o in bpy.data.objects if o.animation_data and o.animation_data.action]
    armatures = [o for o in bpy.data.objects if o.type == "ARMATURE"]
    return {"animated": len(keyed), "armatures": len(armatures)}


def show_character(stage: Stage) -> None:
    """A moment in the middle of its motion, unselected, without the bones in it."""
    armature = next(o for o in bpy.data.objects if o.type == "ARMATURE")
    first, last = armature.animation_data.action.frame_range
    bpy.context.scene.frame_set(round(first + 0.6 * (last - first)))
    armature.select_set(False)
    stage.area.spaces.active.overlay.show_bones = False
    look_at_character(stage)


def look_at_character(stage: Stage) -> None:
    """See the whole character from its front left, wherever it has walked; the origin without one."""
    armature = next((o for o in bpy.data.objects if o.type == "ARMATURE"), None)
    hips = (0.0, 0.0)
    if armature is not None:
        hips = armature.matrix_world @ armature.pose.bones[0].head
    stage.look_at((hips[0], hips[1], 0.85), turn=(1.38, 0.0, 0.55), distance=3.4)


tell(story)
