"""When readings were measured whose tracker sends no times: it measures evenly, and counts what it sends.

A network delays readings by chance, in bursts. Of readings a period apart the one that was delayed least
tells when all of them were measured.
"""

from collections import deque

__all__ = ["EvenClock"]

TOGETHER = 1e-4  # seconds between readings, at least
_FIRST = 16  # readings until a period is known
_PERIOD_OVER = 256  # readings
_LEAST_OVER = 32  # readings, of which the one that was delayed least counts
_COUNTS = 64  # steps of the count of which the usual one is sought
_MOST_LATE = 0.1  # seconds by which a reading can be late; later, and the tracker has paused
_MOST_STEP = 200  # of a count; more, and the tracker counts anew
_MANY_TOGETHER = (
    0.2  # share of readings that come with the one before, from which on they come in packets
)


class EvenClock:
    """Maps readings of one tracker to the moments at which they were measured; memory is bounded.

    A moment is never after the arrival, but for readings that come together and can't be told apart. Without
    a count losses can't be seen: then the arrival is taken, unless readings come several at a time, as lines
    do from a serial port, which loses none.
    """

    def __init__(self) -> None:
        self._newest = -1e300
        self._sequence: int | None = None
        self._steps: deque[int] = deque(maxlen=_COUNTS)
        self._usual, self._together = 1, 0.0
        self._begin()

    def map(self, arrival: float, sequence: int | None = None) -> float:
        """When a reading was measured, seconds of the clock of arrivals; later than the one before.

        Args:
            arrival: seconds.
            sequence: the tracker's own count of what it sends, None where it sends none.
        """
        gap = arrival - self._recent[-1][0] if self._recent else 0.0
        self._together += 0.05 * ((gap < TOGETHER) - self._together)
        if not 0.0 <= gap <= _MOST_LATE:
            self._begin()
        self._add(arrival, self._passed(sequence, gap))
        time = arrival
        if sequence is not None or self._together > _MANY_TOGETHER:
            time = self._even(arrival)
        if arrival - time > _MOST_LATE:
            self._begin()
            self._add(arrival, 0)
            time = arrival
        self._newest = max(time, self._newest + TOGETHER)
        return self._newest

    def _begin(self) -> None:
        self._number, self._period = 0, 0.0
        self._readings: deque[tuple[float, int]] = deque(maxlen=_PERIOD_OVER)  # (arrival, number)
        self._recent: deque[tuple[float, int]] = deque(maxlen=_LEAST_OVER)

    def _add(self, arrival: float, passed: int) -> None:
        self._number += passed
        self._readings.append((arrival, self._number))
        self._recent.append((arrival, self._number))
        if len(self._readings) >= _FIRST:
            first, low = self._readings[0]
            self._period = (arrival - first) / (self._number - low)

    def _passed(self, sequence: int | None, gap: float) -> int:
        """Periods since the reading before: some were lost, or the tracker counted something else, too."""
        before, self._sequence = self._sequence, sequence
        if sequence is None or before is None or not 0 < sequence - before <= _MOST_STEP:
            return 1
        step = sequence - before
        self._steps.append(step)
        if step != self._usual:
            self._usual = sorted(self._steps)[len(self._steps) // 2]
        most = max(step // self._usual, 1)
        if most == 1 or self._period <= 0.0:
            return most
        return min(max(round(gap / self._period), 1), most)

    def _even(self, arrival: float) -> float:
        """The arrival, had it been delayed as little as the least delayed of the last."""
        if self._period <= 0.0:
            return arrival
        number, period = self._number, self._period
        return min([came + (number - before) * period for came, before in self._recent])
