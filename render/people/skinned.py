"""Armature and skinned meshes of a body in Blender."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

import bpy
import numpy as np
import numpy.typing as npt

from ...rig.arrays import Array
from ...rig.bodies import Body, body_names, load_body
from ...scene.armature import add_armature, editing_bones

__all__ = ["Indices", "Shape", "add_rig", "add_skinned"]

Indices = npt.NDArray[np.integer]


@dataclass(frozen=True, eq=False)
class Shape:
    """A mesh whose vertices move as vertices of the body do.

    Attributes:
        places: (N, 3) metres, at rest.
        rows: (N,) the body's vertex that each moves with.
        faces: (F, 4), or (F, 3).
        slots: (F,) material of every face.
        paint: (N, 3) colours or masks by name, kept as attributes of the vertices.
    """

    places: Array
    rows: Indices
    faces: Indices
    slots: Indices
    paint: dict[str, Array] = field(default_factory=dict)


def add_rig(name: str, body: Body, collection: bpy.types.Collection) -> bpy.types.Object:
    """An armature object with the body's bones, at the world's origin."""
    armature = add_armature(name, collection)
    with editing_bones(armature) as edited:
        bones = [edited.new(bone) for bone in body.bone_names]
        for row, bone in enumerate(bones):
            bone.head, bone.tail = body.bone_heads[row], body.bone_tails[row]
            bone.roll = body.bone_rolls[row]
            if body.bone_parents[row] >= 0:
                bone.parent = bones[body.bone_parents[row]]
    armature.data.display_type = "STICK"
    return armature


def add_skinned(
    name: str,
    armature: bpy.types.Object,
    body: Body,
    shape: Shape,
    materials: Sequence[bpy.types.Material],
) -> bpy.types.Object:
    """A mesh object that the armature moves, in the armature's collections."""
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(shape.places.tolist(), [], shape.faces.tolist())
    mesh.polygons.foreach_set("use_smooth", np.ones(len(mesh.polygons), dtype=bool))
    mesh.polygons.foreach_set("material_index", np.asarray(shape.slots, dtype=np.int32))
    for material in materials:
        mesh.materials.append(material)
    painted = {"rest": shape.places, **shape.paint}
    for label, values in painted.items():
        attribute = mesh.attributes.new(label, "FLOAT_VECTOR", "POINT")
        attribute.data.foreach_set("vector", np.ascontiguousarray(values, np.float32).ravel())
    row = mesh.attributes.new("row", "INT", "POINT")  # tells body parts without reading weights
    row.data.foreach_set("value", np.asarray(shape.rows, dtype=np.int32))
    mesh.update()
    item = bpy.data.objects.new(name, mesh)
    for collection in armature.users_collection:
        collection.objects.link(item)
    item.parent = armature
    _weigh(item, body, shape.rows)
    item.modifiers.new("Armature", "ARMATURE").object = armature
    return item


def _weigh(item: bpy.types.Object, body: Body, rows: Indices) -> None:
    """Vertex groups; Blender takes vertices of equal weight at once."""
    whole = len(rows) == len(body.vertices)
    groups = [item.vertex_groups.new(name=bone) for bone in body.bone_names]
    for bone, level, vertices in _whole_body() if whole else _levels(body, rows):
        groups[bone].add(vertices, level / 255.0, "REPLACE")


@cache
def _whole_body() -> list[tuple[int, int, list[int]]]:
    """Of all vertices, whose weights all bodies share."""
    body = load_body(body_names()[0])
    return _levels(body, np.arange(len(body.vertices)))


def _levels(body: Body, rows: Indices) -> list[tuple[int, int, list[int]]]:
    """Every bone, every weight of it in 255ths, and which of the rows have it."""
    levels = np.round(body.weights[rows] * 255.0).astype(np.int64)
    vertices, columns = np.nonzero(levels)
    keys = body.weight_bones[rows][vertices, columns].astype(np.int64) * 256
    keys += levels[vertices, columns]
    order = np.argsort(keys, kind="stable")
    found, starts = np.unique(keys[order], return_index=True)
    ordered = vertices[order].tolist()
    ends = [*starts[1:].tolist(), len(ordered)]
    return [
        (key // 256, key % 256, ordered[start:end])
        for key, start, end in zip(found.tolist(), starts.tolist(), ends, strict=True)
    ]
