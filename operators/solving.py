"""Solve: from the loaded take to a full-body motion."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy

from ..capture.formats import read_recording, write_motion
from ..capture.placements import read_map
from ..rig.errors import ModelError
from .common import LongOperator, ThreadJob

__all__ = ["PALLAS_OT_solve", "add_packages", "find_torch", "packages_folder"]

# Name and motion file of every take; frames, rate, what to look at.
_Solved = tuple[list[tuple[str, Path]], int, float, list[str]]


class PALLAS_OT_solve(LongOperator, bpy.types.Operator):
    """Solve the loaded take to a full-body motion; the viewport stays free, Esc cancels"""

    bl_idname = "pallas.solve"
    bl_label = "Solve"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context):
        if not context.scene.pallas.capture.take:
            cls.poll_message_set("Load a take first")
            return False
        return True

    def start(self, context):
        find_torch(context)
        return ThreadJob(_work(context.scene))

    def finish(self, context, result):
        takes, frames, fps, warnings = result
        for warning in warnings:
            self.report({"WARNING"}, warning)
        settings = context.scene.pallas.solve
        settings.motion = str(takes[0][1])
        settings.takes.clear()
        for name, path in takes:
            take = settings.takes.add()
            take.name, take.motion = name, str(path)
        several = f", {len(takes)} takes" if len(takes) > 1 else ""
        settings.summary = f"{frames} frames at {fps:.0f} Hz{several}"
        return f"Solved {settings.summary}"


def _work(scene: bpy.types.Scene) -> Callable[[], _Solved]:
    """The solve as a function that touches no Blender data."""
    settings, legs = scene.pallas.solve, _legs(scene.pallas.legs)
    take = Path(scene.pallas.capture.take)
    chosen = {
        "pose": settings.pose,
        "pose_at": (settings.pose_start, settings.pose_end) if settings.use_pose_at else None,
        "facing": settings.facing if settings.use_facing else None,
        "sensors": read_map(Path(bpy.path.abspath(settings.map))) if settings.map else None,
        "acceleration_unit": settings.acceleration_unit,
        "height": settings.height,
    }
    folder = Path(bpy.app.tempdir) / "pallas"

    def work() -> _Solved:
        from ..neural.solve import LegOptions, SolveOptions, solve

        solution = solve(read_recording(take), SolveOptions(legs=LegOptions(**legs), **chosen))
        folder.mkdir(exist_ok=True)
        paths = []
        for number, solved in enumerate(solution.takes, start=1):
            path = folder / f"{take.stem}{f' take {number}' if number > 1 else ''}.npz"
            write_motion(path, solved.motion, force=True)
            several = len(solution.takes) > 1
            paths.append((f"take {number} seed {legs['seed']}" if several else "", path))
        return paths, len(solution.motion), solution.motion.fps, solution.report["warnings"]

    return work


def _legs(settings: bpy.types.PropertyGroup) -> dict[str, Any]:
    """Words for `LegOptions`."""
    generated, seated = settings.mode == "generated", settings.mode == "seated"
    return {
        "mode": settings.mode,
        "takes": settings.takes if generated else 1,
        "seed": settings.seed,
        "temperature": settings.temperature,
        "seat_height": settings.seat_height if seated and settings.use_seat_height else None,
        "clean_feet": settings.clean_feet,
    }


def packages_folder(context: bpy.types.Context) -> Path | None:
    """The folder of libraries that the preferences name."""
    root = __package__.rpartition(".")[0]
    addon = context.preferences.addons.get(root)
    folder = bpy.path.abspath(addon.preferences.torch_folder) if addon and addon.preferences else ""
    return Path(folder) if folder else None


def add_packages(context: bpy.types.Context) -> None:
    """Make the libraries importable that lie in the folder of the preferences."""
    folder = packages_folder(context)
    if folder is not None and str(folder) not in sys.path:
        sys.path.append(str(folder))


def find_torch(context: bpy.types.Context) -> None:
    """Make torch importable, from the folder of the preferences if it is not at hand.

    Raises:
        ModelError: it is nowhere.
    """
    add_packages(context)
    if importlib.util.find_spec("torch") is None:
        raise ModelError(
            "torch is not installed, and solving needs it; "
            "Preferences > Add-ons > PALLAS says how to get it"
        )
