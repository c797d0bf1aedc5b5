"""A predicted and a true motion side by side: what every metric is computed from, computed once."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from ...rig import quaternion
from ...rig.arrays import Array, Mask
from ...rig.errors import ShapeError
from ...rig.motion import Motion
from ...rig.skeleton import BODY_JOINTS
from ..body import LOWER, UPPER, leg_scale
from ..contacts import foot_contacts

__all__ = [
    "AGROL_LOWER",
    "AGROL_UPPER",
    "HANDS",
    "LEGS",
    "POSED",
    "POSED_UPPER",
    "SIP",
    "TRANSPOSE_LEAVES",
    "TRUNK_AND_ARMS",
    "Comparison",
    "Seen",
    "joints",
]


def joints(*names: str) -> list[int]:
    """Indices of joints among the 24, which are SMPL's in SMPL's order."""
    return [BODY_JOINTS.index(name) for name in names]


SIP: Final = joints("left_hip", "right_hip", "left_shoulder", "right_shoulder")  # 1, 2, 16, 17
POSED: Final = joints(*UPPER, *LOWER)  # all but the head and the hands, which follow
POSED_UPPER: Final = joints(*UPPER)
TRUNK_AND_ARMS: Final = joints(*UPPER[1:], "head", "left_hand", "right_hand")
LEGS: Final = joints(*LOWER)
HANDS: Final = joints("left_wrist", "right_wrist")  # 20, 21, as AvatarPoser and AGRoL call them
AGROL_UPPER: Final = [3, 6, 9, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21]
AGROL_LOWER: Final = [0, 1, 2, 4, 5, 7, 8, 10, 11]
TRANSPOSE_LEAVES: Final = [7, 8, 10, 11, 20, 21, 22, 23]  # held at rest there, with the root


@dataclass(frozen=True, eq=False)
class Seen:
    """A motion of the 24-joint skeleton with what metrics ask of it, computed when first asked for."""

    motion: Motion

    @cached_property
    def world(self) -> tuple[Array, Array]:
        """world_from_joint (T, 24, 4) and joint origins (T, 24, 3) in the world, metres."""
        return self.motion.world()

    @cached_property
    def reduced(self) -> tuple[Array, Array]:
        """`world` as TransPose and PIP compare it: root and leaves at rest, the root at the origin."""
        motion = self.motion
        rotations = np.array(motion.rotations)
        rotations[:, [0, *TRANSPOSE_LEAVES]] = quaternion.IDENTITY
        origin = np.zeros_like(motion.root_position)
        return Motion(motion.skeleton, origin, rotations, motion.fps).world()

    @cached_property
    def scale(self) -> float:
        """Size of the body; 1 is 1.70 m tall."""
        return leg_scale(self.motion.skeleton.offsets)

    @cached_property
    def standing(self) -> Mask:
        """(T, 2) True where the left and the right foot stand, by the rule of `contacts`."""
        return foot_contacts(self.world[1], self.motion.fps, self.scale)


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two motions of one 24-joint skeleton, equally long and fast.

    Attributes:
        predicted: what a network says.
        truth: what it should have said.
        contacts: (T, 2) True where the network says that the left and the right foot stand; None if it
            says nothing of it.
    """

    predicted: Seen
    truth: Seen
    contacts: Mask | None = None

    def __post_init__(self) -> None:
        ours, true = self.predicted.motion, self.truth.motion
        if ours.rotations.shape != true.rotations.shape or ours.fps != true.fps:
            raise ShapeError(
                f"motions of shapes {ours.rotations.shape} at {ours.fps:g} fps and "
                f"{true.rotations.shape} at {true.fps:g} fps; expected the same frames, joints and rate"
            )

    @property
    def fps(self) -> float:
        """Frames per second of both."""
        return self.truth.motion.fps

    @cached_property
    def global_angles(self) -> Array:
        """(T, 24) degrees between predicted and true world rotations."""
        return np.degrees(quaternion.angle(self.predicted.world[0], self.truth.world[0]))

    @cached_property
    def local_angles(self) -> Array:
        """(T, 24) degrees between predicted and true rotations relative to the parent."""
        ours, true = self.predicted.motion.rotations, self.truth.motion.rotations
        return np.degrees(quaternion.angle(ours, true))
