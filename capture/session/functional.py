"""One functional move that tells each sensor's heading: a bow, up again, both arms swinging forwards.

After an N pose all that is unknown of a sensor is a turn about the vertical: the pose tells where its
bone's ends point, up or down, however the sensor sits on the limb. The move tells the rest: the upright
trunk leans forwards, hanging forearms rise forwards. So the way in which the end of each bone went is the
performer's forward direction, seen in that sensor's own world. How a forearm turns about itself on the way
does not matter.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from ...rig import quaternion
from ...rig.arrays import Array
from ..calibration import POSES
from ..imu import PLACEMENTS
from .applied import UP, Applied
from .frames import SensorFrame
from .guide import Phase
from .quality import Quality, spoken, worst

__all__ = ["FunctionalGuide", "mounted_in_pose"]

# Radians that a bone has to lean: a belt moves less than arms.
ENOUGH: Final = {"waist": np.radians(15.0), "neck": np.radians(20.0)}
ARMS_ENOUGH = np.radians(35.0)
BACK = np.radians(12.0)  # within which of the pose a bone has come back
SIDEWAYS = np.radians(20.0)  # by which a move may leave its plane, root mean square
_FORWARD_AZIMUTH = -np.pi / 2  # of -Y
_DOWN: Final = ("left_wrist", "right_wrist")  # bones that point down in the N pose; others point up
_MOST_FRAMES = 20_000


def mounted_in_pose(
    held: Array, pose: str, heading: Array, placements: Sequence[str] = PLACEMENTS
) -> Array:
    """How sensors are mounted, (S, 4) bone_from_sensor.

    Args:
        held: (S, 4) world_from_sensor in the pose, each in its sensor's own world.
        pose: "npose" or "tpose".
        heading: (S,) radians from each world to the one in which the performer faces -Y.
        placements: S names.
    """
    turned = np.array([POSES[pose].get(p, quaternion.IDENTITY) for p in placements])
    common = quaternion.multiply(quaternion.from_axis_angle(UP, heading), held)
    return quaternion.multiply(quaternion.conjugate(turned), common)


class FunctionalGuide:
    """Takes frames from an N pose on, says what to do, and ends with how each sensor is mounted.

    Attributes:
        applied: mountings and headings; None until it is over, and where it failed.
        quality: None until it is over.
        qualities: one of each sensor.

    Args:
        held: (S, 4) of the `PoseGuide` in N pose.
        repetitions: how often the performer is to do it.
        longest: seconds that are waited for it.
        shared_heading: all sensors' worlds are one, as of those with magnetometers.
        placements: S names, in the order of the frames' rows.
    """

    def __init__(
        self,
        held: Array,
        repetitions: int = 3,
        longest: float = 25.0,
        *,
        shared_heading: bool = False,
        placements: Sequence[str] = PLACEMENTS,
    ) -> None:
        self.placements = tuple(placements)
        self.phase = Phase.MOVE
        self.applied: Applied | None = None
        self.quality: Quality | None = None
        self.qualities: tuple[Quality, ...] = ()
        self._held, self._repetitions, self._longest = held, repetitions, longest
        self._shared = shared_heading
        self._ends = np.array([-UP if p in _DOWN else UP for p in self.placements])
        self._enough = np.array([ENOUGH.get(p, ARMS_ENOUGH) for p in self.placements])
        self._out = np.zeros(len(self.placements), dtype=bool)
        self._done = np.zeros(len(self.placements), dtype=int)
        self._start: float | None = None
        self._now = 0.0
        self._ways: list[Array] = []  # (S, 3) where bones' ends point

    def push(self, frame: SensorFrame) -> None:
        """Take the next frame; the time is the frames'."""
        if self.phase.over:
            return
        if self._start is None:
            self._start = frame.time
        self._now = frame.time - self._start
        turns = np.where(frame.silent[:, None], np.nan, frame.world_from_sensor)
        since = quaternion.multiply(turns, quaternion.conjugate(self._held))
        ways = quaternion.rotate(since, self._ends)
        self._ways.append(ways)
        leans = _leans(ways, self._ends)
        back = self._out & (leans < BACK)
        self._done += back
        self._out = (self._out & ~back) | (leans > self._enough)
        if (
            (self._done >= self._repetitions).all()
            or self._now > self._longest
            or len(self._ways) >= _MOST_FRAMES
        ):
            self._judge()

    @property
    def seconds_left(self) -> float:
        """Until it is given up."""
        return 0.0 if self.phase.over else max(self._longest - self._now, 0.0)

    @property
    def prompt(self) -> str:
        """One line for the performer."""
        told = self.quality.reason if self.quality else ""
        if self.phase is Phase.DONE:
            return "Sensors calibrated"
        if self.phase is Phase.FAILED:
            return f"Again, please: {told}"
        left = self._repetitions - int(self._done.min())
        often = "once" if left == 1 else f"{left} times"
        return f"Bend forwards and come up again, both arms swinging forwards, {often}"

    def _judge(self) -> None:
        ways = np.array(self._ways)
        self._ways.clear()
        leans = _leans(ways, self._ends)
        found = [
            self._sensor(row, ways[:, row], leans[:, row]) for row in range(len(self.placements))
        ]
        heading = _FORWARD_AZIMUTH - np.array([azimuth for azimuth, _ in found])
        self.qualities = tuple(quality for _, quality in found)
        self.quality = worst(self.qualities)
        self.phase = Phase.DONE if self.quality.accepted else Phase.FAILED
        if self.phase is Phase.FAILED:
            return
        if self._shared:
            heading = np.full(len(heading), np.angle(np.exp(1j * heading).sum()))
        heading = np.angle(np.exp(1j * heading))
        mounting = mounted_in_pose(self._held, "npose", heading, self.placements)
        since = (self._start or 0.0) + self._now
        self.applied = Applied(mounting, heading, np.zeros(len(heading)), since)

    def _sensor(self, row: int, ways: Array, leans: Array) -> tuple[float, Quality]:
        """The azimuth of forwards in a sensor's world, and how well it is told."""
        name, enough = spoken(self.placements[row]), self._enough[row]
        heard = ~np.isnan(leans)
        most = float(leans[heard].max()) if heard.any() else 0.0
        if heard.mean() < 0.5:
            return np.nan, Quality(0.0, f"{name} sent nothing")
        if most < enough or self._done[row] < 1:
            what = (
                "did not come back"
                if most >= enough
                else f"turned by only {np.degrees(most):.0f} degrees"
            )
            return np.nan, Quality(0.0, f"{name} {what}")
        flat = ways[heard & (leans > 0.5 * enough), :2]
        azimuth, off = _plane(flat)
        score = float(np.clip(1.0 - 0.5 * off / SIDEWAYS, 0.0, 1.0))
        return azimuth, Quality(score, f"{name} left its plane by {np.degrees(off):.0f} degrees")


def _leans(ways: Array, ends: Array) -> Array:
    """Radians (...) between where bones' ends (..., 3) point and where they pointed in the pose."""
    result: Array = np.arccos(np.clip((ways * ends).sum(axis=-1), -1.0, 1.0))
    return result


def _plane(flat: Array) -> tuple[float, float]:
    """Azimuth of the direction in which horizontal vectors (N, 2) lie, and how far they leave it, radians."""
    scatter = flat.T @ flat
    along = np.linalg.eigh(scatter)[1][:, -1]
    along = along * (1.0 if (flat @ along).sum() >= 0.0 else -1.0)
    across = flat @ np.array([-along[1], along[0]])
    off = np.arctan2(np.sqrt((across**2).mean()), np.sqrt(((flat @ along) ** 2).mean()))
    return float(np.arctan2(along[1], along[0])), float(off)
