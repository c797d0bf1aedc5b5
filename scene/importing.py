"""Motions in files that only Blender reads, FBX and glTF: imported apart from the open file, then gone."""

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

import addon_utils
import bpy
import numpy as np

from ..capture.sources import SOURCE_SUFFIXES, read_source
from ..rig.errors import FileError, FormatError
from ..rig.retarget.source import SourceMotion
from .clock import scene_fps
from .keyframes import action_fcurves
from .source_motion import read_armature_motion

__all__ = [
    "IMPORTED_SUFFIXES",
    "MOTION_FILE_SUFFIXES",
    "clips_in",
    "imported",
    "read_motion_file",
]

IMPORTED_SUFFIXES: Final = (".fbx", ".glb", ".gltf", ".vrm")
MOTION_FILE_SUFFIXES: Final = (*SOURCE_SUFFIXES, *IMPORTED_SUFFIXES)
_ADD_ONS: Final = {".fbx": "io_scene_fbx"}
_GLTF: Final = "io_scene_gltf2"
_FINE_FPS: Final = 60  # glTF's keys have times only; they are laid on frames of this rate
_USUAL_FPS: Final = (24.0, 25.0, 30.0, 48.0, 50.0, 60.0, 100.0, 120.0)
_COPY: Final = re.compile(r"\.\d{3,}$")  # what Blender adds to a name that is taken
_OFF_GRID = 0.02  # of a frame, how far keys may lie beside the frames of a rate
# Kinds of data that importers don't add to, or that a scene of its own takes with it.
_NOT_IMPORTED: Final = ("scenes", "screens", "window_managers", "workspaces", "libraries")


def read_motion_file(
    path: Path, *, fps: float | None = None, person: str | None = None, clip: str | None = None
) -> SourceMotion:
    """Read a motion from a file of any known format; FBX, glTF and VRM through Blender's importers.

    Args:
        path: one of `MOTION_FILE_SUFFIXES`.
        fps: frames per second instead of what the file says; the frames stay the same.
        person: of files that hold several (`capture.sources.people_in`).
        clip: name of the Action of an FBX or glTF with several; the current one, else the first, if None.

    Raises:
        FileError: it can't be read, or its format is not known.
        FormatError: it is damaged, or holds no motion or not that clip.
    """
    if path.suffix.lower() not in IMPORTED_SUFFIXES:
        return read_source(path, fps=fps, person=person)
    taken = _taken_names()
    with imported(path) as added:
        armature, clips = _animated(path, added, taken)
        if clip is not None and clip not in clips:
            known = ", ".join(clips)[:300]
            raise FormatError(f"{path} has no clip {clip[:60]!r}; its clips: {known}")
        action = next(iter(clips.values())) if clip is None else clips[clip]
        rate = scene_fps(bpy.context.scene)
        own = _rate(action, rate)
        first, last = action.frame_range
        found = read_armature_motion(armature, first, last, step=rate / own, action=action)
    return replace(found, name=path.stem, fps=own if fps is None else fps)


def clips_in(path: Path) -> tuple[str, ...]:
    """Names of the clips in an FBX, glTF or VRM file, the one that is current there first.

    Raises:
        FileError, FormatError: see `read_motion_file`.
    """
    taken = _taken_names()
    with imported(path) as added:
        return tuple(_animated(path, added, taken)[1])


@contextmanager
def imported(path: Path) -> Iterator[list[bpy.types.Object]]:
    """What a file holds, imported into a scene of its own, the current one meanwhile; gone at the end.

    What was open is as it was before: scene, frame rate, selection, mode and the other data.

    Raises:
        FileError: there is no such file.
        FormatError: Blender can't read it.
    """
    window = bpy.context.window or bpy.context.window_manager.windows[0]
    home = window.scene
    before = {kind: set(items) for kind, items in _data()}
    scene = bpy.data.scenes.new("PALLAS import")
    scene.render.fps = _FINE_FPS
    window.scene = scene
    try:
        _import(path)
        yield list(scene.objects)
    finally:
        window.scene = home
        bpy.data.scenes.remove(scene)
        added = [item for kind, items in _data() for item in items if item not in before[kind]]
        bpy.data.batch_remove(added)


