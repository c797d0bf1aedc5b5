"""When a foot stands: its heel or its ball is low and slow."""

import numpy as np

from ..arrays import Array, Mask

__all__ = ["ANKLE_HEIGHT", "SLOW", "TOE_HEIGHT", "speeds", "standing"]

SLOW = 0.35  # m/s; a planted joint of optical motion capture moves less
ANKLE_HEIGHT = 0.12  # metres above the floor, 5 cm over a standing ankle
TOE_HEIGHT = 0.065


def speeds(positions: Array, fps: float) -> Array:
    """(T, ...) speed in m/s of points (T, ..., 3), central differences."""
    if len(positions) < 2:
        return np.zeros(positions.shape[:-1])
    velocity = np.gradient(positions, 1.0 / fps, axis=0)
    return np.linalg.norm(velocity, axis=-1)


def standing(points: Array, fps: float, scale: float = 1.0, above: Array | None = None) -> Mask:
    """(T, 2) True where the left and the right foot stand.

    Args:
        points: (T, 4, 3) left and right ankle, left and right ball of the foot, metres, floor at z = 0.
        fps: frames per second.
        scale: size of the body; 1 is 1.70 m tall.
        above: (4,) metres by which the points of this body stand higher than a person's; None for zero.
    """
    speed = speeds(points, fps)
    height = (points[..., 2] if above is None else points[..., 2] - above) / scale
    limit = np.array([ANKLE_HEIGHT] * 2 + [TOE_HEIGHT] * 2)
    planted = (speed < SLOW) & (height < limit)
    contacts: Mask = planted[:, :2] | planted[:, 2:]
    return contacts
