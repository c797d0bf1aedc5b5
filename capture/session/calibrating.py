"""A whole calibration from frames: the still pose, then the move where one is asked for, then the result."""

from collections.abc import Mapping, Sequence
from typing import Any

from ...rig.errors import CalibrationError
from ..imu import PLACEMENTS
from .frames import SensorFrame
from .functional import FunctionalGuide
from .guide import Phase, PoseGuide
from .live_calibration import LiveCalibration
from .quality import Quality

__all__ = ["Calibrating"]


class Calibrating:
    """Guides a performer through a calibration.

    With the move each sensor's own heading is found, so that sensors without magnetometer can be worn in any
    way. Without it all sensors must share one world, and the performer must face along its -Y.

    Attributes:
        calibration: None until it is done, and where it failed.

    Args:
        pose: "npose" or "tpose".
        countdown: seconds to get into the pose.
        hold: seconds to stay in it.
        move: ask for the move after the pose.
        shared_heading: all sensors' worlds are one, as of those with magnetometers.
        remove_drift: take out the drift that is found while streaming.
        placements: S names, in the order of the frames' rows.

    Raises:
        CalibrationError: there is no such pose, or the move is asked for after another than the N pose.
    """

    def __init__(
        self,
        pose: str = "npose",
        countdown: float = 3.0,
        hold: float = 2.0,
        *,
        move: bool = True,
        shared_heading: bool = False,
        remove_drift: bool = False,
        placements: Sequence[str] = PLACEMENTS,
    ) -> None:
        if move and pose != "npose":
            raise CalibrationError(
                f"the move starts from the N pose, not from {pose!r}; choose the N pose, or no move"
            )
        self.calibration: LiveCalibration | None = None
        self.placements = tuple(placements)
        self._still = PoseGuide(pose, countdown, hold, placements)
        self._moving: FunctionalGuide | None = None
        self._move, self._shared, self._remove_drift = move, shared_heading, remove_drift

    @property
    def phase(self) -> Phase:
        """Where it is."""
        if self._still.phase is Phase.DONE and self._moving is not None:
            return self._moving.phase
        return self._still.phase

    @property
    def prompt(self) -> str:
        """One line for the performer."""
        return self._still.prompt if self._moving is None else self._moving.prompt

    @property
    def quality(self) -> Quality | None:
        """The worse of both verdicts so far; None before the first."""
        found = [q for q in (self._still.quality, self._moving and self._moving.quality) if q]
        return min(found, key=lambda quality: quality.score) if found else None

    def push(self, frame: SensorFrame) -> None:
        """Take the next frame."""
        if self.phase.over:
            return
        if self._moving is not None:
            self._moving.push(frame)
            self._settle_move()
            return
        self._still.push(frame)
        if self._still.phase is Phase.DONE:
            self._settle_pose()

    @property
    def events(self) -> Sequence[tuple[str, Mapping[str, Any]]]:
        """Kinds and fields of what a raw log should hold of it, once it is done."""
        if self.calibration is None or self._still.held is None:
            return ()
        held = dict(zip(self.placements, self._still.held.tolist(), strict=True))
        quality = self.quality
        told = {} if quality is None else {"quality": quality.score, "reason": quality.reason}
        pose = {"pose": self._still.pose, "held": held, **told}
        return (("pose", pose), ("mounting", self.calibration.fields()))

    def _settle_pose(self) -> None:
        assert self._still.held is not None
        if self._move:
            self._moving = FunctionalGuide(
                self._still.held, shared_heading=self._shared, placements=self.placements
            )
            return
        self.calibration = LiveCalibration.from_pose(
            self._still.held, self._still.pose, placements=self.placements
        )
        self.calibration.remove_drift = self._remove_drift

    def _settle_move(self) -> None:
        assert self._moving is not None
        if self._moving.applied is not None:
            self.calibration = LiveCalibration(
                self._moving.applied,
                self._still.pose,
                remove_drift=self._remove_drift,
                placements=self.placements,
            )
