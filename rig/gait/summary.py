"""What is measured of a walk: cadence, strides, stance, and how far joints move."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final

import numpy as np

from ..arrays import Array, checked
from ..errors import RecordingError
from ..filters import Butterworth, filtered
from ..sides import side_pairs
from .contacts import at_contact
from .cycles import MeanCycle, mean_cycle, resampled_cycles
from .events import GaitEvents, gait_events
from .points import GaitPoints

__all__ = ["GaitSummary", "SideGait", "gait_summary"]

_SHORTEST, _LONGEST = 0.35, 3.0  # seconds, of a stride
_FLAT: Final = (0.3, 0.6)  # parts of the stance in which the forefoot stands still on the ground
_RUN: Final = 2.2  # metres per second, above which nobody walks
_BELT: Final = 0.25  # metres per second; a slower ground is one that stands still


@dataclass(frozen=True, eq=False)
class SideGait:
    """Strides of one foot, from heel strike to heel strike.

    Attributes:
        cycles: (N, 3) seconds: strike, toe-off, next strike.
        stride_times: (N,) seconds.
        stride_lengths: (N,) metres over the ground, a treadmill's belt included.
        stance_shares: (N,) of the cycle, 0 to 1; NaN of runners.
        angles: curves over the cycle, radians, 101 points, of this side's angles and those of no side.
        ranges: (N,) radians between the least and the greatest angle of a cycle; NaN where it is not known.
    """

    cycles: Array
    stride_times: Array
    stride_lengths: Array
    stance_shares: Array
    angles: Mapping[str, MeanCycle]
    ranges: Mapping[str, Array]


@dataclass(frozen=True, eq=False)
class GaitSummary:
    """Both sides.

    Attributes:
        left: strides of the left foot.
        right: strides of the right foot.
        events: that they were cut at.
        belt_speed: metres per second at which the ground moves backward; 0 if it stands still.
        cadence: steps per minute: two in the mean stride's time.
        speed: metres per second: the mean stride's length by its time.
    """

    left: SideGait
    right: SideGait
    events: GaitEvents
    belt_speed: float
    cadence: float
    speed: float

    def report(self) -> dict[str, Any]:
        """Numbers for a report, in seconds, metres, percent and degrees; None where there are none."""
        return {
            "cadence_steps_per_minute": self.cadence,
            "speed_m_per_s": self.speed,
            "belt_speed_m_per_s": self.belt_speed,
            "left": _side_report(self.left),
            "right": _side_report(self.right),
        }


def gait_summary(
    points: GaitPoints,
    angles: Mapping[str, Array] | None = None,
    angle_times: Array | None = None,
    samples: int = 101,
) -> GaitSummary:
    """Find the steps and measure them.

    Faster than 2.2 m/s people run. Their toes go on backward through the air, so that the toe-offs found are
    too late; stance shares are NaN then.

    Args:
        points: heels, toes and pelvis.
        angles: (K,) radians, of a name each, as hip_flexion_l; a side's are cut into that side's cycles.
        angle_times: (K,) seconds; None: those of the points.
        samples: points of a curve.

    Raises:
        RecordingError: there is no whole stride, from a heel's strike to its next.
        ShapeError: an angle has not as many values as there are times.
    """
    events = gait_events(points)
    spans = [_spans(events.strikes[side], events.toe_offs[side]) for side in (0, 1)]
    if not any(map(len, spans)):
        left, right = map(len, events.strikes)
        raise RecordingError(
            f"no whole stride in {len(points.pelvis) / points.fps:.2f} s: the left heel strikes {left} "
            f"times, the right {right}; expected two strikes of one foot and a toe-off between"
        )
    belt = _belt(points, events.forward, spans)
    ways = [_lengths(points, events.forward, spans[side], side, belt) for side in (0, 1)]
    durations = [span[:, 2] - span[:, 0] for span in spans]
    if _mean(np.concatenate(ways) / np.concatenate(durations)) <= _RUN:
        moved = at_contact(points, events, belt)
        landed = [_spans(moved.strikes[side], moved.toe_offs[side]) for side in (0, 1)]
        if any(map(len, landed)):
            events, spans = moved, landed
    times = points.times if angle_times is None else checked("angle times", angle_times, (None,))
    sides = []
    for side in (0, 1):
        own = _own(angles or {}, side)
        curves = {
            name: resampled_cycles(times, value, spans[side][:, [0, 2]], samples)
            for name, value in own.items()
        }
        sides.append(_measured(points, events.forward, spans[side], side, belt, curves))
    strides = np.concatenate([side.stride_times for side in sides])
    lengths = np.concatenate([side.stride_lengths for side in sides])
    speed = _mean(lengths / strides)
    if speed > _RUN:
        sides = [replace(side, stance_shares=np.full(len(side.cycles), np.nan)) for side in sides]
    cadence = 120.0 / float(strides.mean())
    return GaitSummary(sides[0], sides[1], events, belt, cadence, speed)


def _spans(strikes: Array, offs: Array) -> Array:
    """(N, 3) strike, the one toe-off, next strike."""
    found = []
    for first, last in pairwise(strikes):
        between = offs[(offs > first) & (offs < last)]
        if len(between) == 1 and _SHORTEST <= last - first <= _LONGEST:
            found.append((first, between[0], last))
    return np.array(found, dtype=np.float64).reshape(-1, 3)


def _belt(points: GaitPoints, forward: Array, spans: list[Array]) -> float:
    """How fast the forefeet go backward while they are flat on the ground."""
    smooth = filtered(
        points.toes, points.fps, Butterworth(min(10.0, 0.4 * points.fps)), longest_gap=0.1
    )
    if len(smooth) < 2:
        return 0.0
    speeds = []
    for side in (0, 1):
        backward = (
            -np.einsum("ti,ti->t", np.gradient(smooth[:, side], axis=0), forward) * points.fps
        )
        for strike, off, _ in spans[side]:
            part = (points.times - strike) / (off - strike)
            speeds.append(backward[(part >= _FLAT[0]) & (part <= _FLAT[1])])
    every = np.concatenate(speeds)
    every = every[np.isfinite(every)]
    speed = float(np.median(every)) if len(every) else 0.0
    return speed if abs(speed) >= _BELT else 0.0


def _own(angles: Mapping[str, Array], side: int) -> dict[str, Array]:
    """Without the angles of the other side."""
    others = {pair[1 - side] for pair in side_pairs(list(angles))}
    return {name: value for name, value in angles.items() if name not in others}


def _measured(
    points: GaitPoints,
    forward: Array,
    spans: Array,
    side: int,
    belt: float,
    curves: Mapping[str, Array],
) -> SideGait:
    durations = spans[:, 2] - spans[:, 0]
    return SideGait(
        spans,
        durations,
        _lengths(points, forward, spans, side, belt),
        (spans[:, 1] - spans[:, 0]) / durations,
        {name: mean_cycle(curve) for name, curve in curves.items()},
        {name: np.ptp(curve, axis=1) for name, curve in curves.items()},
    )


def _lengths(points: GaitPoints, forward: Array, spans: Array, side: int, belt: float) -> Array:
    """(N,) metres over the ground of one side's strides."""
    strikes = spans[:, [0, 2]]
    heels = resampled_cycles(points.times, points.heels[:, side, :2], strikes, 2)
    ahead = resampled_cycles(points.times, forward[:, :2], strikes, 3)[:, 1]
    travelled = heels[:, 1] - heels[:, 0] + belt * np.diff(strikes, axis=1) * ahead
    return np.asarray(np.linalg.norm(travelled, axis=-1))


def _mean(values: Array) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")


def _side_report(side: SideGait) -> dict[str, Any]:
    return {
        "strides": len(side.cycles),
        "stride_time_s": _told(side.stride_times),
        "stride_length_m": _told(side.stride_lengths),
        "stance_percent": _told(100.0 * side.stance_shares),
        "range_deg": {name: _told(np.degrees(values)) for name, values in side.ranges.items()},
    }


def _told(values: Array) -> dict[str, float | None]:
    known = values[np.isfinite(values)]
    return {
        "mean": float(known.mean()) if len(known) else None,
        "sd": float(known.std(ddof=1)) if len(known) > 1 else None,
    }
