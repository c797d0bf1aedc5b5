"""Drawn legs among kept ones: the engine makes feet stand, and holds what must not move."""

from dataclasses import replace

import numpy as np

from ...rig.arrays import Array, Mask
from ...rig.model.skeletons import model_of_skeleton, motion_of_pose, pose_of_motion, turns_of
from ...rig.motion import Motion
from ...rig.solve import Points, Problem, SmoothChange, StayNear, solve
from ..body import leg_scale
from ..feet import LEGS as LEG_NAMES
from ..feet import NEAR, POINTS, SMOOTH, _lower_body, _pins
from ..root import SOLES
from .windows import LEGS

__all__ = ["hold_legs"]

AROUND = 8  # frames of kept motion on either side that the solver sees
HELD = 1e4  # 1 / radians, legs that are kept
YIELDING = 300.0  # 1 / radians, legs about to be kept
FIRM = 2000.0  # 1 / metres, feet that the user pinned


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
    scale = leg_scale(motion.skeleton.offsets)
    points, old_points = (
        m.world()[1][:, [m.skeleton.index(n) for n in POINTS]] for m in (new, old)
    )
    targets, weights = _pins(points, told[part], motion.fps, scale)
    if pinned is not None:
        firm = np.tile(pinned[part], 2)
        targets[firm] = _standing(old_points, pinned[part], scale)[firm]
        weights[firm] = FIRM
    held = keep[part, None]
    pose = pose_of_motion(lower)
    near = np.broadcast_to(NEAR + YIELDING * held**3 + HELD * (held == 1.0), pose.shape)
    terms = (
        Points(POINTS, targets, weights=weights),
        StayNear(pose, near),
        SmoothChange(pose, SMOOTH),
    )
    moving = [name for joint in LEG_NAMES for name in turns_of(joint)]
    problem = Problem(model_of_skeleton(lower.skeleton), terms, moving)
    found = motion_of_pose(solve(problem, pose, iterations=12, tolerance=1e-5).pose, lower)
    rotations = np.array(motion.rotations)
    inside = slice(frames.start - part.start, frames.stop - part.start)
    rotations[frames, rows[1:]] = found.rotations[inside, 1:]
    return replace(motion, rotations=_signed(rotations, motion.rotations))


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
