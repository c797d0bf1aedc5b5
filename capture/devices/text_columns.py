"""Lines of text with one reading of one sensor each, by the columns that the user named."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from ...rig.arrays import Array, frozen
from ...rig.errors import FormatError
from .column_template import ColumnTemplate

__all__ = ["LONGEST_LINE", "Reading", "parse_line"]

LONGEST_LINE: Final = 1024  # bytes
_LONGEST_ID = 40  # characters
_LARGEST = 1e6  # in our units: no acceleration, turn or field that a sensor measures comes near
_LATEST = 1e12  # seconds
_NONE: Final = {size: frozen(np.full(size, math.nan)) for size in (3, 4)}
_UNIT_ERROR = 0.1  # a quaternion farther from unit length is none


@dataclass(frozen=True, eq=False, slots=True)
class Reading:
    """What one line says, in our units.

    Attributes:
        id: which sensor, "" where the line doesn't say.
        time: seconds of the sensor's clock, NaN where the line doesn't say.
        count: the sensor's own count of its readings.
        world_from_sensor: (4,) unit quaternion; NaN where missing.
        acceleration: (3,) m/s^2, as the template says; NaN where missing.
        turn: (3,) rad/s, angular velocity in the sensor's frame; NaN where missing.
        field: (3,) of any unit, magnetic field in the sensor's frame; NaN where missing.
        battery: share of a full one, 0 to 1.
    """

    id: str
    time: float
    count: int | None
    world_from_sensor: Array
    acceleration: Array
    turn: Array
    field: Array
    battery: float | None


def parse_line(template: ColumnTemplate, line: bytes) -> Reading:
    """Read one line.

    Raises:
        FormatError: it has another number of values, or one is none.
    """
    if len(line) > LONGEST_LINE:
        raise FormatError(f"found {len(line)} bytes, expected at most {LONGEST_LINE}")
    words = _words(line.decode("utf-8", "replace").strip(), template.separator)
    if len(words) == len(template.columns) + 1 and not words[-1]:
        words.pop()  # programs often write a separator after the last value too
    if len(words) != len(template.columns):
        raise FormatError(f"found {len(words)} values, expected {len(template.columns)}")
    texts = {c.name: word for c, word in zip(template.columns, words, strict=True) if c.name != "-"}
    values = {
        column.name: _number(texts[column.name], column.name, column.scale)
        for column in template.columns
        if column.name not in ("id", "count", "-")
    }
    return Reading(
        _name(texts.get("id")),
        values.get("t", math.nan),
        _count(texts.get("count")),
        _unit(_several(values, "qw", "qx", "qy", "qz")),
        _several(values, "ax", "ay", "az"),
        _several(values, "gx", "gy", "gz"),
        _several(values, "mx", "my", "mz"),
        _share(values.get("battery")),
    )


def _words(line: str, separator: str) -> list[str]:
    if separator == " ":
        return line.split()
    return [word.strip() for word in line.split(separator)]


def _number(word: str, name: str, scale: float) -> float:
    """The value in our units; NaN for an empty word or "nan"."""
    try:
        value = float(word or "nan") * scale
    except ValueError:
        raise FormatError(f"found {word[:20]!r} in column {name}, expected a number") from None
    if abs(value) > (_LATEST if name == "t" else _LARGEST):
        raise FormatError(
            f"found {word[:20]!r} in column {name}, expected a number of sensible size"
        )
    return value


def _several(values: dict[str, float], *names: str) -> Array:
    if names[0] not in values:
        return _NONE[len(names)]
    return np.array([values[name] for name in names])


def _unit(values: Array) -> Array:
    if values is _NONE[4]:
        return values
    length = math.hypot(*values.tolist())
    if abs(length - 1.0) > _UNIT_ERROR:  # NaN, missing, compares false
        raise FormatError(f"found a quaternion of length {length:.3g}, expected 1")
    return values / length


def _name(word: str | None) -> str:
    if word is None:
        return ""
    if not word or len(word) > _LONGEST_ID or not word.isprintable():
        raise FormatError(f"found {word[:20]!r} in column id, expected 1 to {_LONGEST_ID} letters")
    return word


def _count(word: str | None) -> int | None:
    if word is None:
        return None
    if not (word.isascii() and word.isdigit() and len(word) < 20):
        raise FormatError(f"found {word[:20]!r} in column count, expected a whole number")
    return int(word)


def _share(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else min(max(value, 0.0), 1.0)
