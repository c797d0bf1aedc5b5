"""Lines of text in datagrams, as ESP32 boards send them over Wi-Fi."""

from .lines import LineDecoder, LineHearer
from .receiver import Address, UdpReceiver

__all__ = ["UdpLines"]


class UdpLines(UdpReceiver):
    """A `Device` that listens for datagrams of one or more lines.

    A sender is known by its host, not by its port, which is another one after each restart.

    Args:
        decoder: what the lines mean.
        host: address of the interface to listen on.
        port: UDP port; 0 lets the system choose.
        paired: trackers whose samples are taken, where the interface is not loopback.
        kind: what sends, in a word or two.
        word: the kind in a tracker's name.
    """

    def __init__(
        self,
        decoder: LineDecoder,
        host: str = "127.0.0.1",
        port: int = 9000,
        paired: frozenset[str] = frozenset(),
        kind: str = "UDP sensor",
        word: str = "udp",
    ) -> None:
        super().__init__(word, kind, host, port, paired)
        self._hearer = LineHearer(self, decoder, word)

    def receive(self, datagram: bytes, sender: Address, now: float) -> None:
        """Read every line of a datagram; those that can't be understood are noted."""
        for line in datagram.split(b"\n"):
            self._hearer.hear(line, sender[0], now)
