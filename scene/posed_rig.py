"""An armature as it is before keys are written: its rest, the pose it is in, what its channels allow."""

from dataclasses import dataclass

import bpy
import numpy as np

from ..rig.arrays import Array, Mask
from ..rig.retarget import Bones
from .armature import RestPose, read_rest_pose
from .rotation_modes import ROTATION_PROPERTY

__all__ = ["PosedRig", "read_posed_rig"]


@dataclass(frozen=True, eq=False)
class PosedRig:
    """B bones of an armature object, free of Blender's data.

    Attributes:
        name: of the object.
        rest: the bones at rest.
        rotations: (B, 4) what the bones' own rotation channels hold now.
        locations: (B, 3) what their location channels hold now, armature units.
        modes: rotation mode of each bone, as Blender names them.
        connected: (B,) True where a bone starts at its parent's end and can't be moved.
        angles: (B, 3) radians about x, y, z; of a bone that isn't in an Euler mode in the order "XYZ".
        location_locks: (B, 3) True where a location channel is locked.
        rotation_locks: (B, 3) True where the rotation about x, y, z is locked.
    """

    name: str
    rest: RestPose
    rotations: Array
    locations: Array
    modes: tuple[str, ...]
    connected: Mask
    angles: Array
    location_locks: Mask
    rotation_locks: Mask

    @property
    def bones(self) -> Bones:
        """The bones at rest in the world."""
        return self.rest.bones


def read_posed_rig(armature_object: bpy.types.Object) -> PosedRig:
    """Read an armature with the pose it is in.

    Raises:
        SceneError: no armature, no bones, or the object is mirrored.
    """
    rest = read_rest_pose(armature_object)
    posed = [armature_object.pose.bones[name] for name in rest.names]
    bones = [armature_object.data.bones[name] for name in rest.names]
    return PosedRig(
        armature_object.name,
        rest,
        np.array([bone.matrix_basis.to_quaternion() for bone in posed], dtype=np.float64),
        np.array([bone.location for bone in posed], dtype=np.float64),
        tuple(bone.rotation_mode for bone in posed),
        np.array([bone.use_connect and bone.parent is not None for bone in bones]),
        np.array([_angles(bone) for bone in posed], dtype=np.float64),
        np.array([tuple(bone.lock_location) for bone in posed]),
        np.array([tuple(bone.lock_rotation) for bone in posed]),
    )


def _angles(bone: bpy.types.PoseBone) -> tuple[float, float, float]:
    if bone.rotation_mode in ROTATION_PROPERTY:
        return tuple(bone.matrix_basis.to_euler("XYZ"))
    return tuple(bone.rotation_euler)
