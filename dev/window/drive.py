"""Work in Blender's window as an animator would, and write down what happened.

Runs inside Blender. Leaves in the current folder: found.json, before.ppm and after.ppm (the screen), and
after.png (the same, small enough to keep). A timer takes the steps, so that Blender draws between them.
"""

import json
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

import bpy
from mathutils import Euler

HERE = Path.cwd()
PATIENCE = 300.0  # seconds for the solve, on a slow machine
bpy.context.preferences.view.show_splash = False


def story(found: dict[str, object]) -> Iterator[float]:
    """The steps; each `yield` is how many seconds Blender may draw and work until the next."""
    yield 1.0
    window = bpy.context.window_manager.windows[0]
    area = next(area for area in window.screen.areas if area.type == "VIEW_3D")
    found["torch before solving"] = "torch" in sys.modules
    for thing in list(bpy.data.objects):
        bpy.data.objects.remove(thing)
    bpy.ops.wm.save_as_mainfile(filepath=str(HERE / "take.blend"))
    area.spaces.active.show_region_ui = True
    yield 0.5  # the sidebar has no tabs before it was drawn once
    sidebar = next(region for region in area.regions if region.type == "UI")
    sidebar.active_panel_category = "PALLAS"
    look_at(area)
    yield 1.0
    shoot("before")
    found["place"] = {
        name: places(area, kind) for name, kind in {"view": "WINDOW", "sidebar": "UI"}.items()
    }
    found["window height"] = window.height

    run(found, area, "load", bpy.ops.pallas.load_take, filepath=str(HERE / "take.pallas"))
    yield 0.5
    run(found, area, "solve", bpy.ops.pallas.solve)
    press(area, "Escape")
    yield 1.0
    found["solved in spite of Esc"] = solved()
    started = time.monotonic()
    run(found, area, "solve", bpy.ops.pallas.solve)
    while not solved() and time.monotonic() - started < PATIENCE:
        yield 0.5
    found["solved"] = solved()
    found["solve seconds"] = time.monotonic() - started
    yield 0.5
    bpy.ops.ed.undo_push(message="Before")
    run(found, area, "apply", bpy.ops.pallas.apply_to_character)
    found["after applying"] = contents()
    show_character(area)
    yield 2.0
    shoot("after")
    press(area, "ctrl+z")
    yield 2.0
    found["after one undo"] = contents()
    press(area, "ctrl+shift+z")
    yield 2.0
    found["after redoing"] = contents()
    found["finished"] = True


def run(found: dict[str, object], area: bpy.types.Area, step: str, operator, **words) -> None:  # noqa: ANN001, ANN003
    """Call an operator as its button would, with an undo step; note what it returned or said."""
    window = bpy.context.window_manager.windows[0]
    region = next(region for region in area.regions if region.type == "WINDOW")
    with bpy.context.temp_override(window=window, area=area, region=region):
        try:
            found[step] = sorted(
                operator("INVOKE_DEFAULT" if step == "solve" else "EXEC_DEFAULT", True, **words)
            )
        except RuntimeError as error:
            found[step] = [str(error)]


def solved() -> bool:
    """Whether the solve, which works beside the window, is done."""
    return bpy.ops.pallas.apply_to_character.poll()


def contents() -> dict[str, int]:
    """What an undo must take away."""
    keyed = [o for o in bpy.data.objects if o.animation_data and o.animation_data.action]
    armatures = [o for o in bpy.data.objects if o.type == "ARMATURE"]
    return {"animated": len(keyed), "armatures": len(armatures)}


def show_character(area: bpy.types.Area) -> None:
    """A moment in the middle of its motion, unselected, without the bones in it."""
    armature = next(o for o in bpy.data.objects if o.type == "ARMATURE")
    first, last = armature.animation_data.action.frame_range
    bpy.context.scene.frame_set(round(first + 0.6 * (last - first)))
    armature.select_set(False)
    area.spaces.active.overlay.show_bones = False
    look_at(area)


def look_at(area: bpy.types.Area) -> None:
    """See the whole character from its front left, wherever it has walked."""
    view = area.spaces.active.region_3d
    view.view_perspective = "PERSP"
    view.view_rotation = Euler((1.38, 0.0, 0.55)).to_quaternion()
    view.view_distance = 3.4
    armature = next((o for o in bpy.data.objects if o.type == "ARMATURE"), None)
    hips = (0.0, 0.0, 0.9)
    if armature is not None:
        hips = armature.matrix_world @ armature.pose.bones[0].head
    view.view_location = (hips[0], hips[1], 0.85)
    area.spaces.active.shading.type = "SOLID"


def places(area: bpy.types.Area, kind: str) -> list[int]:
    """left, bottom, width, height of a region in the window, pixels from the bottom left."""
    region = next(region for region in area.regions if region.type == kind)
    return [region.x, region.y, region.width, region.height]


def shoot(name: str) -> None:
    """The whole screen, as a camera in front of it would see it."""
    subprocess.run(["import", "-window", "root", "-depth", "8", f"{name}.ppm"], check=True)
    small = ["-resize", "1280x", "-colors", "200", f"PNG8:{name}.png"]
    subprocess.run(["convert", f"{name}.ppm", *small], check=True)


def press(area: bpy.types.Area, keys: str) -> None:
    """Press keys with the mouse over the 3D view."""
    x, y, width, height = places(area, "WINDOW")
    window = bpy.context.window_manager.windows[0]
    at = [str(x + width // 3), str(window.height - y - height // 2)]
    subprocess.run(["xdotool", "mousemove", *at, "key", keys], check=True)


def tell(steps: Iterator[float], found: dict[str, object]) -> float | None:
    """One step of the story; at its end, or at an error, write what was found and leave."""
    try:
        return next(steps)
    except StopIteration:
        found["error"] = None
    except Exception:  # noqa: BLE001  whatever went wrong belongs in the report
        found["error"] = traceback.format_exc()
    (HERE / "found.json").write_text(json.dumps(found, indent=2), encoding="utf-8")
    bpy.ops.wm.quit_blender()
    return None


found: dict[str, object] = {"blender": bpy.app.version_string}
steps = story(found)
bpy.app.timers.register(lambda: tell(steps, found), first_interval=1.0)
