"""Work with legs in Blender's window as an animator would, and write down what happened.

Runs inside Blender, in a folder with take.pallas and stage.py. Leaves there: found.json, legs.ppm (the
screen) and legs.png (the same, small enough to keep).
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).resolve().parent))  # Blender leaves it out
from stage import HERE, Stage, tell

PATIENCE = 300.0  # seconds for a solve, on a slow machine


def story(stage: Stage) -> Iterator[float]:
    """The steps; each `yield` is how many seconds Blender may draw and work until the next."""
    found, legs = stage.found, bpy.context.scene.pallas.legs
    stage.run("load", bpy.ops.pallas.load_take, filepath=str(HERE / "take.pallas"))
    found["torch before solving"] = "torch" in sys.modules
    legs.mode, legs.takes, legs.seed = "generated", 3, 7
    stage.start("solve", bpy.ops.pallas.solve)
    yield from stage.wait(lambda: bpy.context.scene.pallas.solve.motion, PATIENCE)
    bpy.ops.ed.undo_push(message="Before")
    stage.run("apply", bpy.ops.pallas.apply_to_character)
    found["after applying"] = contents()
    yield from undo_and_redo(stage, "applying")

    scene = bpy.context.scene
    scene.frame_set(60)
    stage.run("pin", bpy.ops.pallas.pin_keys)
    scene.use_preview_range, scene.frame_preview_start, scene.frame_preview_end = True, 40, 90
    bpy.ops.ed.undo_push(message="Range")
    found["after pinning"] = contents()
    stage.start("regenerate", bpy.ops.pallas.regenerate_legs)
    stage.press("Escape")
    yield 3.0
    found["drawn in spite of Esc"] = contents()
    stage.start("regenerate", bpy.ops.pallas.regenerate_legs)
    yield from stage.wait(lambda: "legs seed" in contents()["action"], PATIENCE)
    found["after regenerating"] = contents()
    yield from undo_and_redo(stage, "regenerating")
    stage.run("confidence", bpy.ops.pallas.show_confidence)
    found["after confidence"] = contents()
    look_at_character(stage)
    yield 2.0
    stage.shoot("legs")


def undo_and_redo(stage: Stage, step: str) -> Iterator[float]:
    """One of each, by the keys."""
    stage.press("ctrl+z")
    yield 2.0
    stage.found[f"{step} undone"] = contents()
    stage.press("ctrl+shift+z")
    yield 2.0
    stage.found[f"{step} redone"] = contents()


def character() -> bpy.types.Object | None:
    """The only armature."""
    return next((o for o in bpy.data.objects if o.type == "ARMATURE"), None)


def contents() -> dict[str, object]:
    """What an undo must take away."""
    armature = character()
    animation = armature.animation_data if armature else None
    action = animation.action if animation else None
    return {
        "actions": len(bpy.data.actions),
        "action": action.name if action else "",
        "tracks": [[track.name, track.mute] for track in animation.nla_tracks] if animation else [],
        "pins": len(action.get("pallas_pins", ())) if action else 0,
        "confidence": "confidence_left_knee" in armature if armature else False,
    }


def look_at_character(stage: Stage) -> None:
    """See the whole character from its front left, in the frame that is pinned."""
    armature = character()
    bpy.context.scene.frame_set(60)
    hips = armature.matrix_world @ armature.pose.bones[0].head
    stage.area.spaces.active.overlay.show_bones = False
    stage.look_at((hips.x, hips.y, 0.85), (1.35, 0.0, 0.7), 3.6)


tell(story)
