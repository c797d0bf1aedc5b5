"""Motions that only Blender can read: what an armature does in the scene, and animated FBX and glTF files."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

import bpy
import numpy as np

from ..capture.sources import SOURCE_SUFFIXES, read_source
from ..rig import quaternion
from ..rig.errors import FormatError, SceneError
from ..rig.retarget.source import SourceMotion
from .armature import checked_armature, rigid
from .clock import scene_fps
from .posed_rig import read_posed_rig

__all__ = ["MOTION_FILE_SUFFIXES", "read_armature_motion", "read_motion_file"]

_IMPORTED: Final = (".fbx", ".glb", ".gltf", ".vrm")
_IMPORT_FPS: Final = 60
# What importers add, objects before the data that they use.
_COLLECTIONS: Final = (
    "collections",
    "objects",
    "meshes",
    "armatures",
    "curves",
    "cameras",
    "lights",
    "materials",
    "images",
    "actions",
    "texts",
)
MOTION_FILE_SUFFIXES: Final = (*SOURCE_SUFFIXES, *_IMPORTED)


def read_armature_motion(armature_object: bpy.types.Object, first: int, last: int) -> SourceMotion:
    """What an armature does in the current scene, constraints and drivers included; one sample a frame.

    Args:
        armature_object: animated in whatever way.
        first: scene frame of the first sample.
        last: of the last one.

    Raises:
        SceneError: no armature, a mirrored one, or no frames.
    """
    item = checked_armature(armature_object)
    if last < first:
        raise SceneError(f"the range {first} to {last} holds no frame; choose another one")
    bones = read_posed_rig(item).bones
    scene = bpy.context.scene
    now = scene.frame_current_final
    count = last - first + 1
    matrices = np.empty((count, len(bones), 4, 4))
    try:
        for frame in range(count):
            scene.frame_set(first + frame)
            posed = item.evaluated_get(bpy.context.evaluated_depsgraph_get())
            world = np.array(posed.matrix_world)
            local = [posed.pose.bones[name].matrix for name in bones.names]
            matrices[frame] = world @ np.array(local)
    finally:
        scene.frame_set(int(np.floor(now)), subframe=now - np.floor(now))
    rotations = quaternion.from_matrix(rigid(matrices[..., :3, :3]))
    name = item.animation_data.action.name if _has_action(item) else item.name
    return SourceMotion(bones, rotations, matrices[..., :3, 3], scene_fps(scene), name)


def read_motion_file(path: Path, *, fps: float | None = None) -> SourceMotion:
    """Read a motion from a file of any known format; FBX and glTF through Blender's importers.

    Args:
        path: one of `MOTION_FILE_SUFFIXES`.
        fps: frames per second instead of what the file says.

    Raises:
        FileError: it can't be read, or its format is not known.
        FormatError: it is damaged, or holds no motion.
    """
    if path.suffix.lower() not in _IMPORTED:
        return read_source(path, fps=fps)
    with _imported(path) as added:
        armature = _moving(path, added)
        first, last = _span(armature)
        found = read_armature_motion(armature, first, last)
    return replace(found, name=path.stem, fps=found.fps if fps is None else fps)


@contextmanager
def _imported(path: Path) -> Iterator[list[bpy.types.Object]]:
    """Import a file into a scene of its own; take out all that came with it at the end."""
    before = {name: set(getattr(bpy.data, name)) for name in _COLLECTIONS}
    home = bpy.context.window.scene
    scene = bpy.data.scenes.new("PALLAS import")
    scene.render.fps = _IMPORT_FPS  # glTF's keys have times, which the importer lays on frames
    try:
        bpy.context.window.scene = scene
        try:
            if path.suffix.lower() == ".fbx":
                bpy.ops.import_scene.fbx(filepath=str(path))
            else:
                bpy.ops.import_scene.gltf(filepath=str(path))
        except RuntimeError as error:
            lines = str(error).strip().splitlines() or ["Blender can't read it"]
            raise FormatError(f"{path}: {lines[-1].removeprefix('Error: ')}") from error
        yield list(scene.objects)
    finally:
        bpy.context.window.scene = home
        bpy.data.scenes.remove(scene)
        for name in _COLLECTIONS:
            added = set(getattr(bpy.data, name)) - before[name]
            bpy.data.batch_remove(added)


def _moving(path: Path, added: list[bpy.types.Object]) -> bpy.types.Object:
    """The armature with an Action that has the most bones."""
    armatures = [item for item in added if item.type == "ARMATURE" and _has_action(item)]
    if not armatures:
        raise FormatError(
            f"{path}: found no armature that moves, expected one; export its animation too"
        )
    return max(armatures, key=lambda item: len(item.data.bones))


def _span(armature_object: bpy.types.Object) -> tuple[int, int]:
    first, last = armature_object.animation_data.action.frame_range
    return int(np.floor(first)), int(np.ceil(last))


def _has_action(item: bpy.types.Object) -> bool:
    return item.animation_data is not None and item.animation_data.action is not None
