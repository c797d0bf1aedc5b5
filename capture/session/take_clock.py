"""A whole take's device times mapped to this computer's clock: as `DeviceClock`, with all delays known."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ...rig.arrays import Array
from .clock_line import line_under
from .device_clock import (
    AHEAD,
    BIN,
    EARLY,
    LATEST,
    REORDERED,
    STEPPED,
    STEPPED_BINS,
    WINDOW,
    Unwrapped,
)

__all__ = ["mapped_times"]

_HOP = WINDOW / 4  # seconds between fits


def mapped_times(device_times: Array, arrivals: Array) -> Array:
    """When samples were measured, seconds of the clock of arrivals; the arrival where no time was sent.

    Args:
        device_times: (N,) seconds of one device's clock, in the order of arrival; NaN where it sent none.
        arrivals: (N,) seconds.
    """
    mapped = np.array(arrivals, dtype=np.float64)
    told = np.flatnonzero(np.abs(device_times) < LATEST)
    if len(told) == 0:
        return mapped
    device, starts = _unwrapped(device_times[told], arrivals[told])
    for rows in np.split(np.arange(len(told)), starts):
        chosen = told[rows]
        mapped[chosen] = np.minimum(
            _stretch(device[rows], arrivals[chosen] - device[rows]), arrivals[chosen]
        )
    return mapped


def _unwrapped(device_times: Array, arrivals: Array) -> tuple[Array, npt.NDArray[np.int64]]:
    """Times without wraps, and the rows (not the first) at which the clock has started again."""
    steps, waits = np.diff(device_times), np.diff(arrivals)
    if np.all((steps >= -REORDERED / 2) & (steps <= waits + AHEAD / 2)):
        return device_times, np.zeros(0, dtype=np.int64)
    unwrap = Unwrapped()
    pairs = zip(device_times.tolist(), arrivals.tolist(), strict=True)
    found = [unwrap(device, arrival) for device, arrival in pairs]
    times, restarted = (np.array(column) for column in zip(*found, strict=True))
    return times, np.flatnonzero(restarted)[1:]


def _stretch(device: Array, delays: Array) -> Array:
    """Mapped times (N,) while the clock runs on, but for steps."""
    at, least = _bins(device, delays)
    edges = [0, *_steps(least), len(at)]
    pieces = [_fit(at[a:b], least[a:b]) for a, b in pairwise(edges)]
    middles, offsets = np.concatenate(pieces, axis=1)
    return device + np.interp(device, middles, offsets)


def _bins(device: Array, delays: Array) -> tuple[Array, Array]:
    """The smallest delay of each second, and when it was."""
    number = np.floor(device / BIN)
    order = np.lexsort((delays, number))
    first = order[np.flatnonzero(np.diff(number[order], prepend=-np.inf) > 0)]
    return device[first], delays[first]


def _steps(least: Array) -> list[int]:
    """Bins at which a device's clock was set: all before are lower than all after, or higher."""
    found: list[int] = []
    for bin_ in range(STEPPED_BINS, len(least) - STEPPED_BINS + 1):
        before = least[bin_ - STEPPED_BINS : bin_]
        after = least[bin_ : bin_ + STEPPED_BINS]
        back, forth = after.min() - before.max() > STEPPED, before.min() - after.max() > EARLY
        if (back or forth) and (not found or bin_ - found[-1] >= STEPPED_BINS):
            found.append(bin_)
    return found


def _fit(at: Array, least: Array) -> Array:
    """(2, K) times and the delays of the fastest packets then, to be joined by straight lines."""
    usual = line_under(at, least).skew
    hops = max(1, int(np.ceil((at[-1] - at[0]) / _HOP)))
    places = np.linspace(np.floor(at[0] / BIN), np.floor(at[-1] / BIN) + 1.0, hops + 1) * BIN
    found = []
    for place in places:
        near = np.abs(at - place) <= WINDOW / 2
        chosen = near if near.any() else np.abs(at - place) == np.abs(at - place).min()
        line = line_under(at[chosen], least[chosen], usual)
        found.append(line.mapped(place) - place)
    return np.array([places, found])
