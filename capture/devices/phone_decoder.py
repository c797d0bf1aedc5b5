"""From a phone's readings to samples: its quaternions with its accelerations, in our signs and units.

Phones and watches of Apple give accelerations and gravity with the opposite sign, and watches in g, unless
the app is set to "Standardise Units & Frames". Gravity, turned into the world, shows which it is: with
Android's signs it points up.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal

import numpy as np

from ...rig import quaternion
from ...rig.arrays import Array
from ..plausibility import GRAVITY
from .gravity import GravityWatch
from .lines import Heard, remember
from .samples import TrackerSample
from .sensor_logger import PhoneMessage, PhoneRow
from .tally import Tally

__all__ = ["PhoneDecoder", "Platform"]

Platform = Literal["auto", "ios", "android"]

_NEAR = 0.05  # seconds: readings farther apart say nothing about each other
_UNIT_ERROR = 0.1
_VERTICAL = 0.9  # cosine: gravity farther from the vertical contradicts the orientation
_REMEMBERED = 64  # readings of the last message that the next one may need


@dataclass(frozen=True)
class _Part:
    """One thing that moves, and how the app calls what it measures: {ours: (sensor, values)}."""

    suffix: str
    quaternion: tuple[str, tuple[str, ...]]
    acceleration: tuple[str, tuple[str, ...]]
    gravity: tuple[str, tuple[str, ...]]
    gravity_in_g: bool  # whether gravity's unit tells that of the acceleration
    always_metric: bool  # whether the acceleration is in m/s^2 whatever the settings


_XYZ: Final = ("x", "y", "z")
_Q: Final = ("quaternionW", "quaternionX", "quaternionY", "quaternionZ")
_A: Final = ("accelerationX", "accelerationY", "accelerationZ")
_G: Final = ("gravityX", "gravityY", "gravityZ")
_PARTS: Final = (
    _Part(
        "",
        ("orientation", ("qw", "qx", "qy", "qz")),
        ("accelerometer", _XYZ),
        ("gravity", _XYZ),
        gravity_in_g=False,
        always_metric=True,
    ),
    _Part("/watch", ("wristmotion", _Q), ("wristmotion", _A), ("wristmotion", _G), True, False),
    _Part("/headphone", ("headphone", _Q), ("headphone", _A), ("headphone", _G), False, False),
)
_FACTORS: Final[Mapping[Platform, float]] = MappingProxyType({"ios": -1.0, "android": 1.0})


@dataclass
class _Series:
    """Readings of one sensor: those of this message and the last ones before."""

    times: list[float] = field(default_factory=list)
    values: list[Array] = field(default_factory=list)

    def add(self, rows: list[tuple[float, Array]]) -> None:
        """Forget old readings, take new ones, in order of time."""
        known = [*zip(self.times, self.values, strict=True)][-_REMEMBERED:]
        merged = sorted([*known, *rows], key=lambda row: row[0])
        self.times = [time for time, _ in merged]
        self.values = [value for _, value in merged]

    def at(self, time: float) -> Array | None:
        """(3,) between the readings around it; None if none is near."""
        after = int(np.searchsorted(self.times, time))
        near = [i for i in (after - 1, after) if 0 <= i < len(self.times)]
        near = [i for i in near if abs(self.times[i] - time) < _NEAR]
        if not near:
            return None
        start, end = near[0], near[-1]
        span = self.times[end] - self.times[start]
        share = (time - self.times[start]) / span if span > 0 else 0.0
        return self.values[start] + share * (self.values[end] - self.values[start])


@dataclass
class _Moving:
    """What is remembered of one phone, watch or pair of headphones."""

    acceleration: _Series = field(default_factory=_Series)
    gravity: _Series = field(default_factory=_Series)
    watch: GravityWatch = field(default_factory=GravityWatch)


class PhoneDecoder:
    """Reads messages of Sensor Logger; remembers what it must of a bounded number of phones.

    Args:
        platform: whose signs and units; "auto" tells by gravity, which the app then has to send.
    """

    def __init__(self, platform: Platform = "auto") -> None:
        self._platform: Platform = platform
        self._moving: dict[str, _Moving] = {}
        self._messages: dict[str, tuple[str, Tally]] = {}  # by phone: session, counts

    def read(self, message: PhoneMessage, arrival: float) -> tuple[Heard, ...]:
        """What a message says, by phone, watch and headphones; nothing if it came before."""
        name = f"phone {message.device}"
        lost = self._count(name, message, arrival)
        if lost is None:
            return ()
        heard = []
        for part in _PARTS:
            one = self._part(name + part.suffix, part, message.rows, arrival)
            if one is not None:
                heard.append(one)
        levels = [
            row.values["batteryLevel"]
            for row in message.rows
            if row.sensor == "battery" and "batteryLevel" in row.values
        ]
        if levels:
            heard.append(Heard(name, battery=min(max(levels[-1], 0.0), 1.0)))
        if lost:
            heard = [_with_note(one, f"{lost} messages lost") for one in heard]
        return tuple(heard)

    def _count(self, name: str, message: PhoneMessage, arrival: float) -> int | None:
        """How many messages of this phone were lost; None for one that came before."""
        session, tally = self._messages.get(name, ("", Tally(name, "phone", paired=True)))
        if session != message.session:
            tally.restart()
        remember(self._messages, name, (message.session, tally))
        return tally.lost if tally.hear(arrival, message.number) else None

    def _part(
        self, name: str, part: _Part, rows: tuple[PhoneRow, ...], arrival: float
    ) -> Heard | None:
        quaternions = _vectors(rows, *part.quaternion)
        moved = _vectors(rows, *part.acceleration)
        if not quaternions and name not in self._moving:
            return None
        moving = self._moving.get(name) or _Moving()
        remember(self._moving, name, moving)
        moving.acceleration.add(moved)
        moving.gravity.add(_vectors(rows, *part.gravity))
        samples, note = [], ""
        for time, values in sorted(quaternions, key=lambda row: row[0]):
            length = float(np.linalg.norm(values))
            if abs(length - 1.0) > _UNIT_ERROR:
                note = f"found a quaternion of length {length:.3g}, expected 1"
                continue
            linear, note = self._linear(part, moving, time, values / length)
            samples.append(TrackerSample(name, arrival, time, values / length, linear))
            note = note or moving.watch.note(linear, time)
        return Heard(name, tuple(samples), note=note)

    def _linear(
        self, part: _Part, moving: _Moving, time: float, rotation: Array
    ) -> tuple[Array, str]:
        """The acceleration (3,) in the world, m/s^2, and what is wrong with it."""
        missing = np.full(3, math.nan)
        reading, gravity = moving.acceleration.at(time), moving.gravity.at(time)
        if reading is None:
            return missing, "no acceleration: switch on Accelerometer in the app"
        if self._platform != "auto":
            sign = _FACTORS[self._platform]
            metric = part.always_metric or sign > 0
        elif gravity is None:
            return missing, "no gravity, which tells Apple's signs: switch on Gravity in the app"
        else:
            size = float(np.linalg.norm(gravity))
            up = float(quaternion.rotate(rotation, gravity)[2]) / max(size, 1e-9)
            if abs(up) < _VERTICAL:
                return missing, "its gravity is not vertical by its orientation"
            sign = math.copysign(1.0, up)
            metric = part.always_metric or (size > 3.0 if part.gravity_in_g else sign > 0)
        world = quaternion.rotate(rotation, reading)
        return sign * world * (1.0 if metric else GRAVITY), ""


def _vectors(
    rows: tuple[PhoneRow, ...], sensor: str, names: tuple[str, ...]
) -> list[tuple[float, Array]]:
    return [
        (row.time, np.array([row.values[name] for name in names]))
        for row in rows
        if row.sensor == sensor and all(name in row.values for name in names)
    ]


def _with_note(heard: Heard, note: str) -> Heard:
    told = "; ".join(filter(None, (heard.note, note)))
    return Heard(heard.tracker, heard.samples, heard.battery, heard.signal, told)
