"""What can be said of a solved motion without knowing the truth; part of every report."""

import numpy as np

from ...rig import quaternion
from ...rig.arrays import Array, Mask
from ...rig.motion import Motion
from ...rig.skeleton import BODY_JOINTS
from ..contacts import ANKLES, TOES

__all__ = ["motion_quality"]


def motion_quality(motion: Motion, contacts: Mask, bones: dict[str, Array]) -> dict[str, float]:
    """Does the body follow its sensors, do its feet stand, does it stay above the floor?

    Args:
        motion: 24 joints, floor at z = 0.
        contacts: (T, 2) True where the left and the right foot stand, as the solver says.
        bones: joint name to world_from_bone (T, 4) that a sensor measured.

    Returns:
        Mean angle between each sensed bone and the solved one ("angle_pelvis_degrees", …), horizontal speed
        of standing feet, greatest depth below the floor, distance walked.
    """
    rotations, positions = motion.world()
    angles = {
        f"angle_{joint}_degrees": float(
            np.degrees(quaternion.angle(rotations[:, BODY_JOINTS.index(joint)], sensed)).mean()
        )
        for joint, sensed in bones.items()
    }
    step = np.linalg.norm(np.diff(motion.root_position[:, :2], axis=0), axis=-1)
    return {
        **angles,
        "foot_skate_cm_per_s": _foot_skate(positions, contacts, motion.fps),
        "deepest_below_floor_cm": float(100 * max(-positions[..., 2].min(), 0.0)),
        "distance_m": float(step.sum()),
    }


def _foot_skate(positions: Array, contacts: Mask, fps: float) -> float:
    """The slower of heel and ball, which is the one that holds, while the foot stands; cm/s."""
    both = contacts[1:] & contacts[:-1]
    if not both.any():
        return 0.0
    toes, ankles = (
        np.linalg.norm(np.diff(positions[:, rows, :2], axis=0), axis=-1) * fps
        for rows in (TOES, ANKLES)
    )
    return float(100 * np.minimum(toes, ankles)[both].mean())
