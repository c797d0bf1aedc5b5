"""An armature as it is before keys are written: its rest, the pose it is in, what its channels allow."""

from dataclasses import dataclass

import bpy
import numpy as np

from ..rig.arrays import Array, Mask
from ..rig.retarget import Bones
from .armature import RestPose, of_all, read_rest_pose
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
    every = armature_object.pose.bones
    place = {bone.name: i for i, bone in enumerate(every)}
    order = [place[name] for name in rest.names]  # Blender may keep a pose's bones in another
    posed = [every[i] for i in order]
    basis = [bone.matrix_basis for bone in posed]
    modes = tuple(bone.rotation_mode for bone in posed)
    angles = of_all(every, "rotation_euler", 3)[order].astype(np.float64)
    for i, mode in enumerate(modes):
        if mode in ROTATION_PROPERTY:
            angles[i] = basis[i].to_euler("XYZ")
    connected = of_all(armature_object.data.bones, "use_connect", 1, bool)[:, 0]
    return PosedRig(
        armature_object.name,
        rest,
        np.array([matrix.to_quaternion() for matrix in basis], dtype=np.float64),
        of_all(every, "location", 3)[order].astype(np.float64),
        modes,
        connected & (np.array(rest.parents) >= 0),
        angles,
        of_all(every, "lock_location", 3, bool)[order],
        of_all(every, "lock_rotation", 3, bool)[order],
    )
