"""From the axes and units of other programs to the house's: z up, facing -Y, metres.

A Y-up world that faces +Z (Maya, MotionBuilder, most BVH) turns about X by a quarter: (x, y, z) becomes
(x, -z, y), so that up is +Z, the front is -Y and the performer's left stays at +X.
"""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from ..rig.arrays import Array
from ..rig.errors import FormatError

__all__ = [
    "UNITS",
    "guess_unit",
    "metres_per",
    "y_up_from_z_up",
    "y_up_from_z_up_rotation",
    "z_up_from_y_up",
    "z_up_from_y_up_rotation",
]

# Metres per unit. "cmu" is the length of the CMU library's ASF files: one inch divided by 0.45.
UNITS: Mapping[str, float] = MappingProxyType(
    {"m": 1.0, "cm": 0.01, "mm": 0.001, "inch": 0.0254, "cmu": 0.0254 / 0.45}
)
_SMALLEST_PERSON, _LARGEST_PERSON = 1.2, 2.3  # metres, height or arm span at rest


def z_up_from_y_up(vectors: Array) -> Array:
    """Turn vectors (..., 3) of a Y-up world into the house's."""
    x, y, z = np.moveaxis(vectors, -1, 0)
    return np.stack([x, -z, y], axis=-1)


def y_up_from_z_up(vectors: Array) -> Array:
    """The inverse of `z_up_from_y_up`."""
    x, y, z = np.moveaxis(vectors, -1, 0)
    return np.stack([x, z, -y], axis=-1)


def z_up_from_y_up_rotation(quaternions: Array) -> Array:
    """The same rotations (..., 4), their axes turned by `z_up_from_y_up` (both frames are)."""
    return np.concatenate([quaternions[..., :1], z_up_from_y_up(quaternions[..., 1:])], axis=-1)


def y_up_from_z_up_rotation(quaternions: Array) -> Array:
    """The inverse of `z_up_from_y_up_rotation`."""
    return np.concatenate([quaternions[..., :1], y_up_from_z_up(quaternions[..., 1:])], axis=-1)


def metres_per(unit: float | str) -> float:
    """Metres per unit, given by name or as that number.

    Raises:
        FormatError: the name is unknown or the number not positive.
    """
    if isinstance(unit, str):
        if unit not in UNITS:
            raise FormatError(f"unknown unit {unit!r}; expected one of: {', '.join(UNITS)}")
        return UNITS[unit]
    if not (np.isfinite(unit) and unit > 0):
        raise FormatError(f"the unit is {unit} metres, expected a positive number")
    return float(unit)


def guess_unit(rest_points: Array) -> str | None:
    """The unit in which a skeleton is person-sized, or None if there is no such unit.

    Measured is the largest extent of the rest pose along an axis: height or arm span. It must be 1.2 m to
    2.3 m. The ranges of the five units do not overlap, so at most one fits.

    Args:
        rest_points: (N, 3) joints and bone ends of the rest pose, in the file's unit.
    """
    extent = float(np.max(np.ptp(rest_points, axis=0)))
    fitting = [n for n, m in UNITS.items() if _SMALLEST_PERSON <= extent * m <= _LARGEST_PERSON]
    return fitting[0] if fitting else None
