"""Bones placed in the world, as keyframes: what their own channels must hold.

Blender poses a bone from its parent's pose and its own rest pose; its location and rotation channels come on
top. Neither is touched here but by keys in a new Action.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import bpy
import numpy as np

from ..rig import quaternion
from ..rig.arrays import Array
from ..rig.errors import SceneError
from .armature import RestPose, read_rest_pose
from .keyframes import write_keyframes

__all__ = ["Placed", "checked_scale", "write_places"]

_STILL = 1e-6  # armature units; a location that never exceeds this needs no keys
_SCALED = 1e-3


@dataclass(frozen=True, eq=False)
class Placed:
    """Where bones are in the world over T frames.

    Attributes:
        rotations: by bone, (T, 4) world_from_bone.
        heads: by bone, (T, 3) metres; only of bones that have keys for their location.
    """

    rotations: Mapping[str, Array]
    heads: Mapping[str, Array]


def checked_scale(armature_object: bpy.types.Object) -> None:
    """Refuse an armature whose bones don't move rigidly.

    Raises:
        SceneError: the object is stretched unevenly, or a bone is scaled in the pose.
    """
    scale = np.array(armature_object.matrix_world.to_scale())
    if np.abs(scale / scale[0] - 1.0).max() > _SCALED:
        raise SceneError(
            f"{armature_object.name!r} is scaled by {', '.join(f'{s:.3g}' for s in scale)}; expected the "
            "same along x, y and z: apply its scale"
        )
    for bone in armature_object.pose.bones:
        if np.abs(np.array(bone.scale) - 1.0).max() > _SCALED:
            raise SceneError(
                f"bone {bone.name!r} is scaled in the pose; expected rigid bones: clear its scale (Alt S)"
            )


def write_places(
    armature_object: bpy.types.Object, name: str, frames: Array, placed: Placed
) -> bpy.types.Action:
    """Key bones so that they are where they are told, in a new Action.

    Bones that are not among them keep the pose they are in.

    Args:
        armature_object: any armature of this file; its rest pose and transform stay as they are.
        name: of the Action.
        frames: (T,) scene frames.
        placed: where the bones are.

    Raises:
        SceneError: no armature, an unknown bone, or one that is scaled.
    """
    checked_scale(armature_object)
    rest = read_rest_pose(armature_object)
    unknown = sorted({*placed.rotations, *placed.heads} - set(rest.names))
    if unknown:
        raise SceneError(
            f"{armature_object.name!r} has no bone {', '.join(map(repr, unknown))} any more; "
            "solve again"
        )
    chain = _Chain(armature_object, rest, len(frames))
    rotations, locations = chain.basis(placed)
    kept = _moving(armature_object, locations)
    return write_keyframes(
        armature_object, name, frames, rotations, {bone: locations[bone] for bone in kept}
    )


def _moving(armature_object: bpy.types.Object, locations: Mapping[str, Array]) -> Iterable[str]:
    """Those whose location is not zero throughout, or was not before."""
    for bone, values in locations.items():
        now = np.array(armature_object.pose.bones[bone].location)
        if max(np.abs(values).max(initial=0.0), np.abs(now).max()) > _STILL:
            yield bone


class _Chain:
    """The bones from the roots to the tips, in the armature's space and units."""

    def __init__(self, armature_object: bpy.types.Object, rest: RestPose, count: int) -> None:
        self._bones = armature_object.pose.bones
        self._rest = rest
        self._count = count
        scale = rest.object_scale
        self._armature_from_world = quaternion.conjugate(rest.object_rotation)
        origin = rest.world_from_armature[:3, 3]

        def inside(world: Array) -> Array:
            return quaternion.rotate(self._armature_from_world, world - origin) / scale

        self._inside = inside
        self._heads = inside(rest.heads)
        self._turns: list[Array] = []  # (T, 4) armature_from_bone in the pose
        self._starts: list[Array] = []  # (T, 3) heads in the pose

    def basis(self, placed: Placed) -> tuple[dict[str, Array], dict[str, Array]]:
        """Rotations (T, 4) and locations (T, 3) of the channels, by bone."""
        rotations: dict[str, Array] = {}
        locations: dict[str, Array] = {}
        for bone, name in enumerate(self._rest.names):
            turn, start, channel = self._unposed(bone)
            if name in placed.heads:
                step = self._inside(placed.heads[name]) - start
                locations[name] = quaternion.rotate(quaternion.conjugate(channel), step)
                start = start + step
            else:
                kept = np.array(self._bones[name].location)
                start = start + quaternion.rotate(channel, kept)
            if name in placed.rotations:
                target = quaternion.multiply(self._armature_from_world, placed.rotations[name])
                rotations[name] = quaternion.multiply(quaternion.conjugate(turn), target)
                turn = target
            else:
                kept = np.array(self._bones[name].matrix_basis.to_quaternion())
                turn = quaternion.multiply(turn, kept)
            self._turns.append(turn)
            self._starts.append(start)
        return rotations, locations

    def _unposed(self, bone: int) -> tuple[Array, Array, Array]:
        """Rotation (T, 4) and head (T, 3) before the bone's own channels, and the location's frame (T, 4)."""
        rest, parent = self._rest, self._rest.parents[bone]
        own = np.broadcast_to(rest.armature_from_bone[bone], (self._count, 4))
        if parent < 0:
            start = np.broadcast_to(self._heads[bone], (self._count, 3))
            free = np.broadcast_to(quaternion.IDENTITY, (self._count, 4))
            return own, start, own if rest.local_location[bone] else free
        above = self._turns[parent]
        carried = quaternion.multiply(above, quaternion.conjugate(rest.armature_from_bone[parent]))
        start = self._starts[parent] + quaternion.rotate(
            carried, self._heads[bone] - self._heads[parent]
        )
        along = quaternion.multiply(carried, own)
        channel = along if rest.local_location[bone] else above
        return along if rest.inherits[bone] else own, start, channel
