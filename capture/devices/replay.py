"""A recording that plays as if its sensors were sending now."""

import math
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from ...rig.arrays import Array
from ...rig.errors import DeviceError, PallasError
from ..formats import read_recording
from ..imu import ImuRecording
from ..orientation_table import read_quaternions
from .samples import TrackerSample
from .threaded import LONGEST_QUEUE, ThreadedDevice

__all__ = ["Replay", "read_replay"]

_WAIT: Final = 0.02  # seconds between looks at whether to stop
_LONE = 0.01  # seconds of a recording of one moment
_SLOWEST, _FASTEST = 0.01, 1000.0


def read_replay(path: Path | str) -> ImuRecording:
    """Read what can be replayed: every recording that `read_recording` reads, and OpenSim's STO.

    An STO holds orientations only: its accelerations are missing.

    Raises:
        FileError: the file can't be read, or its format is not known.
        FormatError: it is damaged, or holds no recording.
    """
    if Path(path).suffix.lower() != ".sto":
        return read_recording(path)
    table = read_quaternions(path)
    missing = np.full((*table.world_from_sensor.shape[:2], 3), math.nan)
    return ImuRecording(table.times, table.world_from_sensor, missing, table.names)


class Replay(ThreadedDevice):
    """A `Device` that gives a recording's samples at the pace at which they were measured, or at another.

    Trackers are the recording's placements, device times the recording's own. Nothing is dropped: when the
    queue is full, it waits. At the end `finished` becomes true; that is no error.

    Args:
        recording: what is played, or the path of its file.
        speed: 1 for real time, 2 for twice as fast, and so on; infinity for as fast as it is taken.
        loop: whether it starts again at its end; device times go on.
    """

    def __init__(
        self, recording: ImuRecording | Path | str, speed: float = 1.0, loop: bool = False
    ) -> None:
        named = not isinstance(recording, ImuRecording)
        if not (_SLOWEST <= speed <= _FASTEST or speed == math.inf):
            raise DeviceError(
                f"the replay's speed is {speed}, expected {_SLOWEST} to {_FASTEST:.0f}, or max"
            )
        self.path = Path(recording) if isinstance(recording, Path | str) else None
        super().__init__(f"replay {recording}" if named else "replay", "replay", pairs_all=True)
        self.finished = False
        self._recording = None if isinstance(recording, Path | str) else recording
        self._speed = speed
        self._loop = loop

    @property
    def recording(self) -> ImuRecording:
        """What is played: its poses and mountings serve as calibration.

        Raises:
            DeviceError: it is not open.
        """
        if self._recording is None:
            raise DeviceError(f"{self.name} is not open; open it before asking for its recording")
        return self._recording

    def open(self) -> None:
        """Read the file.

        Raises:
            DeviceError: it can't be read, or holds no samples.
        """
        self.finished = False
        if self._recording is None:
            assert self.path is not None
            try:
                self._recording = read_replay(self.path)
            except PallasError as error:
                raise DeviceError(f"{self.name} can't be played: {error}") from error
        if not len(self._recording):
            raise DeviceError(f"{self.name} can't be played: it holds no samples")

    def close(self) -> None:
        """Nothing is open."""

    def listen(self) -> None:
        """Give sample after sample until the end, or until told to stop."""
        start, before = time.monotonic(), 0.0  # and the seconds of the rounds before
        while not self.stopping.is_set():
            for offset, samples in _moments(self.recording, before):
                if not self._wait(start + (before + offset) / self._speed, len(samples)):
                    return
                for sample in samples:
                    self._give(sample)
            before += _duration(self.recording.times)
            if not self._loop:
                self.finished = True
                return

    def _wait(self, due: float, room: int) -> bool:
        """Wait until then, and until there is room in the queue; False if it is to stop."""
        while (rest := due - time.monotonic()) > 0 or len(self._queue) + room > LONGEST_QUEUE:
            if self.stopping.wait(min(max(rest, 0.001), _WAIT)):
                return False
        return not self.stopping.is_set()

    def _give(self, sample: TrackerSample) -> None:
        now = time.monotonic()
        tally = self.tally(sample.tracker, self.path.name if self.path else "memory")
        if tally is not None and tally.hear(now, sample.sequence):
            self.give(replace(sample, arrival=now))


def _moments(
    recording: ImuRecording, before: float
) -> Iterator[tuple[float, tuple[TrackerSample, ...]]]:
    """Seconds since the start, and what was measured then; what is missing altogether was not sent."""
    for row, told in enumerate(recording.times.tolist()):
        rotations, accelerations = recording.world_from_sensor[row], recording.acceleration[row]
        silent = np.isnan(rotations).any(axis=-1) & np.isnan(accelerations).any(axis=-1)
        yield (
            told - float(recording.times[0]),
            tuple(
                TrackerSample(name, math.nan, told + before, rotations[s], accelerations[s])
                for s, name in enumerate(recording.placements)
                if not silent[s]
            ),
        )


def _duration(times: Array) -> float:
    """Seconds of one round: a step more than the times span, so that a loop's seam is one of them."""
    if len(times) < 2:
        return _LONE
    return float(times[-1] - times[0] + np.median(np.diff(times)))
