"""Unity's world (left-handed, y up, x right, facing +z) and the house's (z up, facing -y), both ways."""

import numpy as np

from ...rig.arrays import Array

__all__ = ["from_unity", "from_unity_rotation", "to_unity", "to_unity_rotation"]


def from_unity(positions: Array) -> Array:
    """Turn positions (..., 3) of Unity's world into ours."""
    x, y, z = np.moveaxis(positions, -1, 0)
    return np.stack([-x, -z, y], axis=-1)


def to_unity(positions: Array) -> Array:
    """The inverse of `from_unity`."""
    x, y, z = np.moveaxis(positions, -1, 0)
    return np.stack([-x, z, -y], axis=-1)


def from_unity_rotation(xyzw: Array) -> Array:
    """Turn rotations (..., 4), x, y, z, w as Unity has them, into ours (w, x, y, z)."""
    x, y, z, w = np.moveaxis(xyzw, -1, 0)
    return np.stack([w, x, z, -y], axis=-1)


def to_unity_rotation(quaternions: Array) -> Array:
    """The inverse of `from_unity_rotation`."""
    w, x, y, z = np.moveaxis(quaternions, -1, 0)
    return np.stack([x, -z, y, w], axis=-1)
