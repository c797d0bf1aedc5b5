"""SlimeVR trackers over WiFi: this program is the server that they look for."""

import itertools
from dataclasses import dataclass, field

import numpy as np

from ...rig.arrays import Array
from .gravity import linear_in_world
from .receiver import Address, UdpReceiver
from .samples import TrackerSample
from .slimevr_packets import (
    EVERY_SENSOR,
    HANDSHAKE_ANSWER,
    HEARTBEAT,
    OUR_FEATURES,
    Acceleration,
    Battery,
    Features,
    Handshake,
    Message,
    Packet,
    Rotation,
    SensorInfo,
    Signal,
    format_ping,
    format_sensor_seen,
    parse_packet,
)
from .tally import Tally
from .threaded import MOST_TRACKERS

__all__ = ["SlimeVr"]

_BEAT = 0.5  # seconds between heartbeats; the firmware gives a server up after 3
_ALIVE = 2.0  # seconds; a tracker heard since then is there, and no other sender can claim to be it
_GIVEN_UP = 10.0  # seconds of silence after which a tracker is told nothing any more
_STALE = 0.25  # seconds; an older acceleration is not that of a rotation
_SENSOR_ERROR = 2
# Firmware before protocol 22 leaves the sensor's offset out of the acceleration: it has to be turned by
# -90 degrees about z.
_OFFSET_PROTOCOL = 22


@dataclass
class _Sensor:
    """The newest of one sensor."""

    tracker: str
    world_from_sensor: Array = field(default_factory=lambda: np.full(4, np.nan))
    acceleration: Array = field(default_factory=lambda: np.full(3, np.nan))  # in the world
    accelerated: float = float("-inf")  # when that came
    rotations: int = 0


@dataclass
class _Board:
    """One tracker with its sensors, as of its last handshake.

    Attributes:
        identity: its MAC address, or its network address where it tells none.
        protocol: version of what it speaks.
        packets: counts its datagrams.
    """

    identity: str
    protocol: int
    packets: Tally
    sensors: dict[int, _Sensor] = field(default_factory=dict)


