"""Putting a clip on the floor, and what a usable clip must satisfy."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from ...rig import quaternion
from ...rig.arrays import Array, Mask
from ...rig.motion import Motion

__all__ = ["clip_floor", "lowest_points", "on_floor", "problem_of", "steady_parts"]

# A frame rarely stands lower than this share of all frames, noise and rolling feet left aside.
_FLOOR_PERCENTILE = 5.0
_SAME_FLOOR = 0.04  # metres that one person's floor differs from clip to clip
_DEEPEST = 0.12  # metres that 1 % of the frames may lie under the floor
_HIGHEST = 0.30  # metres above the floor that the feet stay at most
_SHORTEST = 0.2  # seconds
_SHORTEST_PART = 1.0  # seconds between two jumps
_LARGEST_PELVIS_SPEED = 8.0  # m/s; sprinting is 6
# rad/s of a joint in the world; 30 where nothing is told.
_LARGEST_TURN = {
    "shoulder": 45.0,
    "elbow": 50.0,
    "wrist": 70.0,
    "hand": 70.0,
    "foot": 60.0,
    "ankle": 45.0,
}
_FLIP = np.radians(100.0)
_LARGEST_BACKWARD_BEND = np.radians(25.0)


def lowest_points(motion: Motion) -> Array:
    """(T,) metres, height of the lower sole: under the foot joints or under the ankles."""
    skeleton = motion.skeleton
    _, origins = motion.world()
    joints = [
        skeleton.index(f"{side}_{n}") for side in ("left", "right") for n in ("ankle", "foot")
    ]
    heights = origins[:, joints, 2] - skeleton.rest_positions[joints, 2]
    lowest: Array = heights.min(axis=1)
    return lowest


def clip_floor(motion: Motion) -> float:
    """Height in metres of the floor that this clip stands on."""
    return float(np.percentile(lowest_points(motion), _FLOOR_PERCENTILE))


def on_floor(motions: Sequence[Motion]) -> list[Motion]:
    """Move the clips of one subject so that the floor is z = 0.

    A clip whose lowest steps lie at most 4 cm above the subject's usual floor gets its own; one that stands
    on a box, or never comes down, gets the subject's.
    """
    floors = [clip_floor(motion) for motion in motions]
    usual = float(np.median(floors)) if floors else 0.0
    return [
        _lowered(motion, floor if floor < usual + _SAME_FLOOR else usual)
        for motion, floor in zip(motions, floors, strict=True)
    ]


def _lowered(motion: Motion, floor: float) -> Motion:
    position = motion.root_position - np.array([0.0, 0.0, floor])
    return Motion(motion.skeleton, position, motion.rotations, motion.fps)


def problem_of(motion: Motion) -> str:
    """Why a clip that stands on the floor can't be used; empty if it can."""
    if motion.duration < _SHORTEST:
        return f"lasts {motion.duration:.2f} s, expected at least {_SHORTEST} s"
    if not (np.isfinite(motion.rotations).all() and np.isfinite(motion.root_position).all()):
        return "holds NaN"
    return _floor_problem(motion) or _knee_problem(motion)


def _floor_problem(motion: Motion) -> str:
    lowest = lowest_points(motion)
    deep, usual = np.percentile(lowest, [1.0, _FLOOR_PERCENTILE])
    if deep < -_DEEPEST:
        return f"feet {-100 * deep:.0f} cm under the floor, expected at most {100 * _DEEPEST:.0f}"
    if usual > _HIGHEST:
        return f"feet never nearer to the floor than {100 * usual:.0f} cm"
    return ""


def _knee_problem(motion: Motion) -> str:
    """Some files hold knees that a solver has turned inside out."""
    for side in ("left", "right"):
        joint = motion.skeleton.index(f"{side}_knee")
        bend = quaternion.to_rotation_vector(motion.rotations[:, joint])[:, 0]
        low = float(np.percentile(bend, 10.0))
        if low < -_LARGEST_BACKWARD_BEND:
            return f"{side} knee bends backwards by {np.degrees(-low):.0f} degrees"
    return ""


def steady_parts(motion: Motion) -> tuple[list[tuple[int, int]], str]:
    """Split a motion where something jumps.

    A joint that turns by more than 100 degrees within a frame has flipped over: frames until it flips
    back are left out.

    Returns:
        Frames (first, after the last) of the parts that last long enough, and what jumps; empty if nothing.
    """
    jumps, reason = _jumps(motion)
    flips = _flips(motion)
    cuts = [
        0,
        *(int(frame) + 1 for frame in np.flatnonzero(jumps | flips.any(axis=1))),
        len(motion),
    ]
    flipped = np.zeros(flips.shape[1], dtype=bool)
    least = 1 if len(cuts) == 2 else int(np.ceil(_SHORTEST_PART * motion.fps))
    parts = []
    for start, stop in pairwise(cuts):
        if start > 0:
            flipped ^= flips[start - 1]
        if stop - start >= least and not flipped.any():
            parts.append((start, stop))
    return parts, reason


def _jumps(motion: Motion) -> tuple[Mask, str]:
    """(T - 1,) True where the step to the next frame is too large, and the first reason."""
    speed = np.linalg.norm(np.diff(motion.root_position, axis=0), axis=-1) * motion.fps
    fast = speed > _LARGEST_PELVIS_SPEED
    turns = _turns(motion)
    names = motion.skeleton.names
    limits = np.array([_LARGEST_TURN.get(name.split("_")[-1], 30.0) for name in names])
    wild = turns > limits
    jumps: Mask = fast | wild.any(axis=1)
    if not jumps.any():
        return jumps, ""
    frame = int(jumps.argmax())
    if fast[frame]:
        return jumps, f"the pelvis jumps at frame {frame}: {speed[frame]:.0f} m/s"
    joint = int((turns[frame] / limits).argmax())
    return jumps, f"{names[joint]} jumps at frame {frame}: {turns[frame, joint]:.0f} rad/s"


def _turns(motion: Motion) -> Array:
    """(T - 1, J) rad/s in the world."""
    world, _ = motion.world()
    return quaternion.angle(world[:-1], world[1:]) * motion.fps


def _flips(motion: Motion) -> Mask:
    """(T - 1, L) True where a joint of a limb turns over within a frame."""
    limbs = [
        i
        for i, name in enumerate(motion.skeleton.names)
        if name.endswith(("_hip", "_knee", "_ankle", "_shoulder", "_elbow"))
    ]
    local = motion.rotations[:, limbs]
    flips: Mask = quaternion.angle(local[:-1], local[1:]) > _FLIP
    return flips
