"""Which axis of a file points up, and the turn from there to our z-up world.

A TRC file does not say. OpenSim's are y-up; files straight from a laboratory often are z-up. The body tells:
nearly everyone stands at some time in a recording, and then is taller than wide or deep.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from ..rig.arrays import Array, checked
from ..rig.errors import FormatError

__all__ = ["UP_AXES", "detect_up", "from_world", "to_world"]

# Rows: world x, y and z in the file's axes. y-up as `axes.z_up_from_y_up`; all are turns.
UP_AXES: Final[Mapping[str, Array]] = MappingProxyType(
    {
        "y": np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]], dtype=np.float64),
        "z": np.eye(3),
        "x": np.array([[0, 1, 0], [0, 0, 1], [1, 0, 0]], dtype=np.float64),
        "-y": np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]], dtype=np.float64),
        "-z": np.diag([1.0, -1.0, -1.0]),
        "-x": np.array([[0, 1, 0], [0, 0, -1], [-1, 0, 0]], dtype=np.float64),
    }
)
_ENOUGH = 500  # frames tell as well as thousands
_CLEARLY = 1.15  # times taller than along any other axis, to be sure of it
_FLOOR = 0.15  # of the height: the lowest marker on the feet is this near to the floor
_STEADY = 0.05  # of the height: so little moves the lowest marker of someone who stands on a floor


def to_world(positions: Array, up: str) -> Array:
    """Turn positions (..., 3) of a file whose `up` axis points up into our z-up world.

    Raises:
        FormatError: `up` is none of `UP_AXES`.
    """
    return np.asarray(positions @ _turn(up).T)


def from_world(positions: Array, up: str) -> Array:
    """The inverse of `to_world`."""
    return np.asarray(positions @ _turn(up))


def _turn(up: str) -> Array:
    if up not in UP_AXES:
        raise FormatError(f"no up axis {up!r}; expected one of: {', '.join(UP_AXES)}")
    return UP_AXES[up]


def detect_up(positions: Array) -> str | None:
    """The axis along which a recorded person stands.

    Measured is the spread of the markers along each axis, from the 10th to the 90th percentile, in the
    frames where it is large (90th percentile of the frames): a while of lying or bending doesn't matter.
    Two axes within 15 % of each other are doubtful. x, which no laboratory has up, needs to be the only one,
    and markers that keep to the zero plane as feet keep to the floor. A sign is minus only if the body hangs
    below zero, from a steady end.

    Args:
        positions: (T, M, 3) in any unit; NaN where a marker was not seen.

    Returns:
        A key of `UP_AXES`, or None where the data don't tell.
    """
    tall, lows, highs = _spread(checked("positions", positions, (None, None, 3)))
    if not np.any(tall > 0):
        return None
    tallest = [axis for axis in range(3) if tall[axis] * _CLEARLY > tall.max()]
    if len(tallest) > 1:
        tallest = [axis for axis in tallest if axis != 0]
    if len(tallest) > 1:
        return None
    axis = tallest[0]
    stands = _on_floor(lows[:, axis], tall[axis])
    hangs = _on_floor(highs[:, axis], tall[axis])
    if axis == 0 and not (stands or hangs):
        return None
    return ("-" if hangs and not stands else "") + "xyz"[axis]


def _spread(positions: Array) -> tuple[Array, Array, Array]:
    """Height (3,) along each axis; lowest and highest marker (F, 3) of the frames that show enough."""
    seen = np.isfinite(positions).all(axis=-1)
    count = seen.sum(axis=1)
    shown = positions[count >= max(3, count.max(initial=0) / 2)]
    if not len(shown):
        return np.zeros(3), np.empty((0, 3)), np.empty((0, 3))
    shown = shown[:: -(-len(shown) // _ENOUGH)]
    shown = np.where(np.isfinite(shown).all(axis=-1, keepdims=True), shown, np.nan)
    low, high = np.nanpercentile(shown, [10, 90], axis=1)
    tall = np.percentile(high - low, 90, axis=0)
    return np.asarray(tall), np.nanmin(shown, axis=1), np.nanmax(shown, axis=1)


def _on_floor(ends: Array, height: float) -> bool:
    """Whether one end (F,) of the body keeps near zero, and to its place."""
    first, middle, last = np.percentile(ends, [25, 50, 75])
    return bool(abs(middle) < _FLOOR * height and last - first < _STEADY * height)
