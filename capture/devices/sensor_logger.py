"""What the app Sensor Logger sends from a phone and its watch: JSON with many readings at once.

Source: the app's documents, "Data Pushing", "One-Page Unit Reference" and "Cross-Platform Differences".
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ...rig.errors import FormatError

__all__ = ["LARGEST_MESSAGE", "PhoneMessage", "PhoneRow", "parse_phone_message"]

LARGEST_MESSAGE: Final = (
    1 << 21
)  # bytes: a second of every motion sensor at 400 Hz has a third of it
_MOST_ROWS = 20_000
_MOST_VALUES = 32  # of one row
_LARGEST = 1e6
_LATEST = 1e19  # nanoseconds
_LONGEST_ID = 64  # characters


@dataclass(frozen=True, slots=True)
class PhoneRow:
    """One reading of one of the phone's sensors.

    Attributes:
        sensor: the app's word for it, in small letters: "orientation", "wristmotion".
        time: seconds since 1970 by the phone's clock.
        values: by the app's names; only those that are numbers.
    """

    sensor: str
    time: float
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class PhoneMessage:
    """What one request brings.

    Attributes:
        device: the phone, the same through restarts of the app.
        session: the recording; its messages are counted anew.
        number: how many messages came before in this session, None where the app doesn't say.
        rows: in the order of the message.
    """

    device: str
    session: str
    number: int | None
    rows: tuple[PhoneRow, ...]


def parse_phone_message(body: bytes) -> PhoneMessage:
    """Read the body of a request.

    Raises:
        FormatError: it is too large, no JSON, or not what the app sends.
    """
    if len(body) > LARGEST_MESSAGE:
        raise FormatError(f"found {len(body)} bytes, expected at most {LARGEST_MESSAGE}")
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        raise FormatError("found no JSON, expected what Sensor Logger sends") from None
    if not isinstance(message, dict) or not isinstance(message.get("payload"), list):
        raise FormatError("found JSON without a payload, expected what Sensor Logger sends")
    if len(message["payload"]) > _MOST_ROWS:
        raise FormatError(f"found {len(message['payload'])} rows, expected at most {_MOST_ROWS}")
    number = message.get("messageId")
    return PhoneMessage(
        _identity(message.get("deviceId")),
        str(message.get("sessionId", ""))[:_LONGEST_ID],
        number if isinstance(number, int) and 0 <= number < 2**53 else None,
        tuple(row for one in message["payload"] if (row := _row(one)) is not None),
    )


def _identity(device: object) -> str:
    if (
        not isinstance(device, str)
        or not device.isprintable()
        or not 0 < len(device) <= _LONGEST_ID
    ):
        raise FormatError(f"found a deviceId that is none, expected 1 to {_LONGEST_ID} letters")
    return device


def _row(row: object) -> PhoneRow | None:
    """One reading; None for one that holds no numbers, such as an annotation."""
    if not isinstance(row, dict):
        raise FormatError("found a row that is no object, expected a name, a time and values")
    name, nanoseconds = row.get("name"), _number(row.get("time"), _LATEST)
    if not isinstance(name, str) or nanoseconds is None:
        raise FormatError("found a row without its name or time, expected both")
    inner = row.get("values", row)
    if not isinstance(inner, dict) or len(inner) > _MOST_VALUES:
        return None
    read = {key: _number(value, _LARGEST) for key, value in inner.items() if key != "time"}
    values = {key: value for key, value in read.items() if value is not None}
    return PhoneRow(name[:_LONGEST_ID].lower(), nanoseconds * 1e-9, values)


def _number(value: object, largest: float) -> float | None:
    """A number, also as text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and abs(number) < largest else None
