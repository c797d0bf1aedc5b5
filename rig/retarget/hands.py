"""Hands reach on the target what they reach on the source.

Most of the time an arm is told by its directions. It is told by where its wrist is where that matters more,
and in between it fades from one to the other:

- near the other wrist: as far from it, and on the same side of it, times the body's size;
- near the head, the trunk or a leg (with a bent elbow) or the other arm: the same place beside it;
- on the floor, or still while the shoulder moves on (holding something): the same place in the world, which
  is scaled as the body's travel is.
"""

from dataclasses import dataclass

import numpy as np

from ..arrays import Array, Mask
from ..planting import reached, speeds
from .feet import PERSON_LEG
from .posed import Posed
from .reach import LimbBones, LimbPair, limb_pair
from .rests import Rest
from .travel import size_ratio, travelled

__all__ = ["SourceHands", "reaching"]

# Metres for a body 1.70 m tall: nearer than the first a hand is told by its place, further than the second
# by its arm's directions.
TOGETHER = (0.14, 0.28)
BESIDE = (0.13, 0.23)
ON_FLOOR = (0.12, 0.25)
BENT = (np.radians(35.0), np.radians(65.0))  # an elbow straighter than that lets its arm hang
STILL = 0.10  # m/s for a body 1.70 m tall
HOLD = 0.25  # seconds that a hand is at least still
PASSED = 0.10  # metres that a shoulder moves by while its hand holds something
FADE = 0.15  # seconds before and after
SMOOTH = 0.08  # seconds before and after, over which what moves a hand is averaged
REACH = 0.99  # of the arm's length; what is held is not further off
_PASSES = 10
# What a hand may be near, beside the other arm; the trunk only with a bent elbow.
_MARKS = ("head", "left_shin", "right_shin", "left_foot", "right_foot")
_TRUNK = ("hips", "left_thigh", "right_thigh", "neck", "left_upper_arm", "right_upper_arm")


@dataclass(frozen=True, eq=False)
class SourceHands:
    """Where the source's arms and what they may touch are, T frames, world, metres over its floor.

    Attributes:
        wrists: (T, 2, 3).
        elbows: (T, 2, 3).
        shoulders: (T, 2, 3).
        marks: by role, (T, 3).
    """

    wrists: Array
    elbows: Array
    shoulders: Array
    marks: dict[str, Array]

    @classmethod
    def of(cls, source: Rest, heads: Array, floor: float) -> "SourceHands | None":
        """None where an arm lacks a joint."""
        heads = heads - np.array([0.0, 0.0, floor])
        columns = []
        for part in ("hand", "forearm", "upper_arm"):
            found = [source.first(f"{side}_{part}") for side in ("left", "right")]
            rows = [row for row in found if row is not None]
            if len(rows) < 2:
                return None
            columns.append(heads[:, rows])
        known = {role: source.first(role) for role in (*_MARKS, *_TRUNK)}
        marks = {role: heads[:, row] for role, row in known.items() if row is not None}
        return cls(columns[0], columns[1], columns[2], marks)

    def bends(self) -> Array:
        """(T, 2) radians, of the elbows."""
        upper, lower = self.elbows - self.shoulders, self.wrists - self.elbows
        sine = np.linalg.norm(np.cross(upper, lower), axis=-1)
        bend: Array = np.arctan2(sine, (upper * lower).sum(-1))
        return bend


def reaching(
    posed: Posed,
    limbs: dict[str, LimbBones],
    places: dict[str, int],
    hands: SourceHands,
    rests: tuple[Rest, Rest],
    ratio: float,
    strayed: Array,
    fps: float,
) -> Posed:
    """Bend arms so that hands reach what they reach on the source.

    Args:
        posed: T frames of the target over its floor.
        limbs: of the target.
        places: by role, the bone's place among those that move.
        hands: of the source.
        rests: source and target.
        ratio: by how much the way over the floor is scaled.
        strayed: (T, 3) metres by which the hips are beside that way, as standing feet ask for it.
        fps: frames per second.
    """
    arms = limb_pair(limbs, "arm", posed)
    if arms is None:
        return posed
    wrists = arms.points[:, :2]
    scale, size = rests[0].leg / PERSON_LEG, size_ratio(*rests)
    world = [travelled(hands.wrists[:, k], *rests, ratio, 0.0) + strayed for k in range(2)]
    # What comes later goes before: a hand that holds on does so whatever else it is near.
    share, goal = _beside(hands, posed, places, size, scale)
    wanted = wrists + share[..., None] * (goal - wrists)
    near = _together_share(hands, scale)
    wanted = wanted + near[..., None] * (_together(hands, wanted, size) - wanted)
    wanted = wrists + _smooth(wanted - wrists, round(SMOOTH * fps))
    held, goal = _on_something(hands, arms, np.stack(world, axis=1), scale, fps)
    wanted = wanted + held[..., None] * (goal - wanted)
    moved = np.linalg.norm(wanted - wrists, axis=-1) > 1e-6 * arms.limbs[0].length
    if not moved.any():
        return posed
    ends: Array = wanted + arms.points[:, 2:] - wrists
    turns = reached(arms.bones, arms.starts, arms.turns, wanted, ends)
    turns = np.where(moved[..., None, None, None], turns, arms.turns)
    return arms.turned(turns, last=False)


