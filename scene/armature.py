"""Armatures: added, and Blender's rest pose read as numpy arrays, and as our `Skeleton`."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import bpy
import numpy as np
import numpy.typing as npt

from ..rig import quaternion
from ..rig.arrays import Array, Mask
from ..rig.errors import SceneError
from ..rig.retarget.bones import Bones
from ..rig.skeleton import Skeleton

__all__ = [
    "RestPose",
    "add_armature",
    "checked_armature",
    "editing_bones",
    "of_all",
    "read_rest_pose",
    "read_skeleton",
    "rigid",
]


@dataclass(frozen=True, eq=False)
class RestPose:
    """The B bones of an armature object at rest, parents before children.

    Attributes:
        names: bone names.
        parents: index of each bone's parent, -1 for none.
        world_from_armature: (4, 4), the object's own transform.
        armature_from_bone: (B, 4) quaternions.
        heads: (B, 3) metres, in the world.
        tails: (B, 3) metres, in the world.
        inherits: (B,) False where the bone ignores its parent's rotation.
        local_location: (B,) False where the bone's location is along the armature's axes.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    world_from_armature: Array
    armature_from_bone: Array
    heads: Array
    tails: Array
    inherits: Mask
    local_location: Mask

    @cached_property
    def object_rotation(self) -> Array:
        """(4,) world_from_armature without its scale."""
        basis = self.world_from_armature[:3, :3]
        return quaternion.from_matrix(basis / np.linalg.norm(basis, axis=0))

    @cached_property
    def object_scale(self) -> float:
        """World metres for one unit of the armature."""
        return float(np.cbrt(abs(np.linalg.det(self.world_from_armature[:3, :3]))))

    @cached_property
    def bones(self) -> Bones:
        """The bones in the world."""
        rotations = quaternion.multiply(self.object_rotation, self.armature_from_bone)
        return Bones(self.names, self.parents, rotations, self.heads, self.tails)

    def placed(self, world_from_world: Array) -> Self:
        """The same after its world was moved by a matrix (4, 4)."""
        turn, shift = world_from_world[:3, :3], world_from_world[:3, 3]
        return replace(
            self,
            world_from_armature=world_from_world @ self.world_from_armature,
            heads=self.heads @ turn.T + shift,
            tails=self.tails @ turn.T + shift,
        )

    def seen_from(self, turn: Array, place: Array) -> Self:
        """The same as seen from a place (3,) of the world that is turned by `turn` (4,)."""
        back = np.eye(4)
        back[:3, :3] = quaternion.to_matrix(quaternion.conjugate(turn))
        back[:3, 3] = -back[:3, :3] @ place
        return self.placed(back)


def add_armature(name: str, collection: bpy.types.Collection) -> bpy.types.Object:
    """Add an armature object without bones, shown in front, the only one selected, and active.

    Whatever mode Blender was in, it is in object mode then.
    """
    if bpy.context.mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")
    armature = bpy.data.objects.new(name, bpy.data.armatures.new(name))
    collection.objects.link(armature)
    for selected in bpy.context.selected_objects:
        selected.select_set(False)
    bpy.context.view_layer.objects.active = armature
    armature.select_set(True)
    armature.show_in_front = True
    return armature


@contextmanager
def editing_bones(armature_object: bpy.types.Object) -> Iterator[bpy.types.ArmatureEditBones]:
    """The active armature's bones in edit mode, where alone they can be made; object mode after it."""
    bpy.ops.object.mode_set(mode="EDIT")
    try:
        yield armature_object.data.edit_bones
    finally:
        bpy.ops.object.mode_set(mode="OBJECT")


