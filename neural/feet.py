"""Foot cleaning of the 24-joint body: standing feet stand, and no sole goes below the floor.

Only the legs move; the root and the upper body stay exactly as they are.
"""

from dataclasses import replace

import numpy as np

from ..rig import quaternion
from ..rig.arrays import Array, Mask
from ..rig.motion import Motion
from ..rig.planting import SIDES, LegBones, PosedLegs, planted
from .body import leg_scale
from .contacts import ANKLES, TOES

__all__ = ["LEGS", "clean_feet"]

LEGS = tuple(f"{side}_{j}" for j in ("hip", "knee", "ankle") for side in SIDES)


def clean_feet(motion: Motion, contacts: Mask) -> Motion:
    """Hold standing feet still and on the floor.

    Args:
        motion: 24 joints, floor at z = 0.
        contacts: (T, 2) True where the left and the right foot stand.

    Returns:
        The motion with other leg rotations.
    """
    skeleton = motion.skeleton
    rows = np.array(
        [[skeleton.index(f"{side}_{j}") for j in ("hip", "knee", "ankle")] for side in SIDES]
    )
    rotations, places = motion.world()
    turns = quaternion.to_matrix(rotations[:, [0, *rows.flat]])
    legs = PosedLegs(
        LegBones.of(skeleton),
        places[:, rows[:, 0]],
        turns[:, 1:].reshape(-1, 2, 3, 3, 3),
        places[:, ANKLES + TOES],
    )
    found = planted(legs, contacts, motion.fps, leg_scale(skeleton.offsets))
    return motion if found is None else _put_into(motion, rows, turns[:, 0], found)


def _put_into(motion: Motion, rows: Array, pelvis: Array, turns: Array) -> Motion:
    """The motion with legs turned otherwise, signs of quaternions as they were."""
    above = np.broadcast_to(pelvis[:, None, None], (*turns.shape[:2], 1, 3, 3))
    parents = np.concatenate([above, turns[:, :, :2]], axis=2)
    local = quaternion.from_matrix(parents.swapaxes(-1, -2) @ turns)
    rotations = np.array(motion.rotations)
    opposite = (local * rotations[:, rows]).sum(-1, keepdims=True) < 0.0
    rotations[:, rows] = np.where(opposite, -local, local)
    return replace(motion, rotations=rotations)
