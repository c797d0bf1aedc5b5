"""A cyclic motion, such as a walk, made as long as one likes from one good cycle."""

import numpy as np

from . import quaternion
from .arrays import Array
from .errors import ShapeError
from .motion import Motion

__all__ = ["find_cycle", "looped"]

_UP = np.array([0.0, 0.0, 1.0])
SHORTEST, LONGEST = 0.7, 1.6  # seconds, of a gait cycle (two steps)
BLEND = 0.2  # seconds over which a cycle's end turns into the next one's start


def looped(motion: Motion, seconds: float) -> Motion:
    """Go on walking: the motion up to the end of its best cycle, and then that cycle again and again.

    Each cycle starts where and facing whither the last one ended; poses are blended over the seam.

    Args:
        motion: with at least one full cycle in it.
        seconds: of the result.

    Raises:
        ShapeError: the motion is shorter than a cycle.
    """
    start, end = find_cycle(motion)
    while motion.duration < seconds:
        motion = _extended(motion, start, end)
        start, end = end, end + (end - start)
    return motion.clipped(0, round(seconds * motion.fps) + 1)


def find_cycle(motion: Motion) -> tuple[int, int]:
    """Frames (start, end) between which the motion comes back to the same pose at the same speed."""
    shortest, longest = int(SHORTEST * motion.fps), int(LONGEST * motion.fps)
    blend = int(BLEND * motion.fps)
    if len(motion) < shortest + blend + 2:
        raise ShapeError(
            f"the motion lasts {motion.duration:.2f} s, expected at least "
            f"{SHORTEST + BLEND:.1f} s to find a cycle in"
        )
    # Pose without place and heading, and how it changes: joints seen from the root's heading.
    _, positions = motion.world()
    heading = quaternion.swing_twist(motion.rotations[:, 0], _UP)[1]
    seen = quaternion.rotate(
        quaternion.conjugate(heading)[:, None], positions - motion.root_position[:, None]
    ).reshape(len(motion), -1)
    state = np.concatenate([seen, 0.1 * motion.fps * np.gradient(seen, axis=0)], axis=1)
    last = len(motion) - blend  # the seam needs frames after the cycle's end
    best, found = np.inf, (0, shortest)
    for length in range(shortest, min(longest, last - 1) + 1):
        difference = np.linalg.norm(state[length:last] - state[: last - length], axis=1)
        place = int(np.argmin(difference))
        if difference[place] < best:
            best, found = float(difference[place]), (place, place + length)
    return found


def _extended(motion: Motion, start: int, end: int) -> Motion:
    """The motion up to `end`, then frames `start` to `end` again (and a seam's worth more)."""
    blend = int(BLEND * motion.fps)
    again = motion.clipped(start, min(end + blend + 1, len(motion)))
    turn = quaternion.multiply(
        quaternion.swing_twist(motion.rotations[end, 0], _UP)[1],
        quaternion.conjugate(quaternion.swing_twist(again.rotations[0, 0], _UP)[1]),
    )
    rotations = np.array(again.rotations)
    rotations[:, 0] = quaternion.multiply(turn, rotations[:, 0])
    shift = motion.root_position[end] - again.root_position[0]
    root = quaternion.rotate(turn, again.root_position - again.root_position[0])
    root = root + again.root_position[0] + shift * [1.0, 1.0, 0.0]
    seam = min(blend, len(motion) - end, len(again))
    weight = np.linspace(0.0, 1.0, seam)
    rotations[:seam] = quaternion.slerp(
        motion.rotations[end : end + seam], rotations[:seam], weight[:, None]
    )
    root[:seam] = _mixed(motion.root_position[end : end + seam], root[:seam], weight)
    return Motion(
        motion.skeleton,
        np.concatenate([motion.root_position[:end], root]),
        quaternion.continuous(np.concatenate([motion.rotations[:end], rotations])),
        motion.fps,
    )


def _mixed(first: Array, second: Array, weight: Array) -> Array:
    result: Array = (1.0 - weight[:, None]) * first + weight[:, None] * second
    return result
