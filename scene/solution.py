"""What marker inverse kinematics found, on the armature: keys of its bones and of the coordinates."""

from dataclasses import dataclass
from typing import Final

import bpy
import numpy as np
from mathutils import Matrix

from ..capture.coordinates import angle_coordinates
from ..capture.osim_names import with_legal_names
from ..rig import quaternion
from ..rig.arrays import Array
from ..rig.errors import SceneError
from ..rig.model import KinematicModel
from .clock import Clock
from .curves import channels_of, write_curve
from .kinematic_armature import ArmatureModel
from .osim_armature import is_osim, read_model
from .pose_keys import write_places

__all__ = ["Solution", "has_solution", "in_own_size", "read_solution", "resize", "write_solution"]

_POSE: Final[str] = "pallas_pose"  # custom property of the Action: the coordinates, row by row
_NAMES: Final[str] = "pallas_coordinates"  # and their names, a line each


@dataclass(frozen=True, eq=False)
class Solution:
    """Coordinates over time.

    Attributes:
        model: that they are of.
        pose: (T, D) radians and metres.
        times: (T,) seconds.
    """

    model: KinematicModel
    pose: Array
    times: Array


def write_solution(
    armature_object: bpy.types.Object, rig: ArmatureModel, pose: Array, clock: Clock, name: str
) -> bpy.types.Action:
    """Key an armature's bones in a new Action; an OpenSim model's coordinates are keyed too.

    The coordinates are custom properties of the armature, in degrees and metres, to be seen in the Graph
    Editor. The rest pose and the object's transform stay as they are.

    Args:
        armature_object: the armature.
        rig: its model.
        pose: (T, D) radians and metres.
        clock: of the first sample of `pose`, and those that follow.
        name: of the Action.

    Raises:
        SceneError: the armature is not what it was when the model was read.
    """
    frames = clock.frames(len(pose))
    action = write_places(armature_object, name, frames, rig.places(pose))
    clock.keep(action)
    action[_NAMES] = "\n".join(rig.model.coordinate_names)
    action[_POSE] = np.ascontiguousarray(pose, dtype=np.float64).ravel().tolist()
    if is_osim(armature_object):
        _key_coordinates(armature_object, rig.model, pose, frames)
    return action


def _key_coordinates(
    armature_object: bpy.types.Object, model: KinematicModel, pose: Array, frames: Array
) -> None:
    values = np.where(angle_coordinates(model), np.degrees(pose), pose)
    channels = channels_of(armature_object)
    assert channels is not None, "the Action was just made"
    for name, line in zip(model.coordinate_names, values.T, strict=True):
        armature_object[name] = float(line[0])
        path = f'["{bpy.utils.escape_identifier(name)}"]'
        write_curve(channels, path, 0, frames, line, group="Coordinates")


def has_solution(armature_object: bpy.types.Object | None) -> bool:
    """Whether an armature moves by what was solved from markers."""
    if armature_object is None or armature_object.animation_data is None:
        return False
    action = armature_object.animation_data.action
    return action is not None and _POSE in action


def read_solution(armature_object: bpy.types.Object) -> Solution:
    """The coordinates that were solved, with names that OpenSim accepts.

    The ball joints of armatures, in a model rotation vectors, are turned into the angles about x, y and z
    that the armature's exported .osim has under the same names.

    Raises:
        SceneError: nothing was solved, or the model has changed since.
    """
    if not has_solution(armature_object):
        raise SceneError(f"{armature_object.name!r} has no solved motion; solve markers first")
    action = armature_object.animation_data.action
    model = read_model(armature_object).model
    names = str(action[_NAMES]).split("\n")
    if tuple(names) != model.coordinate_names:
        raise SceneError(
            f"{armature_object.name!r} has other coordinates than when it was solved; solve again"
        )
    pose = np.array(action[_POSE]).reshape(-1, len(names))
    if not is_osim(armature_object):
        pose = _angles(model, pose)
    clock = Clock.of(action)
    return Solution(with_legal_names(model), pose, clock.start + np.arange(len(pose)) / clock.fps)


def _angles(model: KinematicModel, pose: Array) -> Array:
    """Poses with body-fixed x-y-z angles instead of rotation vectors."""
    turned = pose.copy()
    for joint in model.joints:
        if joint.ball is not None:
            columns = [model.coordinate_index(name) for name in joint.ball]
            angles = quaternion.to_euler(quaternion.from_rotation_vector(pose[:, columns]), "XYZ")
            turned[:, columns] = np.unwrap(angles, axis=0)
    return turned


def in_own_size(rig: ArmatureModel, pose: Array, size: float) -> Array:
    """Poses (T, D) of a body `size` times as large as the armature, for the armature: its path is shorter."""
    own = pose.copy()
    for place, coordinate in enumerate(rig.model.coordinates):
        if coordinate.kind == "translation":
            own[:, place] /= size
    return own


def resize(item: bpy.types.Object, factor: float) -> None:
    """Scale an object, and where it stands, about the world's origin."""
    item.matrix_world = Matrix.Scale(factor, 4) @ item.matrix_world
