"""Messages of x-IMU3 sensors (x-io Technologies): as text and as bytes, one at a time.

Source: x-IMU3 User Manual, "Data messages". Text is a letter, microseconds and numbers, separated by
commas; bytes are the letter plus 0x80, a u64 of microseconds and float32, little-endian, stuffed as SLIP
does with a line feed as its end. What a command answers is JSON.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from ...rig.errors import FormatError

__all__ = ["PING", "Ximu3Message", "parse_message", "parse_ping"]

PING: Final = b'{"ping":null}\n'

# How many numbers a message has, by its letter; older firmware sends a quaternion with L and E as well.
_NUMBERS: Final[Mapping[str, tuple[int, ...]]] = MappingProxyType(
    {
        "Q": (4,),  # quaternion w, x, y, z
        "I": (6,),  # gyroscope deg/s, accelerometer g
        "M": (3,),  # magnetometer
        "L": (3, 7),  # linear acceleration g, in the sensor's frame
        "E": (3, 7),  # linear acceleration g, in the world's
        "H": (3,),  # high-g accelerometer g
        "R": (9,),  # rotation matrix
        "A": (3,),  # Euler angles deg
        "B": (2, 3),  # battery %, V, state
        "W": (2,),  # Wi-Fi %, dBm
        "T": (1,),  # temperature
    }
)
_LARGEST = 999_999.0  # the device writes this where a number doesn't fit
_LATEST = 10**18  # microseconds
_LONGEST = 1024  # bytes
_UNSTUFFED: Final = {0xDC: 0x0A, 0xDD: 0xDB}


@dataclass(frozen=True, slots=True)
class Ximu3Message:
    """One message, in the device's units.

    Attributes:
        letter: its kind, a key of the table above.
        time: seconds of the device's clock.
        values: its numbers.
    """

    letter: str
    time: float
    values: tuple[float, ...]


def parse_message(line: bytes) -> Ximu3Message | None:
    """Read one message; None for one that says nothing about movement, such as a notification.

    Args:
        line: without the line feed that ends it.

    Raises:
        FormatError: it is damaged, or no message.
    """
    if len(line) > _LONGEST:
        raise FormatError(f"found {len(line)} bytes, expected at most {_LONGEST}")
    if not line or line[:1] == b"{":
        return None
    message = _from_bytes(line) if line[0] >= 0x80 else _from_text(line)
    if message is None:
        return None
    if len(message.values) not in _NUMBERS[message.letter]:
        expected = " or ".join(map(str, _NUMBERS[message.letter]))
        raise FormatError(
            f"found a message {message.letter} with {len(message.values)} numbers, expected {expected}"
        )
    if not all(abs(value) < _LARGEST for value in message.values):  # NaN compares false
        raise FormatError(f"found a message {message.letter} whose numbers are none")
    return message


def parse_ping(line: bytes) -> str | None:
    """The serial number that the answer to `PING` names; None if this is no such answer."""
    if len(line) > _LONGEST or line[:1] != b"{":
        return None
    try:
        answer = json.loads(line)
    except (ValueError, RecursionError):
        return None
    ping = answer.get("ping") if isinstance(answer, dict) else None
    number = ping.get("sn") if isinstance(ping, dict) else None
    if not isinstance(number, str) or not number.isprintable():
        return None
    return number[:40] or None


def _from_text(line: bytes) -> Ximu3Message | None:
    letter, *words = line.decode("ascii", "replace").strip().split(",")
    if letter not in _NUMBERS:
        if len(letter) == 1 and letter.isupper() and words:
            return None
        raise FormatError(
            f"found {letter[:20]!r}, expected a message of an x-IMU3 such as Q,1000,1,0,0,0"
        )
    if not words or not (words[0].isascii() and words[0].isdigit() and len(words[0]) <= 20):
        raise FormatError(f"found a message {letter} without its time in microseconds")
    try:
        values = tuple(float(word) for word in words[1:])
    except ValueError:
        raise FormatError(f"found a message {letter} whose numbers are none") from None
    return Ximu3Message(letter, _seconds(int(words[0]), letter), values)


def _from_bytes(line: bytes) -> Ximu3Message | None:
    letter = chr(line[0] - 0x80)
    if letter not in _NUMBERS:
        if letter.isupper():
            return None
        raise FormatError(f"found the byte 0x{line[0]:02x}, expected a message of an x-IMU3")
    body = _unstuffed(line[1:], letter)
    if len(body) < 8 or len(body) % 4:
        raise FormatError(f"found a message {letter} of {len(body)} bytes, expected 8 and float32")
    time, *values = struct.unpack(f"<Q{(len(body) - 8) // 4}f", body)
    return Ximu3Message(letter, _seconds(time, letter), tuple(values))


def _unstuffed(stuffed: bytes, letter: str) -> bytes:
    body = bytearray()
    escaped = False
    for byte in stuffed:
        if escaped and byte not in _UNSTUFFED:
            raise FormatError(f"found a message {letter} with a false escape, 0xdb 0x{byte:02x}")
        if escaped:
            body.append(_UNSTUFFED[byte])
        elif byte != 0xDB:
            body.append(byte)
        escaped = byte == 0xDB and not escaped
    if escaped:
        raise FormatError(f"found a message {letter} that is cut off")
    return bytes(body)


def _seconds(microseconds: int, letter: str) -> float:
    if microseconds > _LATEST:
        raise FormatError(
            f"found a message {letter} at {microseconds} us, expected a sensible time"
        )
    return microseconds * 1e-6
