"""Where the bodies of a model are, in numpy: for those who show a model and have no torch at hand.

Solvers use `kinematics`, which is differentiable and faster.
"""

from functools import reduce

import numpy as np

from .. import quaternion
from ..arrays import Array, checked
from .functions import IDENTITY
from .joints import Axis, Joint
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
    columns = dict(zip(model.coordinate_names, values.T, strict=True))
    count = len(values)
    turns = np.empty((count, len(model.bodies), 4))
    origins = np.zeros((count, len(model.bodies), 3))
    turns[:, 0] = quaternion.from_matrix(model.world_from_ground)
    for place, joint in enumerate(model.joints, start=1):
        above = turns[:, model.parents[place]]
        turn, shift = _parent_from_child(joint, columns, count)
        turns[:, place] = quaternion.multiply(above, turn)
        origins[:, place] = origins[:, model.parents[place]] + quaternion.rotate(above, shift)
    return turns, origins


def _parent_from_child(joint: Joint, columns: dict[str, Array], count: int) -> tuple[Array, Array]:
    """Rotation (T, 4) and origin (T, 3) or (3,) of the child in its parent."""
    frame, inside = joint.parent_frame, joint.child_frame
    parts = [_turned(axis.direction, _values(axis, columns, count)) for axis in joint.rotations]
    if joint.ball is not None:
        vector = np.stack([columns[name] for name in joint.ball], axis=-1)
        parts.append(quaternion.from_rotation_vector(vector))
    if any(frame.orientation):
        parts.insert(0, quaternion.from_matrix(frame.rotation))
    if any(inside.orientation):
        parts.append(quaternion.conjugate(quaternion.from_matrix(inside.rotation)))
    turn = reduce(quaternion.multiply, parts) if parts else quaternion.IDENTITY
    origin = np.array(frame.translation)
    for axis in joint.translations:
        along = frame.rotation @ axis.direction
        origin = origin + _values(axis, columns, count)[:, None] * along
    if any(inside.translation):
        origin = origin - quaternion.rotate(turn, np.array(inside.translation))
    return turn, origin


def _turned(axis: Array, angle: Array) -> Array:
    """(T, 4) rotations about a unit vector by angles (T,)."""
    half = 0.5 * angle
    turn = np.empty((len(angle), 4))
    turn[:, 0] = np.cos(half)
    turn[:, 1:] = np.sin(half)[:, None] * axis
    return turn


def _values(axis: Axis, columns: dict[str, Array], count: int) -> Array:
    """(T,) radians or metres."""
    coordinate = np.zeros(count) if axis.coordinate is None else columns[axis.coordinate]
    return coordinate if axis.function == IDENTITY else axis.function(coordinate)
