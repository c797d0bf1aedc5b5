"""The one interface of everything that sends: open it, take what came, see how it is, close it."""

from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from ...rig.errors import PallasError
from .samples import Sample

__all__ = ["Device", "TrackerState"]


@dataclass(frozen=True)
class TrackerState:
    """How one tracker (or one performer of a program that solves) is doing.

    Attributes:
        tracker: as in its samples.
        kind: what it is, in a word or two, such as "SlimeVR" or "x-IMU3".
        address: where it sends from, such as "192.168.1.31:6969" or "/dev/ttyUSB0".
        paired: whether its samples are taken; those of others are counted and dropped.
        rate: Hz, samples per second over the last few seconds; 0 when silent.
        received: samples that were taken.
        lost: samples that the sender counted and that never came.
        duplicated: samples that came twice and were dropped.
        reordered: samples that came after a later one.
        last: seconds of `time.monotonic` when it was last heard.
        battery: share of a full one, 0 to 1; None where it isn't told.
        signal: dBm; None where it isn't told.
        note: one phrase about what is wrong, empty if nothing is.
    """

    tracker: str
    kind: str
    address: str
    paired: bool
    rate: float
    received: int
    lost: int
    duplicated: int
    reordered: int
    last: float
    battery: float | None = None
    signal: float | None = None
    note: str = ""


class Device(Protocol):
    """A source of samples: a thread fills a bounded queue, `take` drains it.

    Use it as a context manager: entering opens the port or socket and starts the thread, leaving stops it.
    """

    @property
    def name(self) -> str:
        """What the user asked for, such as "slimevr 127.0.0.1:6969"."""
        ...

    @property
    def error(self) -> PallasError | None:
        """Why the device has ended by itself (unplugged, port taken over), None while it runs."""
        ...

    def __enter__(self) -> Self:
        """Open it.

        Raises:
            DeviceError: it can't be opened; the message says what is in the way.
        """
        ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close it; twice is allowed."""
        ...

    def take(self) -> list[Sample]:
        """What has come since the last call, oldest first; never waits."""
        ...

    def trackers(self) -> list[TrackerState]:
        """Everyone heard so far, paired or not, in the order in which they appeared."""
        ...

    def pair(self, tracker: str, paired: bool = True) -> None:
        """Take this tracker's samples from now on, or no longer."""
        ...
