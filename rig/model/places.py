"""Where the bodies of a model are, in numpy: for those who show a model and have no torch at hand.

Solvers use `kinematics`, which is differentiable and faster.
"""

import numpy as np

from .. import quaternion
from ..arrays import Array, checked
from .joints import Axis, Joint
from .model import KinematicModel

__all__ = ["body_places"]


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
    values = checked("pose", pose, (None, len(model.coordinates))).copy()
    for coupling in model.couplings:
        driver = values[:, model.coordinate_index(coupling.driver)]
        values[:, model.coordinate_index(coupling.coordinate)] = coupling.function(driver)
    columns = dict(zip(model.coordinate_names, values.T, strict=True))
    count = len(values)
    rotations = np.empty((count, len(model.bodies), 3, 3))
    origins = np.zeros((count, len(model.bodies), 3))
    rotations[:, 0] = model.world_from_ground
    for place, joint in enumerate(model.joints, start=1):
        above = model.parents[place]
        turn, shift = _parent_from_child(joint, columns, count)
        rotations[:, place] = rotations[:, above] @ turn
        moved = np.einsum("tij,tj->ti", rotations[:, above], shift)
        origins[:, place] = origins[:, above] + moved
    return rotations, origins


def _parent_from_child(joint: Joint, columns: dict[str, Array], count: int) -> tuple[Array, Array]:
    """Rotation (T, 3, 3) and origin (T, 3) of the child in its parent."""
    frame, inside = joint.parent_frame, joint.child_frame
    shift = np.zeros((count, 3))
    for axis in joint.translations:
        shift += _values(axis, columns, count)[:, None] * axis.direction
    turn = np.broadcast_to(frame.rotation, (count, 3, 3))
    origin = np.array(frame.translation) + shift @ frame.rotation.T
    for axis in joint.rotations:
        turn = turn @ _turned(axis.direction, _values(axis, columns, count))
    if joint.ball is not None:
        vector = np.stack([columns[name] for name in joint.ball], axis=-1)
        turn = turn @ quaternion.to_matrix(quaternion.from_rotation_vector(vector))
    turn = turn @ inside.rotation.T
    return turn, origin - turn @ np.array(inside.translation)


def _turned(axis: Array, angle: Array) -> Array:
    """(T, 3, 3) rotations about a unit vector by angles (T,): Rodrigues' formula."""
    x, y, z = axis
    across = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    sine, rest = np.sin(angle)[:, None, None], 1.0 - np.cos(angle)[:, None, None]
    return np.asarray(np.eye(3) + sine * across + rest * (across @ across))


def _values(axis: Axis, columns: dict[str, Array], count: int) -> Array:
    """(T,) radians or metres."""
    coordinate = np.zeros(count) if axis.coordinate is None else columns[axis.coordinate]
    return axis.function(coordinate)
