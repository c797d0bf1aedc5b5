"""Made-up performers who stand, bow and swing their arms, with sensors mounted and turned in any way."""

import numpy as np

from pallas.capture.calibration import POSES
from pallas.capture.imu import PLACEMENTS
from pallas.capture.session.frames import SensorFrame
from pallas.rig import quaternion

X, Y, UP = np.eye(3)
FPS = 60.0
START = 500.0
TURNED = np.array([POSES["npose"].get(p, quaternion.IDENTITY) for p in PLACEMENTS])
# Radians by which each bone turns about the left-right axis at the deepest point of a bow.
DEEPEST = np.radians([45.0, -80.0, -85.0, 70.0])


class Performer:
    """S sensors on a body that faces -Y.

    Args:
        seed: of mountings, headings, and everything sloppy.
        sloppy: radians, standard deviation of how far each bone's plane is turned from straight ahead.
        noise: radians, of orientations, wandering.
        twist: radians by which forearms turn about themselves on the way.
        apart: seconds by which the arms are not together.
    """

    def __init__(self, seed=0, *, sloppy=0.0, noise=0.0, twist=0.0, apart=0.0):
        self.random = np.random.default_rng(seed)
        self.bone_from_sensor = quaternion.normalised(self.random.normal(size=(4, 4)))
        self.heading = self.random.uniform(-np.pi, np.pi, 4)
        self.sloppy, self.noise, self.twist, self.apart = sloppy, noise, twist, apart
        self.time = START

    def standing(self, seconds, *, sway=0.0):
        """Bones (T, 4, 4) of an N pose in which the body sways by some radians."""
        count = int(seconds * FPS)
        swayed = sway * np.sin(2 * np.pi * np.arange(count) / FPS)[:, None] * np.ones(4)
        return quaternion.multiply(quaternion.from_axis_angle(X, swayed), TURNED)

    def bowing(self, times=2, seconds=2.5):
        """Bones of bows; each is sloppy in its own way."""
        return np.concatenate([self._bow(seconds) for _ in range(times)])

    def _bow(self, seconds):
        at = np.arange(int(seconds * FPS)) / FPS
        late = np.array([0.0, self.apart, -self.apart, 0.0])
        phase = np.clip((at[:, None] - 0.15 - late) / (seconds - 0.5), 0.0, 1.0)
        lean = np.sin(np.pi * phase) ** 2 * DEEPEST
        off = self.sloppy * self.random.standard_normal(4)
        axes = quaternion.rotate(quaternion.from_axis_angle(UP, off), X)
        swing = quaternion.from_axis_angle(axes, lean)
        rolled = self.twist * np.sin(np.pi * phase) * np.array([0.0, 1.0, -1.0, 0.0])
        return quaternion.multiply(
            swing, quaternion.multiply(quaternion.from_axis_angle(UP, rolled), TURNED)
        )

    def frames(self, bones, acceleration=None):
        """What the sensors say of bones (T, 4, 4) in the common world: each in a world of its own."""
        error = quaternion.from_rotation_vector(self.noise * self._wandering(len(bones)))
        own = quaternion.from_axis_angle(UP, -self.heading)
        turns = quaternion.multiply(own, quaternion.multiply(bones, self.bone_from_sensor))
        turns = quaternion.multiply(error, turns)
        felt = np.zeros((len(bones), 4, 3)) if acceleration is None else acceleration
        felt = quaternion.rotate(own, felt)
        for turn, value in zip(turns, felt, strict=True):
            yield SensorFrame(self.time, turn, value, np.zeros(4, dtype=bool), self.time)
            self.time += 1.0 / FPS

    def _wandering(self, count):
        steps = self.random.standard_normal((count, 4, 3))
        keep = np.exp(-1.0 / FPS)  # over a second
        path = np.empty_like(steps)
        path[0] = steps[0]
        for i in range(1, count):
            path[i] = keep * path[i - 1] + np.sqrt(1.0 - keep**2) * steps[i]
        return path
