"""When heels strike and toes leave the ground, told by coordinates alone."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from ..arrays import Array
from ..errors import RecordingError
from ..filters import Butterworth, filtered
from ..filters.stretches import stretches
from .extrema import extrema
from .points import GaitPoints

__all__ = ["GaitEvents", "gait_events"]

_CUTOFF: Final = 7.0  # hertz
_GAP: Final = 0.1  # seconds
_AROUND: Final = 1.0  # seconds on either side over which the feet's direction is averaged
_SWING: Final = 0.25  # of a foot's range, that it moves between events at the least
_LEAST: Final = 0.05  # metres, likewise


@dataclass(frozen=True, eq=False)
class GaitEvents:
    """Events of both feet.

    Attributes:
        strikes: of the left and of the right heel, seconds, increasing.
        toe_offs: likewise.
        forward: (T, 3) unit vectors, horizontal, whither the feet point.
    """

    strikes: tuple[Array, Array]
    toe_offs: tuple[Array, Array]
    forward: Array


def gait_events(points: GaitPoints) -> GaitEvents:
    """Find heel strikes and toe-offs, on the ground or on a treadmill.

    A heel strikes when it is furthest ahead of the pelvis, and a toe leaves the ground when it is furthest
    behind; of runners, who are in the air then, that is late. Ahead is where the feet point, on average over
    two seconds, so that a walk may turn. Times are between frames, where a parabola has its top. Steps that
    begin or end outside the trial are left out.
    Source: Zeni, Richards, Higginson, Gait & Posture 27, 2008 (coordinate-based treadmill algorithm).

    Raises:
        RecordingError: the feet are never seen together with the pelvis.
    """
    forward = _forward(points)
    strikes = [_peaks(points, points.heels[:, side], forward, 1.0) for side in (0, 1)]
    offs = [_peaks(points, points.toes[:, side], forward, -1.0) for side in (0, 1)]
    return GaitEvents((strikes[0], strikes[1]), (offs[0], offs[1]), forward)


def _forward(points: GaitPoints) -> Array:
    """(T, 3)."""
    along = (points.toes - points.heels)[..., :2]
    along = along / np.maximum(np.linalg.norm(along, axis=-1, keepdims=True), 1e-9)
    known = np.isfinite(along).all(axis=-1)
    if not (known.all(axis=1) & np.isfinite(points.pelvis).all(axis=-1)).any():
        raise RecordingError(
            "heels, toes and the pelvis are never seen together; expected at least one step"
        )
    total = np.where(known[..., None], along, 0.0).sum(axis=1)
    sums = np.concatenate([np.zeros((1, 2)), np.cumsum(total, axis=0)])
    frames, reach = np.arange(len(total)), round(_AROUND * points.fps)
    around = sums[np.minimum(frames + reach + 1, len(total))] - sums[np.maximum(frames - reach, 0)]
    length = np.linalg.norm(around, axis=-1, keepdims=True)
    around = np.divide(around, length, out=np.full_like(around, np.nan), where=length > 1e-6)
    return np.concatenate([around, np.zeros((len(total), 1))], axis=1)


def _peaks(points: GaitPoints, foot: Array, forward: Array, sign: float) -> Array:
    """Seconds at which the foot is furthest ahead (or, sign -1, behind)."""
    ahead = sign * np.einsum("ti,ti->t", foot - points.pelvis, forward)
    cutoff = min(_CUTOFF, 0.4 * points.fps)
    ahead = filtered(ahead, points.fps, Butterworth(cutoff), longest_gap=_GAP)
    seen = np.isfinite(ahead)
    if not seen.any():
        return np.zeros(0)
    swing = max(_SWING * float(np.ptp(np.percentile(ahead[seen], [5, 95]))), _LEAST)
    found = [
        frames.start + extrema(ahead[frames], swing, round(0.05 * points.fps))
        for frames, _ in stretches(seen[:, None])
    ]
    return np.asarray(points.start + np.concatenate(found) / points.fps)
