"""Feet of the target stand where the source's stand: still, on the floor, and within the legs' reach."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .. import quaternion
from ..arrays import Array, Mask
from ..planting import PosedLegs, heels_raised, reached, standing
from ..planting.foot_paths import SOLES, paths_through
from .footing import hip_moves
from .posed import Posed
from .reach import LimbBones, LimbPair, limb_pair
from .rests import Rest
from .stands import Stands, runs, stands_of
from .travel import heading

__all__ = [
    "PERSON_LEG",
    "SourceFeet",
    "ball_offsets",
    "foot_heights",
    "foot_points",
    "plant_feet",
    "source_contacts",
]

PERSON_LEG = 0.8075  # metres of thigh and shin of a body 1.70 m tall
_REACH = 0.9995  # of the leg's length; hips come down until standing feet are within
_DEEPEST = 0.20  # of the leg's length; hips come down no further
_ATTEMPTS = 3
MISSED = 0.002  # metres for a body 1.70 m tall; a stand missed by more is given up ...
_AROUND = 0.05  # ... so many seconds before and after
_EASE = 0.15  # seconds over which they do
# Metres for a body 1.70 m tall: a foot stands on its heel if its ball is that much higher; a foot that went
# further than the second does not stand in one place.
_TILTED, _SLID = 0.02, 0.06
_BETWEEN, _STAND = (
    0.05,
    0.25,
)  # seconds: between two stands of a foot that shuffles, and the shortest of them


@dataclass(frozen=True, eq=False)
class SourceFeet:
    """What the target's feet go by, T frames.

    Attributes:
        contacts: (T, 2) True where the source's left and right foot stand.
        heights: (T, 2) metres by which its feet are over where they stand, on a body of the target's size.
        floor: metres.
    """

    contacts: Mask
    heights: Array
    floor: float


def foot_points(source: Rest, rotations: Array, heads: Array) -> Array | None:
    """(T, 4, 3) metres, left and right ankle and ball of the source's feet; None without both ankles."""
    offsets = ball_offsets(source)
    ankles = []
    balls = []
    for side, offset in zip(("left", "right"), offsets, strict=True):
        foot, shin = source.first(f"{side}_foot"), source.first(f"{side}_shin")
        bone = shin if foot is None else foot
        if bone is None:
            return None
        rest = quaternion.conjugate(source.bones.rotations[bone])
        turn = quaternion.multiply(rotations[:, bone], rest)
        ankle = heads[:, bone]
        if foot is None:
            end = source.end(f"{side}_shin")
            if end is None:
                return None
            ankle = ankle + quaternion.rotate(turn, end - source.bones.heads[bone])
        ankles.append(ankle)
        balls.append(ankle + quaternion.rotate(turn, offset))
    return np.stack([*ankles, *balls], axis=1)


def ball_offsets(rest: Rest) -> tuple[Array, Array]:
    """(3,) metres for each foot, from its ankle to its ball at rest; as people have it where not known."""
    found = []
    for side in ("left", "right"):
        ankle, ball = rest.end(f"{side}_shin"), rest.end(f"{side}_foot")
        if ankle is None or ball is None or rest.direction(f"{side}_foot") is None:
            drop = float(rest.soles[0] - rest.soles[2])
            found.append(quaternion.rotate(rest.frame, np.array([0.0, -0.16 * rest.leg, -drop])))
        else:
            found.append(ball - ankle)
    return found[0], found[1]


def source_contacts(source: Rest, points: Array, fps: float, floor: float) -> Mask:
    """(T, 2) True where the source's left and right foot stand: low, slow, and in one place."""
    scale = source.leg / PERSON_LEG
    lifted = points - np.array([0.0, 0.0, floor])
    contacts = standing(lifted, fps, scale, source.soles - SOLES * scale)
    over = lifted[..., 2] - source.soles
    for foot in range(2):
        ankle, ball = points[:, foot, :2], points[:, 2 + foot, :2]
        on_heel = over[:, foot] + _TILTED * scale < over[:, 2 + foot]
        length = np.linalg.norm(ball - ankle, axis=-1, keepdims=True)
        along = np.median(length) * (ball - ankle) / np.maximum(length, 1e-9)
        # Where heel and ball are, or would be if the foot that stands on one of them came down.
        place = np.where(on_heel[:, None], ankle + along, ball)
        both = np.stack([place, place - along], axis=1)
        contacts[:, foot] = _in_place(contacts[:, foot], both, _SLID * scale, fps)
    return contacts


def foot_heights(source: Rest, points: Array) -> Array:
    """(T, 2) metres by which the lower of heel and ball is over where it is when the source stands."""
    over = points[..., 2] - source.soles
    lowest: Array = np.minimum(over[:, :2], over[:, 2:])
    return lowest


def _in_place(standing: Mask, place: Array, slid: float, fps: float) -> Mask:
    """(T,) the same without gaps, and without frames in which heel and ball (T, 2, 2) shuffle or turn."""
    still = np.zeros_like(standing)
    gap, least = max(1, round(_BETWEEN * fps)), round(_STAND * fps)
    closed = np.array(standing)
    for start, stop in runs(~standing):
        if start > 0 and stop < len(closed) and stop - start <= gap:
            closed[start:stop] = True
    for start, stop in (run for run in runs(closed) if run[1] - run[0] >= gap):
        first = start
        while first < stop:
            away = (np.linalg.norm(place[first:stop] - place[first], axis=-1) > slid).any(axis=-1)
            last = first + int(np.argmax(away)) if away.any() else stop
            whole = first == start and last == stop
            until = last if last == stop else last - gap
            if whole or until - first >= least:
                still[first:until] = True
            first = last + (gap if until - first >= least or whole else 0)
    return still


