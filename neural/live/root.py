"""The root of a live stream, frame by frame: the causal half of `root`."""

import math
from dataclasses import replace

import numpy as np

from ...rig.arrays import Array
from ..contacts import STANDING
from ..root import RootEvidence, least_height, witness
from ..root_velocity import VelocityFilter

__all__ = ["RootTracker"]

SETTLE_TIME = 0.08  # seconds in which a landing foot reaches the floor
RISE_TIME = 0.15  # seconds in which the body sinks back after it had to be lifted


class RootTracker:
    """Integrates the root; it starts above the origin, and the floor is z = 0.

    Args:
        fps: frames per second.
        waist_offset: (3,) metres of the waist's sensor in the pelvis' frame.
    """

    def __init__(self, fps: float, waist_offset: Array) -> None:
        self._fps, self._offset = fps, waist_offset
        self._velocity = VelocityFilter(fps)
        self._before: Array | None = None
        self._levers: list[Array] = []  # the waist's sensor from the root, in the last frames
        self._place: Array = np.zeros(2)
        self._correction = 0.0  # metres, of the network's height
        self._lift = 0.0  # metres, so that nothing is below the floor
        self._settled = False

    def __call__(
        self, evidence: RootEvidence, world_from_waist: Array, acceleration: Array
    ) -> Array:
        """Root position (3,) metres of the next frame.

        Args:
            evidence: of one frame.
            world_from_waist: (3, 3).
            acceleration: (3,) of the waist's sensor, world frame, m/s^2.
        """
        if self._before is None:
            self._before = evidence.joints
        change = self._gained(world_from_waist, acceleration)
        evidence = replace(evidence, change=change[None])
        velocity = self._velocity(witness(evidence, self._before, self._fps))
        self._place = self._place + velocity[:2] / self._fps
        self._before = evidence.joints
        return np.array([*self._place, self._height(evidence)])

    def _gained(self, world_from_waist: Array, acceleration: Array) -> Array:
        """(3,) m/s, as `root.root_velocity_changes`."""
        self._levers = [*self._levers[-2:], world_from_waist @ self._offset]
        if len(self._levers) < 3:
            return np.zeros(3)
        first, second, third = self._levers
        gained: Array = acceleration / self._fps - (third - 2.0 * second + first) * self._fps
        return gained

    def _height(self, evidence: RootEvidence) -> float:
        least = float(least_height(evidence.joints, evidence.scale)[0])
        height = float(evidence.height[0])
        if evidence.contacts.max() > STANDING:
            share = 1.0 - math.exp(-1.0 / (self._fps * SETTLE_TIME)) if self._settled else 1.0
            self._correction += share * (least - height - self._correction)
            self._settled = True
        height += self._correction
        self._lift = max(least - height, self._lift * math.exp(-1.0 / (self._fps * RISE_TIME)), 0.0)
        return height + self._lift
