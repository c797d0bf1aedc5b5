"""Where the body is: root translation from standing feet, the waist's acceleration, and the floor.

While a foot stands, the pelvis moves as the leg says (the foot stays where it is); in between it moves
as the network says and as the waist's acceleration tells (`root_velocity`). Its height follows the lowest
foot while one stands, and the network otherwise.
"""

from dataclasses import dataclass

import numpy as np
import torch

from ..capture.virtual_imu import STANDARD_SENSORS
from ..rig.arrays import Array
from ..rig.planting import SOLES
from .contacts import ANKLES, STANDING, TOES
from .root_velocity import VelocityWitness, smooth_velocity
from .smoothing import over_time

__all__ = [
    "SOLES",
    "RootEvidence",
    "integrate_root",
    "least_height",
    "root_velocity_changes",
    "witness",
]

SMOOTHING = 0.05  # seconds
# Metres of the waist's sensor in the pelvis' frame, for a body 1.70 m tall.
WAIST_OFFSET = np.array(STANDARD_SENSORS["waist"].offset)


@dataclass(frozen=True)
class RootEvidence:
    """What is known about the root over T frames, in the world.

    Attributes:
        joints: (T, 24, 3) joint origins relative to the root, metres.
        contacts: (T, 2) probability that the left and the right foot stand.
        velocity: (T, 3) of the root, m/s, as the network says.
        height: (T,) of the root above the floor, metres, as the network says.
        scale: size of the body; 1 is 1.70 m tall.
        change: (T, 3) m/s that the root gained since the frame before, as the waist's sensor felt, or None.
    """

    joints: Array
    contacts: Array
    velocity: Array
    height: Array
    scale: float
    change: Array | None = None


def integrate_root(evidence: RootEvidence, fps: float) -> Array:
    """Root positions (T, 3) in metres; the first is above the origin, the floor is z = 0."""
    if len(evidence.joints) < 2:
        velocity = np.zeros((len(evidence.joints), 3))
    else:
        first = 2.0 * evidence.joints[:1] - evidence.joints[1:2]
        before = np.concatenate([first, evidence.joints[:-1]])
        velocity = smooth_velocity(witness(evidence, before, fps), fps)
    horizontal = np.cumsum(velocity[:, :2], axis=0) / fps
    horizontal = horizontal - horizontal[:1]
    return np.column_stack([horizontal, _height(evidence, fps)])


def witness(evidence: RootEvidence, before: Array, fps: float) -> VelocityWitness:
    """What feet, network and waist say of the root's velocity.

    Args:
        evidence: of T frames.
        before: (T, 24, 3) joints one frame earlier each.
        fps: frames per second.
    """
    moved = (evidence.joints - before) * fps
    # Of a standing foot the part that is lower, heel or ball, is the one that holds.
    ankle_over_toe = evidence.joints[:, ANKLES, 2] - evidence.joints[:, TOES, 2]
    on_heel = ankle_over_toe < (SOLES[0] - SOLES[2]) * evidence.scale
    feet = np.where(on_heel[..., None], moved[:, ANKLES], moved[:, TOES])
    votes: Array = np.minimum(
        np.maximum((evidence.contacts - STANDING) / (1.0 - STANDING), 0.0), 1.0
    )
    return VelocityWitness(evidence.velocity, -feet, np.square(votes), evidence.change)


def root_velocity_changes(
    world_from_waist: Array, acceleration: Array, offset: Array, fps: float
) -> Array:
    """Velocity (T, 3) that the root gained since the frame before, m/s, from the sensor on the waist.

    The sensor sits beside the joint, so it also feels the waist turn: that part is taken out. What is left is
    smoothed as all of a whole take is.

    Args:
        world_from_waist: (T, 3, 3).
        acceleration: (T, 3) of the sensor, world frame, m/s^2.
        offset: (3,) metres of the sensor in the pelvis' frame, `WAIST_OFFSET` times the body's size.
        fps: frames per second.
    """
    lever = world_from_waist @ offset
    turning = np.diff(lever, axis=0, prepend=lever[:1]) * fps
    gained = acceleration / fps - np.diff(turning, axis=0, prepend=turning[:1])
    gained[:2] = 0.0
    smooth: Array = over_time(torch.from_numpy(gained), fps).numpy()
    return smooth


def least_height(joints: Array, scale: float) -> Array:
    """(T,) lowest root at which no sole and no joint (T, 24, 3 from the root) is below the floor, metres."""
    soles = joints[:, ANKLES + TOES, 2] - SOLES * scale
    lowest: Array = np.maximum(-soles.min(axis=1), -joints[..., 2].min(axis=1))
    return lowest


def _height(evidence: RootEvidence, fps: float) -> Array:
    """Height that puts the lowest sole on the floor while a foot stands, the network's otherwise.

    No joint is ever below the floor: who stands on the hands is lifted by them.
    """
    least = least_height(evidence.joints, evidence.scale)
    reach = max(1, int(SMOOTHING * fps))
    standing = np.flatnonzero(evidence.contacts.max(axis=1) > STANDING)
    height = evidence.height
    if len(standing):
        # The correction is carried through flight from one landing to the next, and never jumps.
        correction = (least - height)[standing]
        height = height + _smooth(np.interp(np.arange(len(least)), standing, correction), reach)
    # The largest lift near a frame, smoothed over no more than that, is at least the frame's own.
    lift = np.pad(np.maximum(least - height, 0.0), reach, mode="edge")
    nearby = np.lib.stride_tricks.sliding_window_view(lift, 2 * reach + 1).max(axis=1)
    return height + _smooth(nearby, reach)


def _smooth(values: Array, reach: int) -> Array:
    """Hann-weighted mean over `reach` frames to either side."""
    kernel = np.hanning(2 * reach + 3)[1:-1]
    result: Array = np.convolve(np.pad(values, reach, mode="edge"), kernel / kernel.sum(), "valid")
    return result
