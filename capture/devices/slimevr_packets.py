"""The datagrams of SlimeVR trackers, in and out; big-endian.

Source: the packet classes of the SlimeVR server (`UDPPacket`, `UDPProtocolParser`) and the tracker
firmware (`connection.cpp`), protocols 1 to 22 and above.
"""

import math
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from ...rig.arrays import Array
from ...rig.errors import DeviceError

__all__ = [
    "EVERY_SENSOR",
    "HANDSHAKE_ANSWER",
    "HEARTBEAT",
    "OUR_FEATURES",
    "Acceleration",
    "Battery",
    "Features",
    "Handshake",
    "Message",
    "Packet",
    "Rotation",
    "SensorInfo",
    "Signal",
    "format_ping",
    "format_sensor_seen",
    "parse_packet",
]

HANDSHAKE, PING, SENSOR_INFO, FEATURES = 3, 10, 15, 22
BUNDLE, COMPACT_BUNDLE = 100, 101
EVERY_SENSOR = 255  # a sensor's number that means the whole tracker

# The answer to a handshake has no header. Bits 0 and 1: bundles and compact bundles are understood.
HANDSHAKE_ANSWER = b"\x03Hey OVR =D 5".ljust(64, b"\0")
HEARTBEAT = struct.pack(">iq", 1, 0)
OUR_FEATURES = struct.pack(">iqB", FEATURES, 0, 0b11)

_HEADER = struct.Struct(">iq")  # what it is, the tracker's count of its packets
_UNCOUNTED = -1  # the number of our own pings
_ACCELERATION_SCALE = 1.0 / 2**7
_LARGEST = 1e6  # m/s^2; nothing that is worn does that
_CORRECTION = 2  # a kind of rotation that only corrects the last one by the magnetometer


@dataclass(frozen=True)
class Handshake:
    """A tracker that looks for a server.

    Attributes:
        mac: "AA:BB:CC:DD:EE:FF", empty where the tracker tells none.
        protocol: version of what it speaks, 0 where it doesn't tell.
        firmware: version, as the tracker spells it.
    """

    mac: str
    protocol: int
    firmware: str


@dataclass(frozen=True, eq=False)
class Rotation:
    """world_from_sensor (4,) of one sensor, world z up; NaN where it makes no sense."""

    sensor: int
    world_from_sensor: Array


@dataclass(frozen=True, eq=False)
class Acceleration:
    """Linear acceleration (3,) of one sensor, m/s^2, as sent; NaN where it makes no sense."""

    sensor: int
    acceleration: Array


@dataclass(frozen=True)
class SensorInfo:
    """A sensor tells that it is there; status 0 is gone, 1 is well, 2 is an error."""

    sensor: int
    status: int


@dataclass(frozen=True)
class Battery:
    """Share of a full battery, 0 to 1."""

    level: float


@dataclass(frozen=True)
class Signal:
    """Strength of the radio signal, dBm; `EVERY_SENSOR` for the whole tracker."""

    sensor: int
    strength: int


@dataclass(frozen=True)
class Features:
    """A tracker asks what the server understands."""


Message = Handshake | Rotation | Acceleration | SensorInfo | Battery | Signal | Features


@dataclass(frozen=True)
class Packet:
    """One datagram.

    Attributes:
        number: the tracker's own count of its datagrams; None where it doesn't count (handshake, ping).
        messages: what it says, in order; empty if it is nothing for us.
    """

    number: int | None
    messages: tuple[Message, ...]


def parse_packet(datagram: bytes) -> Packet:
    """Read one datagram of a tracker.

    Raises:
        DeviceError: it is cut off.
    """
    kind, number = _unpack(_HEADER, datagram, 0)
    body = datagram[_HEADER.size :]
    if kind == BUNDLE:
        return Packet(number, _bundled(body, struct.Struct(">H"), struct.Struct(">i")))
    if kind == COMPACT_BUNDLE:
        return Packet(number, _bundled(body, struct.Struct(">B"), struct.Struct(">B")))
    # The firmware sends a ping back as it came, with our number; the emulator counts it.
    counted = kind != HANDSHAKE and number != _UNCOUNTED
    return Packet(number if counted else None, _messages(kind, body))


def format_ping(identity: int) -> bytes:
    """A question that trackers send back unchanged; identity is any 31-bit number."""
    return struct.pack(">iqi", PING, _UNCOUNTED, identity)


def format_sensor_seen(info: SensorInfo) -> bytes:
    """Tell a tracker that its sensor was seen with that status; without it, it repeats it for ever."""
    return struct.pack(">iBB", SENSOR_INFO, info.sensor, info.status)


