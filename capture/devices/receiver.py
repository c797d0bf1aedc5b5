"""Datagrams from a bounded number of senders, at a bounded rate, into a device's thread."""

import ipaddress
import selectors
import socket
import time
from abc import abstractmethod
from dataclasses import dataclass

from ...rig.errors import DeviceError, PallasError
from .tally import Tally
from .threaded import MOST_TRACKERS, ThreadedDevice

__all__ = ["Address", "UdpReceiver", "is_loopback"]

Address = tuple[str, int]

_TICK = 0.1  # seconds between calls of `tick`
_RECEIVE_BUFFER = 4 << 20  # bytes; seconds of many trackers, where the system allows that many
_BATCH = 1024  # packets that are taken out of the system's buffer at once
_BURST = 0.2  # seconds' worth of packets that a sender may send at once, and this many at least:
_SMALLEST_BURST = 500.0
_NEWCOMERS = 20.0  # new senders that are listened to, a second


@dataclass
class _Allowance:
    """How many packets a sender may still send now (a token bucket), and when it last sent."""

    packets: float
    last: float

    def spend(self, now: float, rate: float, most: float) -> bool:
        """Take one packet off; False if none is left."""
        self.packets = min(most, self.packets + (now - self.last) * rate)
        self.last = now
        if self.packets < 1.0:
            return False
        self.packets -= 1.0
        return True


