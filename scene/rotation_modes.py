"""Quaternions as the values of a bone's own rotation mode, continuous over time."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from ..rig import quaternion
from ..rig.arrays import Array, Mask

__all__ = ["ROTATION_PROPERTY", "quaternions_of", "rotation_values"]

# The property that holds a pose bone's rotation; every other mode is an Euler order.
ROTATION_PROPERTY: Final[Mapping[str, str]] = MappingProxyType(
    {"QUATERNION": "rotation_quaternion", "AXIS_ANGLE": "rotation_axis_angle"}
)


def rotation_values(quaternions: Array, mode: str) -> Array:
    """Values to key for unit quaternions (T, 4) in a rotation mode of Blender's.

    Args:
        quaternions: (T, 4), (w, x, y, z).
        mode: "QUATERNION", "AXIS_ANGLE" or an Euler order such as "XYZ".

    Returns:
        (T, 4) quaternions, (T, 4) angle in radians and axis, or (T, 3) angles about x, y, z in radians.
    """
    smooth = quaternion.continuous(quaternions)
    if mode == "QUATERNION":
        return smooth
    if mode == "AXIS_ANGLE":
        return _axis_angle(smooth)
    return _euler(smooth, mode)


def quaternions_of(values: Array, mode: str) -> Array:
    """Unit quaternions (T, 4) of what a bone's channels hold, `rotation_values` undone.

    Args:
        values: (T, 4) or (T, 3) as `rotation_values` gives them; quaternions and axes of any length.
        mode: as there.
    """
    if mode == "QUATERNION":
        length = np.linalg.norm(values, axis=1, keepdims=True)
        return np.where(
            length > 0.0, values / np.where(length > 0.0, length, 1.0), quaternion.IDENTITY
        )
    if mode == "AXIS_ANGLE":
        length = np.linalg.norm(values[:, 1:], axis=1, keepdims=True)
        axes = values[:, 1:] / np.where(length > 0.0, length, 1.0)
        return quaternion.from_rotation_vector(axes * values[:, :1])
    intrinsic = mode[::-1]
    return quaternion.from_euler(values[:, ["XYZ".index(axis) for axis in intrinsic]], intrinsic)


def _axis_angle(quaternions: Array) -> Array:
    """(T, 4) angle and axis; the axis is held where there is no rotation, and never flips."""
    sine = np.linalg.norm(quaternions[:, 1:], axis=1)
    turned = np.flatnonzero(sine > 1e-9)
    if len(turned) == 0:
        return np.tile([0.0, 0.0, 1.0, 0.0], (len(quaternions), 1))
    # Every frame takes the axis of the last frame that has one (the first such, before it).
    last = np.maximum(np.searchsorted(turned, np.arange(len(sine)), side="right") - 1, 0)
    source = turned[last]
    axis = quaternion.continuous(quaternions[source, 1:] / sine[source, None])
    along = np.sum(quaternions[:, 1:] * axis, axis=1)
    angle = np.unwrap(2.0 * np.arctan2(along, quaternions[:, 0]))
    return np.concatenate([angle[:, None], axis], axis=1)


def _euler(quaternions: Array, order: str) -> Array:
    """(T, 3) angles about x, y, z that stay near those of the frame before.

    Blender's order names the axes in the sequence they are applied about fixed axes, which is the
    reverse of the intrinsic order.
    """
    intrinsic = order[::-1]
    columns = ["XYZ".index(axis) for axis in intrinsic]
    angles = quaternion.to_euler(quaternions, intrinsic)
    # The same rotation has a second triple on the far side of gimbal lock: take the nearer one.
    others = np.stack([angles[:, 0] + np.pi, np.pi - angles[:, 1], angles[:, 2] + np.pi], axis=1)
    both = np.stack([angles, others])
    second = _nearer(both)
    chosen = np.where(second[:, None], others, angles)
    angles = np.unwrap(chosen, axis=0)
    values = np.empty_like(angles)
    values[:, columns] = angles
    return values


def _nearer(both: Array) -> Mask:
    """(T,) True where the second of two triples (2, T, 3) is nearer to the one chosen before."""
    steps = both[None, :, 1:] - both[:, None, :-1]  # (from, to, T - 1, 3)
    steps -= 2.0 * np.pi * np.round(steps / (2.0 * np.pi))
    costs = np.abs(steps).sum(axis=-1)
    leaves = costs[0, 1] < costs[0, 0], costs[1, 1] < costs[1, 0]
    second = np.zeros(both.shape[1], dtype=bool)
    state = False
    for frame, choices in enumerate(zip(*(row.tolist() for row in leaves), strict=True), start=1):
        state = choices[state]
        second[frame] = state
    return second