def plant_feet(
    posed: Posed,
    limbs: dict[str, LimbBones],
    target: Rest,
    feet: SourceFeet,
    fps: float,
    toes: Sequence[int] | None,
    kept: bool,
) -> tuple[Posed, Mask]:
    """Hold standing feet still and on the floor: by the hips first, by the legs as little as that leaves.

    Args:
        posed: T frames.
        limbs: of the target.
        target: the rig.
        feet: where and when the source's stand.
        fps: frames per second.
        toes: places of the toes among the bones that move, None where they don't.
        kept: whether the way over the floor stays as it is.

    Returns:
        The frames, and (T, 2) True where the balls of the left and the right foot are down and in one place.
    """
    down = np.array([0.0, 0.0, feet.floor])
    before = limb_pair(limbs, "leg", posed.moved(-down))
    if before is None:
        return posed, np.zeros_like(feet.contacts)
    held = np.array(feet.contacts)
    for _ in range(_ATTEMPTS):
        legs, paths, stands = _led(before, held, feet.heights, fps, target, kept)
        turns = reached(legs.bones, legs.starts, legs.turns, paths[:, :2], paths[:, 2:])
        after = LimbPair(legs.limbs, legs.turned(turns, last=True))
        missed = stands.missed(after.points) > MISSED * target.leg / PERSON_LEG
        if not missed.any():
            break
        held &= ~_near(missed, round(_AROUND * fps))
    standing = held & (stands.lifts == 0.0) & ~stands.on_heels
    return _with_toes(legs.posed, after.posed, legs, toes).moved(down), standing


def _led(
    legs: LimbPair, held: Mask, heights: Array, fps: float, target: Rest, kept: bool
) -> tuple[LimbPair, Array, Stands]:
    """Legs with their hips moved, where ankles and balls (T, 4, 3) are to be, and the stands."""
    soles = target.soles
    least = np.tile(soles, (len(held), 1))
    stands = stands_of(legs.points, held, heights, fps, target.leg / PERSON_LEG, soles)
    if stands.spans:
        hips, stands = hip_moves(stands, legs.joints[:, :, :3], fps, kept)
        legs = legs.moved(hips)
    paths = _raised(legs, stands, least, fps)
    lowered = _lowered(legs, paths, held, fps, target.leg)
    if lowered.any():
        legs = legs.moved(-lowered[:, None] * np.array([0.0, 0.0, 1.0]))
        paths = _raised(legs, stands, least, fps)
    return legs, paths, stands


def _raised(legs: LimbPair, stands: Stands, least: Array, fps: float) -> Array:
    """(T, 4, 3) metres, paths of ankles and balls, with heels raised where a leg is too short."""
    free = np.isnan(stands.places)
    paths = paths_through(legs.points, stands.places, least, fps)
    paths = np.where(free, legs.points if paths is None else paths, stands.places)
    raised = heels_raised(_posed_legs(legs), paths, least[0, 2:])
    return np.where(np.tile(stands.on_heels, 2)[..., None], paths, raised)


def _near(missed: Mask, reach: int) -> Mask:
    """(T, 2) True within `reach` frames of a frame that is."""
    padded = np.pad(missed, ((reach, reach), (0, 0)))
    near: Mask = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=0).any(-1)
    return near


def _posed_legs(legs: LimbPair) -> PosedLegs:
    return PosedLegs(legs.bones, legs.starts, legs.turns, legs.points)


def _lowered(legs: LimbPair, paths: Array, contacts: Mask, fps: float, leg: float) -> Array:
    """(T,) metres by which hips come down so that standing ankles are in reach."""
    longest = _REACH * np.array([limb.length for limb in legs.limbs])
    way = paths[:, :2] - legs.starts
    across = (way[..., :2] ** 2).sum(-1)
    high = np.sqrt(np.maximum(longest**2 - across, 0.0))
    # Legs that are straighter than that already are left so where nothing else moves them.
    now = np.linalg.norm(legs.points[:, :2] - legs.starts, axis=-1)
    far = contacts & (np.linalg.norm(way, axis=-1) > np.maximum(longest, now))
    needed = np.where(far, -way[..., 2] - high, 0.0)
    needed = needed.clip(0.0, _DEEPEST * leg).max(axis=-1)
    if not needed.any():
        return needed
    reach = max(1, round(_EASE * fps))
    padded = np.pad(needed, 2 * reach)
    most = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1).max(axis=-1)
    kernel = np.hanning(2 * reach + 3)[1:-1]
    eased: Array = np.convolve(most, kernel / kernel.sum(), "valid")
    return eased


def _with_toes(before: Posed, after: Posed, legs: LimbPair, toes: Sequence[int] | None) -> Posed:
    """Toes stay as level as they were and point where their foot does."""
    if toes is None:
        return after
    turns = np.array(after.turns)
    feet = [limb.rows[2] for limb in legs.limbs]
    tilt = quaternion.multiply(after.turns[:, feet], quaternion.conjugate(before.turns[:, feet]))
    rows = list(toes)
    turns[:, rows] = quaternion.multiply(heading(tilt), before.turns[:, rows])
    return after.turned(turns)
