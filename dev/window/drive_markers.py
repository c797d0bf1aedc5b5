"""Work with markers in Blender's window as a biomechanist would, and write down what happened.

Runs inside Blender, in a folder with walk.trc and legs.osim. Leaves there: found.json, markers.ppm (the
screen) and markers.png (the same, small enough to keep). A timer takes the steps, so that Blender draws
between them.
"""

import json
import subprocess
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

import bpy
from mathutils import Euler

HERE = Path.cwd()
PATIENCE = 200.0  # seconds for the solve, on a slow machine
bpy.context.preferences.view.show_splash = False


def story(found: dict[str, object]) -> Iterator[float]:
    """The steps; each `yield` is how many seconds Blender may draw and work until the next."""
    yield 1.0
    window = bpy.context.window_manager.windows[0]
    area = next(area for area in window.screen.areas if area.type == "VIEW_3D")
    for thing in list(bpy.data.objects):
        bpy.data.objects.remove(thing)
    bpy.ops.wm.save_as_mainfile(filepath=str(HERE / "markers.blend"))
    area.spaces.active.show_region_ui = True
    yield 0.5  # the sidebar has no tabs before it was drawn once
    sidebar = next(region for region in area.regions if region.type == "UI")
    sidebar.active_panel_category = "PALLAS"
    yield 0.5
    run(found, area, "markers", bpy.ops.pallas.import_markers, filepath=str(HERE / "walk.trc"))
    run(found, area, "model", bpy.ops.pallas.import_osim, filepath=str(HERE / "legs.osim"))
    found["after importing"] = contents()
    yield 0.5
    run(found, area, "solve", bpy.ops.pallas.solve_markers)
    press(area, "Escape")
    yield 1.0
    found["solved in spite of Esc"] = contents()
    run(found, area, "solve", bpy.ops.pallas.solve_markers)
    started = time.monotonic()
    while not contents()["solved"] and time.monotonic() - started < PATIENCE:
        yield 0.5
    found["after solving"] = contents()
    found["summary"] = bpy.context.scene.pallas.markers.summary
    yield 0.5
    run(found, area, "residuals", bpy.ops.pallas.show_residuals)
    found["shading"] = area.spaces.active.shading.color_type
    bpy.context.scene.frame_set(20)
    look_at(area)
    fold(area)
    yield 2.0
    shoot("markers")
    found["place"] = places(area, "WINDOW")
    found["window height"] = window.height
    for step in ("after one undo", "after two undos"):
        press(area, "ctrl+z")
        yield 2.0
        found[step] = contents()
    for step in ("after one redo", "after two redos"):
        press(area, "ctrl+shift+z")
        yield 2.0
        found[step] = contents()
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


def contents() -> dict[str, int]:
    """What an undo must take away."""
    armatures = [o for o in bpy.data.objects if o.type == "ARMATURE"]
    return {
        "armatures": len(armatures),
        "solved": sum(o.animation_data is not None for o in armatures),
        "with residuals": sum("residual_mm" in o for o in bpy.data.objects),
        "balls": sum(o.type == "MESH" for o in bpy.data.objects),
    }


def fold(area: bpy.types.Area) -> None:
    """Scroll the sidebar down to the panel of markers."""
    region = next(region for region in area.regions if region.type == "UI")
    window = bpy.context.window_manager.windows[0]
    at = [str(region.x + region.width // 2), str(window.height - region.y - region.height // 2)]
    subprocess.run(["xdotool", "mousemove", *at], check=True)
    subprocess.run(["xdotool", "click", "--repeat", "30", "--delay", "20", "5"], check=True)


def look_at(area: bpy.types.Area) -> None:
    """See both legs from the front left."""
    view = area.spaces.active.region_3d
    view.view_perspective = "PERSP"
    view.view_rotation = Euler((1.35, 0.0, 0.7)).to_quaternion()
    view.view_distance = 3.0
    armature = next(o for o in bpy.data.objects if o.type == "ARMATURE")
    view.view_location = armature.matrix_world @ armature.pose.bones[0].head
    view.view_location.z = 0.6
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
