"""Gravity of an accelerometer's readings: taking it off, and noticing where it was told wrongly."""

import math
from typing import Literal

import numpy as np

from ...rig.arrays import Array
from ..plausibility import GRAVITY

__all__ = ["Frame", "Gravity", "GravityWatch", "linear_in_world"]

Gravity = Literal["in", "out"]  # whether a reading holds it, as an accelerometer at rest does
Frame = Literal["sensor", "world"]

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
    # Numbers, not arrays: for three of them numpy takes ten times as long, a thousand times a second.
    x, y, z = reading.tolist()
    if frame == "sensor":
        w, i, j, k = world_from_sensor.tolist()
        x, y, z = _turned(w, i, j, k, x, y, z)
    return np.array((x, y, z - GRAVITY if gravity == "in" else z))


def _turned(
    w: float, i: float, j: float, k: float, x: float, y: float, z: float
) -> tuple[float, float, float]:
    """The vector x, y, z rotated by the unit quaternion w, i, j, k."""
    a, b, c = 2.0 * (j * z - k * y), 2.0 * (k * x - i * z), 2.0 * (i * y - j * x)
    return x + w * a + j * c - k * b, y + w * b + k * a - i * c, z + w * c + i * b - j * a


class GravityWatch:
    """Tells when linear accelerations of one tracker don't average out: a unit or option is wrong."""

    def __init__(self) -> None:
        self._mean = (0.0, 0.0, 0.0)
        self._seconds = 0.0
        self._last = math.nan

    def note(self, acceleration: Array, now: float) -> str:
        """One phrase about what is wrong, empty if nothing is.

        Args:
            acceleration: (3,) m/s^2, linear, in the world.
            now: seconds of any clock.
        """
        step = now - self._last
        self._last = now
        told = acceleration.tolist()
        if 0.0 < step < _MEMORY and all(map(math.isfinite, told)):
            share = step / (min(self._seconds, _MEMORY) + step)
            x, y, z = (
                mean + share * (value - mean) for mean, value in zip(self._mean, told, strict=True)
            )
            self._mean = (x, y, z)
            self._seconds += step
        if self._seconds < _WARM_UP or math.hypot(*self._mean) < _TOO_MUCH:
            return ""
        x, y, z = self._mean
        return (
            f"its acceleration averages {x:.1f}, {y:.1f}, {z:.1f} m/s^2 where 0 was expected: check the "
            "unit, whether gravity is in it, and the quaternion's order"
        )
