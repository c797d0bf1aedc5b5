"""Two-bone inverse kinematics of the legs in closed form: an ankle and the ball of its foot to their places.

The knee bends about its own hinge until the ankle is as far from the hip as its target is, the thigh swings
the shortest way until the ankle is there, and the foot swings about the ankle until its ball points at its
own target. What is in reach is reached exactly; what is not is approached along a straight leg.
"""

from dataclasses import dataclass, field

import numpy as np

from ..arrays import Array
from ..skeleton import Skeleton

__all__ = ["SIDES", "LegBones", "reached"]

SIDES = ("left", "right")
STRAIGHT = 0.9995  # of the leg's length; a knee bent by 3.6 degrees
_FOLDED = 0.3  # of the leg's length; a knee does not bend further
_NEARLY_STRAIGHT = 0.05  # sine of the bend under which the hinge at rest says where it is


@dataclass(frozen=True, eq=False)
class LegBones:
    """Bones of the left and the right leg, each (2, 3) metres in its joint's frame.

    Attributes:
        thigh: from hip to knee.
        shank: from knee to ankle.
        foot: from ankle to the ball of the foot.
        hinge: unit axis in the hip's frame about which the knee of a straight leg would bend.
    """

    thigh: Array
    shank: Array
    foot: Array
    hinge: Array = field(default_factory=lambda: np.tile([1.0, 0.0, 0.0], (2, 1)))

    @classmethod
    def of(cls, skeleton: Skeleton) -> "LegBones":
        """Of a 24-joint skeleton, or of one with the legs' names."""
        rows = [[skeleton.index(f"{s}_{j}") for s in SIDES] for j in ("knee", "ankle", "foot")]
        return cls(*(np.array(skeleton.offsets[row]) for row in rows))


def reached(legs: LegBones, hip: Array, turns: Array, ankle: Array, ball: Array) -> Array:
    """Turn legs so that ankles and balls of the feet are at their targets.

    Args:
        legs: their bones.
        hip: (..., 2, 3) where the hips are in the world, metres.
        turns: (..., 2, 3, 3, 3) world_from_joint of hip, knee and ankle before.
        ankle: (..., 2, 3) targets in the world.
        ball: (..., 2, 3) targets in the world; only their direction from the ankle can be met exactly.

    Returns:
        (..., 2, 3, 3, 3) world_from_joint of hip, knee and ankle.
    """
    thigh, shank = (
        _turned(turns[..., 0, :, :], legs.thigh),
        _turned(turns[..., 1, :, :], legs.shank),
    )
    own = _turned(turns[..., 0, :, :], legs.hinge)
    angle = _further_bend(thigh, shank, ankle - hip)
    bend = _about(_hinge(thigh, shank, own), np.cos(angle), np.sin(angle))
    before = thigh + _turned(bend, shank)
    swing = _shortest(_unit(before), _unit(ankle - hip))
    found = hip + _turned(swing, before)  # the ankle, which may be short of its target
    foot = _turned(turns[..., 2, :, :], legs.foot)
    tilt = _shortest(_unit(foot), _unit(ball - found))
    return np.stack([swing, swing @ bend, tilt], axis=-3) @ turns


def _hinge(thigh: Array, shank: Array, own: Array) -> Array:
    """(..., 3) unit axis about which a further bend turns the shank; near `own` where the leg is straight."""
    axis, along = _cross(thigh, shank), _unit(thigh)
    sine = _length(axis) / (_length(thigh) * _length(shank))
    own = own - along * (own * along).sum(-1, keepdims=True)
    certain = np.minimum(sine / _NEARLY_STRAIGHT, 1.0)
    return _unit(certain * _unit(axis) + (1.0 - certain) * _unit(own))


def _further_bend(thigh: Array, shank: Array, wanted: Array) -> Array:
    """(..., 1) radians by which the knee bends further, so that the ankle gets as far off as `wanted`."""
    upper, lower, now = _length(thigh), _length(shank), _length(thigh + shank)
    longest = np.maximum(now, STRAIGHT * (upper + lower))
    shortest = np.minimum(now, _FOLDED * (upper + lower))
    distance = np.minimum(np.maximum(_length(wanted), shortest), longest)

    def bend(length: Array) -> Array:
        cosine = (length * length - upper * upper - lower * lower) / (2.0 * upper * lower)
        angle: Array = np.arccos(np.minimum(np.maximum(cosine, -1.0), 1.0))
        return angle

    result: Array = bend(distance) - bend(now)
    return result


def _shortest(source: Array, target: Array) -> Array:
    """(..., 3, 3) the smallest rotation of unit vectors onto others that are not opposite to them."""
    axis = _cross(source, target)
    cosine = np.maximum((source * target).sum(-1, keepdims=True), -0.999)[..., None]
    outer = axis[..., :, None] * axis[..., None, :]
    result: Array = cosine * np.eye(3) + _skew(axis) + outer / (1.0 + cosine)
    return result


def _about(axis: Array, cosine: Array, sine: Array) -> Array:
    """(..., 3, 3) rotations about unit axes (..., 3), by Rodrigues' formula."""
    outer = axis[..., :, None] * axis[..., None, :]
    cosine, sine = cosine[..., None], sine[..., None]
    result: Array = cosine * np.eye(3) + sine * _skew(axis) + (1.0 - cosine) * outer
    return result


_CROSS = np.zeros((3, 9))  # vectors to their cross-product matrices, row by row
_CROSS[[0, 0, 1, 1, 2, 2], [7, 5, 2, 6, 3, 1]] = [1.0, -1.0, 1.0, -1.0, 1.0, -1.0]


def _skew(vector: Array) -> Array:
    return (vector @ _CROSS).reshape(*vector.shape, 3)


def _cross(first: Array, second: Array) -> Array:
    return _turned(_skew(first), second)  # numpy's own is slow on few vectors


def _turned(matrix: Array, vector: Array) -> Array:
    result: Array = (matrix @ vector[..., None])[..., 0]
    return result


def _length(vector: Array) -> Array:
    length: Array = np.sqrt((vector * vector).sum(-1, keepdims=True))
    return length


def _unit(vector: Array) -> Array:
    unit: Array = vector / np.maximum(_length(vector), 1e-12)
    return unit
