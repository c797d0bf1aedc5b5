"""A small HTTP server for phones: one bounded request per connection, few at a time, none for long."""

import math
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from ...rig.errors import DeviceError, FormatError
from .lines import Heard, Notes
from .phone_decoder import PhoneDecoder, Platform
from .receiver import is_loopback
from .sensor_logger import LARGEST_MESSAGE, parse_phone_message
from .threaded import ThreadedDevice

__all__ = ["SensorLogger"]

_MOST_CONNECTIONS: Final = 16
_LONGEST: Final = 10.0  # seconds for a whole request, however slowly it comes
_FASTEST: Final = 100.0  # requests a second; a phone sends at most some ten
_TICK: Final = 0.05


class SensorLogger(ThreadedDevice):
    """A `Device` for the app Sensor Logger: phones, watches and headphones push to http://HOST:PORT/.

    Args:
        host: address of the interface to listen on.
        port: TCP port; 0 lets the system choose (see `address`).
        paired: trackers whose samples are taken, where the interface is not loopback.
        platform: whose signs and units; "auto" tells by gravity, which the app then has to send.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 8000,
        paired: frozenset[str] = frozenset(),
        platform: Platform = "auto",
    ) -> None:
        super().__init__(f"phone {host}:{port}", "phone", paired, is_loopback(host))
        self.host = host
        self.port = port
        self.refused = 0  # requests that were too large, too many, too slow, or not understood
        self._decoder = PhoneDecoder(platform)
        self._decoding = threading.Lock()
        self._notes = Notes()
        self._server: _Server | None = None
        self._allowance = _FASTEST
        self._last = 0.0

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that it is bound to, the real port where 0 was asked for.

        Raises:
            DeviceError: it is not open.
        """
        if self._server is None:
            raise DeviceError(f"{self.name} is not open; open it before asking for its address")
        host, port = self._server.server_address[:2]
        return str(host), int(port)

    def open(self) -> None:
        """Bind the port.

        Raises:
            DeviceError: another program has it, or no interface has that address.
        """
        try:
            self._server = _Server((self.host, self.port), self)
        except (OSError, OverflowError) as error:
            raise DeviceError(
                f"{self.name} can't listen: {getattr(error, 'strerror', None) or error}; expected an "
                "address of this computer and a port that no other program has: close that program or "
                "choose another port"
            ) from error

    def close(self) -> None:
        """Close the port; twice is allowed."""
        server, self._server = self._server, None
        if server is not None:
            server.hang_up(math.inf)
            server.server_close()

    def listen(self) -> None:
        """Answer requests until told to stop."""
        server = self._server
        assert server is not None
        server.timeout = _TICK
        while not self.stopping.is_set():
            server.handle_request()
            server.hang_up(time.monotonic() - _LONGEST)

    def receive(self, body: bytes, sender: str) -> bool:
        """Read the body of a request and give its samples; False if it can't be understood."""
        now = time.monotonic()
        with self._decoding:
            try:
                message = parse_phone_message(body)
            except FormatError:
                self.refused += 1
                return False
            for heard in self._decoder.read(message, now):
                self._take(heard, sender, now)
        return True

    def may_send(self) -> bool:
        """Whether one more request is taken now; it uses up a share of what a second allows."""
        now = time.monotonic()
        with self._decoding:
            self._allowance = min(_FASTEST, self._allowance + (now - self._last) * _FASTEST)
            self._last = now
            if self._allowance < 1.0:
                self.refused += 1
                return False
            self._allowance -= 1.0
            return True

    def _take(self, heard: Heard, sender: str, now: float) -> None:
        tally = self.tally(heard.tracker, sender)
        if tally is None:
            return
        tally.battery = tally.battery if heard.battery is None else heard.battery
        if heard.samples:
            self._notes.tell(tally, heard.note)
        for sample in heard.samples:
            if tally.hear(now, sample.sequence):
                self.give(sample)


class _Server(ThreadingHTTPServer):
    """One thread per connection, at most `_MOST_CONNECTIONS`, each for at most `_LONGEST` seconds."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = _MOST_CONNECTIONS

    def __init__(self, address: tuple[str, int], device: SensorLogger) -> None:
        self.device = device
        self._since: dict[object, float] = {}
        self._guard = threading.Lock()
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Bind without asking a name server for this computer's name, as the parent does."""
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = map(str, self.server_address[:2])  # type: ignore[assignment]

    def verify_request(self, request: object, client_address: object) -> bool:
        """Whether there is room for one more connection."""
        with self._guard:
            room = len(self._since) < _MOST_CONNECTIONS
            if room:
                self._since[request] = time.monotonic()
        if not room:
            self.device.refused += 1
        return room

    def shutdown_request(self, request: object) -> None:
        """Close a connection and forget it."""
        with self._guard:
            self._since.pop(request, None)
        assert isinstance(request, socket.socket)
        super().shutdown_request(request)

    def hang_up(self, before: float) -> None:
        """End the connections that were opened before this time of `time.monotonic`."""
        with self._guard:
            slow = [request for request, since in self._since.items() if since < before]
        for request in slow:
            assert isinstance(request, socket.socket)
            try:
                request.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # it ended by itself just now

    def handle_error(self, request: object, client_address: object) -> None:
        """Count a connection that broke, which is no news on a network; anything else is a bug."""
        error = sys.exception()
        if not isinstance(error, OSError):
            raise error or AssertionError
        self.device.refused += 1


class _Handler(BaseHTTPRequestHandler):
    """One request, then the connection ends: HTTP/1.0 keeps none open."""

    server: _Server
    timeout = _LONGEST
    server_version = "pallas"
    sys_version = ""

    def do_POST(self) -> None:
        """Take a message."""
        length = self.headers.get("Content-Length", "")
        if self.headers.get("Origin", "").startswith("http") or "Sec-Fetch-Site" in self.headers:
            self._answer(403)  # a web page: its browser would let it reach loopback
        elif not (length.isascii() and length.isdigit() and len(length) < 12):
            self._answer(411)
        elif int(length) > LARGEST_MESSAGE:
            self._answer(413)
        elif not self.server.device.may_send():
            self._answer(429)
        else:
            body = self.rfile.read(int(length))
            understood = len(body) == int(length) and self.server.device.receive(
                body, self.client_address[0]
            )
            self._answer(200 if understood else 400)

    def do_GET(self) -> None:
        """Tell a person with a browser that it is there."""
        self._answer(405)

    def _answer(self, status: int) -> None:
        if status not in (200, 400, 429):
            self.server.device.refused += 1
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is written: the device's state tells."""
