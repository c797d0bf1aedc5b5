"""Put a take onto a rig of other names in Blender's window, and write down what happened.

Runs inside Blender, in a folder with take.pallas and stage.py. Leaves there: found.json, retarget.ppm (the
screen) and retarget.png (the same, small enough to keep).
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import bpy

sys.path.insert(0, str(Path(__file__).resolve().parent))  # Blender leaves it out
from stage import HERE, Stage, tell

PATIENCE = 300.0  # seconds for a solve, on a slow machine
_NAMES = {"Hips": "pelvis", "Spine": "spine_01", "Spine1": "spine_02", "Spine2": "spine_03"}
_LIMBS = {
    "Shoulder": "clavicle", "Arm": "upperarm", "ForeArm": "lowerarm", "Hand": "hand",
    "UpLeg": "thigh", "Leg": "calf", "Foot": "foot", "ToeBase": "ball",
}  # fmt: skip
UNREAL = _NAMES | {
    f"{side}{own}": f"{theirs}_{side[0].lower()}"
    for side in ("Left", "Right")
    for own, theirs in _LIMBS.items()
}


def story(stage: Stage) -> Iterator[float]:
    """The steps; each `yield` is how many seconds Blender may draw and work until the next."""
    found, settings = stage.found, bpy.context.scene.pallas.retarget
    stage.run("load", bpy.ops.pallas.load_take, filepath=str(HERE / "take.pallas"))
    stage.start("solve", bpy.ops.pallas.solve)
    yield from stage.wait(lambda: bpy.context.scene.pallas.solve.motion, PATIENCE)
    stage.run("character", bpy.ops.pallas.add_character, sensors=False)
    for bone in character().data.bones:
        bone.name = UNREAL.get(bone.name.rpartition(":")[2], bone.name)
    settings.target = character()
    stage.run("match", bpy.ops.pallas.match_bones)
    found["rows"] = {row.name: row.bone for row in settings.bones if row.bone}
    bpy.ops.ed.undo_push(message="Before")
    yield 1.0

    bpy.context.scene.frame_set(60)
    before = bent()
    stage.run("preview", bpy.ops.pallas.preview_retarget)
    found["preview bends"] = bent() - before
    stage.press("ctrl+z")
    yield 2.0
    found["preview undone"] = bent() - before

    stage.start("retarget", bpy.ops.pallas.retarget)
    stage.press("Escape")
    yield 3.0
    found["in spite of Esc"] = contents()
    stage.start("retarget", bpy.ops.pallas.retarget)
    yield from stage.wait(lambda: contents()["action"], PATIENCE)
    found["after retargeting"] = contents()
    stage.press("ctrl+z")
    yield 2.0
    found["undone"] = contents()
    stage.press("ctrl+shift+z")
    yield 2.0
    found["redone"] = contents()
    yield from onto_another(stage)
    look_at_character(stage)
    settings = bpy.context.scene.pallas.retarget  # undo made another one
    settings.source, settings.file = "FILE", "//walk.bvh"  # what the panel offers of a file
    yield from stage.scroll_sidebar()
    yield 2.0
    stage.shoot("retarget")


def onto_another(stage: Stage) -> Iterator[float]:
    """What the first character does onto a second one, read frame by frame; Ctrl Z waits, Esc ends it."""
    found, settings = stage.found, bpy.context.scene.pallas.retarget
    first = character()
    stage.run("another", bpy.ops.pallas.add_character, sensors=False)
    settings.target, settings.source, settings.armature = bpy.context.object, "ARMATURE", first
    settings.use_range, settings.range_start, settings.range_end = True, 1, 100_000
    bpy.ops.ed.undo_push(message="Another")
    yield 1.0
    stage.start("read", bpy.ops.pallas.retarget)
    yield 2.0
    stage.press("ctrl+z")
    yield 2.0
    found["while reading"] = [len(bpy.data.scenes), len(bpy.data.actions)]
    stage.shoot("reading")
    stage.press("Escape")
    yield 2.0
    found["reading given up"] = [len(bpy.data.scenes), len(bpy.data.actions)]
    settings.range_end = 20
    stage.start("read", bpy.ops.pallas.retarget)
    yield from stage.wait(lambda: len(bpy.data.actions) > 1, PATIENCE)
    found["read to the end"] = [len(bpy.data.scenes), len(bpy.data.actions)]
    for item in (*settings.target.children, settings.target):
        bpy.data.objects.remove(item)
    settings.target, settings.use_range = first, False
    yield 1.0


def character() -> bpy.types.Object | None:
    """The only armature."""
    return next((o for o in bpy.data.objects if o.type == "ARMATURE"), None)


def bent() -> float:
    """By how much the left knee is turned in the pose, radians."""
    return character().pose.bones["calf_l"].matrix_basis.to_quaternion().angle


def contents() -> dict[str, object]:
    """What an undo must take away."""
    animation = character().animation_data
    action = animation.action if animation else None
    return {"actions": len(bpy.data.actions), "action": action.name if action else ""}


def look_at_character(stage: Stage) -> None:
    """See the whole character from its front left, in the middle of a step."""
    armature = character()
    bpy.context.scene.frame_set(60)
    hips = armature.matrix_world @ armature.pose.bones["pelvis"].head
    stage.area.spaces.active.overlay.show_bones = False
    stage.look_at((hips.x, hips.y, 0.85), (1.35, 0.0, 0.7), 3.6)


tell(story)
