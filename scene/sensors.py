"""The four sensors shown as small boxes on the character's skin."""

from collections.abc import Mapping
from typing import Final

import bpy
import numpy as np
from mathutils import Matrix, Vector
from mathutils.bvhtree import BVHTree

from ..rig.retarget.body import joint_bones
from ..rig.retarget.matching import match_bones
from .armature import checked_armature, read_rest_pose

__all__ = ["SENSOR_PROPERTY", "add_sensors", "sensors_of"]

SENSOR_PROPERTY: Final[str] = "pallas_sensor"  # custom property that holds the placement's name

# Placement: the joint whose bone carries it, how far along that bone it sits, and which way of the
# T-pose (x left, y back, z up) its outer face looks.
_PLACES: Final[Mapping[str, tuple[str, float, tuple[float, float, float]]]] = {
    "waist": ("pelvis", 0.55, (0.0, 1.0, 0.0)),
    "left_wrist": ("left_elbow", 0.86, (0.0, 0.0, 1.0)),
    "right_wrist": ("right_elbow", 0.86, (0.0, 0.0, 1.0)),
    "neck": ("spine3", 0.93, (0.0, 1.0, 0.0)),
}
_SIZE: Final[tuple[float, float, float]] = (0.036, 0.048, 0.014)  # width, length, thickness, metres
_REACH: Final[float] = 0.5  # metres: a ray from here towards the bone meets the skin


def sensors_of(armature_object: bpy.types.Object) -> list[bpy.types.Object]:
    """The sensor boxes that the armature wears already."""
    return [child for child in armature_object.children if SENSOR_PROPERTY in child]


def add_sensors(
    armature_object: bpy.types.Object,
    collection: bpy.types.Collection | None = None,
) -> list[bpy.types.Object]:
    """Put a box on waist, neck and both wrists; each follows its bone.

    Args:
        armature_object: the character; a mesh child tells where the skin is.
        collection: where the boxes go; the active collection if None.

    Returns:
        The boxes, one a placement whose bone the rig has.

    Raises:
        SceneError: no armature, or no humanoid's.
    """
    rig_bones = checked_armature(armature_object).data.bones
    bones = joint_bones(match_bones(read_rest_pose(armature_object).bones))
    collection = bpy.context.collection if collection is None else collection
    mesh, skin = _box_mesh(), _skin(armature_object)
    boxes = []
    for placement, (joint, along, outward) in _PLACES.items():
        if joint not in bones:
            continue
        bone = rig_bones[bones[joint]]
        box = bpy.data.objects.new(f"Sensor {placement}", mesh)
        box[SENSOR_PROPERTY] = placement
        collection.objects.link(box)
        _fasten(box, armature_object, bone, _rest_place(bone, along, outward, skin))
        boxes.append(box)
    return boxes


def _rest_place(
    bone: bpy.types.Bone, along: float, outward: tuple[float, float, float], skin: BVHTree | None
) -> Matrix:
    """Where the box sits at rest, in the armature's space: z out of the skin, y along the bone."""
    direction = (bone.tail_local - bone.head_local).normalized()
    centre = bone.head_local.lerp(bone.tail_local, along)
    # The way that looks out in the T-pose, carried to the rest pose: a limb is turned down there.
    side = Vector((np.sign(direction.x) or 1.0, 0.0, 0.0))
    turn = side.rotation_difference(direction) if outward[2] else None
    normal = Vector(outward)
    if turn is not None:
        normal.rotate(turn)
    normal = (normal - normal.dot(direction) * direction).normalized()
    point = centre + 0.05 * normal
    if skin is not None:
        hit = skin.ray_cast(centre + _REACH * normal, -normal, _REACH)[0]
        point = hit if hit is not None else point
    axes = Matrix((direction.cross(normal), direction, normal)).transposed()
    return Matrix.Translation(point + 0.3 * _SIZE[2] * normal) @ axes.to_4x4()


def _fasten(
    box: bpy.types.Object, armature_object: bpy.types.Object, bone: bpy.types.Bone, place: Matrix
) -> None:
    """Parent the box to the bone so that at rest it is at `place` in the armature's space."""
    box.parent, box.parent_type, box.parent_bone = armature_object, "BONE", bone.name
    # A child of a bone is counted from the bone's tail.
    tail = bone.matrix_local @ Matrix.Translation((0.0, bone.length, 0.0))
    box.matrix_parent_inverse = tail.inverted()
    box.matrix_basis = place


def _skin(armature_object: bpy.types.Object) -> BVHTree | None:
    """The largest mesh child at rest, in the armature's space."""
    meshes = [c for c in armature_object.children if c.type == "MESH" and SENSOR_PROPERTY not in c]
    if not meshes:
        return None
    body = max(meshes, key=lambda child: len(child.data.vertices))
    to_armature = armature_object.matrix_world.inverted() @ body.matrix_world
    points = [to_armature @ vertex.co for vertex in body.data.vertices]
    return BVHTree.FromPolygons(points, [tuple(face.vertices) for face in body.data.polygons])


def _box_mesh() -> bpy.types.Mesh:
    """A box with rounded look: dark case, orange lid."""
    x, y, z = (0.5 * size for size in _SIZE)
    lid = 0.82
    low = [(sx * x, sy * y, -z) for sx, sy in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    rim = [(sx * x, sy * y, 0.4 * z) for sx, sy in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    top = [(lid * sx * x, lid * sy * y, z) for sx, sy in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    rings = [(i, (i + 1) % 4, (i + 1) % 4 + 4, i + 4) for i in range(4)]
    faces = [(3, 2, 1, 0), *rings, *(tuple(v + 4 for v in ring) for ring in rings), (8, 9, 10, 11)]
    mesh = bpy.data.meshes.new("PALLAS sensor")
    mesh.from_pydata(low + rim + top, [], faces)
    for name, colour in (("case", (0.03, 0.03, 0.035)), ("lid", (0.95, 0.27, 0.03))):
        mesh.materials.append(_plain(f"PALLAS sensor {name}", colour))
    mesh.polygons.foreach_set("material_index", np.array([0] * 5 + [1] * 5, dtype=np.int32))
    mesh.update()
    return mesh


def _plain(name: str, colour: tuple[float, float, float]) -> bpy.types.Material:
    material = bpy.data.materials.new(name)
    if material.node_tree is None:
        material.use_nodes = True
    shader = next(n for n in material.node_tree.nodes if n.type == "BSDF_PRINCIPLED")
    shader.inputs["Base Color"].default_value = (*colour, 1.0)
    shader.inputs["Roughness"].default_value = 0.35
    material.diffuse_color = (*colour, 1.0)
    return material
