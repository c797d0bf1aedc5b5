"""A recording that plays as if its sensors were sending now."""

import math
import time
from dataclasses import replace
from pathlib import Path
from typing import Final

from ...rig.errors import DeviceError, PallasError
from .played import Take, length_of, moments, read_played
from .samples import PoseSample, Sample
from .threaded import LONGEST_QUEUE, ThreadedDevice

__all__ = ["Replay"]

_WAIT: Final = 0.02  # seconds between looks at whether to stop
_SLOWEST, _FASTEST = 0.01, 1000.0


class Replay(ThreadedDevice):
    """A `Device` that gives a recording's samples at the pace at which they were measured, or at another.

    A recording's trackers are its placements, all samples of a moment together; of a log, trackers and
    performers are those that it holds, each sample when it came. Device times are the file's, at another
    speed those of a clock that runs with it. Nothing is dropped: when the queue is full, it waits. At the
    end `finished` becomes true; that is no error.

    Args:
        take: what is played, or the path of its file.
        speed: 1 for real time, 2 for twice as fast, and so on; infinity for as fast as it is taken.
        loop: whether it starts again at its end; device times go on.

    Raises:
        DeviceError: the speed can't be.
    """

    def __init__(self, take: Take | Path | str, speed: float = 1.0, loop: bool = False) -> None:
        if not (_SLOWEST <= speed <= _FASTEST or speed == math.inf):
            raise DeviceError(
                f"the replay's speed is {speed}, expected {_SLOWEST} to {_FASTEST:.0f}, or max"
            )
        self.path = Path(take) if isinstance(take, Path | str) else None
        super().__init__(f"replay {self.path or ''}".strip(), "replay", pairs_all=True)
        self.finished = False
        self._take = None if isinstance(take, Path | str) else take
        self._speed = speed
        self._loop = loop

    @property
    def played(self) -> Take:
        """What is played: its poses, mountings or events serve as calibration.

        Raises:
            DeviceError: it is not open.
        """
        if self._take is None:
            raise DeviceError(f"{self.name} is not open; open it before asking for its recording")
        return self._take

    def open(self) -> None:
        """Read the file.

        Raises:
            DeviceError: it can't be read, or holds no samples.
        """
        self.finished = False
        if self._take is None:
            assert self.path is not None
            try:
                self._take = read_played(self.path)
            except PallasError as error:
                raise DeviceError(f"{self.name} can't be played: {error}") from error
        if next(moments(self._take), None) is None:
            raise DeviceError(f"{self.name} can't be played: it holds no samples")

    def close(self) -> None:
        """Nothing is open."""

    def listen(self) -> None:
        """Give sample after sample until the end, or until told to stop."""
        start, before = time.monotonic(), 0.0  # and the seconds of the rounds before
        round_length = length_of(self.played)
        while not self.stopping.is_set():
            for offset, samples in moments(self.played):
                if not self._wait(start + (before + offset) / self._speed, len(samples)):
                    return
                for sample in samples:
                    self._give(sample, before)
            before += round_length
            if not self._loop:
                self.finished = True
                return

    def _wait(self, due: float, room: int) -> bool:
        """Wait until then, and until there is room in the queue; False if it is to stop."""
        while (rest := due - time.monotonic()) > 0 or len(self._queue) + room > LONGEST_QUEUE:
            if self.stopping.wait(min(max(rest, 0.001), _WAIT)):
                return False
        return not self.stopping.is_set()

    def _give(self, sample: Sample, before: float) -> None:
        now = time.monotonic()
        name = sample.performer if isinstance(sample, PoseSample) else sample.tracker
        tally = self.tally(name, self.path.name if self.path else "memory")
        if tally is None or not tally.hear(now):
            return
        pace = self._speed if math.isfinite(self._speed) else 1.0
        told = (sample.device_time + before) / pace
        self.give(replace(sample, arrival=now, device_time=told))
