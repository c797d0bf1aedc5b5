"""From an x-IMU3's messages to samples: quaternions and accelerations put together, a name that stays."""

import math
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from ...rig.arrays import Array
from ...rig.errors import DeviceError, FormatError
from ..plausibility import GRAVITY
from .gravity import Frame, Gravity, GravityWatch, linear_in_world
from .lines import Heard, remember
from .raw_fusion import RawFusion, RawReading
from .samples import TrackerSample
from .ximu3 import PING, Ximu3Message, parse_message, parse_ping

__all__ = ["Ximu3Decoder"]

_NEAR = 0.05  # seconds: an acceleration farther from its quaternion says nothing about it
_UNIT_ERROR = 0.1
_NAMELESS = 1.0  # seconds that messages wait for the answer to the ping
_MOST_WAITING = 4096
_WITHOUT_QUATERNIONS = 50  # inertial messages, after which orientations are computed here
_MEANS: Final[dict[str, tuple[Gravity, Frame]]] = {
    "I": ("in", "sensor"),
    "L": ("out", "sensor"),
    "E": ("out", "world"),
}


@dataclass(frozen=True, eq=False)
class _Acceleration:
    time: float
    reading: Array  # (3,) m/s^2
    letter: str


@dataclass(frozen=True, eq=False)
class _Orientation:
    time: float
    world_from_sensor: Array
    arrival: float


@dataclass
class _Sensor:
    """What is remembered of one sensor."""

    name: str | None
    since: float | None = None  # arrival of its first message
    waiting: list[tuple[bytes, float]] = field(default_factory=list)  # until its name is known
    orientation: _Orientation | None = None  # not given yet: its acceleration may come
    accelerations: tuple[_Acceleration, ...] = ()  # the last two
    complete: bool = False  # it sends messages with both
    quaternions: bool = False
    inertial: int = 0
    fusion: RawFusion | None = None
    raw: list[tuple[Ximu3Message, float]] = field(default_factory=list)
    note: str = ""
    watch: GravityWatch = field(default_factory=GravityWatch)


class Ximu3Decoder:
    """A `LineDecoder` of x-IMU3 messages, as text or bytes.

    Args:
        word: the kind in a tracker's name.
        asks: whether the sensor can be asked for its serial number, as over USB and TCP; its trackers are
            then named by it ("ximu3 64F0EDBF"), and else by where they send from.
    """

    def __init__(self, asks: bool, word: str = "ximu3") -> None:
        self._asks = asks
        self._word = word
        self._sensors: dict[str, _Sensor] = {}

    def read(self, line: bytes, source: str, arrival: float) -> tuple[Heard, ...]:
        """What a message says.

        Raises:
            FormatError: it is damaged.
        """
        sensor = self._sensors.get(source)
        if sensor is None:
            sensor = _Sensor(None if self._asks else self._name(source))
            remember(self._sensors, source, sensor)
        if sensor.name is not None:
            return self._heard(sensor, sensor.name, line, arrival)
        sensor.since = arrival if sensor.since is None else sensor.since
        sensor.waiting.append((line, arrival))
        number = parse_ping(line)
        late = arrival - sensor.since > _NAMELESS or len(sensor.waiting) >= _MOST_WAITING
        if number is None and not late:
            return ()
        sensor.name = self._name(number or source)
        waiting, sensor.waiting = sensor.waiting, []
        return tuple(one for held in waiting for one in self._whole(sensor, sensor.name, *held))

    def _name(self, what: str) -> str:
        return f"{self._word} {what}".strip()

    def greeting(self) -> bytes:
        """A question for the sensor's serial number."""
        return PING if self._asks else b""

    def restarted(self, source: str) -> None:
        """Another sensor may be plugged in now."""
        self._sensors.pop(source, None)

    def _whole(self, sensor: _Sensor, name: str, line: bytes, arrival: float) -> tuple[Heard, ...]:
        """What a message says that waited; nothing if it is damaged, as the first often is."""
        try:
            return self._heard(sensor, name, line, arrival)
        except FormatError:
            return ()

    def _heard(self, sensor: _Sensor, name: str, line: bytes, arrival: float) -> tuple[Heard, ...]:
        message = parse_message(line)
        if message is None:
            return ()
        if message.letter == "B":
            return (Heard(name, battery=min(max(message.values[0] / 100.0, 0.0), 1.0)),)
        if message.letter == "W":
            return (Heard(name, signal=message.values[1]),)
        samples = tuple(_samples(sensor, name, message, arrival))
        for sample in samples:
            sensor.note = sensor.watch.note(sample.acceleration, sample.device_time)
        return (Heard(name, samples, note=sensor.note),) if samples or sensor.note else ()