def _share(distance: Array, limits: tuple[float, float], scale: float = 1.0) -> Array:
    """One where distances are under the first limit, zero over the second, smooth between."""
    x = ((limits[1] * scale - distance) / ((limits[1] - limits[0]) * scale)).clip(0.0, 1.0)
    result: Array = x * x * (3.0 - 2.0 * x)
    return result


def _together_share(hands: SourceHands, scale: float) -> Array:
    """(T, 2) how much hands are told by each other."""
    apart = np.linalg.norm(hands.wrists[:, 0] - hands.wrists[:, 1], axis=-1)
    return np.repeat(_share(apart, TOGETHER, scale)[:, None], 2, axis=1)


def _together(hands: SourceHands, wrists: Array, size: float) -> Array:
    """(T, 2, 3) metres: wrists as far from each other as the source's, about the same middle."""
    half = 0.5 * size * (hands.wrists[:, 0] - hands.wrists[:, 1])
    result: Array = wrists.mean(axis=1, keepdims=True) + np.stack([half, -half], axis=1)
    return result


def _beside(
    hands: SourceHands, posed: Posed, places: dict[str, int], ratio: float, scale: float
) -> tuple[Array, Array]:
    """Shares (T, 2) and places (T, 2, 3) of hands beside parts of the body, one goal for all of them."""
    heads = posed.heads
    bent = 1.0 - _share(hands.bends(), BENT)
    found = []
    for role, mark in hands.marks.items():
        if role not in places:
            continue
        offset = hands.wrists - mark[:, None]
        share = _share(np.linalg.norm(offset, axis=-1), BESIDE, scale)
        if role in _TRUNK:
            share = share * bent
        found.append((share, heads[:, None, places[role]] + ratio * offset))
    other = hands.wrists - hands.elbows[:, ::-1]
    share = _share(np.linalg.norm(other, axis=-1), BESIDE, scale)
    names = [f"{side}_forearm" for side in ("right", "left")]
    rows = [places[name] for name in names if name in places]
    if len(rows) == 2:
        found.append((share, heads[:, rows] + ratio * other))
    if not found:
        return np.zeros(hands.wrists.shape[:2]), hands.wrists
    shares = np.stack([share for share, _ in found])
    places_ = np.stack([place for _, place in found])
    total = np.maximum(shares.sum(axis=0), 1e-9)[..., None]
    return shares.max(axis=0), (shares[..., None] * places_).sum(axis=0) / total


def _smooth(moves: Array, reach: int) -> Array:
    """(T, 2, 3) moves averaged over `reach` frames before and after."""
    if reach < 1 or not moves.any():
        return moves
    kernel = np.hanning(2 * reach + 3)[1:-1]
    padded = np.pad(moves.reshape(len(moves), 6), ((reach, reach), (0, 0)), mode="edge")
    columns = [np.convolve(column, kernel / kernel.sum(), "valid") for column in padded.T]
    return np.stack(columns, axis=-1).reshape(moves.shape)


def _on_something(
    hands: SourceHands, arms: LimbPair, world: Array, scale: float, fps: float
) -> tuple[Array, Array]:
    """Shares (T, 2) and places (T, 2, 3) of hands that lean on the floor or hold on to something.

    `world` is where the source's wrists are in the target's world.
    """
    speed = speeds(hands.wrists, fps) / scale
    low = _share(hands.wrists[..., 2], ON_FLOOR, scale)
    held = np.zeros(low.shape)
    goal = np.array(world)
    for side in range(2):
        for start, stop in _runs(speed[:, side] < STILL, max(2, round(HOLD * fps))):
            passed = np.linalg.norm(np.ptp(hands.shoulders[start:stop, side], axis=0))
            moved = np.linalg.norm(np.ptp(hands.wrists[start:stop, side], axis=0))
            if passed < PASSED * scale or moved > 0.5 * passed:
                continue
            there = world[start:stop, side].mean(axis=0)
            there = _within(there, arms.starts[start:stop, side], arms.limbs[side].length)
            fade = round(FADE * fps)
            time = np.arange(max(start - fade, 0), min(stop + fade, len(held)))
            away = np.maximum(np.maximum(start - time, time - (stop - 1)), 0)
            share = _share(away.astype(np.float64), (0.0, fade + 1.0))
            fresh = share >= held[time, side]
            goal[time[fresh], side], held[time[fresh], side] = there, share[fresh]
    return np.maximum(low, held), goal


def _within(place: Array, shoulders: Array, length: float) -> Array:
    """A place (3,) as near to the shoulders (T, 3) as an arm is long, all the time if that can be."""
    for _ in range(_PASSES):
        away = place - shoulders
        distance = np.linalg.norm(away, axis=-1)
        frame = int(distance.argmax())
        if distance[frame] <= REACH * length:
            break
        place = shoulders[frame] + away[frame] * REACH * length / distance[frame]
    return place


def _runs(active: Mask, shortest: int) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(active, prepend=False, append=False)).reshape(-1, 2)
    return [(int(a), int(b)) for a, b in edges if b - a >= shortest]