def _data() -> Iterator[tuple[str, bpy.types.bpy_prop_collection]]:
    for name, value in bpy.data.bl_rna.properties.items():
        if value.type == "COLLECTION" and name not in _NOT_IMPORTED:
            yield name, getattr(bpy.data, name)


def _import(path: Path) -> None:
    suffix = path.suffix.lower()
    if not path.is_file():
        raise FileError(f"{path} does not exist; check the spelling of the path")
    with _add_on(_ADD_ONS.get(suffix, _GLTF)), tempfile.TemporaryDirectory() as folder:
        source = path
        if suffix == ".vrm":  # a binary glTF under another name
            source = Path(folder) / f"{path.stem}.glb"
            shutil.copyfile(path, source)
        try:
            if suffix == ".fbx":
                bpy.ops.import_scene.fbx(filepath=str(source))
            else:
                bpy.ops.import_scene.gltf(filepath=str(source))
        except RuntimeError as error:  # an importer's own traceback is in its text
            raise FormatError(f"{path}: {_told(error)}") from error


def _told(error: RuntimeError) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = [line for line in lines if not line.startswith(("Location:", "File ", "Error: Python"))]
    return (told[-1].removeprefix("Error: ") if told else "Blender can't read it")[:200]


@contextmanager
def _add_on(name: str) -> Iterator[None]:
    """An add-on of Blender's, enabled if it was not, and then only meanwhile.

    Raises:
        FormatError: this Blender has none of that name.
    """
    if addon_utils.check(name)[1]:
        yield
        return
    if addon_utils.enable(name, default_set=False) is None:
        raise FormatError(f"this Blender has no importer {name!r}; enable the add-on")
    try:
        yield
    finally:
        addon_utils.disable(name, default_set=False)


def _taken_names() -> frozenset[str]:
    return frozenset(item.name for item in (*bpy.data.actions, *bpy.data.objects))


def _as_in_file(name: str, taken: frozenset[str]) -> str:
    """A name without the number that Blender added because it was taken."""
    plain = _COPY.sub("", name)
    return plain if plain in taken else name


def _animated(
    path: Path, added: list[bpy.types.Object], taken: frozenset[str]
) -> tuple[bpy.types.Object, dict[str, bpy.types.Action]]:
    """The armature with the most bones that move, and its clips by their names, the current one first.

    Args:
        path: of the file, for messages.
        added: what was imported.
        taken: names that were there before, for which Blender gave others; an FBX' armature is in its clips'.
    """
    clips = {item: _clips(item) for item in added if item.type == "ARMATURE"}
    clips = {item: found for item, found in clips.items() if found}
    if not clips:
        raise FormatError(
            f"{path}: found no armature that moves, expected one; export its animation too"
        )
    item = max(clips, key=lambda item: len(item.data.bones))
    named: dict[str, bpy.types.Action] = {}
    for action in clips[item]:
        plain = "|".join(_as_in_file(part, taken) for part in action.name.split("|"))
        named[action.name if plain in named else plain] = action
    return item, named


def _clips(item: bpy.types.Object) -> list[bpy.types.Action]:
    """The Actions of an armature, the current one first."""
    data = item.animation_data
    if data is None:
        return []
    held = [data.action, *(strip.action for track in data.nla_tracks for strip in track.strips)]
    return list(dict.fromkeys(action for action in held if action is not None))


def _rate(action: bpy.types.Action, rate: float) -> float:
    """The lowest usual rate on whose frames all keys lie; the scene's if there is none."""
    times: set[float] = set()
    for curve in action_fcurves(action):
        frames = np.empty(2 * len(curve.keyframe_points), dtype=np.float32)
        curve.keyframe_points.foreach_get("co", frames)
        times.update(np.round(frames[::2], 3).tolist())
    seconds = (np.array(sorted(times)) - min(times, default=0.0)) / rate
    for usual in _USUAL_FPS:
        places = seconds * usual
        dense = len(places) < 2 or np.diff(places).min() > 0.5
        if dense and np.abs(places - np.round(places)).max(initial=0.0) < _OFF_GRID:
            return usual
    return rate
