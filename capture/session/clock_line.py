"""The straight line under arrival delays: packets come late by chance, never early.

Moon, Skelly, Towsley (1999), "Estimation and removal of clock skew from network delay measurements": of all
lines below the delays take the one that lies closest, an edge of their lower convex hull.
"""

from dataclasses import dataclass

import numpy as np

from ...rig.arrays import Array

__all__ = ["ClockLine", "line_under"]

SKEW_PER_SECOND = 3e-4  # a second's worth of delays tells the skew no better than this
LARGEST_SKEW = 0.01  # a ceramic resonator is off by half of that
SHORTEST = 3.0  # seconds; less says nothing of the skew


@dataclass(frozen=True)
class ClockLine:
    """arrival = device time + offset + skew * (device time - middle), but for the delay by chance.

    Attributes:
        middle: seconds of the device's clock.
        offset: seconds.
        skew: seconds per second by which the device's clock is slow.
    """

    middle: float
    offset: float
    skew: float

    def mapped(self, device_time: float) -> float:
        """A device's time in seconds of arrivals."""
        return device_time + self.offset + self.skew * (device_time - self.middle)


def line_under(device_times: Array, delays: Array, usual_skew: float = 0.0) -> ClockLine:
    """The line that lies closest below delays.

    Args:
        device_times: (N,) seconds, strictly increasing, at least one.
        delays: (N,) seconds, arrival - device time.
        usual_skew: taken where the span is too short to tell.
    """
    middle = float(device_times.mean())
    x = device_times - middle
    span = float(x[-1] - x[0])
    skew = usual_skew
    if span >= SHORTEST:
        most = min(LARGEST_SKEW, SKEW_PER_SECOND * span)
        skew = float(np.clip(_edge_slope(x, delays), usual_skew - most, usual_skew + most))
    return ClockLine(middle, float((delays - skew * x).min()), skew)


def _edge_slope(x: Array, y: Array) -> float:
    """Slope of the lower hull's edge over x = 0, which is the mean."""
    hull: list[int] = []
    for point in range(len(x)):
        while len(hull) > 1:
            a, b = hull[-2], hull[-1]
            if (y[b] - y[a]) * (x[point] - x[a]) < (y[point] - y[a]) * (x[b] - x[a]):
                break
            hull.pop()
        hull.append(point)
    after = int(np.clip(np.searchsorted(x[hull], 0.0), 1, len(hull) - 1))
    a, b = hull[after - 1], hull[after]
    return float((y[b] - y[a]) / (x[b] - x[a]))
