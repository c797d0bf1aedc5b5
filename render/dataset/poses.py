"""Poses drawn at random: joints turn smoothly between angles that people reach, on the floor."""

from typing import Final

import numpy as np

from ...rig import quaternion
from ...rig.arrays import Array
from ...rig.motion import Motion
from ...rig.retarget.source import SourceMotion
from ...rig.skeleton import body_skeleton

__all__ = ["random_poses"]

_FPS: Final = 30.0
_HOLD: Final = (0.5, 1.1)  # seconds from one drawn pose to the next
_SOLE: Final = 0.017  # metres from the foot's joint to the floor
# Turns about the T-pose's axes (x left, y back, z up) in degrees, mean and spread, and the furthest;
# those of the right side are mirrored. After the ranges in Kapandji, The Physiology of the Joints.
_TURNS: Final = {
    "pelvis": ((2, 8, 20), (0, 4, 10), (0, 25, 60)),
    "spine1": ((4, 8, 20), (0, 5, 12), (0, 6, 15)),
    "spine2": ((3, 6, 16), (0, 5, 12), (0, 6, 15)),
    "spine3": ((3, 5, 12), (0, 4, 10), (0, 6, 15)),
    "neck": ((2, 8, 20), (0, 6, 15), (0, 14, 35)),
    "head": ((0, 8, 20), (0, 6, 15), (0, 14, 35)),
    "hip": ((-18, 26, 85), (-4, 10, 30), (0, 12, 30)),
    "knee": ((26, 26, 110), (0, 0, 0), (0, 0, 0)),
    "ankle": ((-6, 9, 22), (0, 3, 8), (0, 4, 10)),
    "collar": ((0, 3, 8), (0, 5, 12), (0, 5, 12)),
    "shoulder": ((0, 25, 60), (50, 28, 80), (-18, 34, 90)),
    "elbow": ((0, 30, 70), (0, 0, 0), (-45, 38, 125)),
    "wrist": ((0, 15, 45), (0, 15, 40), (0, 12, 30)),
}


def random_poses(random: np.random.Generator, seconds: float) -> SourceMotion:
    """Draw poses and move from one to the next for so long, at 30 frames a second.

    Args:
        random: what they are drawn from.
        seconds: at least so long.
    """
    skeleton = body_skeleton()
    times = [0.0]
    while times[-1] < seconds + 0.1:
        times.append(times[-1] + float(random.uniform(*_HOLD)))
    keys = np.stack([_pose(random, skeleton.names) for _ in times])
    count = int(np.ceil(seconds * _FPS)) + 2
    rotations = _eased(keys, np.array(times), np.arange(count) / _FPS)
    feet = [
        skeleton.index(name) for name in ("left_foot", "right_foot", "left_ankle", "right_ankle")
    ]
    rotations[:, 0] = _upright(Motion(skeleton, np.zeros((count, 3)), rotations, _FPS), feet)
    _, origins = Motion(skeleton, np.zeros((count, 3)), rotations, _FPS).world()
    low = (origins[:, feet, 2] - np.array([_SOLE, _SOLE, 0.065, 0.065])).min(axis=1)
    root = np.column_stack([np.zeros((count, 2)), -low])
    return SourceMotion.of_motion(Motion(skeleton, root, rotations, _FPS), "poses")


def _upright(motion: Motion, feet: list[int]) -> Array:
    """(T, 4) turns of the pelvis with which the trunk is over the feet: nobody leans into the air."""
    _, origins = motion.world()
    middle = origins[:, [motion.skeleton.index("spine1")]].mean(axis=1)
    up = middle - origins[:, feet].mean(axis=1)
    turn = quaternion.shortest_arc(up, np.broadcast_to([0.0, 0.0, 1.0], up.shape))
    return quaternion.multiply(turn, motion.rotations[:, 0])


def _pose(random: np.random.Generator, names: tuple[str, ...]) -> Array:
    """(J, 4) one drawn pose."""
    rotations = np.tile([1.0, 0.0, 0.0, 0.0], (len(names), 1))
    for joint, name in enumerate(names):
        side, _, part = name.rpartition("_")
        if part not in _TURNS:
            continue
        mean, spread, most = np.array(_TURNS[part], dtype=np.float64).T
        degrees = np.clip(mean + spread * random.standard_normal(3), -most, most)
        if part == "knee":
            degrees = np.abs(degrees)  # knees bend one way
        if part == "elbow":
            degrees[2] = -abs(degrees[2])
        if side == "right":
            degrees[1:] *= -1.0
        rotations[joint] = quaternion.from_rotation_vector(np.radians(degrees))
    return rotations


def _eased(keys: Array, times: Array, wanted: Array) -> Array:
    """(T, J, 4) between poses, starting and ending each way at rest."""
    place = np.clip(np.searchsorted(times, wanted, side="right") - 1, 0, len(times) - 2)
    part = (wanted - times[place]) / (times[place + 1] - times[place])
    eased = np.clip(part, 0.0, 1.0)
    eased = eased * eased * (3.0 - 2.0 * eased)
    return quaternion.slerp(keys[place], keys[place + 1], eased[:, None])
