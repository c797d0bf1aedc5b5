"""Where standing feet belong: a stand is one flat foot on the floor, which rolls over its heel and its ball.

While the ball is down it is in one place, and so is the heel, under the ankle, while only that is down. In
between the foot lies flat and still; how it tilts before and after is the motion's own.
"""

from dataclasses import dataclass, replace

import numpy as np

from ..arrays import Array, Mask

__all__ = ["Stands", "runs", "stands_of"]

_FLAT = (3.0, 9.0)  # degrees: a foot tilted by less lies flat and still, by more keeps its tilt
_TURN = 0.08  # seconds over which a foot that comes to lie flat comes to its heading
_LIFT = (
    0.005  # metres for a body 1.70 m tall: a foot that is higher may rise at its stand's ends ...
)
_ENDS = 0.2  # ... which are so many seconds long


@dataclass(frozen=True, eq=False)
class Stands:
    """Stands of both feet in T frames.

    Attributes:
        spans: (foot, first frame, frame after the last) of each.
        places: (T, 4, 3) metres, left and right ankle, left and right ball; NaN where a foot doesn't stand.
        rolls: (T, 2) metres by which the ankle is higher over its sole than the ball.
        flat: (T, 2) one where a foot lies flat, zero where its tilt is the motion's own.
        lifts: (T, 2) metres by which a foot comes down or rises where its stand begins or ends.
    """

    spans: tuple[tuple[int, int, int], ...]
    places: Array
    rolls: Array
    flat: Array
    lifts: Array

    @property
    def held(self) -> Mask:
        """(T, 2) True where the left and the right foot stand."""
        found: Mask = ~np.isnan(self.places[:, :2, 0])
        return found

    @property
    def on_heels(self) -> Mask:
        """(T, 2) True where a foot stands on its heel alone."""
        found: Mask = self.held & (self.rolls < 0.0) & (self.flat < 1.0)
        return found

    def missed(self, points: Array) -> Array:
        """(T, 2) metres by which the ball, or the ankle of a foot on its heel, is beside its place."""
        gaps = np.nan_to_num(np.linalg.norm(points - self.places, axis=-1))
        return np.where(self.on_heels, gaps[:, :2], gaps[:, 2:])

    def tilted(self, by: Array) -> "Stands":
        """The same with ankles moved about the balls, by (T, 2, 3) metres, though not under their soles."""
        foot = self.places[:, 2:] - self.places[:, :2]
        length = np.linalg.norm(foot, axis=-1)
        after = length[..., None] * _unit(foot - by)
        highest = foot[..., 2] + (1.0 - self.flat) * np.maximum(self.rolls, 0.0)
        after = _foot(_unit(after[..., :2]), length, np.minimum(after[..., 2], highest))
        return replace(
            self, places=np.concatenate([self.places[:, 2:] - after, self.places[:, 2:]], axis=1)
        )

    def moved(self, by: Array) -> "Stands":
        """The same elsewhere on the floor, by (T, 2, 2) metres."""
        places = np.array(self.places)
        places[..., :2] += np.concatenate([by, by], axis=1)
        return replace(self, places=places)


def stands_of(
    points: Array, contacts: Mask, heights: Array, fps: float, scale: float, soles: Array
) -> Stands:
    """Stands of feet at these points.

    Args:
        points: (T, 4, 3) left and right ankle, left and right ball of the foot, metres, floor at z = 0.
        contacts: (T, 2) True where the left and the right foot stand.
        heights: (T, 2) metres by which the source's feet are over where they stand, on a body of this size.
        fps: frames per second.
        scale: size of the body; 1 is 1.70 m tall.
        soles: (4,) metres, heights of the points of a body that stands.
    """
    places = np.full_like(points, np.nan)
    on_heel, rolls = _rolls(points, soles)
    spans, lifts = [], np.zeros_like(rolls)
    for foot in range(2):
        for start, stop in runs(contacts[:, foot]):
            part = slice(start, stop)
            lifts[part, foot] = _lift(heights[part, foot], _LIFT * scale, _ENDS * fps)
            places[part, [foot, 2 + foot]] = _stand(
                points[part, [foot, 2 + foot]],
                on_heel[part, foot],
                rolls[part, foot],
                (float(soles[foot]), float(soles[2 + foot])),
                lifts[part, foot],
                round(_TURN * fps),
            )
            spans.append((foot, start, stop))
    flat = _flat(rolls, points[:, 2:] - points[:, :2])
    return Stands(tuple(spans), places, rolls, flat, lifts)