def _samples(
    sensor: _Sensor, name: str, message: Ximu3Message, arrival: float
) -> list[TrackerSample]:
    """The samples that a message completes."""
    if message.letter == "Q" and not sensor.complete:
        sensor.quaternions = True
        return _turned(sensor, name, _Orientation(message.time, _unit(message.values), arrival))
    if message.letter in ("L", "E") and len(message.values) == 7:
        sensor.complete, sensor.orientation = True, None
        orientation = _Orientation(message.time, _unit(message.values[:4]), arrival)
        return [_sample(name, orientation, _acceleration(message))]
    if message.letter in _MEANS and not sensor.complete:
        if not sensor.quaternions and message.letter == "I":
            return _computed(sensor, name, message, arrival)
        return _moved(sensor, name, _acceleration(message))
    return []


def _turned(sensor: _Sensor, name: str, orientation: _Orientation) -> list[TrackerSample]:
    """A quaternion came: given at once if its acceleration is here or none is sent, held else."""
    samples = []
    if sensor.orientation is not None:
        samples.append(_sample(name, sensor.orientation, _nearest(sensor, sensor.orientation.time)))
    sensor.orientation = None
    nearest = _nearest(sensor, orientation.time)
    if nearest is None or nearest.time >= orientation.time:
        return [*samples, _sample(name, orientation, nearest)]
    sensor.orientation = orientation
    return samples


def _moved(sensor: _Sensor, name: str, acceleration: _Acceleration) -> list[TrackerSample]:
    """An acceleration came: the quaternion that waited for it is given."""
    sensor.accelerations = (*sensor.accelerations[-1:], acceleration)
    held = sensor.orientation
    if held is None or acceleration.time < held.time:
        return []
    sensor.orientation = None
    return [_sample(name, held, _nearest(sensor, held.time))]


def _nearest(sensor: _Sensor, time: float) -> _Acceleration | None:
    near = [one for one in sensor.accelerations if abs(one.time - time) < _NEAR]
    return min(near, key=lambda one: abs(one.time - time), default=None)


def _computed(
    sensor: _Sensor, name: str, message: Ximu3Message, arrival: float
) -> list[TrackerSample]:
    """Orientations from gyroscope and accelerometer, where the sensor sends nothing else."""
    sensor.inertial += 1
    if sensor.inertial <= _WITHOUT_QUATERNIONS:
        return _moved(sensor, name, _acceleration(message))
    try:
        sensor.fusion = sensor.fusion or RawFusion()
    except DeviceError as error:
        sensor.note = str(error)
        return []
    sensor.raw.append((message, arrival))
    force = _acceleration(message)
    turn = np.radians(message.values[:3])
    orientations = sensor.fusion.add(RawReading(message.time, turn, force.reading))
    waiting, sensor.raw = (sensor.raw, []) if orientations else ([], sensor.raw)
    return [
        _sample(name, _Orientation(held.time, orientation, at), _acceleration(held))
        for (held, at), orientation in zip(waiting, orientations, strict=True)
    ]


def _acceleration(message: Ximu3Message) -> _Acceleration:
    reading = np.array(message.values[-3:]) * GRAVITY
    return _Acceleration(message.time, reading, message.letter)


def _sample(
    name: str, orientation: _Orientation, acceleration: _Acceleration | None
) -> TrackerSample:
    linear = np.full(3, math.nan)
    if acceleration is not None:
        gravity, frame = _MEANS[acceleration.letter]
        rotation = orientation.world_from_sensor
        linear = linear_in_world(rotation, acceleration.reading, gravity, frame)
    return TrackerSample(
        name, orientation.arrival, orientation.time, orientation.world_from_sensor, linear
    )


def _unit(values: tuple[float, ...]) -> Array:
    length = math.hypot(*values)
    if not abs(length - 1.0) <= _UNIT_ERROR:
        raise FormatError(f"found a quaternion of length {length:.3g}, expected 1")
    return np.array(values) / length
