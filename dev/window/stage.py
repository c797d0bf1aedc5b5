"""The stage for a story in Blender's window: act as a user would, look at the screen, note what was found.

A driver imports this beside it, inside Blender, and calls `tell` with its story: a generator that acts on a
`Stage`, each `yield` being how many seconds Blender may draw and work until the next step. Leaves in the
current folder: found.json, and NAME.ppm (the screen) and NAME.png (the same, small enough to keep) of every
`shoot`.
"""

import json
import subprocess
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import bpy
from mathutils import Euler

HERE = Path.cwd()


class Stage:
    """Blender's window with its 3D view and the sidebar on PALLAS's tab, and what was found there."""

    def __init__(self) -> None:
        self.found: dict[str, object] = {"blender": bpy.app.version_string}

    @property
    def window(self) -> bpy.types.Window:
        """The only one."""
        return bpy.context.window_manager.windows[0]

    @property
    def area(self) -> bpy.types.Area:
        """The 3D view."""
        return next(area for area in self.window.screen.areas if area.type == "VIEW_3D")

    def region(self, kind: str) -> bpy.types.Region:
        """A region of the 3D view: WINDOW for the view itself, UI for its sidebar."""
        return next(region for region in self.area.regions if region.type == kind)

    def set_up(self) -> Iterator[float]:
        """An empty, saved file, and PALLAS's tab."""
        for thing in list(bpy.data.objects):
            bpy.data.objects.remove(thing)
        bpy.ops.wm.save_as_mainfile(filepath=str(HERE / "story.blend"))
        self.area.spaces.active.show_region_ui = True
        yield 0.5  # the sidebar has no tabs before it was drawn once
        self.region("UI").active_panel_category = "PALLAS"
        yield 0.5

    def run(self, step: str, operator, how: str = "EXEC_DEFAULT", **words) -> None:  # noqa: ANN001, ANN003
        """Call an operator with an undo step; note what it returned or said under the step's name."""
        shown = {"window": self.window, "area": self.area, "region": self.region("WINDOW")}
        with bpy.context.temp_override(**shown):
            try:
                self.found[step] = sorted(operator(how, True, **words))
            except RuntimeError as error:
                self.found[step] = [str(error)]

    def start(self, step: str, operator) -> None:  # noqa: ANN001
        """The same as its button does it: long work goes on beside the window."""
        self.run(step, operator, "INVOKE_DEFAULT")

    def wait(self, done: Callable[[], object], patience: float) -> Iterator[float]:
        """Until something is so, at most `patience` seconds."""
        began = time.monotonic()
        while not done() and time.monotonic() - began < patience:
            yield 0.5

    def look_at(
        self, place: Sequence[float], turn: tuple[float, float, float], distance: float
    ) -> None:
        """See a place in the world (metres) from a direction (Euler angles, radians), unlit by the scene."""
        view = self.area.spaces.active.region_3d
        view.view_perspective = "PERSP"
        view.view_rotation = Euler(turn).to_quaternion()
        view.view_distance = distance
        view.view_location = place
        self.area.spaces.active.shading.type = "SOLID"

    def shoot(self, name: str) -> None:
        """Keep the whole screen, as a camera in front of it would see it, and where the regions are on it."""
        with bpy.context.temp_override(window=self.window):  # the screen may be a drawing behind
            bpy.ops.wm.redraw_timer(type="DRAW_WIN_SWAP", iterations=2)
        subprocess.run(["import", "-window", "root", "-depth", "8", f"{name}.ppm"], check=True)
        small = ["-resize", "1280x", "-colors", "200", f"PNG8:{name}.png"]
        subprocess.run(["convert", f"{name}.ppm", *small], check=True)
        self.found["place"] = {"view": self._place("WINDOW"), "sidebar": self._place("UI")}
        self.found["window height"] = self.window.height

    def press(self, keys: str) -> None:
        """Press keys with the mouse over the 3D view."""
        subprocess.run(["xdotool", *self._mouse("WINDOW", 3), "key", keys], check=True)

    def scroll_sidebar(self, steps: int = 30) -> Iterator[float]:
        """Down by some steps of the wheel; so many reach its last panel."""
        subprocess.run(["xdotool", *self._mouse("UI", 2)], check=True)
        yield 0.5
        down = ["click", "--repeat", str(steps), "--delay", "20", "5"]
        subprocess.run(["xdotool", *down], check=True)
        yield 0.5

    def _place(self, kind: str) -> list[int]:
        """left, bottom, width, height of a region in the window, pixels from the bottom left."""
        region = self.region(kind)
        return [region.x, region.y, region.width, region.height]

    def _mouse(self, kind: str, part: int) -> list[str]:
        """Move the mouse half up a region and a part of the way across."""
        x, y, width, height = self._place(kind)
        return ["mousemove", str(x + width // part), str(self.window.height - y - height // 2)]


def tell(story: Callable[[Stage], Iterator[float]]) -> None:
    """Tell a story once Blender is there; at its end, or at an error, write what was found and leave.

    A timer takes the steps, so that Blender draws between them.
    """
    bpy.context.preferences.view.show_splash = False
    stage = Stage()
    steps = _whole(story, stage)
    bpy.app.timers.register(lambda: _step(steps, stage.found), first_interval=1.0)


def _whole(story: Callable[[Stage], Iterator[float]], stage: Stage) -> Iterator[float]:
    yield 1.0
    yield from stage.set_up()
    yield from story(stage)
    stage.found["finished"] = True


def _step(steps: Iterator[float], found: dict[str, object]) -> float | None:
    try:
        return next(steps)
    except StopIteration:
        found["error"] = None
    except Exception:  # noqa: BLE001  whatever went wrong belongs in the report
        found["error"] = traceback.format_exc()
    (HERE / "found.json").write_text(json.dumps(found, indent=2), encoding="utf-8")
    bpy.ops.wm.quit_blender()
    return None
