"""Where the body is: the source's hip joints, scaled by the legs, over the same floor."""

import numpy as np

from .. import quaternion
from ..arrays import Array
from ..planting import speeds
from ..planting.contacts import SLOW
from .rests import Rest

__all__ = ["floor_height", "heading", "hip_centre", "size_ratio", "travelled"]

_LEVEL = 0.03  # of the leg's length; feet this little off stand on z = 0
_HIGHEST = 1.0  # of the leg's length; slow feet further up do not tell the floor
_UP = np.array([0.0, 0.0, 1.0])


def size_ratio(source: Rest, target: Rest) -> float:
    """Target size over source size, by the length of thigh and shin."""
    return target.leg / source.leg


def hip_centre(source: Rest, heads: Array) -> Array:
    """(T, 3) metres, between the source's hip joints, of bones' heads (T, B, 3)."""
    joints = [source.first(f"{side}_thigh") for side in ("left", "right")]
    if None in joints:
        return heads[:, source.hips]
    centre: Array = 0.5 * (heads[:, joints[0]] + heads[:, joints[1]])
    return centre


def travelled(centre: Array, source: Rest, target: Rest, ratio: float, floor: float) -> Array:
    """(T, 3) metres, where the target's hip joints are: as high over standing ankles as legs are long.

    `ratio` scales the way over the floor.
    """
    low, high = source.soles[:2].mean(), target.soles[:2].mean()
    found = ratio * centre
    found[:, 2] = floor + size_ratio(source, target) * (centre[:, 2] - floor - low) + high
    return found


def floor_height(points: Array, soles: Array, fps: float, leg: float) -> float:
    """Metres, how high the floor is that slow feet stand on; zero where they are near z = 0.

    Args:
        points: (T, 4, 3) ankles and balls of the source's feet.
        soles: (4,) their heights over the floor when they stand.
        fps: frames per second.
        leg: length of the source's thigh and shin.
    """
    over = points[..., 2] - soles
    slow = (speeds(points, fps) < SLOW) & (np.abs(over) < _HIGHEST * leg)
    if slow.sum() < 8:
        return 0.0
    low = float(np.percentile(over[slow], 5.0))
    return low if abs(low) > _LEVEL * leg else 0.0


def heading(turns: Array) -> Array:
    """(T, 4) the part of rotations from rest (T, 4) that is about the vertical."""
    return quaternion.swing_twist(turns, _UP)[1]
