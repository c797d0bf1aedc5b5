"""Where a model wears its markers: empties on an armature's bones, to be seen, moved and read back."""

import re
from collections.abc import Mapping
from typing import Final

import bpy
import numpy as np
from mathutils import Matrix, Vector

from ..rig.arrays import Array
from ..rig.errors import SceneError
from ..rig.marker_joints import joints_of_markers
from ..rig.model import BodyMarker
from ..rig.retarget import Bones, match_bones, recognised
from ..rig.retarget.body import joint_bones
from .armature import RestPose, checked_armature, read_rest_pose
from .kinematic_armature import world_places
from .markers import MARKER_PROPERTY, marker_objects

__all__ = [
    "BONE_PROPERTY",
    "attach_markers",
    "place_marker",
    "read_worn_markers",
    "worn_markers",
]

BONE_PROPERTY: Final[str] = (
    "pallas_bone"  # custom property of a measured marker: the bone that wears it
)
_SIZE: Final[float] = 0.008  # metres, radius
_COPY: Final = re.compile(r"\.\d{3,}$")  # what Blender adds to a name that is taken
_SHORT: Final[float] = 0.03  # of the rig's height; a finger or an eyelid, no limb


def worn_markers(armature_object: bpy.types.Object) -> dict[str, bpy.types.Object]:
    """The empties on bones by their markers' names; those without one are called as their object.

    Raises:
        SceneError: two of them have the same marker.
    """
    found: dict[str, bpy.types.Object] = {}
    for item in armature_object.children:
        if item.type != "EMPTY" or item.parent_type != "BONE":
            continue
        name = str(item.get(MARKER_PROPERTY, _COPY.sub("", item.name)))
        if name in found:
            raise SceneError(
                f"{armature_object.name!r} wears marker {name!r} twice, as {found[name].name!r} and "
                f"{item.name!r}; delete one of them"
            )
        found[name] = item
    return found


def read_worn_markers(armature_object: bpy.types.Object) -> tuple[BodyMarker, ...]:
    """The markers on an armature's bones, metres in the bones' frames, at rest.

    Raises:
        SceneError: no armature, two of the same name, or one on a bone that is not there.
    """
    rest = read_rest_pose(armature_object)
    bones = armature_object.data.bones
    markers = []
    for name, item in sorted(worn_markers(armature_object).items()):
        if item.parent_bone not in bones:
            raise SceneError(
                f"marker {name!r} hangs on bone {item.parent_bone!r}, which {armature_object.name!r} "
                "lacks; parent it to another bone"
            )
        bone = bones[item.parent_bone]
        point = _tail(bone) @ item.matrix_parent_inverse @ item.location
        inside = bone.matrix_local.inverted() @ point
        x, y, z = (float(value) * rest.object_scale for value in inside)
        markers.append(BodyMarker(name, item.parent_bone, (x, y, z)))
    return tuple(markers)


def place_marker(
    armature_object: bpy.types.Object, marker: str, bone: str, position: Array
) -> bpy.types.Object:
    """Put an empty for a marker on a bone, or move the one that is there.

    Args:
        armature_object: the armature.
        marker: name.
        bone: that wears it.
        position: (3,) metres in the bone's frame.

    Returns:
        The empty.
    """
    item = worn_markers(armature_object).get(marker)
    if item is None:
        item = bpy.data.objects.new(f"{marker} on {armature_object.name}", None)
        item.empty_display_type = "CUBE"
        item[MARKER_PROPERTY] = marker
        for collection in armature_object.users_collection:
            collection.objects.link(item)
    scale = armature_object.matrix_world.to_scale()[0]
    item.empty_display_size = _SIZE / scale
    item.parent, item.parent_type, item.parent_bone = armature_object, "BONE", bone
    item.matrix_parent_inverse = Matrix()
    of_bone = armature_object.data.bones[bone]
    point = of_bone.matrix_local @ Vector(np.asarray(position) / scale)
    item.location = _tail(of_bone).inverted() @ point
    return item


def attach_markers(
    armature_object: bpy.types.Object, marker_set: bpy.types.Object
) -> Mapping[str, str]:
    """Let the bones wear the measured markers where both are now: at a frame in which they match.

    A marker goes on the bone that its custom property "pallas_bone" names; else, on a rig that is known, on
    that which its own name tells; else on the nearest that is long enough to be a limb. One that the bones
    wear already is moved. Hidden markers stay as they are.

    Returns:
        The bone of each marker.

    Raises:
        SceneError: no armature, an unknown bone, or no marker is to be seen at this frame.
    """
    rest = read_rest_pose(checked_armature(armature_object))
    now = world_places(armature_object)
    items = marker_objects(marker_set)
    named = _named(rest.bones, tuple(items))
    bones = {}
    for name, item in items.items():
        if item.hide_viewport:
            continue
        point = np.array(item.matrix_world.translation)
        bone = str(item.get(BONE_PROPERTY, "")) or named.get(name, "")
        bone = bone or _nearest(armature_object, rest, point)
        if bone not in now:
            raise SceneError(
                f"marker {name!r} names bone {bone!r}, which {armature_object.name!r} lacks; correct its "
                f"custom property {BONE_PROPERTY!r}"
            )
        bones[name] = bone
    if not bones:
        raise SceneError("no marker is seen at this frame; go to one where they are")
    for name, bone in bones.items():
        point = np.array(items[name].matrix_world.translation)
        _put_at(armature_object, name, bone, point)
    return bones


def _named(bones: Bones, markers: tuple[str, ...]) -> dict[str, str]:
    """The bone of each marker whose name tells it, on a rig whose bones' names are known."""
    if recognised(bones.names) is None:
        return {}
    bone_of = joint_bones(match_bones(bones))
    joints = joints_of_markers(markers)
    return {name: bone_of[joint] for name, joint in joints.items() if joint in bone_of}


def _put_at(armature_object: bpy.types.Object, marker: str, bone: str, point: Array) -> None:
    """Put a marker on a bone, at a point of the world that goes with the bone's pose now."""
    posed = armature_object.matrix_world @ armature_object.pose.bones[bone].matrix
    inside = np.array(posed.inverted() @ Vector(point))
    place_marker(armature_object, marker, bone, inside * armature_object.matrix_world.to_scale()[0])


def _nearest(armature_object: bpy.types.Object, rest: RestPose, point: Array) -> str:
    """The deform bone, long enough to be a limb, whose middle line is nearest to a point of the world."""
    lengths = np.linalg.norm(rest.tails - rest.heads, axis=1)
    ends = np.concatenate([rest.heads, rest.tails])
    least = _SHORT * float(np.ptp(ends, axis=0).max())
    bones = armature_object.data.bones
    deform = [bones[name].use_deform for name in rest.names]
    fit = [
        b for b, length in enumerate(lengths) if length >= least and (deform[b] or not any(deform))
    ]
    world = np.array(armature_object.matrix_world)
    best, shortest = rest.names[0], np.inf
    for bone in fit or range(len(lengths)):
        posed = armature_object.pose.bones[rest.names[bone]]
        head, tail = (world[:3, :3] @ np.array(e) + world[:3, 3] for e in (posed.head, posed.tail))
        line = tail - head
        along = np.clip((point - head) @ line / max(float(line @ line), 1e-12), 0.0, 1.0)
        distance = float(np.linalg.norm(point - head - along * line))
        if distance < shortest:
            best, shortest = rest.names[bone], distance
    return best


def _tail(bone: bpy.types.Bone) -> Matrix:
    """What a child of a bone is counted from, in the armature's space at rest."""
    return bone.matrix_local @ Matrix.Translation((0.0, bone.length, 0.0))
