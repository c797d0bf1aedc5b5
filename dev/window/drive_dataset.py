"""Preview and render a tiny dataset in Blender's window, and write down what happened.

Runs inside Blender, in a folder with tiny.toml and stage.py. Leaves there: found.json, dataset.ppm (the
screen), dataset.png (the same, small enough to keep), and the dataset in the folder "rendered".
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).resolve().parent))  # Blender leaves it out
from stage import HERE, Stage, tell

PATIENCE = 300.0  # seconds for the dataset, on a slow machine
OUT = HERE / "rendered"


def story(stage: Stage) -> Iterator[float]:
    """The steps; each `yield` is how many seconds Blender may draw and work until the next."""
    found, settings = stage.found, bpy.context.scene.pallas.dataset
    found["without a spec"] = bpy.ops.pallas.render_dataset.poll()
    settings.spec, settings.folder = str(HERE / "tiny.toml"), str(OUT)
    bpy.ops.ed.undo_push(message="Spec")
    found["before"] = contents()
    stage.run("preview", bpy.ops.pallas.preview_sample)
    found["preview shows"] = contents()
    found["seen through"] = stage.area.spaces.active.region_3d.view_perspective
    stage.start("render", bpy.ops.pallas.render_dataset)
    yield from stage.wait(lambda: list(OUT.glob("frames/*/*.json")), PATIENCE)
    found["frames when looked at"] = len(list(OUT.glob("frames/*/*.json")))
    stage.shoot("dataset")
    yield from stage.wait((OUT / "sheet.png").is_file, PATIENCE)
    yield 1.0  # for the operator to see that its process has ended
    found["files"] = sorted(path.name for path in OUT.iterdir())


def contents() -> dict[str, object]:
    """What there is to see."""
    scene = bpy.context.window_manager.windows[0].scene
    people = [item for item in scene.objects if item.type == "ARMATURE"]
    return {
        "scenes": len(bpy.data.scenes),
        "people": len(people),
        "moving": all(item.animation_data.action is not None for item in people),
        "camera": scene.camera is not None,
        "size": [scene.render.resolution_x, scene.render.resolution_y],
    }


tell(story)
