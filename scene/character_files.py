"""Characters in files: opened from Blender's, FBX, glTF and VRM files; written with their motion."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import bpy

from ..capture.output import new_file
from ..rig.errors import FormatError, SceneError
from .armature import checked_armature
from .files import save_copy
from .linked import armatures_of
from .retarget_target import only_armature

__all__ = ["CHARACTER_SUFFIXES", "EXPORT_SUFFIXES", "open_character", "save_character"]

CHARACTER_SUFFIXES: Final = (".blend", ".fbx", ".glb", ".gltf", ".vrm")
EXPORT_SUFFIXES: Final = (".blend", ".fbx", ".glb", ".bvh")


def open_character(path: Path, name: str = "") -> bpy.types.Object:
    """Open a file in place of what is open, and find the character in it.

    Args:
        path: a .blend is opened as it is; of other files the character is imported into an empty scene, bound
            in its rest pose.
        name: of the armature; needed where there are several.

    Returns:
        Its armature.

    Raises:
        FormatError: Blender can't read it, or it is of another kind.
        SceneError: no armature in it, or several and none is named.
    """
    suffix = path.suffix.lower()
    if suffix not in CHARACTER_SUFFIXES:
        raise FormatError(f"{path} ends in {suffix}; expected {', '.join(CHARACTER_SUFFIXES)}")
    try:
        if suffix == ".blend":
            bpy.ops.wm.open_mainfile(filepath=str(path), load_ui=False)
        else:
            bpy.ops.wm.read_factory_settings(use_empty=True)
            _import(path, suffix)
    except RuntimeError as error:  # what Blender's importers raise
        raise FormatError(f"{path}: {_last_line(error)}") from error
    armatures = armatures_of(bpy.context.scene)
    if not name:
        return only_armature(armatures)
    found = next((item for item in armatures if item.name == name), None)
    if found is None:
        known = ", ".join(repr(item.name) for item in armatures) or "none"
        raise SceneError(f"{path} has no armature {name!r}; its armatures: {known}")
    return checked_armature(found)


def save_character(path: Path, armature_object: bpy.types.Object, *, force: bool = False) -> None:
    """Write a character with its current Action, by Blender's own exporters.

    Args:
        path: .blend takes the whole file, .fbx and .glb the armature and what hangs on it, .bvh its bones.
        armature_object: of the open file.
        force: replace a file that is there.

    Raises:
        OutputError: the file is there already, or can't be written.
        FormatError: another suffix, or Blender can't write it.
    """
    suffix = path.suffix.lower()
    if suffix == ".blend":
        save_copy(path, force=force)
        return
    export = _EXPORTERS.get(suffix)
    if export is None:
        raise FormatError(f"{path} ends in {suffix}; expected {', '.join(EXPORT_SUFFIXES)}")
    _select(armature_object)
    with new_file(path, force=force) as temporary:
        try:
            export(temporary, armature_object)
        except RuntimeError as error:
            raise FormatError(f"{path}: {_last_line(error)}") from error


def _import(path: Path, suffix: str) -> None:
    if suffix == ".fbx":
        bpy.ops.import_scene.fbx(filepath=str(path), use_anim=False)
        return
    bpy.ops.import_scene.gltf(filepath=str(path))
    for item in bpy.context.scene.objects:
        if item.type != "ARMATURE":
            continue
        item.animation_data_clear()  # its own clips, the first of which would pose it
        for posed in item.pose.bones:
            posed.matrix_basis.identity()
    bpy.context.view_layer.update()


def _select(armature_object: bpy.types.Object) -> None:
    if bpy.context.mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")
    kept = {armature_object, *armature_object.children_recursive}
    for item in bpy.context.view_layer.objects:
        item.select_set(item in kept)
    bpy.context.view_layer.objects.active = armature_object


def _span(armature_object: bpy.types.Object) -> tuple[int, int]:
    first, last = armature_object.animation_data.action.frame_range
    return round(first), round(last)


def _export_bvh(path: Path, armature_object: bpy.types.Object) -> None:
    first, last = _span(armature_object)
    bpy.ops.export_anim.bvh(
        filepath=str(path),
        frame_start=first,
        frame_end=last,
        root_transform_only=True,
        global_scale=1.0,
    )


def _export_fbx(path: Path, armature_object: bpy.types.Object) -> None:
    bpy.ops.export_scene.fbx(
        filepath=str(path),
        use_selection=True,
        object_types={"ARMATURE", "MESH"},
        add_leaf_bones=False,
        bake_anim_use_nla_strips=False,
        bake_anim_use_all_actions=False,
        bake_anim_simplify_factor=0.0,
    )


def _export_glb(path: Path, armature_object: bpy.types.Object) -> None:
    bpy.ops.export_scene.gltf(
        filepath=str(path),
        export_format="GLB",
        use_selection=True,
        export_animation_mode="ACTIVE_ACTIONS",
        export_force_sampling=True,
        export_optimize_animation_size=False,
    )


_EXPORTERS: Final[Mapping[str, Callable[[Path, bpy.types.Object], None]]] = {
    ".bvh": _export_bvh,
    ".fbx": _export_fbx,
    ".glb": _export_glb,
}


def _last_line(error: RuntimeError) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[-1].removeprefix("Error: ").strip() if lines else "Blender can't read or write it"
