"""One tracker's clock mapped to this computer's: offset and skew fitted against arrival, while it sends."""

import math
from collections import deque

import numpy as np

from .clock_line import ClockLine, line_under

__all__ = ["PERIODS", "WINDOW", "DeviceClock", "Unwrapped"]

# Seconds after which clocks of 16 bits of ms and of 32 bits of us, 0.1 ms and ms start again.
PERIODS = (65.536, 4294.967296, 429496.7296, 4294967.296)
TRUSTED = 10.0  # seconds of delays that tell a skew well enough to keep it through a restart
WINDOW = (
    120.0  # seconds of delays that the fit looks at: crystals change their rate with temperature
)
LATEST = 1e12  # seconds; no clock shows more, even if it counts from the year 1
BIN = 1.0  # seconds; of each the smallest delay counts
REORDERED = 1.0  # seconds that a device's time may go back: samples overtake each other
AHEAD = 0.5  # seconds that it may gain on the arrivals: the packets before were late
STEPPED = 0.1  # seconds that every packet is late, for bins in a row, when the device's clock was set back
STEPPED_BINS = 3
EARLY = (
    0.05  # seconds before the line at which no packet can come, unless the clock was set forward
)


class Unwrapped:
    """Device times as if clocks had no end, and where they start again from nothing."""

    def __init__(self) -> None:
        self._base = 0.0
        self._newest = (math.nan, math.nan)  # (unwrapped device time, its arrival)

    def __call__(self, device_time: float, arrival: float) -> tuple[float, bool]:
        """The device time, seconds, and whether the clock has started again with it."""
        newest, heard = self._newest
        if math.isnan(newest):
            return self._restart(device_time, arrival)
        least, most = newest - REORDERED, newest + (arrival - heard) + AHEAD
        unwrapped = device_time + self._base
        if not least <= unwrapped <= most:
            turns = [unwrapped + sign * period for period in PERIODS for sign in (1.0, -1.0)]
            turns = [turn for turn in turns if least <= turn <= most]
            if not turns:
                return self._restart(device_time, arrival)
            unwrapped = turns[0]
        if unwrapped > newest:
            self._base = unwrapped - device_time
            self._newest = unwrapped, arrival
        return unwrapped, False

    def _restart(self, device_time: float, arrival: float) -> tuple[float, bool]:
        self._base = 0.0
        self._newest = device_time, arrival
        return device_time, True


class DeviceClock:
    """Maps the times of one tracker's clock to arrivals', sample by sample; memory is bounded.

    A mapped time is when the sample would have come by the fastest packet: never after it did come. What
    even the fastest packet needs can't be seen. Clocks that wrap, are set, or start again are followed.
    """

    def __init__(self) -> None:
        self._unwrapped = Unwrapped()
        self._bins: deque[tuple[float, float]] = deque(maxlen=int(WINDOW / BIN))
        self._least = (math.nan, math.inf)  # (device time, delay) of the bin that is being filled
        self._bin = math.nan
        self._line = ClockLine(0.0, 0.0, 0.0)
        self._late_bins = 0
        self._usual_skew = 0.0
        self.restarts = 0

    @property
    def skew(self) -> float:
        """Seconds per second by which the device's clock is slow; 0 until it is known."""
        return self._line.skew

    def map(self, device_time: float, arrival: float) -> float:
        """When a sample was measured, seconds of the clock of arrivals.

        Args:
            device_time: seconds of the device's clock; NaN where it sends none, which gives the arrival.
            arrival: seconds of this computer's clock.
        """
        if not abs(device_time) < LATEST:
            return arrival
        device, restarted = self._unwrapped(device_time, arrival)
        if restarted:
            self.restarts += 1
            self._begin(device, arrival)
        self._count(device, arrival - device)
        mapped = self._line.mapped(device)
        if mapped > arrival:
            if mapped - arrival > EARLY:
                self._begin(device, arrival)
            else:
                self._line = _shifted(self._line, arrival - mapped)
            return arrival
        return mapped

    def _begin(self, device: float, arrival: float) -> None:
        """Forget all but the skew: the crystal is the same."""
        self._keep_skew()
        self._bins.clear()
        self._bin, self._least = math.floor(device / BIN), (device, arrival - device)
        self._line = ClockLine(device, arrival - device, self._usual_skew)

    def _keep_skew(self) -> None:
        if len(self._bins) * BIN >= TRUSTED:
            self._usual_skew = self._line.skew
        self._late_bins = 0

    def _count(self, device: float, delay: float) -> None:
        number = math.floor(device / BIN)
        if number > self._bin:
            self._close_bin()
            self._bin, self._least = number, (device, delay)
        elif number == self._bin and self._rest(device, delay) < self._rest(*self._least):
            self._least = device, delay

    def _rest(self, device: float, delay: float) -> float:
        """By how much a packet was later than the line."""
        return device + delay - self._line.mapped(device)

    def _close_bin(self) -> None:
        self._bins.append(self._least)
        self._late_bins = self._late_bins + 1 if self._rest(*self._least) > STEPPED else 0
        if self._late_bins >= STEPPED_BINS:
            self._keep_skew()
            self._bins = deque(list(self._bins)[-STEPPED_BINS:], self._bins.maxlen)
        while self._bins[-1][0] - self._bins[0][0] > WINDOW:
            self._bins.popleft()
        device, delay = np.array(self._bins).T
        self._line = line_under(device, delay, self._usual_skew)


def _shifted(line: ClockLine, seconds: float) -> ClockLine:
    return ClockLine(line.middle, line.offset + seconds, line.skew)
