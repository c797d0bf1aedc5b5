"""What devices share that listen in a thread: a bounded queue, pairing, counts of every sender."""

import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from types import TracebackType
from typing import Self

from ...rig.errors import DeviceError, PallasError
from .device import TrackerState
from .samples import PoseSample, Sample
from .tally import Tally

__all__ = ["LONGEST_QUEUE", "MOST_TRACKERS", "ThreadedDevice"]

LONGEST_QUEUE = 16_384  # samples: 20 seconds of eight trackers at 100 Hz
MOST_TRACKERS = 64  # senders that are remembered, paired or not


class ThreadedDevice(ABC):
    """A `Device` whose thread listens; what it hears goes through `count` and `give`.

    A deriving class opens its port in `open` (in the caller's thread), listens in `listen` until
    `stopping` is set, and closes the port in `close`.

    Args:
        name: what the user asked for.
        kind: what its trackers are, in a word or two.
        paired: trackers whose samples are taken.
        pairs_all: whether every tracker is taken by itself (only this computer's programs can send).
    """

    def __init__(
        self,
        name: str,
        kind: str,
        paired: frozenset[str] = frozenset(),
        pairs_all: bool = False,
    ) -> None:
        self.kind = kind
        self.stopping = threading.Event()
        self.dropped = 0  # samples that nobody took in time
        self._name = name
        self._error: PallasError | None = None
        self._paired = set(paired)
        self._unpaired: set[str] = set()
        self._pairs_all = pairs_all
        self._queue: deque[Sample] = deque()
        self._tallies: dict[str, Tally] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @abstractmethod
    def open(self) -> None:
        """Open the port or socket.

        Raises:
            DeviceError: it can't be opened.
        """

    @abstractmethod
    def listen(self) -> None:
        """Read until `stopping` is set; a `PallasError` ends the device and becomes its `error`."""

    @abstractmethod
    def close(self) -> None:
        """Close what `open` opened; twice is allowed."""

    @property
    def name(self) -> str:
        """What the user asked for."""
        return self._name

    @property
    def error(self) -> PallasError | None:
        """Why the device has ended by itself, None while it runs."""
        return self._error

    @property
    def paired(self) -> frozenset[str]:
        """Names of the trackers that were paired one by one."""
        with self._lock:
            return frozenset(self._paired)

    def __enter__(self) -> Self:
        """Open it and start listening.

        Raises:
            DeviceError: it can't be opened.
        """
        if self._thread is not None:
            raise DeviceError(f"{self.name} is open already; close it before opening it again")
        self.open()
        self.stopping.clear()
        self._error = None
        for tally in self._tallies.values():
            tally.restart()  # what was sent while it was closed is not lost: nobody listened
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop listening and close it; twice is allowed."""
        self.stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self.close()

    def take(self) -> list[Sample]:
        """What has come since the last call, oldest first; never waits."""
        with self._lock:
            taken = list(self._queue)
            self._queue.clear()
        return taken

    def trackers(self) -> list[TrackerState]:
        """Everyone heard so far, paired or not, in the order in which they appeared."""
        now = time.monotonic()
        with self._lock:
            return [tally.state(now) for tally in self._tallies.values()]

    def pair(self, tracker: str, paired: bool = True) -> None:
        """Take this tracker's samples from now on, or no longer."""
        with self._lock:
            (self._paired.add if paired else self._paired.discard)(tracker)
            (self._unpaired.discard if paired else self._unpaired.add)(tracker)
            if tracker in self._tallies:
                self._tallies[tracker].paired = paired
                self._tallies[tracker].note = ""

    def tally(self, tracker: str, address: str = "", modulus: int | None = None) -> Tally | None:
        """The counts of a tracker, new ones if it is heard for the first time.

        When `MOST_TRACKERS` are known, the unpaired one that has been silent longest is forgotten;
        where all are paired by themselves, the one that sent least.

        Args:
            tracker: as in its samples.
            address: where it sends from now.
            modulus: where the sender's own count goes back to zero, None if it never does.

        Returns:
            None when there is no room, because that many are paired.
        """
        with self._lock:
            known = self._tallies.get(tracker)
            if known is None:
                if len(self._tallies) >= MOST_TRACKERS and not self._forget_one():
                    return None
                known = Tally(tracker, self.kind, address, self.takes(tracker), modulus)
                self._tallies[tracker] = known
            elif address:
                known.address = address
            return known

    def give(self, sample: Sample) -> None:
        """Put a sample into the queue; the oldest is dropped when it is full."""
        with self._lock:
            self._queue.append(sample)
            if len(self._queue) <= LONGEST_QUEUE:
                return
            oldest = self._queue.popleft()
            self.dropped += 1
            name = oldest.performer if isinstance(oldest, PoseSample) else oldest.tracker
            if name in self._tallies:
                self._tallies[name].note = "samples dropped: they were not taken in time"

    def takes(self, tracker: str) -> bool:
        """Whether the samples of a tracker of that name are taken."""
        return tracker not in self._unpaired and (self._pairs_all or tracker in self._paired)

    def _forget_one(self) -> bool:
        strangers = [tally for tally in self._tallies.values() if not tally.paired]
        # On loopback everyone is paired by itself: there who sent least may go as well.
        unnamed = [t for t in self._tallies.values() if t.tracker not in self._paired]
        candidates = strangers or unnamed
        if not candidates:
            return False
        del self._tallies[min(candidates, key=lambda tally: (tally.received, tally.last)).tracker]
        return True

    def _run(self) -> None:
        try:
            self.listen()
        except PallasError as error:
            self._error = error
        except BaseException:
            self._error = DeviceError(
                f"{self.name} stopped by a fault of this program; connect it again, and report "
                "what the terminal says"
            )
            raise
