"""What a live network needs of four sensors: even frames at its own rate, whatever the sensors' rate."""

import numpy as np

from ...rig import quaternion
from ...rig.arrays import Array
from ...rig.errors import ShapeError
from ..features import NETWORK_FPS
from .filters import TwoPole

__all__ = ["LiveInput"]

# Seconds; with two poles as wide as the Gaussian of 0.01 s that whole takes are read through, 14 ms late.
ACCELERATION_TIME = 0.007
_N_SENSORS = 4


class LiveInput:
    """Takes samples at an even rate, gives frames at the network's.

    A frame is given with the first sample that is not before it, between which and the sample before it
    lies (slerp and linear), so it is never later than one sample. What a sensor does not say (NaN) is its
    last orientation, and no acceleration.

    Args:
        fps: samples per second.
        acceleration_time: seconds, time constant of the causal filter on accelerations.
    """

    def __init__(self, fps: float, acceleration_time: float = ACCELERATION_TIME) -> None:
        if not (np.isfinite(fps) and fps > 0):
            raise ShapeError(f"fps is {fps}, expected a positive number of samples per second")
        self.fps = fps
        self._filter = TwoPole(acceleration_time, fps)
        self._turns = np.tile(quaternion.IDENTITY, (_N_SENSORS, 1))
        self._accelerations = np.zeros((_N_SENSORS, 3))
        self._samples = self._frames = 0

    def push(self, world_from_bone: Array, acceleration: Array) -> list[tuple[Array, Array]]:
        """Take one sample of all sensors.

        Args:
            world_from_bone: (4, 4) quaternions or (4, 3, 3) matrices in `PLACEMENTS` order.
            acceleration: (4, 3) linear, world frame, m/s^2.

        Returns:
            For every frame up to now its quaternions (4, 4) and accelerations (4, 3).

        Raises:
            ShapeError: the arrays have other shapes.
        """
        turns, felt = self._heard(np.asarray(world_from_bone), np.asarray(acceleration))
        felt = self._filter(felt)
        frames = []
        # Both clocks start together; sample s is at s / fps, frame f at f / 60.
        while (place := self._frames * self.fps / NETWORK_FPS) <= self._samples + 1e-6:
            share = place - (self._samples - 1)
            if share > 1.0 - 1e-6:
                frames.append((turns, felt))
            else:
                between = self._accelerations + share * (felt - self._accelerations)
                frames.append((quaternion.slerp(self._turns, turns, share), between))
            self._frames += 1
        self._turns, self._accelerations = turns, felt
        self._samples += 1
        return frames

    def _heard(self, turns: Array, felt: Array) -> tuple[Array, Array]:
        if turns.shape == (_N_SENSORS, 3, 3):
            silent = np.isnan(turns).any((-1, -2))
            if silent.any():
                turns = np.where(silent[:, None, None], np.eye(3), turns)
            turns = quaternion.from_matrix(turns)
        elif turns.shape == (_N_SENSORS, 4):
            silent = np.isnan(turns).any(-1)
        else:
            raise ShapeError(
                f"world_from_bone has shape {turns.shape}, expected (4, 4) quaternions or (4, 3, 3) matrices"
            )
        if felt.shape != (_N_SENSORS, 3):
            raise ShapeError(f"acceleration has shape {felt.shape}, expected (4, 3)")
        if silent.any():
            turns = np.where(silent[:, None], self._turns, turns)
        still = np.isnan(felt).any(-1) | silent
        return turns, np.where(still[:, None], 0.0, felt)
