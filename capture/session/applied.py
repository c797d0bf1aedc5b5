"""Calibration put on readings: the mounting taken off, every sensor's world turned into the common one."""

from dataclasses import dataclass

import numpy as np

from ...rig import quaternion
from ...rig.arrays import Array, checked, frozen

__all__ = ["UP", "Applied"]

UP: Array = frozen(np.array([0.0, 0.0, 1.0]))


@dataclass(frozen=True, eq=False)
class Applied:
    """What turns readings of S sensors into bones, from some moment on.

    Sensors without magnetometer each have a world of their own, turned about the vertical and drifting.

    Attributes:
        bone_from_sensor: (S, 4) how each sensor is mounted; NaN where that is not known.
        heading: (S,) radians that lead from each sensor's world to the common one, in which the performer
            faces -Y in the calibration pose.
        drift: (S,) rad/s by which headings go on to change.
        since: seconds, when `heading` is right.
    """

    bone_from_sensor: Array
    heading: Array
    drift: Array
    since: float = 0.0

    def __post_init__(self) -> None:
        sensors = len(self.heading)
        shapes = {"bone_from_sensor": (sensors, 4), "heading": (sensors,), "drift": (sensors,)}
        for name, shape in shapes.items():
            object.__setattr__(self, name, frozen(checked(name, getattr(self, name), shape)))

    @classmethod
    def mounted(cls, bone_from_sensor: Array, heading: Array | None = None) -> "Applied":
        """Without drift; all worlds are the common one if no headings are given."""
        sensors = len(bone_from_sensor)
        return cls(
            bone_from_sensor, np.zeros(sensors) if heading is None else heading, np.zeros(sensors)
        )

    def common_from_world(self, times: Array | float) -> Array:
        """(..., S, 4) from each sensor's world to the common one, at times (...) in seconds."""
        passed = np.asarray(times)[..., None] - self.since
        return quaternion.from_axis_angle(UP, self.heading + self.drift * passed)

    def bones(self, world_from_sensor: Array, times: Array | float) -> Array:
        """(..., S, 4) world_from_bone in the common world."""
        turned = quaternion.multiply(self.common_from_world(times), world_from_sensor)
        return quaternion.multiply(turned, quaternion.conjugate(self.bone_from_sensor))

    def accelerations(self, acceleration: Array, times: Array | float) -> Array:
        """(..., S, 3) m/s^2 in the common world."""
        return quaternion.rotate(self.common_from_world(times), acceleration)
