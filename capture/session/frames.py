"""Even frames of several trackers, each with its own clock and losses, while they send."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil

import numpy as np

from ...rig import quaternion
from ...rig.arrays import Array, Mask
from ...rig.errors import ShapeError
from ..devices.samples import Sample, TrackerSample
from .track import Between, Track

__all__ = ["BRIDGE", "PATIENCE", "FrameAssembler", "SensorFrame"]

BRIDGE = 0.25  # seconds without a reading that are bridged
PATIENCE = 0.02  # seconds that a late tracker is waited for
FADE = 0.1  # seconds in which the acceleration of a silent tracker ends


@dataclass(frozen=True, eq=False, slots=True)
class SensorFrame:
    """One moment of S trackers.

    Attributes:
        time: seconds of this computer's clock (`time.monotonic`), a multiple of the frame's step.
        world_from_sensor: (S, 4) unit quaternions (w, x, y, z), world z up; NaN where missing.
        acceleration: (S, 3) m/s^2, linear, in the world frame; NaN where missing.
        silent: (S,) True where the tracker had nothing to say of this moment: bridged or missing.
        arrival: seconds, when the newest packet came that went into it.
    """

    time: float
    world_from_sensor: Array
    acceleration: Array
    silent: Mask
    arrival: float


class FrameAssembler:
    """Puts samples of trackers on an even grid: slerp for orientations, linear for accelerations.

    A frame is given as soon as every tracker that is heard has a reading at or after it. One that is late
    is waited for no longer than its usual step and `patience`, and after that not again until it is heard.
    Then it keeps its last orientation, and its acceleration fades, for `bridge` seconds; later it is
    missing. While nobody is heard no frames are given; the grid goes on with the first who is.

    Args:
        trackers: S names, in the order of the frames' rows; samples of others are left out.
        fps: frames per second. Frames lie at multiples of 1 / fps of this computer's clock.
        patience: seconds.
        bridge: seconds.
    """

    def __init__(
        self,
        trackers: tuple[str, ...],
        fps: float = 60.0,
        patience: float = PATIENCE,
        bridge: float = BRIDGE,
    ) -> None:
        if not (np.isfinite(fps) and fps > 0):
            raise ShapeError(f"fps is {fps}, expected a positive number of frames per second")
        self.trackers, self.fps = trackers, fps
        self.patience, self.bridge = patience, bridge
        self._tracks = {tracker: Track() for tracker in trackers}
        self._next: int | None = None  # number of the next frame

    def push(self, samples: Iterable[Sample], now: float) -> list[SensorFrame]:
        """Take what came and give the frames that are now known, oldest first.

        Args:
            samples: of any trackers, in the order in which they came; none is allowed.
            now: seconds of `time.monotonic`.
        """
        oldest = -np.inf if self._next is None else self._next / self.fps - self.bridge
        for sample in samples:
            if isinstance(sample, TrackerSample) and sample.tracker in self._tracks:
                self._tracks[sample.tracker].add(sample, oldest)
        frames = []
        while self._go_to_heard() and not self._waits(now):
            frames.append(self._frame())
        return frames

    def _go_to_heard(self) -> bool:
        """Move on to the next frame at which somebody is heard; False if there is none yet."""
        columns = [track.turns for track in self._tracks.values()]
        while True:
            if any(column.between(self._time, self.bridge) for column in columns):
                return True
            ahead = [column.first_from(self._time) for column in columns]
            if not np.isfinite(min(ahead, default=np.inf)):
                return False
            first = ceil(min(ahead) * self.fps)
            self._next = first if self._next is None else max(first, self._next + 1)

    @property
    def _time(self) -> float:
        """Of the next frame."""
        return -np.inf if self._next is None else self._next / self.fps

    def _waits(self, now: float) -> bool:
        """Whether a reading that the next frame needs may still come in time."""
        time = self._time
        for track in self._tracks.values():
            if not track.late and time - self.bridge <= track.turns.newest < time:
                if now < time + track.period + self.patience:
                    return True
                track.late = True
        return False

    def _frame(self) -> SensorFrame:
        """The next frame; the one after it is the next from now on."""
        time, tracks = self._time, self._tracks.values()
        turns = [track.turns.between(time, self.bridge) or _NO_TURN for track in tracks]
        felt = [track.accelerations.between(time, self.bridge) or _UNFELT for track in tracks]
        for track in tracks:
            track.turns.forget_before(time)
            track.accelerations.forget_before(time)
        self._next = (self._next or 0) + 1
        return SensorFrame(
            time,
            quaternion.slerp(
                np.array([found.start for found in turns]),
                np.array([found.end for found in turns]),
                np.array([found.share for found in turns]),
            ),
            np.array([_felt(found) for found in felt]),
            np.array([found.held > 0.0 for found in turns]),
            max(found.arrival for found in (*turns, *felt)),
        )


_NO_TURN = Between(np.full(4, np.nan), np.full(4, np.nan), 0.0, np.inf, -np.inf)
_UNFELT = Between(np.full(3, np.nan), np.full(3, np.nan), 0.0, 0.0, -np.inf)


def _felt(found: Between) -> Array:
    value = found.start + found.share * (found.end - found.start)
    return value * max(0.0, 1.0 - found.held / FADE)
