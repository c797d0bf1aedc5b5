"""Lines of text from a serial port: opened politely, read in a thread, opened again after unplugging."""

import errno
import os
import time
from importlib import import_module
from typing import Any, Final

from ...rig.errors import DeviceError
from .lines import LineDecoder, LineHearer, LineSplitter
from .threaded import ThreadedDevice

try:
    import termios
except ImportError:  # Windows
    _TERMINAL_ERROR: type[Exception] = OSError
else:
    _TERMINAL_ERROR = termios.error  # what pyserial lets through when a port hangs up

__all__ = ["SerialLines"]

_WAIT: Final = 0.05  # seconds in which a read looks whether it should stop
_MOST: Final = 4096  # bytes at once
_AGAIN: Final = 1.0  # seconds between attempts to open an unplugged port again
_STREAMS: Final = ("socket://", "loop://")  # these start with a whole line
_MISSING: Final = (
    "serial ports need the Python package pyserial, which is not installed; install it "
    "(pip install pyserial)"
)


class SerialLines(ThreadedDevice):
    """A `Device` that reads lines from a serial port; whoever is plugged in is paired.

    When the port goes away, `error` says so and an attempt is made every second to open it again; when that
    succeeds, `error` is None once more. `reconnects` tells others that this error is not the end.

    Args:
        port: "/dev/ttyUSB0", "COM3", or what pyserial opens as well: "socket://192.168.1.20:7000".
        decoder: what the lines mean.
        baud: bits a second; USB devices take any.
        kind: what is plugged in, in a word or two.
        word: the kind in a tracker's name.
    """

    reconnects = True

    def __init__(
        self,
        port: str,
        decoder: LineDecoder,
        baud: int = 115_200,
        kind: str = "serial sensor",
        word: str = "serial",
    ) -> None:
        super().__init__(f"{word} {port}", kind, pairs_all=True)
        self.port = port
        self.baud = baud
        self._decoder = decoder
        self._hearer = LineHearer(self, decoder, word)
        self._splitter = LineSplitter(whole=True)
        self._opened: Any = None

    def open(self) -> None:
        """Open the port.

        Raises:
            DeviceError: it isn't there, another program has it, or pyserial is not installed.
        """
        try:
            serial = import_module("serial")
        except ImportError:
            raise DeviceError(_MISSING) from None
        try:
            self._opened = serial.serial_for_url(
                self.port, self.baud, timeout=_WAIT, write_timeout=_WAIT, exclusive=True
            )
        except (OSError, ValueError, _TERMINAL_ERROR) as error:  # SerialException is an OSError
            raise DeviceError(f"{self.name} can't be opened: {_reason(error)}") from error
        self._splitter = LineSplitter(whole=self.port.startswith(_STREAMS))
        self._decoder.restarted(self.port)
        self._greet()

    def close(self) -> None:
        """Close the port; twice is allowed."""
        opened, self._opened = self._opened, None
        if opened is not None:
            try:
                opened.close()
            except OSError:
                return  # it was unplugged: there is nothing left to close

    def listen(self) -> None:
        """Read until told to stop, through any number of unpluggings."""
        while not self.stopping.is_set():
            try:
                piece = self._read()
            except (OSError, _TERMINAL_ERROR):
                self._lost()
                continue
            now = time.monotonic()
            for line in self._splitter.split(piece):
                self._hearer.hear(line, self.port, now)

    def _read(self) -> bytes:
        """What has come, waiting a moment for the first byte."""
        if self._opened is None:
            raise OSError("not open")
        first: bytes = self._opened.read(1)
        if not first:
            return b""
        return first + bytes(self._opened.read(min(self._opened.in_waiting, _MOST)))

    def _lost(self) -> None:
        """Say that the port is gone, and try to open it again."""
        if self._opened is not None:
            self._error = DeviceError(
                f"{self.name} was unplugged or switched off; plug it in again: it is opened again by itself"
            )
            self.close()
        if self.stopping.wait(_AGAIN):
            return
        try:
            self.open()
        except DeviceError:
            return  # not there yet; `error` says so already
        self._error = None

    def _greet(self) -> None:
        greeting = self._decoder.greeting()
        if not greeting:
            return
        try:
            self._opened.write(greeting)
        except OSError:
            return  # a port that can only be read says nothing wrong by it


def _reason(error: Exception) -> str:
    number = getattr(error, "errno", None)
    if number == errno.EACCES:
        return "this user may not; on Linux add the user to the group dialout, and log in again"
    if number in (errno.EBUSY, errno.EAGAIN) or "exclusively lock" in str(error):
        return "another program has it; close that program (an Arduino serial monitor, say)"
    told = os.strerror(number) if number else " ".join(str(error).split())[:120]
    found = ", ".join(_ports()) or "none"
    return f"{told}; ports found: {found}; plug the device in, or choose another port"


def _ports() -> list[str]:
    listed = import_module("serial.tools.list_ports").comports()
    return sorted(port.device for port in listed)
