"""Drains devices in a thread of its own: all goes to the raw log, and what is new to whoever looks live.

The viewport may stall, a solve may fall behind: what arrived is in the log all the same. The live side has
a queue of bounded length; who doesn't take in time misses samples there, never in the log.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from types import TracebackType
from typing import Any, Protocol, Self

from ...rig.errors import OutputError, PallasError
from ..devices.device import Device, TrackerState
from ..devices.samples import Sample

__all__ = ["Log", "Recorder"]

_LOOK = 0.002  # seconds between two looks at the devices
_LONGEST_QUEUE = 8192  # samples; 10 seconds of eight trackers at 100 Hz


class Log(Protocol):
    """What is recorded into, such as a `RawLogWriter`."""

    def write(self, sample: Sample) -> None:
        """Append one sample."""
        ...

    def event(self, kind: str, **fields: Any) -> None:  # noqa: ANN401  whatever JSON holds
        """Append what happened."""
        ...

    def tick(self) -> None:
        """Give the chance to flush."""
        ...

    def close(self) -> None:
        """Flush and close."""
        ...


class Recorder:
    """Devices, open and listened to, and the log that is being written, if one is.

    Use it as a context manager: entering opens every device, leaving ends the log and closes them.

    Args:
        devices: none of them open.
        waits: leave what comes in the devices until the first `start`, so that a log holds it all.
    """

    def __init__(self, devices: Sequence[Device], *, waits: bool = False) -> None:
        self.devices = tuple(devices)
        self.missed = 0  # samples that the live side did not take in time
        self.recorded = 0  # samples in the log that is open, or was last
        self.heard = threading.Event()  # set when there is something to `take`
        self._waits = waits
        self._log: Log | None = None
        self._failed: PallasError | None = None
        self._queue: deque[Sample] = deque()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._open = ExitStack()

    def __enter__(self) -> Self:
        """Open the devices and begin to listen.

        Raises:
            DeviceError: one can't be opened; those before it are closed again.
        """
        with ExitStack() as opened:
            for device in self.devices:
                opened.enter_context(device)
            self._open = opened.pop_all()
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the log, close the devices; twice is allowed."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        with self._open:
            self._listen()  # what came between the last look and now
            self.stop()

    @property
    def recording(self) -> bool:
        """Whether a log is being written."""
        return self._log is not None

    @property
    def errors(self) -> tuple[PallasError, ...]:
        """Why a device ended by itself, or why the log did."""
        found = [device.error for device in self.devices]
        return tuple(error for error in (*found, self._failed) if error is not None)

    def trackers(self) -> list[TrackerState]:
        """Everyone that any device hears."""
        return [state for device in self.devices for state in device.trackers()]

    def pair(self, tracker: str, paired: bool = True) -> None:
        """Take a tracker's samples from now on, or no longer."""
        for device in self.devices:
            device.pair(tracker, paired)

    def start(self, log: Log) -> None:
        """Write everything from now on; a log before it is closed."""
        self.stop()
        with self._lock:
            self._log, self._failed, self.recorded = log, None, 0
            self._waits = False

    def event(self, kind: str, **fields: Any) -> None:  # noqa: ANN401  whatever JSON holds
        """Write what happened, if a log is open."""
        with self._lock:
            if self._log is not None:
                self._guarded(partial(self._log.event, kind, **fields))

    def stop(self) -> int:
        """Close the log, if one is open; how many samples it holds."""
        with self._lock:
            if self._log is not None:
                self._guarded(self._log.close)
                self._log = None
            return self.recorded

    def take(self) -> list[Sample]:
        """What has come since the last call, oldest first; never waits."""
        with self._lock:
            self.heard.clear()
            taken = list(self._queue)
            self._queue.clear()
        return taken

    def _run(self) -> None:
        while not self._stopping.wait(_LOOK):
            if not self._waits:
                self._listen()

    def _listen(self) -> None:
        samples = [sample for device in self.devices for sample in device.take()]
        with self._lock:
            for sample in samples:
                if self._log is not None:
                    self._guarded(partial(self._log.write, sample))
                    self.recorded += 1
                self._queue.append(sample)
            if self._log is not None:
                self._guarded(self._log.tick)
            while len(self._queue) > _LONGEST_QUEUE:
                self._queue.popleft()
                self.missed += 1
            if samples:
                self.heard.set()

    def _guarded(self, work: Callable[[], None]) -> None:
        """Do something with the log; one that can't be written any more is closed, and the reason kept.

        A sample that no log can hold is left out, and told.
        """
        assert self._log is not None
        try:
            work()
        except OutputError as error:
            self._failed = error
            with suppress(PallasError):
                self._log.close()
            self._log = None
        except PallasError as error:
            self._failed = error
