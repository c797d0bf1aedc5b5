"""A tracker's readings put on an even clock: losses bridged, long silences left open."""

from typing import Any

import numpy as np
import numpy.typing as npt

from ...rig import quaternion
from ...rig.arrays import Array, Mask
from ..textfile import LARGEST
from .counted import Counted
from .even_clock import EvenClock
from .frames import BRIDGE
from .raw_log_layout import NO_SEQUENCE
from .take_clock import mapped_times

__all__ = ["between", "measured", "sensible", "usual_rate"]

_SAME = 1e-9  # seconds
_BUNCH = 1.25  # times as many readings as in most seconds


def measured(readings: npt.NDArray[Any]) -> tuple[Array, Array, Array]:
    """Times (N,), strictly increasing, orientations (N, 4) and accelerations (N, 3) of one tracker.

    What came twice is there once, what was overtaken is in its place.

    Args:
        readings: `raw_log_layout.READING_TYPE` of one tracker, in order of arrival.
    """
    readings = readings[_usable(readings)]
    device = readings["device_time"]
    times = mapped_times(device, readings["arrival"])
    untold = np.flatnonzero(~np.isfinite(device))
    times[untold] = _even(readings[untold])
    order = np.argsort(times, kind="stable")
    order = order[np.diff(times[order], prepend=-np.inf) > _SAME]
    turns = quaternion.normalised(sensible(readings["world_from_sensor"][order]))
    return times[order], turns, sensible(readings["acceleration"][order])


def sensible(values: npt.NDArray[Any]) -> Array:
    """The values, missing where they are too large for any measurement."""
    return np.where(np.abs(values) < LARGEST, values, np.nan)


def _usable(readings: npt.NDArray[Any]) -> Mask:
    sequence = readings["sequence"]
    if np.all(np.diff(sequence) > 0) and (sequence != NO_SEQUENCE).all():
        return np.ones(len(readings), dtype=bool)
    counted = Counted()
    pairs = zip(sequence.tolist(), readings["device_time"].tolist(), strict=True)
    return np.array(
        [counted(None if count == NO_SEQUENCE else count, time) for count, time in pairs],
        dtype=bool,
    )


def _even(readings: npt.NDArray[Any]) -> Array:
    """Times (N,) of readings that came without."""
    clock = EvenClock()
    pairs = zip(readings["arrival"].tolist(), readings["sequence"].tolist(), strict=True)
    times = [clock.map(at, None if count == NO_SEQUENCE else count) for at, count in pairs]
    return np.array(times, dtype=np.float64)


def usual_rate(times: Array) -> float:
    """Readings per second while they come; NaN of less than two."""
    if len(times) < 2:
        return float("nan")
    steps = np.diff(times)
    steps = steps[(steps <= BRIDGE) & _unbunched(times)]
    if len(steps) == 0:
        return float("nan")
    usual = float(np.median(steps))
    # Where several come together the usual step says nothing; where some are lost the mean says too little.
    return 1.0 / max(usual, 0.8 * float(steps.mean()))


def _unbunched(times: Array) -> Mask:
    """(N - 1,) steps within seconds that hold no bunch: what a busy computer held up comes all at once."""
    _, second, counts = np.unique(
        np.floor(times[1:] - times[0]), return_inverse=True, return_counts=True
    )
    return np.asarray(counts[second] <= _BUNCH * np.median(counts), dtype=bool)


def between(times: Array, values: Array, wanted: Array, *, turns: bool) -> Array:
    """Values (N, ...) at times (N,) drawn to wanted times (M,): slerp or linear, NaN where too far apart."""
    missing = np.isnan(values).any(axis=-1)
    told = ~missing.all(axis=tuple(range(1, missing.ndim)))
    times, values = times[told], values[told]
    result = np.full((len(wanted), *values.shape[1:]), np.nan)
    if len(times) == 0:
        return result
    before = np.searchsorted(times, wanted, side="right") - 1
    after = np.minimum(before + 1, len(times) - 1)
    exact = (before >= 0) & (np.abs(wanted - times[before]) <= _SAME)
    inside = (before >= 0) & (before + 1 < len(times)) & (times[after] - times[before] <= BRIDGE)
    rows = np.flatnonzero(inside | exact)
    start, end = values[before[rows]], values[np.where(exact[rows], before[rows], after[rows])]
    span = np.where(exact[rows], 1.0, times[after[rows]] - times[before[rows]])
    share = ((wanted[rows] - times[before[rows]]) / span).reshape(-1, *[1] * (values.ndim - 2))
    if turns:
        result[rows] = quaternion.slerp(start, end, share)
    else:
        result[rows] = start + share[..., None] * (end - start)
    return result
