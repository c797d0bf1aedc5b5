"""Foot cleaning: standing feet stand, and no sole goes below the floor.

Where heels and balls of the feet should be is one linear least squares over all frames (`foot_paths`); the
legs reach them in closed form (`leg_ik`). Where a leg can't reach, its foot stands no more.
"""

from dataclasses import dataclass

import numpy as np

from ..arrays import Array, Mask
from .foot_paths import SLIDE, SOLES, foot_paths
from .leg_ik import STRAIGHT, LegBones, reached

__all__ = ["PosedLegs", "heels_raised", "planted"]

MISSED = 0.02  # metres for a body 1.70 m tall; a stand missed by more is given up ...
AROUND = 0.1  # ... so many seconds before and after
SUNK = 0.005  # metres below the floor from which a leg is left as it was
_ATTEMPTS = 3
_MOST_RAISED = np.radians(40.0)
_FLAT = 0.15  # of the foot's length; a foot with its ball higher than that stands on its heel alone


@dataclass(frozen=True, eq=False)
class PosedLegs:
    """Where T frames have both legs, in the world.

    Attributes:
        bones: of both legs.
        hips: (T, 2, 3) metres.
        turns: (T, 2, 3, 3, 3) world_from_joint of hip, knee and ankle.
        points: (T, 4, 3) metres, left and right ankle, left and right ball of the foot.
    """

    bones: LegBones
    hips: Array
    turns: Array
    points: Array

    def points_after(self, turns: Array) -> Array:
        """(T, 4, 3) ankles and balls of the feet of legs turned otherwise."""
        bones = np.stack([self.bones.thigh, self.bones.shank, self.bones.foot], axis=1)
        joints = self.hips[:, :, None] + np.cumsum((turns @ bones[..., None])[..., 0], axis=2)
        return np.concatenate([joints[:, :, 1], joints[:, :, 2]], axis=1)


def planted(
    legs: PosedLegs,
    contacts: Mask,
    fps: float,
    scale: float,
    soles: Array | None = None,
    slide: float = SLIDE,
) -> Array | None:
    """Turn legs so that standing feet are still and on the floor.

    Args:
        legs: T frames, floor at z = 0.
        contacts: (T, 2) True where the left and the right foot stand.
        fps: frames per second.
        scale: size of the body; 1 is 1.70 m tall.
        soles: (4,) metres, heights of `points` of a body that stands; None for those of a person.
        slide: metres for a body 1.70 m tall; a foot that went further stands anew.

    Returns:
        (T, 2, 3, 3, 3) world_from_joint of hip, knee and ankle; None where nothing has to move.
    """
    soles = SOLES * scale if soles is None else soles
    contacts = np.array(contacts, dtype=bool)
    for attempt in range(_ATTEMPTS):
        paths = foot_paths(legs.points, contacts, fps, scale, soles, slide)
        if paths is None:
            return None
        turns = reached(legs.bones, legs.hips, legs.turns, paths[:, :2], paths[:, 2:])
        missed = np.linalg.norm(legs.points_after(turns) - paths, axis=-1) > MISSED * scale
        given_up = contacts & _near(missed[:, :2] | missed[:, 2:], round(AROUND * fps))
        if attempt == _ATTEMPTS - 1 or not given_up.any():
            return _kept_above(legs, paths, turns, soles, fps)
        contacts &= ~given_up
    return None


def heels_raised(legs: PosedLegs, paths: Array, balls: Array) -> Array:
    """Paths (T, 4, 3) with ankles out of reach swung about the balls until the leg is straight.

    `balls` (2,) metres are heights of balls that stand; a foot on its heel is left so.
    """
    ankle, ball, hip = paths[:, :2], paths[:, 2:], legs.hips
    reach = STRAIGHT * (_length(legs.bones.thigh) + _length(legs.bones.shank))
    reach = np.maximum(reach, _length(legs.points[:, :2] - hip))
    far = _length(ankle - hip) > reach
    if not far.any():
        return paths
    back, way = ankle - ball, hip - ball
    foot, apart = np.maximum(_length(back), 1e-9), np.maximum(_length(way), 1e-9)
    towards = way / apart
    across = back - towards * (back * towards).sum(-1, keepdims=True)
    across = across / np.maximum(_length(across), 1e-9)
    cosine = (foot**2 + apart**2 - reach**2) / (2.0 * foot * apart)
    angle = np.arccos(cosine.clip(-1.0, 1.0))
    before = np.arccos(((back * towards).sum(-1, keepdims=True) / foot).clip(-1.0, 1.0))
    down = (1.0 - (ball[..., 2:] - balls[:, None]) / (_FLAT * foot)).clip(0.0, 1.0)
    angle = np.maximum(angle, before - _MOST_RAISED * down)
    raised = ball + foot * (np.cos(angle) * towards + np.sin(angle) * across)
    return np.concatenate([np.where(far, raised, ankle), ball], axis=1)


def _length(vectors: Array) -> Array:
    length: Array = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return length


def _kept_above(legs: PosedLegs, paths: Array, turns: Array, soles: Array, fps: float) -> Array:
    """Turns of a leg that would sink fade to what they were before, if that is higher."""
    after, before = legs.points_after(turns)[..., 2], legs.points[..., 2]
    sunk = (after < soles - SUNK) & (after < before)
    reach = round(AROUND * fps)
    near = _near(sunk[:, :2] | sunk[:, 2:], reach)
    if not near.any():
        return turns
    kernel = np.hanning(2 * reach + 3)[1:-1] / np.hanning(2 * reach + 3).sum()
    padded = np.pad(near.astype(np.float64), ((reach, reach), (0, 0)), mode="edge")
    kept = np.stack([np.convolve(column, kernel, "valid") for column in padded.T], axis=-1)
    paths = paths + np.tile(kept, 2)[..., None] * (legs.points - paths)
    return reached(legs.bones, legs.hips, legs.turns, paths[:, :2], paths[:, 2:])


def _near(missed: Mask, reach: int) -> Mask:
    """(T, 2) True within `reach` frames of a frame that is."""
    padded = np.pad(missed, ((reach, reach), (0, 0)))
    near: Mask = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=0).any(-1)
    return near
