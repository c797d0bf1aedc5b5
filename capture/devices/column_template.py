"""The columns of a text line, as its user wrote them down: "id,t[us],qw,qx,qy,qz,ax[g],ay[g],az[g]"."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from ...rig.errors import DeviceError
from ..plausibility import GRAVITY
from .gravity import Frame, Gravity

__all__ = ["SEPARATORS", "UNITS", "Column", "ColumnTemplate", "parse_template"]

_DEGREE: Final = 3.141592653589793 / 180.0
_TIME: Final = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
_TURN: Final = {"rad/s": 1.0, "deg/s": _DEGREE, "rad": 1.0, "deg": _DEGREE, "dps": _DEGREE}
_FORCE: Final = {"m/s2": 1.0, "m/s^2": 1.0, "g": GRAVITY, "mg": GRAVITY / 1000.0}
_SHARE: Final = {"": 1.0, "%": 0.01}
_NONE: Final = {"": 1.0}

# Every column, and what its units are in ours; the first unit is meant where none is written.
UNITS: Final[Mapping[str, Mapping[str, float]]] = MappingProxyType(
    {
        "id": {},
        "t": _TIME,
        "count": {},
        **dict.fromkeys(("qw", "qx", "qy", "qz"), _NONE),
        **dict.fromkeys(("gx", "gy", "gz"), _TURN),
        **dict.fromkeys(("ax", "ay", "az"), _FORCE),
        **dict.fromkeys(("mx", "my", "mz"), _NONE),
        "battery": _SHARE,
        "-": {},
    }
)
SEPARATORS: Final[Mapping[str, str]] = MappingProxyType(
    {"comma": ",", "semicolon": ";", "tab": "\t", "space": " "}
)
_GROUPS: Final = (
    ("qw", "qx", "qy", "qz"),
    ("gx", "gy", "gz"),
    ("ax", "ay", "az"),
    ("mx", "my", "mz"),
)
_LONGEST = 1000  # characters
_HELP = "expected such as id,t[us],qw,qx,qy,qz,ax[g],ay[g],az[g]"


@dataclass(frozen=True)
class Column:
    """One column: its name, and what its numbers are multiplied by to be in our units."""

    name: str
    scale: float = 1.0


@dataclass(frozen=True)
class ColumnTemplate:
    """What stands in a line, in order.

    Attributes:
        columns: C of them; a name occurs once, except "-" (not read).
        separator: "," ";" a tab, or a space (which stands for any white space).
        gravity: whether the acceleration holds gravity.
        frame: whether the acceleration is in the sensor's frame or in the world's.
    """

    columns: tuple[Column, ...]
    separator: str = ","
    gravity: Gravity = "in"
    frame: Frame = "sensor"

    def has(self, name: str) -> bool:
        """Whether a column of that name is there."""
        return any(column.name == name for column in self.columns)


def parse_template(
    text: str, separator: str | None = None, gravity: str = "in", frame: str = "sensor"
) -> ColumnTemplate:
    """Read a template.

    Args:
        text: names, each with its unit in brackets where it isn't the SI's: `UNITS`. A unit may be divided
            by a number for devices that send raw counts: "ax[g/16384]".
        separator: how lines are separated, a name in `SEPARATORS`; None if as the template itself is.
        gravity: "in" if an accelerometer at rest reads 9.8 m/s^2 upwards, "out" if it reads zero.
        frame: "sensor" or "world".

    Raises:
        DeviceError: it can't be read; the message says what was found and what is allowed.
    """
    if len(text) > _LONGEST:
        raise DeviceError(
            f"the template has {len(text)} characters, at most {_LONGEST} are allowed"
        )
    written = next((one for one in (";", "\t", ",") if one in text), " ")
    words = text.split() if written == " " else [word.strip() for word in text.split(written)]
    columns = tuple(_column(place, word) for place, word in enumerate(words, start=1))
    _check_names([column.name for column in columns])
    if gravity not in ("in", "out"):
        raise DeviceError(
            f"gravity is {gravity[:20]!r}; allowed: in (as an accelerometer reads), out"
        )
    if frame not in ("sensor", "world"):
        raise DeviceError(f"frame is {frame[:20]!r}; allowed: sensor, world")
    if separator is not None and separator not in SEPARATORS:
        raise DeviceError(f"the separator is {separator[:20]!r}; allowed: {', '.join(SEPARATORS)}")
    template = ColumnTemplate(
        columns,
        written if separator is None else SEPARATORS[separator],
        "in" if gravity == "in" else "out",
        "sensor" if frame == "sensor" else "world",
    )
    if not template.has("qw") and (gravity, frame) != ("in", "sensor"):
        raise DeviceError(
            f"gravity={gravity} and frame={frame} without a quaternion; allowed then: gravity=in and "
            "frame=sensor, because the orientation is found from what the accelerometer itself reads"
        )
    return template


def _column(place: int, word: str) -> Column:
    name, opened, rest = word.partition("[")
    name = name.strip()
    units = UNITS.get(name)
    if units is None:
        raise DeviceError(
            f"column {place} is {word[:30]!r}; allowed: {', '.join(UNITS)} (not read); {_HELP}"
        )
    if not opened:
        return Column(name, next(iter(units.values()), 1.0))
    unit, closed, after = rest.partition("]")
    scale = _scale(unit.strip(), units)
    if not closed or after.strip() or scale is None:
        allowed = ", ".join(unit for unit in units if unit) or "none"
        raise DeviceError(
            f"column {place} is {word[:30]!r}; allowed units of {name}: {allowed}"
            + (", or one divided by a number" if units else "")
        )
    return Column(name, scale)


def _scale(unit: str, units: Mapping[str, float]) -> float | None:
    """What a number in this unit is multiplied by; None if there is no such unit."""
    if unit in units:
        return units[unit]
    name, _, divisor = unit.rpartition("/")
    try:
        number = float(divisor)
    except ValueError:
        return None
    whole = units.get(name.strip())
    if whole is None or not 0.0 < number < 1e12:
        return None
    return whole / number


def _check_names(names: list[str]) -> None:
    twice = [name for name, times in Counter(names).items() if times > 1 and name != "-"]
    if twice:
        raise DeviceError(
            f"the template has {twice[0]} {names.count(twice[0])} times; allowed: once"
        )
    for group in _GROUPS:
        found = [name for name in group if name in names]
        if found and len(found) < len(group):
            lacking = [name for name in group if name not in names]
            raise DeviceError(
                f"the template has {', '.join(found)} but not {', '.join(lacking)}; {_HELP}"
            )
    if "qw" not in names and not {"gx", "ax"} <= set(names):
        raise DeviceError(
            "the template has neither a quaternion (qw, qx, qy, qz) nor gyroscope and accelerometer "
            f"(gx, gy, gz, ax, ay, az); {_HELP}"
        )
