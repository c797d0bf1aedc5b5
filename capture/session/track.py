"""The last moments of one tracker: its readings in the order in which they were measured."""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field

import numpy as np

from ...rig.arrays import Array
from ..devices.samples import TrackerSample
from ..textfile import LARGEST
from .counted import Counted
from .device_clock import DeviceClock
from .even_clock import EvenClock

__all__ = ["Between", "Column", "Track"]

_MOST = 2048  # readings that wait, whatever is sent
_LONGEST_PERIOD = 0.05  # seconds


@dataclass(frozen=True, eq=False, slots=True)
class Between:
    """What is known of a moment.

    Attributes:
        start: the reading before it.
        end: the reading after it; the one before it where there is none yet.
        share: how far the moment is from the one to the other, 0 to 1.
        held: seconds since the last reading, where there is none after it.
        arrival: seconds, when the later of the two came.
    """

    start: Array
    end: Array
    share: float
    held: float
    arrival: float


class Track:
    """Readings of one tracker; orientation and acceleration each by themselves, as some send them.

    Attributes:
        turns: of unit quaternions (4,), world_from_sensor.
        accelerations: of (3,) m/s^2, world frame.
        period: seconds between samples, usually.
        late: whether frames no longer wait for it, until it is heard again.
    """

    def __init__(self) -> None:
        self.turns, self.accelerations = Column(), Column()
        self.period, self.late = 0.0, False
        self._clock, self._even = DeviceClock(), EvenClock()
        self._counted = Counted()
        self._newest = -np.inf

    def add(self, sample: TrackerSample, oldest: float) -> None:
        """Take a sample, unless it came before, or was measured before `oldest` (seconds)."""
        if not self._counted(sample.sequence, sample.device_time):
            return
        if np.isfinite(sample.device_time):
            time = self._clock.map(sample.device_time, sample.arrival)
        else:
            time = self._even.map(sample.arrival, sample.sequence)
        if time < oldest:
            return
        if time > self._newest:
            step = min(time - self._newest, _LONGEST_PERIOD)
            self.period += (0.1 if self.period else 1.0) * (step - self.period)
            self._newest, self.late = time, False
        self.turns.add(time, sample.arrival, sample.world_from_sensor)
        self.accelerations.add(time, sample.arrival, sample.acceleration)


@dataclass
class Column:
    """Readings of one kind, by time."""

    readings: list[tuple[float, Array]] = field(default_factory=list)  # (arrival, value)
    times: list[float] = field(default_factory=list)

    def add(self, time: float, arrival: float, value: Array) -> None:
        """Put a reading in its place, unless it is missing, or there is one of the same moment."""
        place = bisect_left(self.times, time)
        if not (np.abs(value) < LARGEST).all() or (
            place < len(self.times) and self.times[place] == time
        ):
            return
        self.times.insert(place, time)
        self.readings.insert(place, (arrival, value))
        if len(self.times) > _MOST:
            del self.times[0], self.readings[0]

    @property
    def newest(self) -> float:
        """Seconds; minus infinity before the first."""
        return self.times[-1] if self.times else -np.inf

    def between(self, time: float, longest: float) -> Between | None:
        """What readings say of a moment; None if they are more than `longest` seconds apart, or too old."""
        before = bisect_right(self.times, time) - 1
        if before < 0:
            return None
        arrival, value = self.readings[before]
        since = time - self.times[before]
        if before + 1 == len(self.times) or since == 0.0:
            return None if since > longest else Between(value, value, 0.0, since, arrival)
        span = self.times[before + 1] - self.times[before]
        if span > longest:
            return None
        came, end = self.readings[before + 1]
        return Between(value, end, since / span, 0.0, max(arrival, came))

    def first_from(self, time: float) -> float:
        """Seconds of the first reading at or after a moment; infinity if there is none yet."""
        after = bisect_left(self.times, time)
        return self.times[after] if after < len(self.times) else np.inf

    def forget_before(self, time: float) -> None:
        """Keep what frames from `time` on need."""
        unneeded = bisect_right(self.times, time) - 1
        if unneeded > 0:
            del self.times[:unneeded], self.readings[:unneeded]
