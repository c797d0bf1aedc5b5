"""Any armature as a kinematic model, and the model's poses as keyframes on it.

Every bone is a body, its frame that of the bone: origin at the head, y towards the tail. Bones that move
turn about their heads as ball joints, whose coordinates BONE_x, BONE_y, BONE_z are a rotation vector in the
bone's own frame, zero at rest. The topmost of them moves freely: ROOT_tx, ROOT_ty, ROOT_tz are its head in
the world, and its rotation vector is along the world's axes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import bpy
import numpy as np

from ..rig import quaternion
from ..rig.arrays import Array
from ..rig.errors import SceneError
from ..rig.model import GROUND, BodyMarker, Coordinate, Frame, Joint, KinematicModel, along
from ..rig.model.places import body_places
from .armature import RestPose, read_rest_pose, rigid
from .pose_channels import Placed
from .pose_keys import checked_scale

__all__ = ["ArmatureModel", "model_of_armature", "read_pose", "world_places"]

_REST_WEIGHT: Final[float] = 1e-5  # 1 rad off the rest pose weighs as much as all markers 3 mm off
_LISTED: Final[int] = 4


@dataclass(frozen=True, eq=False)
class ArmatureModel:
    """A model, and how an armature's bones follow its bodies.

    Attributes:
        model: in metres, in the world.
        bodies: by bone, the body that it follows.
        body_from_bone: by bone, (4, 4) rigid, metres.
        placed: bones whose location is keyed beside their rotation.
        pins: coordinates that stay near a value where nothing was measured: value, weight.
    """

    model: KinematicModel
    bodies: dict[str, str]
    body_from_bone: dict[str, Array]
    placed: frozenset[str]
    pins: dict[str, tuple[float, float]]

    def places(self, pose: Array) -> Placed:
        """Where the bones are in poses (T, D)."""
        rotations, origins = body_places(self.model, pose)
        turns, heads = {}, {}
        for bone, body in self.bodies.items():
            place = self.model.body_index(body)
            inside = self.body_from_bone[bone]
            turns[bone] = quaternion.from_matrix(rotations[:, place] @ inside[:3, :3])
            if bone in self.placed:
                heads[bone] = origins[:, place] + rotations[:, place] @ inside[:3, 3]
        return Placed(turns, heads)


def world_places(armature_object: bpy.types.Object) -> dict[str, tuple[Array, Array]]:
    """By bone, world_from_bone (4,) and head (3,) in metres, in the pose that Blender shows now."""
    depsgraph = bpy.context.evaluated_depsgraph_get()
    posed = armature_object.evaluated_get(depsgraph)
    world = np.array(posed.matrix_world, dtype=np.float64)
    matrices = np.array([bone.matrix for bone in posed.pose.bones], dtype=np.float64)
    matrices = world @ matrices
    turns = quaternion.from_matrix(rigid(matrices[:, :3, :3]))
    names = [bone.name for bone in posed.pose.bones]
    return {n: (t, h) for n, t, h in zip(names, turns, matrices[:, :3, 3], strict=True)}


def model_of_armature(
    armature_object: bpy.types.Object,
    markers: Sequence[BodyMarker] = (),
    carriers: Iterable[str] | None = None,
) -> ArmatureModel:
    """Read an armature as a model.

    Deform bones move, unless nothing below them carries a marker; all other bones stay as they are posed now.

    Args:
        armature_object: of any rest pose, transform and even scale.
        markers: on bones, which are their `body`; metres in the bone's frame.
        carriers: bones that must be able to move; those with markers if None, and all if there are none.

    Raises:
        SceneError: no armature, a scaled or mirrored one, or constraints that move what must be keyed.
    """
    rest = read_rest_pose(armature_object)
    checked_scale(armature_object)
    carriers = {marker.body for marker in markers} if carriers is None else set(carriers)
    roots, moving = _moving(armature_object, rest, carriers)
    now = world_places(armature_object)
    joints = [
        _joint(rest, bone, now, root=bone in roots, moves=bone in moving)
        for bone in range(len(rest.names))
    ]
    coordinates = [
        Coordinate(f"{_body(rest.names[bone])}_t{axis}", float(rest.heads[bone][place]))
        for bone in sorted(roots)
        for place, axis in enumerate("xyz")
    ]
    worn = tuple(replace(marker, body=_body(marker.body)) for marker in markers)
    model = KinematicModel(armature_object.name, tuple(joints), tuple(coordinates), markers=worn)
    keyed = [rest.names[bone] for bone in sorted(moving)]
    return ArmatureModel(
        model,
        bodies={bone: _body(bone) for bone in keyed},
        body_from_bone={bone: np.eye(4) for bone in keyed},
        placed=frozenset(rest.names[bone] for bone in roots),
        pins={
            name: (0.0, _REST_WEIGHT)
            for bone in sorted(moving - roots)
            for name in _turns(rest.names[bone])
        },
    )


def read_pose(armature_object: bpy.types.Object, rig: ArmatureModel) -> Array:
    """(D,) the model's coordinates in the pose that Blender shows now.

    Args:
        armature_object: the armature that was read.
        rig: of `model_of_armature`.
    """
    now, model = world_places(armature_object), rig.model
    rest = read_rest_pose(armature_object)
    pose = np.array(model.default_pose)
    for bone in rig.bodies:
        place = rest.names.index(bone)
        turn, head = now[bone]
        if bone in rig.placed:
            columns = [model.coordinate_index(f"{_body(bone)}_t{axis}") for axis in "xyz"]
            pose[columns] = head
            start = quaternion.multiply(rest.object_rotation, rest.armature_from_bone[place])
            own = quaternion.multiply(turn, quaternion.conjugate(start))
        else:
            parent = rest.names[rest.parents[place]]
            start = quaternion.multiply(now[parent][0], _from_parent(rest, place))
            own = quaternion.multiply(quaternion.conjugate(start), turn)
        columns = [model.coordinate_index(name) for name in _turns(bone)]
        pose[columns] = quaternion.to_rotation_vector(own)
    return pose


def _body(bone: str) -> str:
    return f"{bone} bone" if bone == GROUND else bone


def _turns(bone: str) -> tuple[str, str, str]:
    name = _body(bone)
    return (f"{name}_x", f"{name}_y", f"{name}_z")


def _from_parent(rest: RestPose, bone: int) -> Array:
    """(4,) parent_from_bone at rest, of a bone with a parent."""
    above = rest.armature_from_bone[rest.parents[bone]]
    return quaternion.multiply(quaternion.conjugate(above), rest.armature_from_bone[bone])


def _joint(
    rest: RestPose, bone: int, now: dict[str, tuple[Array, Array]], *, root: bool, moves: bool
) -> Joint:
    """A ball at the head of a bone that moves; else what holds it as it is posed now."""
    name, parent = rest.names[bone], rest.parents[bone]
    if root:
        turn = quaternion.multiply(rest.object_rotation, rest.armature_from_bone[bone])
        inside = _frame(np.zeros(3), quaternion.conjugate(turn))
        shifts = tuple(along(axis, f"{_body(name)}_t{axis}") for axis in "xyz")
        return Joint(
            name, GROUND, _body(name), Frame(), inside, translations=shifts, ball=_turns(name)
        )
    turn, head = now[name]
    above, origin = (quaternion.IDENTITY, np.zeros(3))
    if parent >= 0:
        above, origin = now[rest.names[parent]]
    back = quaternion.conjugate(above)
    offset = quaternion.rotate(back, head - origin)
    carrier = GROUND if parent < 0 else _body(rest.names[parent])
    if moves:
        return Joint(
            name,
            carrier,
            _body(name),
            _frame(offset, _from_parent(rest, bone)),
            ball=_turns(name),
        )
    return Joint(name, carrier, _body(name), _frame(offset, quaternion.multiply(back, turn)))


def _frame(origin: Array, turn: Array) -> Frame:
    x, y, z = (float(value) for value in origin)
    a, b, c = (float(value) for value in quaternion.to_euler(turn, "XYZ"))
    return Frame((x, y, z), (a, b, c))


def _moving(
    armature_object: bpy.types.Object, rest: RestPose, carriers: set[str]
) -> tuple[set[int], set[int]]:
    """The bones that move freely, and all that move.

    Raises:
        SceneError: keys would not move one of them, because a constraint does.
    """
    bones = armature_object.data.bones
    bound = {bone.name for bone in armature_object.pose.bones if _constraint(bone)}
    deform = {bone.name for bone in bones if bone.use_deform} or set(rest.names)
    unknown = sorted(carriers - set(rest.names))
    if unknown:
        raise SceneError(f"{armature_object.name!r} has no bone {', '.join(map(repr, unknown))}")
    if carriers:
        ends = {rest.names.index(name) for name in carriers}
        inner = {above for end in ends for above in _line(rest, end) if rest.names[above] in deform}
    else:
        ends = {bone for bone, name in enumerate(rest.names) if name in deform - bound}
        inner = ends
    roots = _roots(bones, rest, ends)
    moving = {bone for bone in inner | ends if any(r in _line(rest, bone) for r in roots)} | roots
    stuck = [rest.names[bone] for bone in sorted(moving) if rest.names[bone] in bound]
    if stuck:
        constraint = _constraint(armature_object.pose.bones[stuck[0]])
        more = f" and {len(stuck) - 1} more bones" if len(stuck) > 1 else ""
        raise SceneError(
            f"bone {stuck[0]!r}{more} are moved by constraints (such as {constraint!r}), which keys can't "
            "override; mute the constraints, or choose the armature that deforms the mesh"
        )
    return roots, moving


def _constraint(bone: bpy.types.PoseBone) -> str:
    """Name of a constraint that moves the bone; empty if there is none."""
    names = [c.name for c in bone.constraints if c.enabled and not c.mute and c.influence > 0.0]
    return names[0] if names else ""


def _line(rest: RestPose, bone: int) -> list[int]:
    """A bone and all above it, the topmost last."""
    line = [bone]
    while rest.parents[line[-1]] >= 0:
        line.append(rest.parents[line[-1]])
    return line


def _roots(bones: bpy.types.ArmatureBones, rest: RestPose, ends: set[int]) -> set[int]:
    """For every tree, the lowest bone that is at or above all of these.

    It must be free of its parent: the head of a connected bone can't leave the parent's tail.
    """
    shared: dict[int, list[int]] = {}
    for bone in sorted(ends):
        line = _line(rest, bone)
        kept = shared.setdefault(line[-1], line)
        shared[line[-1]] = [above for above in kept if above in line]
    roots = set()
    for line in shared.values():
        free = [b for b in line if rest.parents[b] < 0 or not bones[rest.names[b]].use_connect]
        roots.add(free[0])
    return roots
