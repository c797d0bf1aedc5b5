"""From a raw log to a recording of one performer: one clock, one grid, calibrated as the events say."""

import warnings
from collections.abc import Mapping
from math import ceil, isnan
from typing import TYPE_CHECKING

import numpy as np

from ...rig import quaternion
from ...rig.arrays import Array, Mask
from ...rig.errors import FormatError, RecordingError, ShapeError
from ..imu import ImuRecording
from ..textfile import FormatWarning
from .applied import Applied
from .log_calibration import Worn, worn_by
from .resampled import between, measured, usual_rate

if TYPE_CHECKING:
    from .raw_log import RawLog

__all__ = ["worn_recording"]

_GRID = 60.0  # the first sample lies on a live frame of 60 per second
_MOST_RATE = 1000.0
_USUAL_RATES = (25.0, 30.0, 50.0, 60.0, 75.0, 90.0, 100.0, 120.0, 200.0, 240.0, 400.0)
_NEAR = 0.06
_MOST_PER_READING = 100  # samples; more, and the clock is damaged
_SPARE = 100_000
_EDGE = 0.1  # seconds
_SAME_TIME = 1e-6  # seconds


def worn_recording(
    log: "RawLog", placements: Mapping[str, str] | None, performer: str | None, fps: float | None
) -> ImuRecording:
    """See `RawLog.recording`."""
    if len(log.readings) == 0:
        what = "poses that another program solved; retarget it" if log.poses else "no readings"
        raise FormatError(f"the take holds {what}; expected readings of trackers")
    worn = worn_by(log.events, _performer(log, performer))
    trackers = _trackers(log, worn, placements)
    found = [measured(log.readings[_is(log, tracker)]) for tracker in trackers.values()]
    times = _grid([one[0] for one in found], fps, len(log.readings))
    orientation = np.stack([between(t, turns, times, turns=True) for t, turns, _ in found], axis=1)
    felt = np.stack([between(t, values, times, turns=False) for t, _, values in found], axis=1)
    names = tuple(trackers.values())
    moved = placements is not None and any(worn.trackers.get(p) != t for p, t in placements.items())
    steps = worn.applied(names)
    if steps:
        orientation, felt = _common(times, orientation, felt, steps)
    mounting = steps[0].bone_from_sensor if steps and not moved else None
    known = mounting is not None and not np.isnan(mounting).any()
    return ImuRecording(
        times - log.clock,
        orientation,
        felt,
        tuple(trackers),
        mounting if known else None,
        {} if known else _poses(worn, names, steps),
    )


def _performer(log: "RawLog", asked: str | None) -> str:
    wearing = list(dict.fromkeys(e.text("performer") for e in log.events if e.kind == "placing"))
    if asked is not None and asked not in wearing:
        raise RecordingError(
            f"nobody called {asked[:40]!r} wears trackers in the take; there are: "
            f"{', '.join(wearing) or 'none'}"
        )
    if asked is None and len(wearing) > 1:
        warnings.warn(
            f"the take holds {' and '.join(wearing)}; read is {wearing[0]}",
            FormatWarning,
            stacklevel=4,
        )
    return asked if asked is not None else (wearing[0] if wearing else "")


def _trackers(log: "RawLog", worn: Worn, placements: Mapping[str, str] | None) -> dict[str, str]:
    """Tracker by placement; those that nobody wears go by their own names."""
    if placements is not None:
        unknown = [tracker for tracker in placements.values() if tracker not in log.trackers]
        if unknown:
            raise RecordingError(
                f"no tracker {', '.join(map(repr, unknown))} in the take; there are: "
                f"{', '.join(log.trackers)}"
            )
        return dict(placements)
    somebody = {t for e in log.events if e.kind == "placing" for t in e.texts("trackers").values()}
    spare = [t for t in log.trackers if t not in somebody and t not in worn.trackers]
    return worn.trackers | {tracker: tracker for tracker in spare}


def _is(log: "RawLog", tracker: str) -> Mask:
    numbers = [number for number, name in enumerate(log.senders) if name == tracker]
    return np.isin(log.readings["sender"], numbers)


def _grid(measured_at: list[Array], fps: float | None, readings: int) -> Array:
    """(T,) seconds of even samples over all that was measured."""
    heard = [times for times in measured_at if len(times)]
    if not heard:
        raise RecordingError(
            "none of the trackers that are worn sent anything; name others with --map"
        )
    if fps is not None and not 0.0 < fps < np.inf:
        raise ShapeError(f"fps is {fps}, expected a positive number of samples per second")
    starts, stops = np.array([(times[0], times[-1]) for times in heard]).T
    # Trackers are not heard all at once; where it takes but a moment nothing is missing.
    start = ceil(starts[starts <= starts.min() + _EDGE].max() * _GRID) / _GRID
    stop = float(stops[stops >= stops.max() - _EDGE].min())
    rates = [rate for rate in map(usual_rate, heard) if not isnan(rate)]
    rate = fps or float(np.clip(_plain_rate(max(rates, default=_GRID)), 1.0, _MOST_RATE))
    count = max((stop - start) * rate + 1.0 + 1e-6, 1.0)
    if not count < _SPARE + _MOST_PER_READING * readings:
        raise RecordingError(
            f"{readings} readings span {stop - start:.4g} s; expected a take, record again"
        )
    times: Array = start + np.arange(int(count)) / rate
    return times


def _plain_rate(rate: float) -> float:
    """The rate that devices are built with, where arrivals on a busy computer only come near it."""
    nearest = min(_USUAL_RATES, key=lambda usual: abs(usual - rate))
    return nearest if abs(nearest - rate) <= _NEAR * nearest else float(np.round(rate))


def _common(
    times: Array, orientation: Array, felt: Array, steps: list[Applied]
) -> tuple[Array, Array]:
    """Orientations and accelerations in the common world, as if mounted all the time as at first."""
    orientation, felt = orientation.copy(), felt.copy()
    first = steps[0].bone_from_sensor
    edges = np.searchsorted(times, [step.since - _SAME_TIME for step in steps[1:]])
    for step, rows in zip(steps, np.split(np.arange(len(times)), edges), strict=True):
        remounted = quaternion.multiply(quaternion.conjugate(step.bone_from_sensor), first)
        remounted = np.where(np.isnan(remounted), quaternion.IDENTITY, remounted)
        turned = quaternion.multiply(step.common_from_world(times[rows]), orientation[rows])
        orientation[rows] = quaternion.multiply(turned, remounted)
        felt[rows] = step.accelerations(felt[rows], times[rows])
    return orientation, felt


def _poses(worn: Worn, trackers: tuple[str, ...], steps: list[Applied]) -> dict[str, Array]:
    """What was held in each pose, (S, 4) in the common world."""
    missing = np.full(4, np.nan)
    turn = steps[0].common_from_world(steps[0].since) if steps else quaternion.IDENTITY
    return {
        pose: quaternion.multiply(turn, np.array([held.get(t, missing) for t in trackers]))
        for pose, held in worn.poses.items()
    }
