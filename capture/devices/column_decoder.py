"""From lines by columns to samples in our conventions: names, gravity, and orientation from raw readings."""

import math
from dataclasses import dataclass, field

import numpy as np

from ...rig.arrays import Array
from ...rig.errors import FormatError
from .column_template import ColumnTemplate
from .gravity import GravityWatch, linear_in_world
from .lines import Heard, remember
from .raw_fusion import RawFusion, RawReading
from .samples import TrackerSample
from .text_columns import Reading, parse_line

__all__ = ["ColumnDecoder"]


@dataclass
class _Tracker:
    """What is remembered of one tracker."""

    fusion: RawFusion | None
    watch: GravityWatch = field(default_factory=GravityWatch)
    waiting: list[tuple[Reading, float]] = field(default_factory=list)  # with their arrivals


class ColumnDecoder:
    """A `LineDecoder` of lines that a `ColumnTemplate` describes.

    Args:
        template: what stands in a line.
        word: the kind in a tracker's name: "serial" gives "serial /dev/ttyUSB0/left".
        magnetometer: whether the magnetic field gives the heading where orientations are computed here.

    Raises:
        DeviceError: orientations have to be computed and the package `vqf` is not installed.
    """

    def __init__(self, template: ColumnTemplate, word: str, magnetometer: bool = False) -> None:
        self._template = template
        self._word = word
        self._magnetometer = magnetometer and template.has("mx")
        self._raw = not template.has("qw")
        self._trackers: dict[str, _Tracker] = {}
        self._new_tracker()  # says at once if something is missing

    def read(self, line: bytes, source: str, arrival: float) -> tuple[Heard, ...]:
        """What a line says.

        Raises:
            FormatError: it can't be understood.
        """
        reading = parse_line(self._template, line)
        name = f"{self._word} {source}" + (f"/{reading.id}" if reading.id else "")
        if self._raw and not np.isfinite([*reading.turn, *reading.acceleration]).all():
            raise FormatError("found no gyroscope or accelerometer, expected three numbers of each")
        tracker = self._trackers.get(name) or self._new_tracker()
        remember(self._trackers, name, tracker)
        if tracker.fusion is None:
            orientation = reading.world_from_sensor
            samples: tuple[TrackerSample, ...] = (
                self._sample(name, reading, arrival, orientation),
            )
        else:
            samples = self._fused(name, tracker, reading, arrival)
        note = ""
        for sample in samples:
            now = arrival if math.isnan(sample.device_time) else sample.device_time
            note = tracker.watch.note(sample.acceleration, now)
        return (Heard(name, samples, reading.battery, note=note),)

    def greeting(self) -> bytes:
        """Nothing: such devices send by themselves."""
        return b""

    def restarted(self, source: str) -> None:
        """Filters start anew: who knows how the sensor was turned while it was away."""
        self._trackers.clear()

    def _new_tracker(self) -> _Tracker:
        if not self._raw:
            return _Tracker(None)
        return _Tracker(RawFusion(self._magnetometer, even=not self._template.has("t")))

    def _fused(
        self, name: str, tracker: _Tracker, reading: Reading, arrival: float
    ) -> tuple[TrackerSample, ...]:
        assert tracker.fusion is not None
        time = arrival if math.isnan(reading.time) else reading.time
        magnetic = reading.field if np.isfinite(reading.field).all() else None
        tracker.waiting.append((reading, arrival))
        orientations = tracker.fusion.add(
            RawReading(time, reading.turn, reading.acceleration, magnetic)
        )
        if not orientations:
            return ()
        waiting, tracker.waiting = tracker.waiting, []
        return tuple(
            self._sample(name, waited, at, orientation)
            for (waited, at), orientation in zip(waiting, orientations, strict=True)
        )

    def _sample(
        self, name: str, reading: Reading, arrival: float, world_from_sensor: Array
    ) -> TrackerSample:
        acceleration = linear_in_world(
            world_from_sensor, reading.acceleration, self._template.gravity, self._template.frame
        )
        return TrackerSample(
            name, arrival, reading.time, world_from_sensor, acceleration, reading.count
        )