def is_loopback(host: str) -> bool:
    """Whether only programs of this computer can reach a socket bound to this address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class UdpReceiver(ThreadedDevice):
    """A `Device` that listens for datagrams; a deriving class reads them in `receive`.

    On loopback every tracker is paired by itself; on another interface only those in `paired`.

    Args:
        kind: the word for it in an address, such as "slimevr".
        label: what its trackers are, for people, such as "SlimeVR".
        host: address of the interface to listen on; 0.0.0.0 for all of them.
        port: UDP port; 0 lets the system choose (see `address`).
        paired: trackers whose samples are taken.
        largest: bytes of the largest packet; larger ones are dropped.
        fastest: packets a second that one sender may send; more are dropped.
        broadcasts: whether packets to everyone (255.255.255.255) are for this device as well.
    """

    def __init__(
        self,
        kind: str,
        label: str,
        host: str,
        port: int,
        paired: frozenset[str] = frozenset(),
        largest: int = 2048,
        fastest: float = 5000.0,
        broadcasts: bool = False,
    ) -> None:
        super().__init__(f"{kind} {host}:{port}", label, paired, is_loopback(host))
        self.host = host
        self.port = port
        self.refused = 0  # packets that were too large, too many or of too many senders
        self._largest = largest
        self._fastest = fastest
        self._burst = max(_SMALLEST_BURST, _BURST * fastest)
        self._broadcasts = broadcasts
        self._socket: socket.socket | None = None
        self._ear: socket.socket | None = None
        self._senders: dict[Address, _Allowance] = {}
        self._newcomers = _Allowance(float(MOST_TRACKERS), time.monotonic())

    @property
    def address(self) -> Address:
        """Host and port that it is bound to, the real port where 0 was asked for.

        Raises:
            DeviceError: it is not open.
        """
        if self._socket is None:
            raise DeviceError(f"{self.name} is not open; open it before asking for its address")
        host, port = self._socket.getsockname()[:2]
        return str(host), int(port)

    @abstractmethod
    def receive(self, datagram: bytes, sender: Address, now: float) -> None:
        """Read one datagram, count it and give its samples.

        Raises:
            PallasError: it can't be understood; the sender's state will say so.
        """

    def tick(self, now: float) -> None:
        """Called ten times a second by the thread: heartbeats and the like."""

    def watch(self, selector: selectors.BaseSelector) -> None:
        """Called by the thread as it begins: register further sockets, each with who reads it."""

    def tally_of(self, sender: Address) -> Tally | None:
        """Whose note tells of a packet from there that was not understood; None for nobody's."""
        return None

    def send(self, payload: bytes, receiver: Address) -> None:
        """Send a datagram from the device's port; a receiver that is gone does no harm."""
        if self._socket is not None:
            try:
                self._socket.sendto(payload, receiver)
            except OSError:
                self.refused += 1

    def open(self) -> None:
        """Bind the port.

        Raises:
            DeviceError: another program has it, or no interface has that address.
        """
        self._socket = self._bound(self.host, self.port)
        if self._broadcasts and not self._pairs_all and self.host not in ("0.0.0.0", "::"):
            # Linux gives broadcasts only to sockets bound to everything or to that very address.
            try:
                self._ear = self._bound("255.255.255.255", self.address[1])
            except DeviceError:
                self._ear = (
                    None  # Windows doesn't bind it, and gives broadcasts to the other socket
                )

    def close(self) -> None:
        """Close the port; twice is allowed."""
        for opened in (self._socket, self._ear):
            if opened is not None:
                opened.close()
        self._socket = self._ear = None
        self._senders.clear()

    def listen(self) -> None:
        """Receive until told to stop.

        Raises:
            DeviceError: the system closed the port.
        """
        with selectors.DefaultSelector() as selector:
            for opened in (self._socket, self._ear):
                if opened is not None:
                    selector.register(opened, selectors.EVENT_READ, self._read_datagrams)
            self.watch(selector)
            due = time.monotonic()
            while not self.stopping.is_set():
                if time.monotonic() >= due:
                    self.tick(time.monotonic())
                    due = time.monotonic() + _TICK
                for key, _ in selector.select(max(0.0, due - time.monotonic())):
                    key.data(key.fileobj)

    def _read_datagrams(self, opened: socket.socket) -> None:
        # First out of the system's small buffer, all that is there; then understood.
        for datagram, sender, now in self._waiting(opened):
            self.pass_on(datagram, sender, now)

    def _waiting(self, opened: socket.socket) -> list[tuple[bytes, Address, float]]:
        found: list[tuple[bytes, Address, float]] = []
        for _ in range(_BATCH):
            try:
                datagram, sender = opened.recvfrom(self._largest + 1)
            except BlockingIOError:
                break
            except ConnectionError:
                continue  # a tracker that we answered is gone: Windows tells it here
            except OSError as error:
                if getattr(error, "winerror", None) == 10040:  # Windows: larger than was asked for
                    self.refused += 1
                    continue
                raise DeviceError(
                    f"{self.name} stopped listening: {error.strerror or error}; connect it again"
                ) from error
            found.append((datagram, sender[:2], time.monotonic()))
        return found

    def pass_on(self, datagram: bytes, sender: Address, now: float) -> None:
        """Give a packet to `receive` if it is not too large and its sender not too fast."""
        if len(datagram) > self._largest or not self._may_send(sender, now):
            self.refused += 1
            return
        try:
            self.receive(datagram, sender, now)
        except PallasError as error:
            tally = self.tally_of(sender)
            if tally is not None:
                tally.undecodable(str(error))

    def _may_send(self, sender: Address, now: float) -> bool:
        allowance = self._senders.get(sender)
        if allowance is None:
            if not self._newcomers.spend(now, _NEWCOMERS, MOST_TRACKERS):
                return False  # a crowd, or one who makes addresses up: those who are known go first
            if len(self._senders) >= MOST_TRACKERS:
                del self._senders[min(self._senders, key=lambda known: self._senders[known].last)]
            allowance = self._senders[sender] = _Allowance(self._burst, now)
        return allowance.spend(now, self._fastest, self._burst)

    def _bound(self, host: str, port: int) -> socket.socket:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        opened = socket.socket(family, socket.SOCK_DGRAM)
        try:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
            exclusive = getattr(socket, "SO_EXCLUSIVEADDRUSE", None)
            if exclusive is not None:  # Windows: no other program takes the port over
                opened.setsockopt(socket.SOL_SOCKET, exclusive, 1)
            opened.setblocking(False)
            opened.bind((host, port))
        except (OSError, OverflowError) as error:
            opened.close()
            raise DeviceError(
                f"{self.name} can't listen: {getattr(error, 'strerror', None) or error}; "
                "expected an address of this computer and a port that no other program has: "
                "close that program or choose another port"
            ) from error
        return opened
