"""When a foot stands: the rule that labels motions, used in training, evaluation and cleaning."""

import numpy as np

from ..rig.arrays import Array, Mask
from ..rig.skeleton import BODY_JOINTS

__all__ = ["ANKLES", "PLANTED", "STANDING", "TOES", "foot_contacts", "speeds"]

ANKLES = [BODY_JOINTS.index("left_ankle"), BODY_JOINTS.index("right_ankle")]
TOES = [BODY_JOINTS.index("left_foot"), BODY_JOINTS.index("right_foot")]
STANDING = 0.5  # probability from which a predicted contact counts as one
# Probability from which cleaning holds a foot, chosen on validation clips: a foot that is held a little too
# long is seen less than one that slides.
PLANTED = 0.3
SLOW = 0.35  # m/s; a planted joint of optical motion capture moves less
ANKLE_HEIGHT = 0.12  # metres above the floor, 5 cm over a standing ankle
TOE_HEIGHT = 0.065


def speeds(positions: Array, fps: float) -> Array:
    """(T, ...) speed in m/s of points (T, ..., 3), central differences."""
    if len(positions) < 2:
        return np.zeros(positions.shape[:-1])
    velocity = np.gradient(positions, 1.0 / fps, axis=0)
    return np.linalg.norm(velocity, axis=-1)


def foot_contacts(positions: Array, fps: float, scale: float = 1.0) -> Mask:
    """(T, 2) True where the left and the right foot stand: its heel or its ball is low and slow.

    Args:
        positions: (T, 24, 3) joint origins in the world, metres, floor at z = 0.
        fps: frames per second.
        scale: size of the body; 1 is 1.70 m tall.
    """
    speed = speeds(positions[:, ANKLES + TOES], fps)
    height = positions[:, ANKLES + TOES, 2] / scale
    limit = np.array([ANKLE_HEIGHT] * 2 + [TOE_HEIGHT] * 2)
    planted = (speed < SLOW) & (height < limit)
    contacts: Mask = planted[:, :2] | planted[:, 2:]
    return contacts
