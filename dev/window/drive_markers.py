"""Work with markers in Blender's window as a biomechanist would, and write down what happened.

Runs inside Blender, in a folder with walk.trc, legs.osim and stage.py. Leaves there: found.json, markers.ppm
(the screen) and markers.png (the same, small enough to keep).
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).resolve().parent))  # Blender leaves it out
from stage import HERE, Stage, tell

PATIENCE = 200.0  # seconds for the solve, on a slow machine


def story(stage: Stage) -> Iterator[float]:
    """The steps; each `yield` is how many seconds Blender may draw and work until the next."""
    found = stage.found
    stage.run("markers", bpy.ops.pallas.import_markers, filepath=str(HERE / "walk.trc"))
    stage.run("model", bpy.ops.pallas.import_osim, filepath=str(HERE / "legs.osim"))
    found["after importing"] = contents()
    yield 0.5
    stage.start("solve", bpy.ops.pallas.solve_markers)
    stage.press("Escape")
    yield 1.0
    found["solved in spite of Esc"] = contents()
    stage.start("solve", bpy.ops.pallas.solve_markers)
    yield from stage.wait(lambda: contents()["solved"], PATIENCE)
    found["after solving"] = contents()
    found["summary"] = bpy.context.scene.pallas.markers.summary
    yield 0.5
    stage.run("residuals", bpy.ops.pallas.show_residuals)
    found["shading"] = stage.area.spaces.active.shading.color_type
    bpy.context.scene.frame_set(20)
    look_at_legs(stage)
    yield from stage.scroll_sidebar()
    yield 2.0
    stage.shoot("markers")
    for step in ("after one undo", "after two undos"):
        stage.press("ctrl+z")
        yield 2.0
        found[step] = contents()
    for step in ("after one redo", "after two redos"):
        stage.press("ctrl+shift+z")
        yield 2.0
        found[step] = contents()


def contents() -> dict[str, int]:
    """What an undo must take away."""
    armatures = [o for o in bpy.data.objects if o.type == "ARMATURE"]
    return {
        "armatures": len(armatures),
        "solved": sum(o.animation_data is not None for o in armatures),
        "with residuals": sum("residual_mm" in o for o in bpy.data.objects),
        "balls": sum(o.type == "MESH" for o in bpy.data.objects),
    }


def look_at_legs(stage: Stage) -> None:
    """See both from the front left."""
    armature = next(o for o in bpy.data.objects if o.type == "ARMATURE")
    hips = armature.matrix_world @ armature.pose.bones[0].head
    stage.look_at((hips.x, hips.y, 0.6), turn=(1.35, 0.0, 0.7), distance=3.0)


tell(story)
