"""Foot cleaning: standing feet stand, and no sole goes below the floor.

Where heels and balls of the feet should be is one linear least squares over all frames (`foot_paths`); the
legs reach them in closed form (`leg_ik`). Only the legs move; the root and the upper body stay exactly as
they are. Where a leg can't reach, its foot stands no more.
"""

from dataclasses import dataclass, replace

import numpy as np

from ..rig import quaternion
from ..rig.arrays import Array, Mask
from ..rig.motion import Motion
from .body import leg_scale
from .contacts import ANKLES, TOES
from .foot_paths import foot_paths
from .leg_ik import SIDES, LegBones, reached
from .root import SOLES

__all__ = ["LEGS", "clean_feet"]

LEGS = tuple(f"{side}_{j}" for j in ("hip", "knee", "ankle") for side in SIDES)
MISSED = 0.02  # metres for a body 1.70 m tall; a stand missed by more is given up ...
AROUND = 0.1  # ... so many seconds before and after
SUNK = 0.005  # metres below the floor from which a leg is left as it was
_ATTEMPTS = 3


def clean_feet(motion: Motion, contacts: Mask) -> Motion:
    """Hold standing feet still and on the floor.

    Args:
        motion: 24 joints, floor at z = 0.
        contacts: (T, 2) True where the left and the right foot stand.

    Returns:
        The motion with other leg rotations.
    """
    legs = _PosedLegs.of(motion)
    scale = leg_scale(motion.skeleton.offsets)
    contacts = np.array(contacts, dtype=bool)
    for attempt in range(_ATTEMPTS):
        paths = foot_paths(legs.points, contacts, motion.fps, scale)
        if paths is None:
            return motion
        turns = reached(legs.bones, legs.hips, legs.turns, paths[:, :2], paths[:, 2:])
        missed = np.linalg.norm(legs.points_after(turns) - paths, axis=-1) > MISSED * scale
        given_up = contacts & _near(missed[:, :2] | missed[:, 2:], round(AROUND * motion.fps))
        if attempt == _ATTEMPTS - 1 or not given_up.any():
            return legs.put_into(motion, _kept_above(legs, paths, turns, scale, motion.fps))
        contacts &= ~given_up
    return motion


def _kept_above(legs: "_PosedLegs", paths: Array, turns: Array, scale: float, fps: float) -> Array:
    """Turns of a leg that would sink fade to what they were before, if that is higher."""
    after, before = legs.points_after(turns)[..., 2], legs.points[..., 2]
    sunk = (after < SOLES * scale - SUNK) & (after < before)
    reach = round(AROUND * fps)
    near = _near(sunk[:, :2] | sunk[:, 2:], reach)
    if not near.any():
        return turns
    kernel = np.hanning(2 * reach + 3)[1:-1] / np.hanning(2 * reach + 3).sum()
    padded = np.pad(near.astype(np.float64), ((reach, reach), (0, 0)), mode="edge")
    kept = np.stack([np.convolve(column, kernel, "valid") for column in padded.T], axis=-1)
    paths = paths + np.tile(kept, 2)[..., None] * (legs.points - paths)
    return reached(legs.bones, legs.hips, legs.turns, paths[:, :2], paths[:, 2:])


@dataclass(frozen=True, eq=False)
class _PosedLegs:
    """Where T frames of a motion have both legs, in the world."""

    bones: LegBones
    rows: Array  # (2, 3) joints: hip, knee and ankle of the left and the right leg
    hips: Array  # (T, 2, 3) metres
    pelvis: Array  # (T, 3, 3) world_from_pelvis
    turns: Array  # (T, 2, 3, 3, 3) world_from_joint
    points: Array  # (T, 4, 3) metres, ankles and balls of the feet

    @classmethod
    def of(cls, motion: Motion) -> "_PosedLegs":
        skeleton = motion.skeleton
        rows = np.array(
            [[skeleton.index(f"{side}_{j}") for j in ("hip", "knee", "ankle")] for side in SIDES]
        )
        rotations, places = motion.world()
        turns = quaternion.to_matrix(rotations[:, [0, *rows.flat]])
        return cls(
            LegBones.of(skeleton),
            rows,
            places[:, rows[:, 0]],
            turns[:, 0],
            turns[:, 1:].reshape(-1, 2, 3, 3, 3),
            places[:, ANKLES + TOES],
        )

    def points_after(self, turns: Array) -> Array:
        """(T, 4, 3) ankles and balls of the feet of legs turned otherwise."""
        bones = np.stack([self.bones.thigh, self.bones.shank, self.bones.foot], axis=1)
        joints = self.hips[:, :, None] + np.cumsum((turns @ bones[..., None])[..., 0], axis=2)
        return np.concatenate([joints[:, :, 1], joints[:, :, 2]], axis=1)

    def put_into(self, motion: Motion, turns: Array) -> Motion:
        """The motion with legs turned otherwise, signs of quaternions as they were."""
        pelvis = np.broadcast_to(self.pelvis[:, None, None], (*turns.shape[:2], 1, 3, 3))
        parents = np.concatenate([pelvis, turns[:, :, :2]], axis=2)
        local = quaternion.from_matrix(parents.swapaxes(-1, -2) @ turns)
        rotations = np.array(motion.rotations)
        opposite = (local * rotations[:, self.rows]).sum(-1, keepdims=True) < 0.0
        rotations[:, self.rows] = np.where(opposite, -local, local)
        return replace(motion, rotations=rotations)


def _near(missed: Mask, reach: int) -> Mask:
    """(T, 2) True within `reach` frames of a frame that is."""
    padded = np.pad(missed, ((reach, reach), (0, 0)))
    near: Mask = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=0).any(-1)
    return near