def _rolls(points: Array, soles: Array) -> tuple[Mask, Array]:
    """(T, 2) whether feet are on their heels, and metres by which ankles are higher over soles than balls.

    A frame or two in which a foot jerks change nothing.
    """
    rolls = points[:, :2, 2] - points[:, 2:, 2] - (soles[:2] - soles[2:])
    padded = np.pad(rolls, ((2, 2), (0, 0)), mode="edge")
    usual = np.median(np.lib.stride_tricks.sliding_window_view(padded, 5, axis=0), axis=-1)
    on_heel = usual < 0.0
    return on_heel, np.where(on_heel, np.minimum(rolls, 0.0), np.maximum(rolls, 0.0))


def _flat(rolls: Array, feet: Array) -> Array:
    """(...,) one for a flat foot, zero for a tilted one; `feet` (..., 3) are from ankle to ball."""
    tilt = np.degrees(np.abs(rolls) / np.maximum(np.linalg.norm(feet, axis=-1), 1e-9))
    x = ((_FLAT[1] - tilt) / (_FLAT[1] - _FLAT[0])).clip(0.0, 1.0)
    flat: Array = x * x * (3.0 - 2.0 * x)
    return flat


def runs(active: Mask) -> list[tuple[int, int]]:
    """First frame and frame after the last of every stretch of a mask (T,)."""
    edges = np.flatnonzero(np.diff(active, prepend=False, append=False)).reshape(-1, 2)
    return [(int(a), int(b)) for a, b in edges]


def _lift(over: Array, least: float, ends: float) -> Array:
    """(n,) metres by which a foot rises where its stand begins and ends."""
    count = len(over)
    rise = np.maximum(over - np.percentile(over, 20.0) - least, 0.0)
    inside = np.minimum(np.arange(count), np.arange(count)[::-1]) / max(ends, 1.0)
    share: Array = rise * (2.0 - 2.0 * inside).clip(0.0, 1.0)
    return share


def _still(flat: Mask, reach: int) -> Array:
    """(n,) one where a foot is about flat, fading over frames before and after: it comes down as it stays."""
    padded = np.pad(flat.astype(np.float64), 2 * reach, mode="edge")
    most = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1).max(axis=-1)
    kernel = np.hanning(2 * reach + 3)[1:-1]
    return np.convolve(most, kernel / kernel.sum(), "valid")


def _stand(
    points: Array, on_heel: Mask, roll: Array, soles: tuple[float, float], lift: Array, turn: int
) -> Array:
    """(n, 2, 3) places of ankle and ball in one stand, for where they were.

    `soles` are heights of ankle and ball of a flat foot; a foot that comes to lie flat comes to its heading
    in `turn` frames.
    """
    foot = points[:, 1] - points[:, 0]
    drop = soles[0] - soles[1]
    flat = _flat(roll, foot)
    still = _still(flat > 0.0, turn)
    length = np.maximum(np.linalg.norm(foot, axis=-1), 1e-9)
    along = _unit(foot[:, :2])
    mean = _unit(((still[:, None] + 1e-3) * along).sum(axis=0))
    heading = _unit(along + still[:, None] * (mean - along))
    fall = ((flat - 1.0) * roll - drop).clip(-length, length)
    turned = _foot(heading, length, fall)
    level = _foot(np.broadcast_to(mean, heading.shape), length, np.full(len(foot), -drop))
    # From an ankle over a heel that stands, to where it is when the foot has come down.
    up = np.arcsin(fall / length) + np.arcsin((drop / length).clip(-1.0, 1.0))
    rock = soles[0] * np.stack([np.sin(up), 1.0 - np.cos(up)], axis=-1)
    rock = np.concatenate([rock[:, :1] * heading, rock[:, 1:]], axis=1)
    on_heel = on_heel[:, None]
    place = np.where(on_heel, points[:, 0] + rock + level, points[:, 1])[:, :2].mean(axis=0)
    down = np.concatenate([np.tile(place, (len(foot), 1)), soles[1] + lift[:, None]], axis=1)
    ankle = np.where(on_heel, down - level - rock, down - turned)
    return np.stack([ankle, np.where(on_heel, ankle + turned, down)], axis=1)


def _foot(heading: Array, length: Array, fall: Array) -> Array:
    """(..., 3) from ankle to ball, for headings (..., 2), lengths and heights (...)."""
    over = np.sqrt(np.maximum(length**2 - fall**2, 0.0))
    return np.concatenate([over[..., None] * heading, fall[..., None]], axis=-1)


def _unit(vectors: Array) -> Array:
    unit: Array = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
    return unit
