"""Gravity of an accelerometer's readings: taking it off, and noticing where it was told wrongly."""

from typing import Final, Literal

import numpy as np

from ...rig import quaternion
from ...rig.arrays import Array
from ..plausibility import GRAVITY

__all__ = ["Frame", "Gravity", "GravityWatch", "linear_in_world"]

Gravity = Literal["in", "out"]  # whether a reading holds it, as an accelerometer at rest does
Frame = Literal["sensor", "world"]

_UP: Final = np.array([0.0, 0.0, GRAVITY])
_MEMORY = 5.0  # seconds over which the acceleration should average out
_WARM_UP = 4.0  # seconds before a judgement
_TOO_MUCH = 3.0  # m/s^2: nobody gains 15 m/s over five seconds


def linear_in_world(
    world_from_sensor: Array, reading: Array, gravity: Gravity = "in", frame: Frame = "sensor"
) -> Array:
    """The linear acceleration (3,) in the world, m/s^2.

    Args:
        world_from_sensor: (4,) unit quaternion, world z up.
        reading: (3,) m/s^2; with gravity in it, one at rest reads 9.8 upwards.
        gravity: whether the reading holds gravity.
        frame: whether it is in the sensor's frame or in the world's.
    """
    world = quaternion.rotate(world_from_sensor, reading) if frame == "sensor" else reading
    return world - _UP if gravity == "in" else world


class GravityWatch:
    """Tells when linear accelerations of one tracker don't average out: a unit or option is wrong."""

    def __init__(self) -> None:
        self._mean = np.zeros(3)
        self._seconds = 0.0
        self._last = float("nan")

    def note(self, acceleration: Array, now: float) -> str:
        """One phrase about what is wrong, empty if nothing is.

        Args:
            acceleration: (3,) m/s^2, linear, in the world.
            now: seconds of any clock.
        """
        step = now - self._last if self._last == self._last else 0.0
        self._last = now
        if np.isfinite(acceleration).all() and 0.0 <= step < _MEMORY:
            share = step / (min(self._seconds, _MEMORY) + step) if step else 0.0
            self._mean += share * (acceleration - self._mean)
            self._seconds += step
        if self._seconds < _WARM_UP or np.linalg.norm(self._mean) < _TOO_MUCH:
            return ""
        x, y, z = self._mean
        return (
            f"its acceleration averages {x:.1f}, {y:.1f}, {z:.1f} m/s^2 where 0 was expected: check the "
            "unit, whether gravity is in it, and the quaternion's order"
        )