def _unpack(layout: struct.Struct, data: bytes, offset: int) -> tuple[Any, ...]:
    if len(data) < offset + layout.size:
        raise DeviceError(
            f"a packet of {len(data)} bytes where {offset + layout.size} were expected; "
            "is it a SlimeVR tracker that sends to this port?"
        )
    return layout.unpack_from(data, offset)


def _bundled(body: bytes, length: struct.Struct, kind: struct.Struct) -> tuple[Message, ...]:
    found: list[Message] = []
    place = 0
    while place < len(body):
        (size,) = _unpack(length, body, place)
        place += length.size
        part = body[place : place + size]
        place += size
        if size and len(part) == size:
            (what,) = _unpack(kind, part, 0)
            found.extend(_messages(what, part[kind.size :]))
        elif size:
            raise DeviceError(f"a bundle that ends {size - len(part)} bytes before its last packet")
    return tuple(found)


def _messages(kind: int, body: bytes) -> tuple[Message, ...]:
    reader = _READERS.get(kind)
    return reader(body) if reader else ()


def _rotation(x: float, y: float, z: float, w: float) -> Array:
    # Numbers, not arrays: these two run for every packet, thousands of times a second.
    length = math.sqrt(w * w + x * x + y * y + z * z)
    if not 0.0 < length < math.inf:
        return np.full(4, np.nan)
    return np.array((w / length, x / length, y / length, z / length))


def _vector(x: float, y: float, z: float) -> Array:
    sensible = abs(x) <= _LARGEST and abs(y) <= _LARGEST and abs(z) <= _LARGEST
    return np.array((x, y, z)) if sensible else np.full(3, np.nan)


def _handshake(body: bytes) -> tuple[Message, ...]:
    # Board, sensor and processor types and three zeros come before; old senders stop anywhere.
    protocol = _unpack(struct.Struct(">i"), body, 24)[0] if len(body) >= 28 else 0
    length = body[28] if len(body) > 28 else 0
    firmware = body[29 : 29 + length].split(b"\0")[0].decode("ascii", "replace")
    mac = body[29 + length : 35 + length]
    told = len(mac) == 6 and any(mac)
    return (Handshake(mac.hex(":").upper() if told else "", protocol, firmware),)


def _only_rotation(sensor: int) -> Callable[[bytes], tuple[Message, ...]]:
    layout = struct.Struct(">4f")
    return lambda body: (Rotation(sensor, _rotation(*_unpack(layout, body, 0))),)


def _rotation_data(body: bytes) -> tuple[Message, ...]:
    sensor, kind, x, y, z, w = _unpack(struct.Struct(">BB4f"), body, 0)
    return () if kind == _CORRECTION else (Rotation(sensor, _rotation(x, y, z, w)),)


def _acceleration(body: bytes) -> tuple[Message, ...]:
    values = _unpack(struct.Struct(">3f"), body, 0)
    return (Acceleration(body[12] if len(body) > 12 else 0, _vector(*values)),)


def _both(body: bytes) -> tuple[Message, ...]:
    sensor, *values = _unpack(struct.Struct(">B7h"), body, 0)
    acceleration = np.array(values[4:]) * _ACCELERATION_SCALE
    # The length of the quaternion is scaled away, so its own scale (2**15) is left out.
    return (Rotation(sensor, _rotation(*values[:4])), Acceleration(sensor, acceleration))


def _battery(body: bytes) -> tuple[Message, ...]:
    # Voltage, then level; old senders tell only the level.
    (level,) = _unpack(struct.Struct(">f"), body, 4 if len(body) >= 8 else 0)
    return (Battery(float(level)),) if 0.0 <= level <= 1.0 else ()


def _sensor_info(body: bytes) -> tuple[Message, ...]:
    return (SensorInfo(*_unpack(struct.Struct(">BB"), body, 0)),)


def _signal(body: bytes) -> tuple[Message, ...]:
    return (Signal(*_unpack(struct.Struct(">Bb"), body, 0)),)


_READERS: Mapping[int, Callable[[bytes], tuple[Message, ...]]] = MappingProxyType(
    {
        1: _only_rotation(0),
        HANDSHAKE: _handshake,
        4: _acceleration,
        12: _battery,
        SENSOR_INFO: _sensor_info,
        16: _only_rotation(1),
        17: _rotation_data,
        19: _signal,
        FEATURES: lambda body: (Features(),),
        23: _both,
    }
)
