"""Where the bodies of a model are, in numpy: for those who show a model and have no torch at hand.

Solvers use `kinematics`, which is differentiable and faster.
"""

import numpy as np

from .. import quaternion
from ..arrays import Array, checked
from .functions import IDENTITY
from .joints import Axis
from .model import KinematicModel

__all__ = ["body_places", "body_turns"]


def body_places(model: KinematicModel, pose: Array) -> tuple[Array, Array]:
    """Pose every body in the world.

    Args:
        model: D coordinates, B bodies, the ground first.
        pose: (T, D) radians and metres; coupled coordinates are computed, whatever is given.

    Returns:
        world_from_body (T, B, 3, 3), and the bodies' origins (T, B, 3) in metres.

    Raises:
        ShapeError: the pose does not fit the model.
    """
    turns, origins = body_turns(model, pose)
    return quaternion.to_matrix(turns), origins


def body_turns(model: KinematicModel, pose: Array) -> tuple[Array, Array]:
    """The same with quaternions world_from_body (T, B, 4) of any sign."""
    values = checked("pose", pose, (None, len(model.coordinates))).copy()
    for coupling in model.couplings:
        driver = values[:, model.coordinate_index(coupling.driver)]
        values[:, model.coordinate_index(coupling.coordinate)] = coupling.function(driver)
    local, shifts = _parent_from_child(model, values)
    turns = np.empty((len(values), len(model.bodies), 4))
    origins = np.zeros((len(values), len(model.bodies), 3))
    turns[:, 0] = quaternion.from_matrix(model.world_from_ground)
    parents, known = np.array(model.parents), 1
    while known < len(parents):  # as far as all parents are known: bodies lie level by level
        later = np.flatnonzero(parents >= known)
        level = np.arange(known, later[0] if len(later) else len(parents))
        above = turns[:, parents[level]]
        turns[:, level] = quaternion.multiply(above, local[:, level - 1])
        shifted = quaternion.rotate(above, shifts[:, level - 1])
        origins[:, level] = origins[:, parents[level]] + shifted
        known += len(level)
    return turns, origins


def _parent_from_child(model: KinematicModel, pose: Array) -> tuple[Array, Array]:
    """Rotations (T, J, 4) and origins (T, J, 3) of the children in their parents."""
    joints, shape = model.joints, (len(pose), len(model.joints))
    turns = np.broadcast_to(quaternion.IDENTITY, (*shape, 4)).copy()
    origins = np.empty((*shape, 3))
    origins[:] = [joint.parent_frame.translation for joint in joints]
    for place, joint in enumerate(joints):
        if any(joint.parent_frame.orientation):
            turns[:, place] = quaternion.from_matrix(joint.parent_frame.rotation)
        for axis in joint.translations:
            along = joint.parent_frame.rotation @ axis.direction
            origins[:, place] += _values(model, axis, pose)[:, None] * along
    for number in range(max((len(joint.rotations) for joint in joints), default=0)):
        places = [k for k, joint in enumerate(joints) if len(joint.rotations) > number]
        axes = [joints[k].rotations[number] for k in places]
        angles = np.stack([_values(model, axis, pose) for axis in axes], axis=-1)
        turn = _turned(np.array([axis.direction for axis in axes]), angles)
        turns[:, places] = quaternion.multiply(turns[:, places], turn)
    for place, joint in enumerate(joints):
        if joint.ball is not None:
            vector = pose[:, [model.coordinate_index(name) for name in joint.ball]]
            turn = quaternion.from_rotation_vector(vector)
            turns[:, place] = quaternion.multiply(turns[:, place], turn)
        inside = joint.child_frame
        if any(inside.orientation):
            turn = quaternion.conjugate(quaternion.from_matrix(inside.rotation))
            turns[:, place] = quaternion.multiply(turns[:, place], turn)
        if any(inside.translation):
            shift = quaternion.rotate(turns[:, place], np.array(inside.translation))
            origins[:, place] -= shift
    return turns, origins


def _turned(axes: Array, angles: Array) -> Array:
    """(T, N, 4) rotations about unit vectors (N, 3) by angles (T, N)."""
    half = 0.5 * angles
    turn = np.empty((*angles.shape, 4))
    turn[..., 0] = np.cos(half)
    turn[..., 1:] = np.sin(half)[..., None] * axes
    return turn


def _values(model: KinematicModel, axis: Axis, pose: Array) -> Array:
    """(T,) radians or metres."""
    if axis.coordinate is None:
        return axis.function(np.zeros(len(pose)))
    coordinate = pose[:, model.coordinate_index(axis.coordinate)]
    return coordinate if axis.function == IDENTITY else axis.function(coordinate)
