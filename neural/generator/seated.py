"""Legs of somebody who sits: for wheelchair users, whose legs no motion library knows."""

from dataclasses import replace

import numpy as np

from ...rig import quaternion
from ...rig.arrays import Array
from ...rig.errors import ShapeError
from ...rig.motion import Motion
from ...rig.skeleton import Skeleton
from ..body import leg_scale
from ..features import heading_of
from ..root import SOLES
from .generate import with_legs

__all__ = ["seated"]

SETTLING = (
    1.0  # seconds, standard deviation of the Gaussian that makes the chair's heading of the pelvis'
)
REACH = 0.999  # of a straight leg; beyond it a knee's direction is not defined
_DOWN = np.array([0.0, 0.0, -1.0])
_FORWARD = np.array([0.0, -1.0, 0.0])
_LEFT = np.array([1.0, 0.0, 0.0])


def seated(motion: Motion, seat_height: float | None = None) -> Motion:
    """Seat a motion: pelvis at one place and height, both feet flat on the floor in front of it.

    The pelvis' orientation and the whole upper body stay as sensed. The root does not travel: four sensors on
    the upper body can't tell how far a wheelchair rolled, so the chair stays where the motion begins. Feet
    follow the chair's heading, which is the pelvis' heading smoothed over a second.

    Args:
        motion: 24 joints at any rate.
        seat_height: metres, of the pelvis joint above the floor (about 0.09 m above the seat's surface for
            somebody 1.70 m tall); None for a seat on which the thighs are level and the shanks upright.

    Raises:
        ShapeError: the seat is too high for the feet to reach the floor, or below it.
    """
    body, scale = motion.skeleton, leg_scale(motion.skeleton.offsets)
    thigh, shank = _lengths(body)
    ankle = SOLES[0] * scale
    drop = -body.offsets[body.index("left_hip"), 2]
    height = ankle + shank + drop if seat_height is None else float(seat_height)
    # Shanks upright if the seat allows it, else thighs as steep as the feet need.
    rise = height - drop - ankle - shank
    if not (-(thigh + shank) < rise and abs(rise) < REACH * thigh and height > drop):
        raise ShapeError(
            f"a seat height of {height:g} m doesn't suit legs of {thigh:.2f} + {shank:.2f} m; expected "
            f"{max(ankle + shank + drop - REACH * thigh, drop):.2f} to "
            f"{ankle + shank + drop + REACH * thigh:.2f} m"
        )
    ahead = np.sqrt(thigh**2 - rise**2)
    root = np.array(motion.root_position)
    root[:] = root[0, 0], root[0, 1], height
    chair = _chair(motion)
    legs = np.empty((len(motion), 8, 4))
    for side, name in enumerate(("left", "right")):
        hip = body.offsets[body.index(f"{name}_hip")]
        foot = np.array([hip[0], hip[1] - ahead, ankle - height])
        target = quaternion.rotate(chair, foot)  # about the pelvis
        origin = quaternion.rotate(motion.rotations[:, 0], hip)
        upper, lower = _bent(body, name, target - origin, chair)
        legs[:, side], legs[:, 2 + side] = upper, lower
        legs[:, 4 + side] = legs[:, 6 + side] = chair
    pelvis_from_world = quaternion.conjugate(motion.rotations[:, :1])
    seated_body = with_legs(motion, quaternion.multiply(pelvis_from_world, legs))
    return replace(seated_body, root_position=root)


def _lengths(body: Skeleton) -> tuple[float, float]:
    """Of thigh and shank, metres, the mean of both sides."""
    return (
        float(
            np.mean(
                [np.linalg.norm(body.offsets[body.index(f"{s}_knee")]) for s in ("left", "right")]
            )
        ),
        float(
            np.mean(
                [np.linalg.norm(body.offsets[body.index(f"{s}_ankle")]) for s in ("left", "right")]
            )
        ),
    )


def _chair(motion: Motion) -> Array:
    """world_from_chair (T, 4): the pelvis' heading, smoothed."""
    heading = quaternion.continuous(heading_of(motion.rotations[:, 0]))
    angle = np.unwrap(2.0 * np.arctan2(heading[:, 3], heading[:, 0]))
    width = SETTLING * motion.fps
    reach = int(np.ceil(3.0 * width))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / width) ** 2)
    smooth = np.convolve(np.pad(angle, reach, mode="edge"), kernel / kernel.sum(), "valid")
    return quaternion.from_axis_angle(np.array([0.0, 0.0, 1.0]), smooth)


def _bent(body: Skeleton, side: str, to_ankle: Array, chair: Array) -> tuple[Array, Array]:
    """World rotations (T, 4) of thigh and shank that bring the ankle (T, 3) from the hip to its place.

    The law of cosines gives the knee's angle; the knee points where the chair does.
    """
    thigh = body.offsets[body.index(f"{side}_knee")]
    shank = body.offsets[body.index(f"{side}_ankle")]
    a, b = np.linalg.norm(thigh), np.linalg.norm(shank)
    distance = np.linalg.norm(to_ankle, axis=-1, keepdims=True).clip(
        abs(a - b) + 1e-6, REACH * (a + b)
    )
    along = to_ankle / np.linalg.norm(to_ankle, axis=-1, keepdims=True)
    left = quaternion.rotate(chair, _LEFT)
    out = np.cross(along, left)  # forward and up of a leg that reaches down and forward
    out = out / np.linalg.norm(out, axis=-1, keepdims=True)
    part = (a**2 - b**2 + distance**2) / (2.0 * distance)
    knee = part * along + np.sqrt(np.maximum(a**2 - part**2, 0.0)) * out
    axis = np.cross(out, along)
    return _turned(thigh, knee, axis), _turned(shank, distance * along - knee, axis)


def _turned(bone: Array, direction: Array, axis: Array) -> Array:
    """Rotation (T, 4) that lays a bone (3,) along a direction (T, 3), its hinge about an axis (T, 3)."""
    world_from_frame = quaternion.from_frames(direction, axis)
    return quaternion.multiply(
        world_from_frame, quaternion.conjugate(quaternion.from_frames(bone, _LEFT))
    )
