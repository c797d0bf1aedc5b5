"""Which of 24 parts each face of a figure belongs to, told to the renderer through its materials."""

from collections.abc import Mapping

import bpy
import numpy as np
import numpy.typing as npt

from ...rig.bodies import body_names, load_body
from ...rig.skeleton import BODY_JOINTS
from ..people.cloth import Neighbours

__all__ = ["PARTS", "mark_parts", "parts_of_bones"]

_SMOOTHINGS = (
    12  # of what pulls at vertices: where two pull alike, borders of parts would be ragged
)
_LOOKED_AT, _MOST_KNOWN = 200, 32
_KNOWN: dict[tuple[object, ...], npt.NDArray[np.generic]] = {}

PARTS: tuple[str, ...] = BODY_JOINTS  # a part is what its joint moves


def parts_of_bones(armature: bpy.types.Object, joints: Mapping[str, str]) -> dict[str, int]:
    """The part of every bone: that of its joint, or else of the nearest bone above that has one."""
    own = {bone: PARTS.index(joint) for joint, bone in joints.items()}
    found: dict[str, int] = {}
    for bone in armature.data.bones:  # parents first
        above = found[bone.parent.name] if bone.parent is not None else 0
        found[bone.name] = own.get(bone.name, above)
    return found


def mark_parts(item: bpy.types.Object, parts: Mapping[str, int]) -> None:
    """Give the faces of each part materials of their own, equal but for their index: the part's, from 1.

    Args:
        item: a mesh, skinned to the bones or hanging on one.
        parts: of the bones.
    """
    if item.data.users > 1:
        item.data = item.data.copy()
    mesh = item.data
    count = len(mesh.polygons)
    of_face = _part_of_faces(item, parts)
    slots = np.zeros(count, dtype=np.int32)
    mesh.polygons.foreach_get("material_index", slots)
    if not mesh.materials:
        mesh.materials.append(bpy.data.materials.new("Plain"))
    slots = np.minimum(slots, len(mesh.materials) - 1)
    pairs, row = np.unique(np.stack([slots, of_face], axis=1), axis=0, return_inverse=True)
    originals = list(mesh.materials)
    mesh.materials.clear()
    for slot, part in pairs.tolist():
        copy = originals[slot].copy()
        copy.pass_index = part + 1
        mesh.materials.append(copy)
    mesh.polygons.foreach_set("material_index", row.ravel().astype(np.int32))
    mesh.update()


def _part_of_faces(item: bpy.types.Object, parts: Mapping[str, int]) -> npt.NDArray[np.int64]:
    """(F,) the part whose bones pull hardest at each face."""
    mesh = item.data
    if not item.vertex_groups:
        return np.full(len(mesh.polygons), parts.get(item.parent_bone, 0), dtype=np.int64)
    if "row" in mesh.attributes:
        rows = np.empty(len(mesh.vertices), dtype=np.int32)
        mesh.attributes["row"].data.foreach_get("value", rows)
        return _by_rows(mesh, rows, parts)
    group_part = tuple(parts.get(group.name, 0) for group in item.vertex_groups)
    starts = np.empty(len(mesh.polygons), dtype=np.int32)
    corners = np.empty(len(mesh.loops), dtype=np.int32)
    mesh.polygons.foreach_get("loop_start", starts)
    mesh.loops.foreach_get("vertex_index", corners)
    # Bodies share faces and weights, and reading weights is slow.
    some = range(0, len(mesh.vertices), max(len(mesh.vertices) // _LOOKED_AT, 1))
    weights = tuple((g.group, g.weight) for v in some for g in mesh.vertices[v].groups)
    key = (group_part, weights, starts.tobytes(), corners.tobytes())
    if key not in _KNOWN:
        if len(_KNOWN) >= _MOST_KNOWN:
            _KNOWN.clear()
        pull = _pull(mesh, group_part)
        _KNOWN[key] = np.argmax(np.add.reduceat(pull[corners], starts, axis=0), axis=1)
    return _KNOWN[key]


def _by_rows(
    mesh: bpy.types.Mesh, rows: npt.NDArray[np.int32], parts: Mapping[str, int]
) -> npt.NDArray[np.int64]:
    """(F,) where every vertex moves as one of the body's does, whose weights are at hand."""
    body = load_body(body_names()[0])
    key = tuple(parts.get(name, 0) for name in body.bone_names)
    if key not in _KNOWN:
        pull = np.zeros((len(body.vertices), len(PARTS)))
        of_weight = np.array(key)[body.weight_bones.astype(np.int64)]
        np.add.at(pull, (np.arange(len(pull))[:, None], of_weight), body.weights)
        around = Neighbours(body.faces, len(body.vertices))
        for _ in range(_SMOOTHINGS):
            pull = around.smoothed(pull, 0.5)
        _KNOWN[key] = pull
    starts = np.empty(len(mesh.polygons), dtype=np.int32)
    corners = np.empty(len(mesh.loops), dtype=np.int32)
    mesh.polygons.foreach_get("loop_start", starts)
    mesh.loops.foreach_get("vertex_index", corners)
    return np.argmax(np.add.reduceat(_KNOWN[key][rows[corners]], starts, axis=0), axis=1)


def _pull(mesh: bpy.types.Mesh, group_part: tuple[int, ...]) -> npt.NDArray[np.float64]:
    """(V, 24) how much each part moves each vertex."""
    pull = np.zeros((len(mesh.vertices), len(PARTS)))
    for vertex in mesh.vertices:
        for entry in vertex.groups:
            pull[vertex.index, group_part[entry.group]] += entry.weight
    return pull
