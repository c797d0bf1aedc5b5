"""The embedded character: a skinned figure on a rig with Mixamo's bone names."""

from functools import cache
from pathlib import Path
from typing import Any, Final

import bpy
import numpy as np
import numpy.typing as npt

from ..rig.errors import FileError
from .armature import add_armature, editing_bones

__all__ = ["CHARACTER_FILE", "add_character"]

CHARACTER_FILE: Final[Path] = Path(__file__).parent / "assets" / "character.npz"

# Base colour (linear RGB) and roughness of each material of the file.
_LOOK: Final[dict[str, tuple[tuple[float, float, float], float]]] = {
    "Suit": ((0.035, 0.085, 0.15), 0.6),
    "Skin": ((0.56, 0.42, 0.33), 0.5),
    "Shoes": ((0.018, 0.026, 0.035), 0.5),
    "Eyes": ((0.03, 0.03, 0.035), 0.25),
}


def add_character(
    name: str = "PALLAS", collection: bpy.types.Collection | None = None
) -> bpy.types.Object:
    """Add the embedded character at the world's origin: 1.70 m tall, A-pose, facing -Y.

    Args:
        name: of the armature; Blender adds a number where it is taken.
        collection: where both objects go; the active collection if None.

    Returns:
        The armature object, active and selected; its skinned mesh is its only child.

    Raises:
        FileError: the character's file is missing from the installation.
    """
    data = _character()
    collection = bpy.context.collection if collection is None else collection
    armature = _add_bones(name, data, collection)
    body = bpy.data.objects.new(f"{name} body", _mesh(f"{name} body", data))
    collection.objects.link(body)
    body.parent = armature
    _add_weights(body, data)
    body.modifiers.new("Armature", "ARMATURE").object = armature
    return armature


@cache
def _character() -> dict[str, npt.NDArray[Any]]:
    """The arrays of the file, with positions in metres."""
    try:
        with np.load(CHARACTER_FILE) as file:
            data = dict(file)
    except OSError as error:
        raise FileError(
            f"{CHARACTER_FILE.name} is missing from PALLAS; install the extension again"
        ) from error
    for key in ("vertices", "uvs"):
        low, high = data[f"{key}_box"].astype(np.float64)
        data[key] = low + data[key] / 65535 * (high - low)
    return data


def _add_bones(
    name: str, data: dict[str, npt.NDArray[Any]], collection: bpy.types.Collection
) -> bpy.types.Object:
    """An armature object with the file's bones."""
    armature = add_armature(name, collection)
    with editing_bones(armature) as edited:
        bones = [edited.new(str(bone)) for bone in data["bone_names"]]
        for index, bone in enumerate(bones):
            bone.head, bone.tail = data["bone_heads"][index], data["bone_tails"][index]
            bone.roll = data["bone_rolls"][index]
            parent = data["bone_parents"][index]
            bone.parent = bones[parent] if parent >= 0 else None
    armature.data.display_type = "STICK"
    return armature


def _mesh(name: str, data: dict[str, npt.NDArray[Any]]) -> bpy.types.Mesh:
    """The skin: smooth quads with texture coordinates and materials."""
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(data["vertices"].tolist(), [], data["faces"].tolist())
    mesh.polygons.foreach_set("use_smooth", np.ones(len(mesh.polygons), dtype=bool))
    mesh.polygons.foreach_set("material_index", data["materials"].astype(np.int32))
    corners = data["uvs"][data["uv_faces"].ravel()]
    mesh.uv_layers.new(name="UV").data.foreach_set("uv", corners.astype(np.float32).ravel())
    for material in data["material_names"]:
        mesh.materials.append(_material(str(material)))
    mesh.update()
    return mesh


def _material(part: str) -> bpy.types.Material:
    """A plain material for one part of the figure."""
    colour, roughness = _LOOK[part]
    material = bpy.data.materials.new(f"PALLAS {part}")
    if material.node_tree is None:  # 5.0 gives every material nodes and deprecates the switch
        material.use_nodes = True
    shader = next(n for n in material.node_tree.nodes if n.type == "BSDF_PRINCIPLED")
    shader.inputs["Base Color"].default_value = (*colour, 1.0)
    shader.inputs["Roughness"].default_value = roughness
    material.diffuse_color = (*colour, 1.0)
    return material


def _add_weights(body: bpy.types.Object, data: dict[str, npt.NDArray[Any]]) -> None:
    """One vertex group a bone; Blender takes vertices of equal weight at once."""
    for bone, name in enumerate(data["bone_names"]):
        group = body.vertex_groups.new(name=str(name))
        vertex, column = np.nonzero((data["weight_bones"] == bone) & (data["weights"] > 0))
        levels = data["weights"][vertex, column]
        for level in np.unique(levels):
            group.add(vertex[levels == level].tolist(), float(level) / 255.0, "REPLACE")