def checked_armature(armature_object: bpy.types.Object | None) -> bpy.types.Object:
    """Return the object if it is an armature with bones.

    Raises:
        SceneError: it is nothing, something else, or empty.
    """
    if armature_object is None or armature_object.type != "ARMATURE":
        found = "nothing" if armature_object is None else repr(armature_object.name)
        raise SceneError(f"found {found}, expected an armature; select the character's armature")
    if not armature_object.data.bones:
        raise SceneError(f"the armature {armature_object.name!r} has no bones; choose another one")
    return armature_object


def read_rest_pose(armature_object: bpy.types.Object) -> RestPose:
    """Read the rest pose, whatever pose or action the object is in.

    Raises:
        SceneError: no armature, no bones, or the object is mirrored (negative scale).
    """
    bones = list(checked_armature(armature_object).data.bones)
    names = tuple(bone.name for bone in bones)
    index = {name: i for i, name in enumerate(names)}
    above = [bone.parent for bone in bones]
    world = np.array(armature_object.matrix_world, dtype=np.float64)
    if np.linalg.det(world[:3, :3]) <= 0:
        raise SceneError(
            f"{armature_object.name!r} is mirrored or flat (its scale is not positive); "
            "apply its scale first"
        )
    every = armature_object.data.bones
    columns = of_all(every, "matrix_local", 16).reshape(-1, 4, 4).astype(np.float64)
    ends = np.stack([of_all(every, name, 3) for name in ("head_local", "tail_local")])
    ends = ends.astype(np.float64) @ world[:3, :3].T + world[:3, 3]
    return RestPose(
        names=names,
        parents=tuple(-1 if bone is None else index[bone.name] for bone in above),
        world_from_armature=world,
        armature_from_bone=quaternion.from_matrix(rigid(columns[:, :3, :3].swapaxes(1, 2))),
        heads=ends[0],
        tails=ends[1],
        inherits=of_all(every, "use_inherit_rotation", 1, bool)[:, 0],
        local_location=of_all(every, "use_local_location", 1, bool)[:, 0],
    )


def of_all(
    items: bpy.types.bpy_prop_collection, name: str, width: int, kind: npt.DTypeLike = np.float32
) -> npt.NDArray[Any]:
    """(N, width) what a property of N items holds, matrices column by column.

    Args:
        items: such as an armature's bones.
        name: of the property.
        width: how many values it has.
        kind: what they are.
    """
    values = np.empty(len(items) * width, dtype=kind)
    items.foreach_get(name, values)
    return values.reshape(-1, width)


def rigid(matrices: Array) -> Array:
    """The rotations nearest to (..., 3, 3) of Blender's, which may be scaled evenly.

    The axes that Blender gives a bone that points nearly straight down are up to 5e-5 askew.
    """
    left, _, right = np.linalg.svd(matrices)
    return np.asarray(left @ right)


def read_skeleton(armature_object: bpy.types.Object) -> Skeleton:
    """Read an armature at rest as a skeleton: one joint a bone, at its head, in world metres.

    Of several bones without a parent, the one with the most bones under it is the root; the others
    and their children are left out.

    Raises:
        SceneError: no armature, no bones, or a mirrored object.
    """
    rest = read_rest_pose(armature_object)
    roots = _roots(rest.parents)
    root = max(set(roots), key=roots.count)
    kept = [bone for bone, of in enumerate(roots) if of == root]
    number = {bone: i for i, bone in enumerate(kept)}
    heads = rest.heads[kept]
    parents = [number.get(rest.parents[bone], -1) for bone in kept]
    offsets = np.where(np.array(parents)[:, None] < 0, heads, heads - heads[parents])
    tips = rest.tails[kept] - heads
    tips[[parent for parent in parents if parent >= 0]] = np.nan  # only leaves have a tip
    return Skeleton(tuple(rest.names[bone] for bone in kept), tuple(parents), offsets, tips)


def _roots(parents: tuple[int, ...]) -> list[int]:
    """For every bone, the topmost bone above it."""
    roots: list[int] = []
    for bone, parent in enumerate(parents):
        roots.append(bone if parent < 0 else roots[parent])
    return roots
