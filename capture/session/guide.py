"""Guides a performer through a still pose: a countdown, a few seconds of holding, a verdict."""

from collections.abc import Sequence
from enum import Enum
from typing import Final

import numpy as np

from ...rig.arrays import Array
from ...rig.errors import CalibrationError
from ..calibration import POSES
from ..imu import PLACEMENTS
from .frames import SensorFrame
from .quality import Quality, stillness

__all__ = ["Phase", "PoseGuide"]

_HOW: Final = {
    "npose": "stand upright, arms hanging, palms on your thighs",
    "tpose": "stand upright, arms stretched out sideways, palms down",
}
_REST = {"npose": "N pose", "tpose": "T pose"}


class Phase(Enum):
    """Where a guide is."""

    COUNTDOWN = "countdown"
    HOLD = "hold"
    MOVE = "move"
    DONE = "done"
    FAILED = "failed"

    @property
    def over(self) -> bool:
        """Whether no more frames are needed."""
        return self in (Phase.DONE, Phase.FAILED)


class PoseGuide:
    """Takes frames, says what to do, and ends with the orientations that were held.

    Attributes:
        held: (S, 4) world_from_sensor in the pose, each in its sensor's own world; None until it is over.
        quality: None until it is over.

    Args:
        pose: "npose" or "tpose".
        countdown: seconds to get into the pose.
        hold: seconds to stay in it.
        placements: S names, in the order of the frames' rows.
    """

    def __init__(
        self,
        pose: str = "npose",
        countdown: float = 3.0,
        hold: float = 2.0,
        placements: Sequence[str] = PLACEMENTS,
    ) -> None:
        if pose not in POSES:
            raise CalibrationError(f"no pose {pose!r}; the poses are: {', '.join(POSES)}")
        self.pose, self.placements = pose, tuple(placements)
        self.phase = Phase.COUNTDOWN
        self.held: Array | None = None
        self.quality: Quality | None = None
        self._countdown, self._hold = countdown, hold
        self._start: float | None = None
        self._now = 0.0
        self._frames: list[Array] = []

    def push(self, frame: SensorFrame) -> None:
        """Take the next frame; the time is the frames'."""
        if self.phase.over:
            return
        if self._start is None:
            self._start = frame.time
        self._now = frame.time - self._start
        if self._now < self._countdown:
            return
        if self._now <= self._countdown + self._hold:
            self.phase = Phase.HOLD
            # What was bridged by the last orientation says nothing of how still the sensor is.
            self._frames.append(np.where(frame.silent[:, None], np.nan, frame.world_from_sensor))
            return
        self._judge()

    @property
    def seconds_left(self) -> float:
        """Of the countdown, or of the pose."""
        ends = self._countdown if self.phase is Phase.COUNTDOWN else self._countdown + self._hold
        return 0.0 if self.phase.over else max(ends - self._now, 0.0)

    @property
    def prompt(self) -> str:
        """One line for the performer."""
        left = f"{np.ceil(self.seconds_left):.0f}"
        if self.phase is Phase.COUNTDOWN:
            return f"{_REST[self.pose]} in {left}: {_HOW[self.pose]}"
        if self.phase is Phase.HOLD:
            return f"Hold the {_REST[self.pose]}: {left}"
        told = self.quality.reason if self.quality else ""
        return f"{_REST[self.pose]} taken" if self.phase is Phase.DONE else f"Again, please: {told}"

    def _judge(self) -> None:
        if not self._frames:
            self._frames.append(np.full((len(self.placements), 4), np.nan))
        self.held, self.quality = stillness(self.placements, np.array(self._frames))
        self._frames.clear()
        self.phase = Phase.DONE if self.quality.accepted else Phase.FAILED
