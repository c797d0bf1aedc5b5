"""Open Sound Control 1.0: datagrams of messages, alone or in bundles.

Written here because the usual library reads a bundle with a negative size for ever: any sender could stop
the program. Source: "The Open Sound Control 1.0 Specification" (Wright, 2002).
"""

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from ...rig.errors import DeviceError

__all__ = ["OscMessage", "OscValue", "format_osc_bundle", "format_osc_message", "parse_osc"]

OscValue = float | int | str | bytes | bool | None

_BUNDLE = b"#bundle\0"
_NOW = struct.pack(">Q", 1)  # the time tag that means immediately
_DEEPEST = 8  # bundles in bundles


@dataclass(frozen=True, slots=True)
class OscMessage:
    """An address such as "/VMC/Ext/T" and its arguments."""

    address: str
    arguments: tuple[OscValue, ...]


def parse_osc(datagram: bytes) -> list[OscMessage]:
    """The messages of a datagram, in order; bundles are opened, their times ignored.

    Raises:
        DeviceError: it is no OSC.
    """
    return _elements(datagram, 0)


def format_osc_message(address: str, *arguments: float | int | str) -> bytes:
    """One message; integers are sent as int32, floats as float32."""
    tags, parts = ",", [_padded(address.encode("ascii"))]
    values = []
    for argument in arguments:
        if isinstance(argument, str):
            tags, packed = tags + "s", _padded(argument.encode("utf-8"))
        elif isinstance(argument, int):
            tags, packed = tags + "i", struct.pack(">i", argument)
        else:
            tags, packed = tags + "f", struct.pack(">f", argument)
        values.append(packed)
    return b"".join([*parts, _padded(tags.encode("ascii")), *values])


def format_osc_bundle(messages: Sequence[bytes]) -> bytes:
    """Messages that belong together, to be acted on immediately."""
    sized = [struct.pack(">i", len(message)) + message for message in messages]
    return b"".join([_BUNDLE, _NOW, *sized])


def _padded(text: bytes) -> bytes:
    return text + b"\0" * (4 - len(text) % 4)


def _elements(data: bytes, depth: int) -> list[OscMessage]:
    if not data.startswith(_BUNDLE):
        return [_message(data)]
    if depth == _DEEPEST:
        raise DeviceError(f"OSC bundles are nested {depth} deep; expected a bundle of messages")
    found: list[OscMessage] = []
    place = len(_BUNDLE) + len(_NOW)
    while place < len(data):
        size, place = _number(">i", data, place)
        if not 0 < size <= len(data) - place:
            raise DeviceError(f"an OSC bundle has {size} bytes in {len(data) - place}; cut off?")
        found.extend(_elements(data[place : place + size], depth + 1))
        place += size
    return found


def _message(data: bytes) -> OscMessage:
    address, place = _text(data, 0)
    if not address.startswith("/"):
        raise DeviceError("a packet that is no OSC; is it another program that sends to this port?")
    if place >= len(data):
        return OscMessage(address, ())  # old senders leave an empty list of types out
    tags, place = _text(data, place)
    arguments: list[OscValue] = []
    for tag in tags[1:]:
        if tag not in "[]":  # arrays are read flat
            value, place = _READERS.get(tag, _unknown)(data, place)
            arguments.append(value)
    return OscMessage(address, tuple(arguments))


def _number(layout: str, data: bytes, place: int) -> tuple[Any, int]:
    end = place + struct.calcsize(layout)
    if end > len(data):
        raise DeviceError(f"an OSC message of {len(data)} bytes is cut off")
    return struct.unpack_from(layout, data, place)[0], end


def _text(data: bytes, place: int) -> tuple[str, int]:
    end = data.find(b"\0", place)
    if end < 0:
        raise DeviceError("an OSC text without an end; is it another program that sends here?")
    return data[place:end].decode("utf-8", "replace"), end + 4 - (end - place) % 4


def _blob(data: bytes, place: int) -> tuple[bytes, int]:
    size, place = _number(">i", data, place)
    if not 0 <= size <= len(data) - place:
        raise DeviceError(f"an OSC blob of {size} bytes in {len(data) - place}; cut off?")
    return data[place : place + size], place + -(-size // 4) * 4


def _unknown(data: bytes, place: int) -> tuple[OscValue, int]:
    raise DeviceError("an OSC message with a type that is not in OSC 1.0")


def _sized(layout: str) -> Callable[[bytes, int], tuple[OscValue, int]]:
    return lambda data, place: _number(layout, data, place)


def _constant(value: bool | None) -> Callable[[bytes, int], tuple[OscValue, int]]:
    return lambda data, place: (value, place)


_READERS: Mapping[str, Callable[[bytes, int], tuple[OscValue, int]]] = MappingProxyType(
    {
        "i": _sized(">i"),
        "f": _sized(">f"),
        "d": _sized(">d"),
        "h": _sized(">q"),
        "t": _sized(">Q"),
        "c": _sized(">i"),
        "r": _sized(">I"),
        "m": _sized(">I"),
        "s": _text,
        "S": _text,
        "b": _blob,
        "T": _constant(True),
        "F": _constant(False),
        "N": _constant(None),
        "I": _constant(None),
    }
)
