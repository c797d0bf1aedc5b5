"""Foot cleaning: standing feet become pins in the solver, and no sole goes below the floor.

Only the legs move; the root and the upper body stay exactly as they are.
"""

from dataclasses import replace

import numpy as np

from ..rig.arrays import Array, Mask
from ..rig.model.skeletons import model_of_skeleton, motion_of_pose, pose_of_motion, turns_of
from ..rig.motion import Motion
from ..rig.skeleton import BODY_JOINTS, Skeleton
from ..rig.solve import Points, Problem, SmoothChange, StayNear, solve
from .body import LOWER, leg_scale
from .root import SOLES

__all__ = ["clean_feet"]

LEGS = tuple(f"{side}_{j}" for j in ("hip", "knee", "ankle") for side in ("left", "right"))
POINTS = ("left_ankle", "right_ankle", "left_foot", "right_foot")  # heels, balls
FLAT = 0.02  # metres for a body 1.70 m tall; a foot tilted by less stands on heel and ball
SHORTEST = 0.05  # seconds; a shorter contact is no stand
SLIDE = 0.10  # metres for a body 1.70 m tall; a foot that went further stands anew
PIN = 200.0  # 1 / metres, half a centimetre
NEAR = 1.0  # 1 / radians
SMOOTH = 15.0  # 1 / radians per frame


def clean_feet(motion: Motion, contacts: Mask) -> Motion:
    """Hold standing feet still and on the floor.

    Args:
        motion: 24 joints, floor at z = 0.
        contacts: (T, 2) True where the left and the right foot stand.

    Returns:
        The motion with other leg rotations.
    """
    scale = leg_scale(motion.skeleton.offsets)
    rows, lower = _lower_body(motion)
    points = lower.world()[1][:, [lower.skeleton.index(name) for name in POINTS]]
    targets, weights = _pins(points, contacts, motion.fps, scale)
    if not np.isfinite(targets).any():
        return motion
    pose = pose_of_motion(lower)
    terms = (
        Points(POINTS, targets, weights=weights),
        StayNear(pose, NEAR),
        SmoothChange(pose, SMOOTH),
    )
    moving = [name for joint in LEGS for name in turns_of(joint)]
    problem = Problem(model_of_skeleton(lower.skeleton), terms, moving)
    found = motion_of_pose(solve(problem, pose, iterations=8, tolerance=1e-4).pose, lower)
    rotations = np.array(motion.rotations)
    rotations[:, rows[1:]] = found.rotations[:, 1:]
    return replace(motion, rotations=rotations)


def _lower_body(motion: Motion) -> tuple[list[int], Motion]:
    """Which joints are the pelvis and the legs, and their motion: nothing else is solved for."""
    rows = [0, *(BODY_JOINTS.index(name) for name in LOWER)]
    body = motion.skeleton
    parents = [-1, *(rows.index(body.parents[row]) for row in rows[1:])]
    names = tuple(body.names[row] for row in rows)
    skeleton = Skeleton(names, tuple(parents), body.offsets[rows])
    return rows, Motion(skeleton, motion.root_position, motion.rotations[:, rows], motion.fps)


def _pins(points: Array, contacts: Mask, fps: float, scale: float) -> tuple[Array, Array]:
    """Targets (T, 4, 3), NaN where a point is free, and weights (T, 4)."""
    soles = SOLES * scale
    targets = np.full_like(points, np.nan)
    sunk = points[..., 2] < soles
    targets[sunk] = points[sunk]
    targets[..., 2] = np.where(sunk, soles, np.nan)
    holding = _holding(points, contacts, scale)
    for point in range(len(POINTS)):
        for start, stop in _stretches(holding[:, point], max(2, int(SHORTEST * fps))):
            for part in _stands(points[start:stop, point, :2], start, SLIDE * scale):
                place = points[part, point].mean(axis=0)
                targets[part, point] = place[0], place[1], soles[point]
    return targets, np.full(points.shape[:2], PIN)


def _holding(points: Array, contacts: Mask, scale: float) -> Mask:
    """(T, 4) which points hold: heel and ball of a flat foot, the lower of a tilted one."""
    tilt = (points[:, :2, 2] - points[:, 2:, 2]) / scale - (SOLES[0] - SOLES[2])
    heel, ball = contacts & (tilt < FLAT), contacts & (tilt > -FLAT)
    holding: Mask = np.concatenate([heel, ball], axis=1)
    return holding


def _stands(places: Array, start: int, slide: float) -> list[slice]:
    """Cut a contact (n, 2) where the foot has slid too far to be one stand, as a foot that shuffles does."""
    parts, first = [], 0
    for frame in range(1, len(places)):
        if np.linalg.norm(places[frame] - places[first]) > slide:
            parts.append(slice(start + first, start + frame))
            first = frame
    return [*parts, slice(start + first, start + len(places))]


def _stretches(active: Mask, shortest: int) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(active, prepend=False, append=False)).reshape(-1, 2)
    return [(int(a), int(b)) for a, b in edges if b - a >= shortest]
