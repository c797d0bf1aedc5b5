"""Standing feet of a live stream stand: their legs are bent to reach the place where they landed.

A standing heel or ball is held where it was when it came to stand. When the foot leaves, what it was moved
by fades; nothing jumps, and no sole is below the floor.
"""

import math

import numpy as np

from ...rig.arrays import Array, Mask
from ...rig.planting import LegBones, reached
from ..contacts import STANDING
from ..root import SOLES

__all__ = ["FootPlanter"]

FADE_TIME = 0.10  # seconds in which a foot that leaves goes back to where the network has it
LAND_TIME = 0.04  # seconds in which a landing foot comes down to the floor
LEASH = (
    0.10  # metres for a body 1.70 m tall; a foot is not held further from where the network has it
)
FLAT = 0.02  # metres for a body 1.70 m tall; a foot tilted by less stands on heel and ball
RELEASE = 0.35  # probability below which a standing foot stands no more
_SOLES = SOLES.reshape(2, 2).T  # (foot, [heel, ball]) heights


class FootPlanter:
    """Plants both feet, frame by frame.

    Args:
        legs: bones of the body.
        scale: its size; 1 is 1.70 m tall.
        fps: frames per second.
    """

    def __init__(self, legs: LegBones, scale: float, fps: float) -> None:
        self._legs, self._scale = legs, scale
        self._soles = _SOLES * scale
        self._fade = math.exp(-1.0 / (fps * FADE_TIME))
        self._land = math.exp(-1.0 / (fps * LAND_TIME))
        self._standing: Mask = np.zeros(2, dtype=bool)
        self._held: Mask = np.zeros((2, 2), dtype=bool)
        self._anchors: Array = np.zeros((2, 2, 3))
        self._moved: Array = np.zeros((2, 2, 3))  # (foot, [heel, ball], xyz) metres

    def __call__(self, hip: Array, turns: Array, points: Array, contacts: Array) -> Array:
        """Bend the legs.

        Args:
            hip: (2, 3) hips in the world, metres.
            turns: (2, 3, 3, 3) world_from_joint of hip, knee and ankle.
            points: (2, 2, 3) heels (ankles) and balls of the feet in the world.
            contacts: (2,) probability that each foot stands.

        Returns:
            (2, 3, 3, 3) world_from_joint of hip, knee and ankle.
        """
        self._standing = contacts > np.where(self._standing, RELEASE, STANDING)
        held = self._holding(points)
        landed = held & ~self._held
        self._held = held
        self._anchors[landed] = (points + self._moved)[landed]
        self._moved = self._wanted(points)
        if not self._moved.any():
            return turns
        target = self._rigid(points, points + self._moved)
        return reached(self._legs, hip, turns, target[:, 0], target[:, 1])

    def _holding(self, points: Array) -> Mask:
        """(2, 2) which of heel and ball hold: both of a flat foot, the lower one of a tilted one."""
        tilt = (points[:, 0, 2] - points[:, 1, 2]) / self._scale - (SOLES[0] - SOLES[2])
        return np.stack([self._standing & (tilt < FLAT), self._standing & (tilt > -FLAT)], axis=-1)

    def _wanted(self, points: Array) -> Array:
        """(2, 2, 3) metres by which heels and balls are moved."""
        self._anchors[..., 2] = self._soles + self._land * (self._anchors[..., 2] - self._soles)
        pull = self._anchors - points
        pull[..., :2] *= np.minimum(
            1.0, LEASH * self._scale / np.maximum(_length(pull[..., :2]), 1e-9)
        )
        held = self._held
        self._anchors[held] = (points + pull)[held]
        # The free end of a foot that stands on the other one goes where its fellow goes.
        fellow = np.where(held[:, ::-1, None], pull[:, ::-1], 0.0)
        free = fellow + self._fade * (self._moved - fellow)
        free[np.abs(free) < 1e-6] = 0.0
        moved = np.where(held[..., None], pull, free)
        moved[..., 2] = np.maximum(moved[..., 2], self._soles - points[..., 2])
        return moved

    def _rigid(self, points: Array, target: Array) -> Array:
        """Targets (2, 2, 3) as far apart as heel and ball are, at the same heights; what is held stays."""
        before, apart = points[:, 1] - points[:, 0], target[:, 1] - target[:, 0]
        length = _length(before)[:, 0]
        drop = np.minimum(np.maximum(apart[:, 2], -length), length)
        along = apart[:, :2] + 0.05 * before[:, :2]
        along = along / np.maximum(_length(along), 1e-9)
        wrong = np.sqrt(length**2 - drop**2)[:, None] * along - apart[:, :2]
        heel_alone = (self._held[:, 0] & ~self._held[:, 1])[:, None]
        rigid = target.copy()
        rigid[:, 1, :2] += np.where(heel_alone, wrong, 0.0)
        rigid[:, 0, :2] -= np.where(heel_alone, 0.0, wrong)
        return rigid


def _length(vector: Array) -> Array:
    length: Array = np.sqrt((vector * vector).sum(-1, keepdims=True))
    return length
