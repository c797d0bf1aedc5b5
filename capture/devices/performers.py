"""What programs share that send whole poses: one performer, or more, per sender."""

import itertools
from abc import abstractmethod
from dataclasses import dataclass
from typing import Generic, TypeVar

from .receiver import Address, UdpReceiver
from .tally import Tally
from .threaded import MOST_TRACKERS

__all__ = ["PoseReceiver"]

_SILENT = (
    2.0  # seconds, after which another port of the same computer may be the same program restarted
)

Kept = TypeVar("Kept")


@dataclass
class _Sender(Generic[Kept]):
    """A program that sends, under the name that it was given."""

    name: str
    last: float
    kept: Kept


class PoseReceiver(UdpReceiver, Generic[Kept]):
    """A `Device` whose senders are known by their computer: "vmc 192.168.1.20".

    A second program of the same computer that sends at the same time is "vmc 192.168.1.20 #2". Who sends
    from a new port after a silence is the program that was heard before, restarted.
    """

    def __init__(
        self,
        kind: str,
        label: str,
        host: str,
        port: int,
        paired: frozenset[str] = frozenset(),
        largest: int = 65_507,
        fastest: float = 5000.0,
    ) -> None:
        super().__init__(kind, label, host, port, paired, largest, fastest)
        self._kind = kind
        self._performers: dict[Address, _Sender[Kept]] = {}

    @abstractmethod
    def new_performer(self) -> Kept:
        """What is kept of a sender, before it told anything."""

    @abstractmethod
    def read(self, performer: Kept, name: str, datagram: bytes, now: float) -> None:
        """Read one datagram of a sender, count it and give its samples.

        Raises:
            PallasError: it can't be understood.
        """

    def receive(self, datagram: bytes, sender: Address, now: float) -> None:
        """Find out who sends, then read what was sent.

        Raises:
            PallasError: it can't be understood.
        """
        known = self._sender(sender, now)
        if known is None:
            return
        known.last = now
        tally = self.tally(known.name, f"{sender[0]}:{sender[1]}")
        if tally is not None and not tally.paired:
            tally.hear(now)
            tally.note = "waits to be paired"
        elif tally is not None:
            self.read(known.kept, known.name, datagram, now)

    def tally_of(self, sender: Address) -> Tally | None:
        """The counts of the sender."""
        known = self._performers.get(sender)
        return None if known is None else self.tally(known.name)

    def close(self) -> None:
        """Close the port and forget what was half gathered."""
        super().close()
        self._performers.clear()

    def _sender(self, address: Address, now: float) -> _Sender[Kept] | None:
        if address in self._performers:
            return self._performers[address]
        for other in [a for a, known in self._performers.items() if now - known.last > _SILENT]:
            del self._performers[other]
        if len(self._performers) >= MOST_TRACKERS:
            return None
        taken = {known.name for known in self._performers.values()}
        name = f"{self._kind} {address[0]}"
        numbered = (name if n == 1 else f"{name} #{n}" for n in itertools.count(1))
        free = next(possible for possible in numbered if possible not in taken)
        self._performers[address] = _Sender(free, now, self.new_performer())
        return self._performers[address]
