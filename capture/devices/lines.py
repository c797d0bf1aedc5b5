"""Lines of text from many senders into a device: who said what, and what could not be read."""

from dataclasses import dataclass
from typing import Protocol, TypeVar

from ...rig.errors import FormatError
from .samples import TrackerSample
from .tally import Tally
from .threaded import MOST_TRACKERS, ThreadedDevice

__all__ = ["Heard", "LineDecoder", "LineHearer", "LineSplitter", "Notes", "remember"]

_T = TypeVar("_T")


@dataclass(frozen=True, eq=False, slots=True)
class Heard:
    """What one line says.

    Attributes:
        tracker: who says it, as in its samples.
        samples: in order; often one, sometimes none (a battery's line) or many (the first of a filter).
        battery: share of a full one, None where the line doesn't tell.
        signal: dBm, None where the line doesn't tell.
        note: one phrase about what is wrong with the tracker, empty if nothing is.
    """

    tracker: str
    samples: tuple[TrackerSample, ...] = ()
    battery: float | None = None
    signal: float | None = None
    note: str = ""


class LineDecoder(Protocol):
    """Reads lines; remembers what it must of a bounded number of senders."""

    def read(self, line: bytes, source: str, arrival: float) -> tuple[Heard, ...]:
        """What a line says.

        Args:
            line: without its line feed.
            source: where it came from, such as "/dev/ttyUSB0" or "192.168.1.31".
            arrival: seconds of `time.monotonic`.

        Raises:
            FormatError: it can't be understood.
        """
        ...

    def greeting(self) -> bytes:
        """What is written to a port that was just opened; empty for nothing."""
        ...

    def restarted(self, source: str) -> None:
        """The connection to this source was opened, for the first time or again."""
        ...


class LineSplitter:
    """Bytes in any pieces become whole lines.

    Args:
        whole: whether the first bytes start a line; those of a serial port may be a line's end.
        longest: bytes of the longest line; what is longer is cut and can't be understood.
    """

    def __init__(self, whole: bool, longest: int = 4096) -> None:
        self._rest = b""
        self._longest = longest
        self._skipping = not whole

    def split(self, piece: bytes) -> list[bytes]:
        """The lines that end in this piece, without their line feeds."""
        *lines, rest = (self._rest + piece).split(b"\n")
        if lines and self._skipping:
            del lines[0]
            self._skipping = False
        if len(rest) > self._longest:
            if not self._skipping:
                lines.append(rest)
            rest, self._skipping = b"", True
        self._rest = rest
        return lines


class LineHearer:
    """Gives a device what lines say, and notes in the sender's state those that can't be understood.

    Args:
        device: whose samples and states these are.
        decoder: reads the lines.
        word: the kind in a tracker's name, for senders of whom no line was understood.
    """

    def __init__(self, device: ThreadedDevice, decoder: LineDecoder, word: str) -> None:
        self._device = device
        self._decoder = decoder
        self._word = word
        self._last: dict[str, str] = {}  # the tracker that a source spoke of last
        self._malformed: dict[str, str] = {}  # by tracker, what could not be understood
        self._notes = Notes()

    def hear(self, line: bytes, source: str, now: float) -> None:
        """Decode a line that came at `now`, count it and give its samples."""
        if not line.strip():
            return
        try:
            heard = self._decoder.read(line, source, now)
        except FormatError as error:
            self._note(source, str(error))
            return
        for one in heard:
            self._take(one, source, now)

    def _take(self, heard: Heard, source: str, now: float) -> None:
        tally = self._device.tally(heard.tracker, source)
        if tally is None:
            return
        remember(self._last, source, heard.tracker)
        tally.battery = tally.battery if heard.battery is None else heard.battery
        tally.signal = tally.signal if heard.signal is None else heard.signal
        note = "; ".join(filter(None, (heard.note, self._malformed.get(heard.tracker))))
        self._notes.tell(tally, note)
        for sample in heard.samples:
            if tally.hear(now, sample.sequence):
                self._device.give(sample)

    def _note(self, source: str, reason: str) -> None:
        tracker = self._last.get(source, f"{self._word} {source}")
        tally = self._device.tally(tracker, source)
        if tally is not None:
            tally.undecoded += 1
            note = f"{tally.undecoded} lines not understood: {reason}"
            remember(self._malformed, tracker, note)
            self._notes.tell(tally, note)


class Notes:
    """Puts notes into trackers' states when they change: others write there, too."""

    def __init__(self) -> None:
        self._told: dict[str, str] = {}

    def tell(self, tally: Tally, note: str) -> None:
        """Say this from now on, or nothing any more."""
        if self._told.get(tally.tracker, "") != note:
            tally.note = note
            remember(self._told, tally.tracker, note)


def remember(held: dict[str, _T], key: str, value: _T) -> None:
    """Put a value into a dict of at most `MOST_TRACKERS`; the oldest key goes when it is full."""
    if key not in held and len(held) >= MOST_TRACKERS:
        del held[next(iter(held))]
    held[key] = value
