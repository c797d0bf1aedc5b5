"""Calibration while it streams: frames of sensors in, bones out; headings put right; drift watched."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ...rig import quaternion
from ...rig.arrays import Array
from ...rig.errors import CalibrationError
from ..calibration import POSES
from ..heading_drift import SHORTEST, estimate_heading_drift
from ..imu import PLACEMENTS
from .applied import UP, Applied
from .frames import SensorFrame
from .functional import mounted_in_pose
from .quality import spoken

__all__ = ["LiveCalibration"]

MOST_OFF = np.radians(30.0)  # by which a bone may lean away from the pose when headings are reset
_HISTORY_RATE = 5.0  # Hz
_MOST_HISTORY = 1024


class LiveCalibration:
    """What the sensors' frames are read through, and what can be put right while they come.

    Attributes:
        applied: what is put on frames now.
        drift: (S,) rad/s at which headings drift against the waist's, as far as the take tells so far; zero
            in the first half minute.

    Args:
        applied: of a `FunctionalGuide`, or see `from_pose`.
        pose: in which headings are reset, "npose" or "tpose".
        remove_drift: take out the drift that was found, each time it is estimated.
        placements: S names, in the order of the frames' rows.
    """

    def __init__(
        self,
        applied: Applied,
        pose: str = "npose",
        *,
        remove_drift: bool = False,
        placements: Sequence[str] = PLACEMENTS,
    ) -> None:
        self.applied, self.pose, self.placements = applied, pose, tuple(placements)
        self.remove_drift = remove_drift
        self.drift = np.zeros(len(self.placements))
        self._turned = np.array([POSES[pose].get(p, quaternion.IDENTITY) for p in self.placements])
        self._begin()

    @classmethod
    def from_pose(
        cls,
        held: Array,
        pose: str = "npose",
        facing: float = 0.0,
        *,
        placements: Sequence[str] = PLACEMENTS,
    ) -> "LiveCalibration":
        """From a pose alone, where all sensors' worlds are one, as of those with magnetometers.

        Args:
            held: (S, 4) of a `PoseGuide`.
            pose: which.
            facing: radians, the performer's heading in the sensors' world (0 faces -Y).
            placements: S names.
        """
        heading = np.full(len(placements), -facing)
        mounting = mounted_in_pose(held, pose, heading, placements)
        return cls(Applied.mounted(mounting, heading), pose, placements=placements)

    def apply(self, frame: SensorFrame) -> tuple[Array, Array]:
        """Bones (S, 4) world_from_bone and accelerations (S, 3), m/s^2, in the common world; NaN is kept."""
        bones = self.applied.bones(frame.world_from_sensor, frame.time)
        self._remember(frame)
        return bones, self.applied.accelerations(frame.acceleration, frame.time)

    def reset_heading(self, frame: SensorFrame, *, keep_facing: bool = True) -> None:
        """Put all headings right; the performer stands as in the calibration pose, upright, facing forwards.

        The waist's heading is the performer's: with `keep_facing` it goes on as it was, so that the
        character does not turn, and the others are put right against it. Without, the performer faces -Y
        from now on.

        Raises:
            CalibrationError: a sensor is silent, or leans away from the pose; nothing is changed then.
        """
        bones = self.applied.bones(frame.world_from_sensor, frame.time)
        since_pose = quaternion.multiply(bones, quaternion.conjugate(self._turned))
        swing, twist = quaternion.swing_twist(since_pose, UP)
        self._check(bones, swing)
        off = 2.0 * np.arctan2(twist[:, 3], twist[:, 0])
        waist = self.placements.index("waist") if "waist" in self.placements else 0
        self._turn(frame.time, (off[waist] if keep_facing else 0.0) - off)

    def face_forwards(self, frame: SensorFrame) -> None:
        """Turn everything together so that the waist faces -Y now, whatever the performer's pose.

        Raises:
            CalibrationError: the waist is silent.
        """
        waist = self.placements.index("waist") if "waist" in self.placements else 0
        bone = self.applied.bones(frame.world_from_sensor, frame.time)[waist]
        if np.isnan(bone).any():
            raise CalibrationError("waist sends nothing; wait until it is heard")
        twist = quaternion.swing_twist(bone, UP)[1]
        turn = -2.0 * np.arctan2(twist[3], twist[0])
        self._turn(frame.time, np.full(len(self.placements), turn))

    def estimate_drift(self, pause: Callable[[], object] = lambda: None) -> Array:
        """Look at the take since headings were last put right and update `drift`; (S,) rad/s.

        It takes some tens of milliseconds, so call it every ten seconds or so, outside the frames' thread
        if that must not wait. With `remove_drift`, the next frames are read without the drift that was found;
        write a "heading" event of `fields` then.

        Args:
            pause: called every millisecond or so of work, to let the frames' thread go first.
        """
        times, turns = list(self._times), list(self._turns)  # frames may come meanwhile
        times = times[: len(turns)]
        if self.placements != PLACEMENTS or not times or times[-1] - times[0] < SHORTEST:
            return self.drift
        at = np.array(times)
        bones = self._base.bones(np.array(turns[: len(at)]), at)
        self.drift = estimate_heading_drift(at - at[0], bones, pause)
        if self.remove_drift:
            base, now = self._base, times[-1]
            heading = base.heading - self.drift * (now - at[0])
            self.applied = Applied(base.bone_from_sensor, heading, -self.drift, now)
        return self.drift

    @property
    def degrees_per_minute(self) -> Array:
        """(S,) the drift as people read it."""
        result: Array = np.degrees(60.0 * self.drift)
        return result

    def fields(self) -> Mapping[str, Any]:
        """What a raw log's event "mounting" or "heading" needs, to be solved with the same numbers.

        It has a time if it is known from when on they are right; else it is of the moment it is written.
        """
        applied = self.applied
        return {
            **({"time": applied.since} if applied.since else {}),
            "bone_from_sensor": self._named(applied.bone_from_sensor),
            "heading": self._named(applied.heading),
            "drift": self._named(applied.drift),
        }

    def _named(self, values: Array) -> dict[str, Any]:
        return dict(zip(self.placements, values.tolist(), strict=True))

    def _check(self, bones: Array, swing: Array) -> None:
        leans = 2.0 * np.arccos(np.clip(np.abs(swing[:, 0]), 0.0, 1.0))
        for placement, bone, lean in zip(self.placements, bones, leans, strict=True):
            if np.isnan(bone).any():
                raise CalibrationError(
                    f"{spoken(placement)} sends nothing; wait until every sensor is heard"
                )
            if lean > MOST_OFF:
                raise CalibrationError(
                    f"{spoken(placement)} leans {np.degrees(lean):.0f} degrees away from the calibration "
                    "pose; stand as you did then and reset again"
                )

    def _turn(self, time: float, turn: Array) -> None:
        """Change headings by `turn` (S,) radians from a moment on."""
        applied = self.applied
        heading = applied.heading + applied.drift * (time - applied.since) + turn
        self.applied = Applied(applied.bone_from_sensor, heading, applied.drift, time)
        self._begin()

    def _begin(self) -> None:
        """Headings are right now; what was before says nothing of the drift."""
        applied = self.applied
        self._base = Applied.mounted(applied.bone_from_sensor, applied.heading)
        self._times: list[float] = []
        self._turns: list[Array] = []
        self._step = 1.0 / _HISTORY_RATE

    def _remember(self, frame: SensorFrame) -> None:
        if self._times and frame.time - self._times[-1] < self._step - 1e-3:
            return
        self._times.append(frame.time)
        self._turns.append(frame.world_from_sensor)
        if len(self._times) > _MOST_HISTORY:  # of a longer take, half as often
            del self._times[1::2], self._turns[1::2]
            self._step *= 2.0
