"""Orientation from what gyroscope and accelerometer read, by the filter of the optional package `vqf`.

Source: Laidig, Seel: VQF: highly accurate IMU orientation estimation with bias estimation and magnetic
disturbance rejection. Information Fusion 91 (2023).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

import numpy as np

from ...rig.arrays import Array
from ...rig.errors import DeviceError

__all__ = ["RawFusion", "RawReading"]

_COUNTED = 25  # readings that tell how often the sensor reads
_SHORTEST, _LONGEST = 1e-4, 0.2  # seconds between readings of any sensor that this is for
_PAUSE = 1.0  # seconds: longer ones are no step
_LONGEST_STEP = 0.25  # seconds that one reading may stand for, when others were lost


@dataclass(frozen=True, eq=False, slots=True)
class RawReading:
    """One reading: seconds of a clock, rad/s, m/s^2 with gravity in it, and the field in any unit."""

    time: float
    turn: Array  # (3,)
    force: Array  # (3,)
    field: Array | None = None  # (3,)


class RawFusion:
    """The orientation of one sensor, reading by reading, without the magnetometer unless asked for.

    The first readings only tell how often the sensor reads; their orientations come together, later.

    Args:
        magnetometer: whether the field gives the heading; iron and motors in the room bend it.
        even: whether readings are evenly spaced although their times are not, as with times of arrival.

    Raises:
        DeviceError: the package `vqf` is not installed.
    """

    def __init__(self, magnetometer: bool = False, even: bool = False) -> None:
        self._make = _vqf()
        self._magnetometer = magnetometer
        self._even = even
        self._step = math.nan
        self._last = math.nan
        self._first = math.nan  # what an even clock began with, and the readings since
        self._count = 0
        self._filter: Any = None
        self._waiting: list[RawReading] = []

    def add(self, reading: RawReading) -> list[Array]:
        """Take the next reading.

        Returns:
            The orientations (4,), world_from_sensor, of all readings since the last one that was given:
            none at first, then those of all that waited, then one for each.
        """
        self._waiting.append(reading)
        if self._filter is None and len(self._waiting) < _COUNTED:
            return []
        if self._filter is None:
            span = self._waiting[-1].time - self._waiting[0].time
            self._step = min(max(span / (_COUNTED - 1), _SHORTEST), _LONGEST)
            self._filter = self._make(self._step)
        waiting, self._waiting = self._waiting, []
        return [self._update(waited) for waited in waiting]

    def _update(self, reading: RawReading) -> Array:
        step = self._even_step(reading.time) if self._even else reading.time - self._last
        self._last = reading.time
        if not 0.0 < step < math.inf:
            step = self._step
        # The filter's step is fixed; a longer one turns farther by the same rate.
        turn = reading.turn * (min(step, _LONGEST_STEP) / self._step)
        field = reading.field if self._magnetometer else None
        self._filter.update(_contiguous(turn), _contiguous(reading.force), _contiguous(field))
        orientation = self._filter.getQuat6D() if field is None else self._filter.getQuat9D()
        return np.array(orientation, dtype=np.float64)

    def _even_step(self, time: float) -> float:
        """The mean step so far, known better with every reading; pauses are left out."""
        pause = time - self._last
        if self._count == 0 or not 0.0 <= pause < math.inf:
            self._first, self._count = time, 0
        elif pause > _PAUSE:
            self._first += pause - self._step
        self._count += 1
        if self._count < _COUNTED:
            return self._step
        return (time - self._first) / (self._count - 1)


_MISSING: Final = (
    "orientations from gyroscope and accelerometer need the Python package vqf, which is not installed; "
    "install it (pip install vqf), or let the sensor send quaternions"
)


def _vqf() -> Callable[[float], Any]:
    try:
        return import_module("vqf").VQF
    except ImportError:
        raise DeviceError(_MISSING) from None


def _contiguous(values: Array | None) -> Array | None:
    return None if values is None else np.ascontiguousarray(values, dtype=np.float64)