class SlimeVr(UdpReceiver):
    """SlimeVR trackers, real or emulated, each with one sensor or more.

    A tracker is known by its MAC address: "slimevr AA:BB:CC:DD:EE:FF/0" is its first sensor. Beyond
    loopback a tracker is answered only when one of its sensors is paired; until then it keeps looking,
    for this server or its own, and is listed as heard.

    Each rotation gives one sample. Old firmware sends the acceleration in a packet of its own after the
    rotation: there a sample carries the newest, which is the one before (10 ms at 100 Hz), turned into
    the world by the rotation it was measured with. Bundles and combined packets bring both at once.
    The protocol has no device clock (`device_time` is NaN). A tracker counts its datagrams, not its
    samples: losses are those, in proportion to the sensor's share of them.

    Args:
        host: address of the interface to listen on.
        port: UDP port; trackers look for 6969.
        paired: names of the sensors whose samples are taken.
    """

    def __init__(
        self, host: str = "127.0.0.1", port: int = 6969, paired: frozenset[str] = frozenset()
    ) -> None:
        super().__init__("slimevr", "SlimeVR", host, port, paired, largest=1472, broadcasts=True)
        self._boards: dict[Address, _Board] = {}
        self._beat_due = 0.0
        self._pings = itertools.count()

    def receive(self, datagram: bytes, sender: Address, now: float) -> None:
        """Read one datagram of a tracker.

        Raises:
            DeviceError: it is cut off.
        """
        packet = parse_packet(datagram)
        for message in packet.messages:
            if isinstance(message, Handshake):
                self._shake_hands(message, sender, now)
                return
        board = self._boards.get(sender)
        if board is None:
            return  # of an earlier session: it will ask again
        if board.packets.hear(now, packet.number):
            self._read(board, packet, sender, now)

    def tick(self, now: float) -> None:
        """Every half second tell the trackers that are there that we are."""
        if now < self._beat_due:
            return
        self._beat_due = now + _BEAT
        ping = format_ping(next(self._pings) & 0x7FFFFFFF)
        for address, board in self._boards.items():
            if now - board.packets.last < _GIVEN_UP:
                self.send(HEARTBEAT, address)
                self.send(ping, address)

    def open(self) -> None:
        """Bind the port; trackers that were connected a moment ago go on, others look for a server.

        Raises:
            DeviceError: another program has it, or no interface has that address.
        """
        super().open()
        for board in self._boards.values():
            board.packets.restart()

    def tally_of(self, sender: Address) -> Tally | None:
        """The counts of the first sensor of the tracker there."""
        board = self._boards.get(sender)
        if board is None or not board.sensors:
            return None
        return self._tally(next(iter(board.sensors.values())), sender)

    def _shake_hands(self, message: Handshake, sender: Address, now: float) -> None:
        identity = message.mac or sender[0]
        first = self.tally(_name(identity, 0))
        if first is None:
            return
        first.address = first.address or _place(sender)
        if not self._wanted(identity):
            first.hear(now)
            first.note = "waits to be paired"
        else:
            board = self._seated(identity, sender, now)
            if board is None:
                first.note = "another sender says that it is this tracker"
                return
            board.protocol = message.protocol
            board.packets.restart()  # it counts from zero again
            board.packets.hear(now)
            first.address, first.note = _place(sender), ""
            self.send(HANDSHAKE_ANSWER, sender)

    def _wanted(self, identity: str) -> bool:
        """Whether any sensor of the tracker may be taken."""
        ours = f"slimevr {identity}/"
        return self.takes(ours + "0") or any(name.startswith(ours) for name in self.paired)

    def _seated(self, identity: str, sender: Address, now: float) -> _Board | None:
        """The tracker, known by that address from now on; None if it is heard elsewhere, or no room is."""
        was = next((a for a, board in self._boards.items() if board.identity == identity), None)
        if was is None:
            board = _Board(identity, 0, Tally(identity, "SlimeVR", paired=True))
        elif was != sender and now - self._boards[was].packets.last < _ALIVE:
            return None
        else:
            board = self._boards.pop(was)
        if len(self._boards) >= MOST_TRACKERS and sender not in self._boards:
            idle = [
                a for a, b in self._boards.items() if not b.sensors or now - b.packets.last > _ALIVE
            ]
            if not idle:
                return None
            del self._boards[min(idle, key=lambda address: self._boards[address].packets.last)]
        self._boards[sender] = board
        return board

    def _read(self, board: _Board, packet: Packet, sender: Address, now: float) -> None:
        # All rotations first: the acceleration beside a rotation was measured with it.
        fresh: list[_Sensor] = []
        for message in packet.messages:
            if isinstance(message, Rotation):
                sensor = self._sensor(board, message.sensor)
                sensor.world_from_sensor = message.world_from_sensor
                sensor.rotations += 1
                fresh.append(sensor)
        for message in packet.messages:
            self._understand(board, message, sender, now)
        for sensor in fresh:
            self._give(board, sensor, packet.number, sender, now)

    def _understand(self, board: _Board, message: Message, sender: Address, now: float) -> None:
        if isinstance(message, Acceleration):
            sensor = self._sensor(board, message.sensor)
            acceleration = message.acceleration
            if board.protocol < _OFFSET_PROTOCOL:
                x, y, z = acceleration
                acceleration = np.array((y, -x, z))
            sensor.acceleration = linear_in_world(sensor.world_from_sensor, acceleration, "out")
            sensor.accelerated = now
        elif isinstance(message, SensorInfo):
            self._see(board, message, sender)
        elif isinstance(message, Features):
            self.send(OUR_FEATURES, sender)
        elif isinstance(message, Battery):
            for tally in self._tallies_of(board, EVERY_SENSOR, sender):
                tally.battery = message.level
        elif isinstance(message, Signal):
            for tally in self._tallies_of(board, message.sensor, sender):
                tally.signal = float(message.strength)

    def _see(self, board: _Board, info: SensorInfo, sender: Address) -> None:
        tally = self._tally(self._sensor(board, info.sensor), sender)
        if tally is not None and info.status == _SENSOR_ERROR:
            tally.note = "the tracker says that this sensor has an error"
        self.send(format_sensor_seen(info), sender)

    def _give(
        self, board: _Board, sensor: _Sensor, number: int | None, sender: Address, now: float
    ) -> None:
        tally = self._tally(sensor, sender)
        if tally is None:
            return
        counted = board.packets
        share = sensor.rotations / max(1, counted.received)
        tally.lost = round(counted.lost * min(1.0, share))
        tally.duplicated, tally.reordered = counted.duplicated, counted.reordered
        if not tally.hear(now):
            return
        known = now - sensor.accelerated <= _STALE
        self.give(
            TrackerSample(
                sensor.tracker,
                now,
                np.nan,
                sensor.world_from_sensor,
                sensor.acceleration if known else np.full(3, np.nan),
                number,
            )
        )

    def _sensor(self, board: _Board, number: int) -> _Sensor:
        if number not in board.sensors:
            board.sensors[number] = _Sensor(_name(board.identity, number))
        return board.sensors[number]

    def _tallies_of(self, board: _Board, number: int, sender: Address) -> list[Tally]:
        meant = [s for n, s in board.sensors.items() if number in (n, EVERY_SENSOR)]
        tallies = [self._tally(sensor, sender) for sensor in meant]
        return [tally for tally in tallies if tally is not None]

    def _tally(self, sensor: _Sensor, sender: Address) -> Tally | None:
        return self.tally(sensor.tracker, _place(sender))


def _name(identity: str, sensor: int) -> str:
    return f"slimevr {identity}/{sensor}"


def _place(sender: Address) -> str:
    return f"{sender[0]}:{sender[1]}"
