"""Counts behind a tracker's state: what came, what was lost, what came twice or late, how often."""

from collections import deque

from .device import TrackerState

__all__ = ["Tally"]

_REMEMBERED = 64  # readings back, in which a late one is told from one that came twice
_LONGEST_GAP = 100_000  # readings; a larger jump is a sender that counts anew
_RESTART_SILENCE = 1.0  # seconds; nothing is that late in a local network
_RATE_READINGS = 256
_RATE_SECONDS = 3.0


class Tally:
    """What one tracker sent, counted.

    Call `hear` for each reading, in order of arrival, then take the reading if it says so.

    Args:
        tracker: as in its samples.
        kind: what it is, in a word or two.
        address: where it sends from.
        paired: whether its samples are taken.
        modulus: the sender's count goes back to zero there (such as 2**32), None if it never does.
    """

    def __init__(
        self,
        tracker: str,
        kind: str,
        address: str = "",
        paired: bool = False,
        modulus: int | None = None,
    ) -> None:
        self.tracker = tracker
        self.kind = kind
        self.address = address
        self.paired = paired
        self.modulus = modulus
        self.received = 0
        self.lost = 0
        self.duplicated = 0
        self.reordered = 0
        self.undecoded = 0
        self.last = float("-inf")
        self.battery: float | None = None
        self.signal: float | None = None
        self.note = ""
        self._newest: int | None = None
        self._seen = 0  # bit n: the reading n before the newest came
        self._arrivals: deque[float] = deque(maxlen=_RATE_READINGS)

    def hear(self, now: float, sequence: int | None = None) -> bool:
        """Count one reading; False if it came before (drop it) or its tracker is not paired.

        Args:
            now: seconds of `time.monotonic` when it came.
            sequence: the sender's own count of its readings, None if it sends none.
        """
        silence, self.last = now - self.last, now
        if not self.paired:
            return False
        if sequence is not None and not self._is_new(sequence, silence):
            self.duplicated += 1
            return False
        self.received += 1
        self._arrivals.append(now)
        return True

    def restart(self) -> None:
        """The sender counts anew from here (it said so); what was counted stays."""
        self._newest = None

    def undecodable(self, reason: str) -> None:
        """Count a packet that could not be read, and say so in the state."""
        self.undecoded += 1
        packets = "1 packet" if self.undecoded == 1 else f"{self.undecoded} packets"
        self.note = f"{packets} not understood: {reason}"

    def state(self, now: float) -> TrackerState:
        """The counts so far, `now` being seconds of `time.monotonic`."""
        return TrackerState(
            self.tracker,
            self.kind,
            self.address,
            self.paired,
            self._rate(now),
            self.received,
            self.lost,
            self.duplicated,
            self.reordered,
            self.last,
            self.battery,
            self.signal,
            self.note,
        )

    def _is_new(self, sequence: int, silence: float) -> bool:
        if self._newest is None:
            self._newest, self._seen = sequence, 1
            return True
        ahead = sequence - self._newest
        if self.modulus is not None:
            half = self.modulus // 2
            ahead = (ahead + half) % self.modulus - half
        restarted = ahead <= 0 and silence > _RESTART_SILENCE
        if restarted or not -_REMEMBERED < ahead <= _LONGEST_GAP:
            self._newest, self._seen = sequence, 1
            return True
        if ahead > 0:
            self.lost += ahead - 1
            self._newest = sequence
            self._seen = ((self._seen << min(ahead, _REMEMBERED)) | 1) & ((1 << _REMEMBERED) - 1)
            return True
        return self._came_late(-ahead)

    def _came_late(self, behind: int) -> bool:
        if self._seen >> behind & 1:
            return False
        self._seen |= 1 << behind
        self.reordered += 1
        self.lost = max(0, self.lost - 1)  # it had been given up when a later one came
        return True

    def _rate(self, now: float) -> float:
        # A copy: the device's thread appends while another asks.
        recent = [time for time in tuple(self._arrivals) if now - time <= _RATE_SECONDS]
        if len(recent) < 2 or recent[-1] <= recent[0]:
            return 0.0
        return (len(recent) - 1) / max(recent[-1] - recent[0], now - recent[0] - 0.5)
