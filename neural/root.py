"""Where the body is: root translation from predicted speed, standing feet and the floor.

While a foot stands, the pelvis moves as the leg says (the foot stays where it is); in between it moves
as the network says. Its height follows the lowest foot while one stands, and the network otherwise.
"""

from dataclasses import dataclass

import numpy as np

from ..rig.arrays import Array
from .contacts import ANKLES, STANDING, TOES

__all__ = ["SOLES", "RootEvidence", "integrate_root"]

SMOOTHING = 0.05  # seconds
# Height of an ankle and of the ball of a foot above the floor when they stand, for a body 1.70 m tall.
SOLES = np.array([0.073, 0.073, 0.017, 0.017])


@dataclass(frozen=True)
class RootEvidence:
    """What is known about the root over T frames, in the world.

    Attributes:
        joints: (T, 24, 3) joint origins relative to the root, metres.
        contacts: (T, 2) probability that the left and the right foot stand.
        velocity: (T, 3) of the root, m/s, as the network says.
        height: (T,) of the root above the floor, metres, as the network says.
        scale: size of the body; 1 is 1.70 m tall.
    """

    joints: Array
    contacts: Array
    velocity: Array
    height: Array
    scale: float


def integrate_root(evidence: RootEvidence, fps: float) -> Array:
    """Root positions (T, 3) in metres; the first is above the origin, the floor is z = 0."""
    velocity = _velocity(evidence, fps)
    horizontal = np.cumsum(velocity[:, :2], axis=0) / fps
    horizontal = horizontal - horizontal[:1]
    return np.column_stack([horizontal, _height(evidence, fps)])


def _velocity(evidence: RootEvidence, fps: float) -> Array:
    """Each foot's vote is minus its own velocity about the root, the network's vote fills the rest."""
    if len(evidence.joints) < 2:
        return np.zeros((len(evidence.joints), 3))
    toes, ankles = (
        np.diff(evidence.joints[:, rows], axis=0, prepend=evidence.joints[:1, rows]) * fps
        for rows in (TOES, ANKLES)
    )
    # Of a standing foot the part that is lower, heel or ball, is the one that holds.
    ankle_over_toe = evidence.joints[:, ANKLES, 2] - evidence.joints[:, TOES, 2]
    on_heel = ankle_over_toe < (SOLES[0] - SOLES[2]) * evidence.scale
    feet = np.where(on_heel[..., None], ankles, toes)
    votes = np.clip((evidence.contacts - 0.5) * 2.0, 0.0, 1.0)
    votes = votes**2
    total = votes.sum(axis=1, keepdims=True)
    share = np.maximum(total, 1.0)
    from_feet = -(votes[..., None] * feet).sum(axis=1) / share
    result: Array = from_feet + (1.0 - np.minimum(total / share, 1.0)) * evidence.velocity
    return result


def _height(evidence: RootEvidence, fps: float) -> Array:
    """Height that puts the lowest sole on the floor while a foot stands, the network's otherwise.

    No joint is ever below the floor: who stands on the hands is lifted by them.
    """
    soles = evidence.joints[:, ANKLES + TOES, 2] - SOLES * evidence.scale
    least = np.maximum(-soles.min(axis=1), -evidence.joints[..., 2].min(axis=1))
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
