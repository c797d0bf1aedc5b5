"""A few connections of programs that send packets one after the other over TCP."""

import selectors
import socket
import time
from collections.abc import Callable

from ...rig.errors import DeviceError
from .receiver import Address

__all__ = ["TcpStreams"]

_MOST_CONNECTIONS = 8
_CHUNK = 1 << 16  # bytes read at once, and the most that is kept of an unfinished packet


class TcpStreams:
    """Listens for connections and cuts what comes into packets.

    Args:
        split: takes what is left of a stream; gives the whole packets at its start, and the rest.
        give: takes one packet, where it comes from, and seconds of `time.monotonic`.
    """

    def __init__(
        self,
        split: Callable[[bytes], tuple[list[bytes], bytes]],
        give: Callable[[bytes, Address, float], None],
    ) -> None:
        self._split = split
        self._give = give
        self._listener: socket.socket | None = None
        self._connections: dict[socket.socket, tuple[Address, bytes]] = {}
        self._selector: selectors.BaseSelector | None = None

    def open(self, name: str, host: str, port: int) -> None:
        """Bind the port.

        Args:
            name: of the device, for the error.
            host: address of an interface.
            port: TCP port.

        Raises:
            DeviceError: another program has it.
        """
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setblocking(False)
            listener.bind((host, port))
            listener.listen(_MOST_CONNECTIONS)
        except OSError as error:
            listener.close()
            raise DeviceError(
                f"{name} can't listen for TCP: {error.strerror or error}; expected a port that no "
                "other program has: close that program or choose another port"
            ) from error
        self._listener = listener

    def watch(self, selector: selectors.BaseSelector) -> None:
        """Have the selector call back when something comes."""
        self._selector = selector
        if self._listener is not None:
            selector.register(self._listener, selectors.EVENT_READ, self._accept)

    def close(self) -> None:
        """Close the port and all connections; twice is allowed."""
        for connection in self._connections:
            connection.close()
        if self._listener is not None:
            self._listener.close()
        self._connections.clear()
        self._listener = self._selector = None

    def _accept(self, listener: socket.socket) -> None:
        try:
            connection, address = listener.accept()
        except OSError:
            return  # who wanted in is gone again
        if len(self._connections) >= _MOST_CONNECTIONS or self._selector is None:
            connection.close()
            return
        connection.setblocking(False)
        self._connections[connection] = address[:2], b""
        self._selector.register(connection, selectors.EVENT_READ, self._read)

    def _read(self, connection: socket.socket) -> None:
        address, rest = self._connections[connection]
        try:
            chunk = connection.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError:
            chunk = b""
        now = time.monotonic()
        packets, rest = self._split(rest + chunk)
        for packet in packets:
            self._give(packet, address, now)
        self._connections[connection] = address, rest[-_CHUNK:]
        if not chunk and self._selector is not None:  # the sender hung up
            self._selector.unregister(connection)
            connection.close()
            del self._connections[connection]
