"""One performer, live: readings of four trackers in, poses of the whole body out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from ...capture.devices.samples import Sample
from ...capture.imu import PLACEMENTS
from ...capture.session.frames import FrameAssembler, SensorFrame
from ...capture.session.live_calibration import LiveCalibration
from ...rig.errors import RecordingError
from ...rig.skeleton import Skeleton
from ..features import NETWORK_FPS
from ..network import Pallas
from .body import LivePose
from .stream import Stream

__all__ = ["Guide", "LivePerformer", "TimedPose"]

PATIENCE = 0.3  # seconds that a guide waits for late readings, lest it takes them for silence
MOST_BEHIND = 4  # frames; of more than these that wait at once the oldest are left out


class Guide(Protocol):
    """What watches a performer for a while, to calibrate or to find trackers."""

    def push(self, frame: SensorFrame) -> None:
        """Take the next frame."""
        ...


@dataclass(frozen=True, eq=False)
class TimedPose:
    """A pose, of which moment it is, and when the newest packet came that it follows from.

    Both are seconds of `time.monotonic`.
    """

    pose: LivePose
    time: float
    arrival: float


class LivePerformer:
    """Four trackers, their calibration once there is one, and the stream of poses.

    Args:
        name: of the performer.
        sensors: the tracker at each of `PLACEMENTS`.
        network: as `weights.load_network` gives it.
        skeleton: of the performer; of average height if None.

    Raises:
        RecordingError: a placement has no tracker, or two have the same.
    """

    def __init__(
        self,
        name: str,
        sensors: Mapping[str, str],
        network: Pallas,
        skeleton: Skeleton | None = None,
    ) -> None:
        missing = [placement for placement in PLACEMENTS if not sensors.get(placement)]
        if missing:
            raise RecordingError(
                f"{name} has no tracker for {' and '.join(missing)}; say which tracker is where"
            )
        trackers = tuple(sensors[placement] for placement in PLACEMENTS)
        if len(set(trackers)) < len(trackers):
            raise RecordingError(
                f"{name} wears one tracker in two places ({', '.join(trackers)}); give each its own"
            )
        self.name, self.sensors = name, dict(sensors)
        self._guide: Guide | None = None
        self.dropped = 0  # frames that were left out because too many waited
        self._network, self._skeleton = network, skeleton
        self._frames = FrameAssembler(trackers, fps=NETWORK_FPS)
        self._patient = FrameAssembler(trackers, fps=NETWORK_FPS, patience=PATIENCE)
        self._calibration: LiveCalibration | None = None
        self._stream = Stream(network, skeleton)
        self.skeleton = self._stream.skeleton
        self.newest_frame: SensorFrame | None = None

    @property
    def guide(self) -> Guide | None:
        """Who watches the performer, None if nobody does."""
        return self._guide

    @guide.setter
    def guide(self, guide: Guide | None) -> None:
        self._guide = guide
        trackers = self._frames.trackers
        self._patient = FrameAssembler(trackers, fps=NETWORK_FPS, patience=PATIENCE)

    @property
    def calibration(self) -> LiveCalibration | None:
        """The calibration, None before there is one."""
        return self._calibration

    @calibration.setter
    def calibration(self, calibration: LiveCalibration | None) -> None:
        self._calibration = calibration
        self._stream = Stream(self._network, self._skeleton)

    def push(self, samples: Iterable[Sample], now: float) -> list[TimedPose]:
        """Take what came and give the poses that are now known; call inside `threads.one_thread`.

        Args:
            samples: of any trackers, in the order in which they came.
            now: seconds of `time.monotonic`.
        """
        samples = list(samples)
        frames = self._frames.push(samples, now)
        if frames:
            self.newest_frame = frames[-1]
        if self._guide is not None:
            for frame in self._patient.push(samples, now):
                self._guide.push(frame)
        if self._calibration is None:
            return []
        behind = max(len(frames) - MOST_BEHIND, 0)
        self.dropped += behind
        return [timed for frame in frames[behind:] for timed in self._posed(frame)]

    def _posed(self, frame: SensorFrame) -> list[TimedPose]:
        assert self._calibration is not None
        bones, felt = self._calibration.apply(frame)
        return [
            TimedPose(pose, frame.time, frame.arrival) for pose in self._stream.push(bones, felt)
        ]
