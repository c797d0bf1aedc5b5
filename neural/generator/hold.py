"""Drawn legs among kept ones: the engine makes feet stand, and holds what must not move."""

from dataclasses import replace

import numpy as np

from ...rig.arrays import Array, Mask
from ...rig.model.skeletons import model_of_skeleton, motion_of_pose, pose_of_motion, turns_of
from ...rig.motion import Motion
from ...rig.planting import foot_paths
from ...rig.skeleton import Skeleton
from ...rig.solve import Points, Problem, SmoothChange, StayNear, solve
from ..body import leg_scale
from ..contacts import ANKLES, TOES
from ..root import SOLES
from .windows import LEGS

__all__ = ["hold_legs"]

POINTS = ("left_ankle", "right_ankle", "left_foot", "right_foot")  # heels, balls
AROUND = (
    8  # frames of kept motion on either side that the solver sees, and over which feet reach a pin
)
FEET = 200.0  # 1 / metres, where standing feet belong: half a centimetre
FIRM = 2000.0  # 1 / metres, feet that the user pinned
NEAR = 1.0  # 1 / radians, drawn legs
YIELDING = 300.0  # 1 / radians, legs about to be kept
HELD = 1e4  # 1 / radians, legs that are kept
SMOOTH = 15.0  # 1 / radians per frame


def hold_legs(
    motion: Motion, drawn: Motion, frames: slice, keep: Array, told: Mask, pinned: Mask | None
) -> Motion:
    """Let feet stand in a range of frames, without moving what is kept.

    Args:
        motion: as it was, T frames.
        drawn: the same with other legs in the range.
        frames: the range.
        keep: (T,) one where legs stay as they were, zero where they are free.
        told: (T, 2) True where the left and the right foot stand, by the generator.
        pinned: (T, 2) True where they must stand where `motion` has them; None for nowhere.

    Returns:
        `motion` with the legs of the range cleaned; outside of it the same to the bit.
    """
    part = slice(max(frames.start - AROUND, 0), min(frames.stop + AROUND, len(motion)))
    old, new = motion.clipped(part.start, part.stop), drawn.clipped(part.start, part.stop)
    rows, lower = _lower_body(new)
    held = keep[part, None]
    targets, weights = _targets(
        old, new, held, told[part], None if pinned is None else pinned[part]
    )
    pose = pose_of_motion(lower)
    near = np.broadcast_to(NEAR + YIELDING * held**3 + HELD * (held == 1.0), pose.shape)
    terms = (
        Points(POINTS, targets, weights=weights),
        StayNear(pose, near),
        SmoothChange(pose, SMOOTH),
    )
    moving = [name for joint in lower.skeleton.names[1:] for name in turns_of(joint)]
    problem = Problem(model_of_skeleton(lower.skeleton), terms, moving)
    found = motion_of_pose(solve(problem, pose, iterations=12, tolerance=1e-5).pose, lower)
    rotations = np.array(motion.rotations)
    inside = slice(frames.start - part.start, frames.stop - part.start)
    rotations[frames, rows[1:]] = found.rotations[inside, 1:]
    return replace(motion, rotations=_signed(rotations, motion.rotations))


def _lower_body(motion: Motion) -> tuple[list[int], Motion]:
    """Which joints are the pelvis and the legs, and their motion: nothing else is solved for."""
    rows = [0, *LEGS]
    body = motion.skeleton
    parents = [-1, *(rows.index(body.parents[row]) for row in rows[1:])]
    names = tuple(body.names[row] for row in rows)
    skeleton = Skeleton(names, tuple(parents), body.offsets[rows])
    return rows, Motion(skeleton, motion.root_position, motion.rotations[:, rows], motion.fps)


def _targets(
    old: Motion, new: Motion, held: Array, told: Mask, pinned: Mask | None
) -> tuple[Array, Array]:
    """Where heels and balls of the feet belong (T, 4, 3), and how firmly (T, 4)."""
    scale = leg_scale(old.skeleton.offsets)
    points, before = (motion.world()[1][:, [*ANKLES, *TOES]] for motion in (new, old))
    paths = foot_paths(points, told, old.fps, scale)
    weights = np.broadcast_to(FEET * (1.0 - held), points.shape[:2]).copy()
    targets = points if paths is None else paths
    if pinned is None:
        return targets, weights
    firm = np.tile(pinned, 2)
    near = np.stack([np.convolve(c, np.ones(2 * AROUND + 1), "same") > 0 for c in firm.T], axis=-1)
    weights = np.where(near, 0.0, weights)  # a foot on its way to a pin
    weights[firm] = FIRM
    return np.where(firm[..., None], _standing(before, pinned, scale), targets), weights


def _standing(points: Array, contacts: Mask, scale: float) -> Array:
    """(T, 4, 3) where each foot stands: the mean place of heel and ball over each stretch, on the floor."""
    places = np.array(points)
    for point in range(len(POINTS)):
        stands = contacts[:, point % 2]
        edges = np.flatnonzero(np.diff(stands, prepend=False, append=False)).reshape(-1, 2)
        for start, stop in edges:
            places[start:stop, point] = points[start:stop, point].mean(axis=0)
    places[..., 2] = SOLES * scale
    return places


def _signed(rotations: Array, like: Array) -> Array:
    """The same rotations of the legs, each quaternion in the hemisphere of the one it replaces."""
    turned = np.array(rotations)
    opposite = (rotations[:, LEGS] * like[:, LEGS]).sum(-1) < 0.0
    turned[:, LEGS] = np.where(opposite[..., None], -rotations[:, LEGS], rotations[:, LEGS])
    return turned
