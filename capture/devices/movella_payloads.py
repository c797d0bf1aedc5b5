"""What Movella DOT (once Xsens DOT) sensors send over Bluetooth, little-endian.

Source: Movella, "DOT BLE Service Specification", section 3.5, as other programs implement it.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from ...rig.arrays import Array
from ...rig.errors import DeviceError
from .finite import finite_rotations, finite_vectors

__all__ = ["PAYLOADS", "MovellaReading", "Payload", "parse_movella"]


@dataclass(frozen=True)
class Payload:
    """How a mode lays its bytes out: time, quaternion, perhaps free acceleration, perhaps more.

    Attributes:
        size: bytes.
        accelerated: whether the free acceleration follows the quaternion.
        characteristic: the last digit of the characteristic that notifies of it: 2 long, 3 medium, 4 short.
    """

    size: int
    accelerated: bool
    characteristic: int


# By the number of the mode: extended quaternion, complete quaternion, quaternion, custom mode 5.
PAYLOADS: Mapping[int, Payload] = MappingProxyType(
    {
        2: Payload(36, True, 3),
        3: Payload(32, True, 3),
        5: Payload(20, False, 4),
        26: Payload(44, True, 2),
    }
)
_TIME_AND_TURN = struct.Struct("<I4f")
_VECTOR = struct.Struct("<3f")


@dataclass(frozen=True, eq=False)
class MovellaReading:
    """One reading.

    Attributes:
        time: seconds of the sensor's clock; it wraps after 4295 s.
        world_from_sensor: (4,) unit quaternion (w, x, y, z), world z up; NaN where it makes no sense.
        acceleration: (3,) m/s^2, linear, in the world; NaN where it isn't sent.
    """

    time: float
    world_from_sensor: Array
    acceleration: Array


def parse_movella(payload: bytes, mode: int = 26) -> MovellaReading:
    """Read one notification.

    Raises:
        DeviceError: the mode is not one that tells an orientation, or the payload is cut off.
    """
    known = PAYLOADS.get(mode)
    if known is None:
        raise DeviceError(
            f"payload mode {mode} of a Movella DOT; expected one of: {', '.join(map(str, PAYLOADS))}"
        )
    if len(payload) < known.size:
        raise DeviceError(
            f"{len(payload)} bytes of a Movella DOT in mode {mode}, expected {known.size}; is the "
            "sensor measuring in another mode?"
        )
    microseconds, *turn = _TIME_AND_TURN.unpack_from(payload)
    acceleration = np.full(3, np.nan)
    if known.accelerated:
        acceleration = finite_vectors(_VECTOR.unpack_from(payload, _TIME_AND_TURN.size))
    return MovellaReading(microseconds / 1e6, finite_rotations(turn), acceleration)
