"""When a foot really stands: steps that the feet's way ahead of the pelvis told, moved to where it stops."""

from dataclasses import replace
from typing import Final

import numpy as np

from ..arrays import Array
from ..filters import Butterworth, filtered
from .events import GaitEvents
from .points import GaitPoints

__all__ = ["at_contact"]

_STANDS: Final = 0.5  # metres per second over the ground, below which a foot stands
_WITHIN: Final = 0.12  # seconds that an event is moved at the most
_CUTOFF: Final = 10.0  # hertz
_GAP: Final = 0.1  # seconds


def at_contact(points: GaitPoints, events: GaitEvents, belt: float) -> GaitEvents:
    """Move strikes on to where the heel stops, and toe-offs back to where the toe begins to move.

    A heel is furthest ahead of the pelvis while it still moves as fast as the body, a few hundredths of a
    second before it lands, and a toe is furthest behind after it has left: by these alone stance lasts too
    long. Of walkers; runners' feet land in other ways.
    Source: Ghoussayni et al., Gait & Posture 20, 2004, with the threshold of Bruening and Ridge, Gait &
    Posture 39, 2014.

    Args:
        points: heels and toes.
        events: by their way ahead of the pelvis.
        belt: metres per second at which the ground moves backward.
    """
    strikes, offs = [], []
    for side in (0, 1):
        heel, toe = (
            _speed(points, foot[:, side], events.forward, belt)
            for foot in (points.heels, points.toes)
        )
        strikes.append(_moved(points, heel, events.strikes[side], 1))
        offs.append(_moved(points, toe, events.toe_offs[side], -1))
    return replace(events, strikes=(strikes[0], strikes[1]), toe_offs=(offs[0], offs[1]))


def _speed(points: GaitPoints, foot: Array, forward: Array, belt: float) -> Array:
    """(T,) metres per second over the ground, forward and upward."""
    if len(foot) < 2:
        return np.full(len(foot), np.nan)
    smooth = filtered(
        foot, points.fps, Butterworth(min(_CUTOFF, 0.4 * points.fps)), longest_gap=_GAP
    )
    velocity = np.gradient(smooth, axis=0) * points.fps
    ahead = np.einsum("ti,ti->t", velocity, forward) + belt
    return np.hypot(ahead, velocity[:, 2])


def _moved(points: GaitPoints, speed: Array, times: Array, way: int) -> Array:
    """Each time moved on (1) or back (-1) to the first at which the foot is slow enough to stand."""
    found = np.array(times)
    for row, time in enumerate(times):
        around = time + way * np.arange(0.0, _WITHIN, 0.1 / points.fps)
        slow = np.interp(around, points.times, speed, left=np.nan, right=np.nan) < _STANDS
        if slow.any():
            found[row] = around[slow.argmax()]
    return found
