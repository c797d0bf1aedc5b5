"""Where standing feet belong: a stand is one flat foot on the floor, which rolls over its heel and its ball.

While the ball is down it is in one place, and so is the ankle while only the heel is down. In between the
foot lies flat and still; how it tilts before and after is the motion's own.
"""

from dataclasses import dataclass, replace

import numpy as np

from ..arrays import Array, Mask

__all__ = ["Stands", "runs", "stands_of"]

# Metres for a body 1.70 m tall: a foot that is tilted by less lies flat and still, by more keeps its tilt.
_FLAT = (0.008, 0.025)
_LIFT = 0.005  # metres of such a body: a foot that is higher over its stand may rise at the stand's ends ...
_TURN = 0.08  # seconds over which a foot that comes to lie flat comes to its heading
_ENDS = 0.2  # ... which are so many seconds long


@dataclass(frozen=True, eq=False)
class Stands:
    """Stands of both feet in T frames.

    Attributes:
        spans: (foot, first frame, frame after the last) of each.
        places: (T, 4, 3) metres, left and right ankle, left and right ball; NaN where a foot doesn't stand.
        rolls: (T, 2) metres by which the ankle is higher over its sole than the ball.
        flat: (T, 2) one where a foot lies flat, zero where its tilt is the motion's own.
    """

    spans: tuple[tuple[int, int, int], ...]
    places: Array
    rolls: Array
    flat: Array

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
        """The same with ankles moved about the balls, by (T, 2, 3) metres."""
        places = np.array(self.places)
        foot = places[:, 2:] - places[:, :2]
        after = foot - by
        ratio = np.linalg.norm(foot, axis=-1) / np.maximum(np.linalg.norm(after, axis=-1), 1e-9)
        places[:, :2] = places[:, 2:] - ratio[..., None] * after
        return replace(self, places=places)

    def moved(self, by: Array) -> "Stands":
        """The same elsewhere on the floor, by (T, 2, 2) metres."""
        places = np.array(self.places)
        places[..., :2] += np.concatenate([by, by], axis=1)
        return replace(self, places=places)


def stands_of(points: Array, contacts: Mask, fps: float, scale: float, soles: Array) -> Stands:
    """Stands of feet at these points.

    Args:
        points: (T, 4, 3) left and right ankle, left and right ball of the foot, metres, floor at z = 0.
        contacts: (T, 2) True where the left and the right foot stand.
        fps: frames per second.
        scale: size of the body; 1 is 1.70 m tall.
        soles: (4,) metres, heights of the points of a body that stands.
    """
    places = np.full_like(points, np.nan)
    rolls = points[:, :2, 2] - points[:, 2:, 2] - (soles[:2] - soles[2:])
    x = ((_FLAT[1] - np.abs(rolls) / scale) / (_FLAT[1] - _FLAT[0])).clip(0.0, 1.0)
    flat = x * x * (3.0 - 2.0 * x)
    over = np.minimum(points[:, :2, 2] - soles[:2], points[:, 2:, 2] - soles[2:])
    spans = []
    for foot in range(2):
        drop = float(soles[foot] - soles[2 + foot])
        for start, stop in runs(contacts[:, foot]):
            part = slice(start, stop)
            height = soles[2 + foot] + _lift(over[part, foot], _LIFT * scale, _ENDS * fps)
            places[part, [foot, 2 + foot]] = _stand(
                points[part, foot],
                points[part, 2 + foot],
                rolls[part, foot] < 0.0,
                flat[part, foot],
                _still(flat[part, foot], round(_TURN * fps)),
                drop,
                height,
            )
            spans.append((foot, start, stop))
    return Stands(tuple(spans), places, rolls, flat)


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


def _still(flat: Array, reach: int) -> Array:
    """(n,) the same, begun earlier and ended later: a foot comes down with the heading that it keeps."""
    padded = np.pad(flat, 2 * reach, mode="edge")
    most = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1).max(axis=-1)
    kernel = np.hanning(2 * reach + 3)[1:-1]
    return np.convolve(most, kernel / kernel.sum(), "valid")


def _stand(
    ankle: Array, ball: Array, on_heel: Mask, flat: Array, still: Array, drop: float, height: Array
) -> Array:
    """(n, 2, 3) places of ankle and ball in one stand.

    Tilts are told by `flat`, headings by `still`, both (n,). `drop` is from the ankle to the ball of a flat
    foot, `height` (n,) is the ball's.
    """
    foot = ball - ankle
    length = np.linalg.norm(foot, axis=-1)
    along = _unit(foot[:, :2])
    mean = _unit(((still[:, None] + 1e-3) * along).sum(axis=0))
    reach = np.sqrt(np.maximum(length**2 - drop**2, 0.0))
    level = np.concatenate([reach[:, None] * mean, np.full((len(foot), 1), -drop)], axis=1)
    on_heel = on_heel[:, None]
    # Where the ball is, or would be if the foot that stands on its heel came down.
    place = np.where(on_heel, ankle[:, :2] + level[:, :2], ball[:, :2]).mean(axis=0)
    down = np.concatenate([np.tile(place, (len(foot), 1)), height[:, None]], axis=1)
    fall = foot[:, 2] + flat * (-drop - foot[:, 2])
    heading = _unit(along + still[:, None] * (mean - along))
    over = np.sqrt(np.maximum(length**2 - fall**2, 0.0))
    turned = np.concatenate([over[:, None] * heading, fall[:, None]], axis=1)
    return np.stack(
        [
            np.where(on_heel, down - level, down - turned),
            np.where(on_heel, down - level + turned, down),
        ],
        axis=1,
    )


def _unit(vectors: Array) -> Array:
    unit: Array = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
    return unit
