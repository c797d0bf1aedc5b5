"""Which joints the networks pose, and the bone-aligned bases in which they pose them.

A network's pose is one 6D rotation per joint: the first two columns of heading_from_joint, written in
the joint's bone-aligned basis, so that the first column is the direction of the bone to the joint's
primary child (see `invertible_ik`). The head follows the neck, the hands follow the wrists.
"""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
import torch
from torch import Tensor

from ..rig import so3
from ..rig.arrays import Array
from ..rig.skeleton import BODY_JOINTS, BODY_PARENTS, body_skeleton

__all__ = [
    "FEET",
    "LOWER",
    "POSED",
    "POSED_ROW",
    "UPPER",
    "ancestors",
    "bone_basis",
    "bone_lengths",
    "joint_positions",
    "leg_scale",
    "nearest_sensors",
    "posed_from_world",
    "sensed_pose",
    "world_from_posed",
]

UPPER: tuple[str, ...] = (
    "pelvis", "spine1", "spine2", "spine3", "neck", "left_collar", "right_collar", "left_shoulder",
    "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
)  # fmt: skip
LOWER: tuple[str, ...] = (
    "left_hip", "right_hip", "left_knee", "right_knee",
    "left_ankle", "right_ankle", "left_foot", "right_foot",
)  # fmt: skip
POSED: tuple[str, ...] = UPPER + LOWER
FEET: tuple[int, ...] = (BODY_JOINTS.index("left_foot"), BODY_JOINTS.index("right_foot"))
_FOLLOWS = {"head": "neck", "left_hand": "left_wrist", "right_hand": "right_wrist"}
_PRIMARY_CHILD = {"pelvis": "spine1", "spine3": "neck"}  # of the joints that have several
# For every one of the 24 joints, its row among the posed ones.
POSED_ROW: tuple[int, ...] = tuple(POSED.index(_FOLLOWS.get(name, name)) for name in BODY_JOINTS)


_MADE: dict[str, Tensor] = {}


def _once(make: Callable[[], Tensor]) -> Tensor:
    """A tensor that is made once; outside inference mode, so that gradients may pass it later."""
    if make.__name__ not in _MADE:
        with torch.inference_mode(mode=False):
            _MADE[make.__name__] = make()
    return _MADE[make.__name__]


@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator]
def bone_basis() -> Tensor:
    """(21, 3, 3) joint_from_basis of the posed joints: a constant whose first column is the bone at rest."""
    return _once(_bone_basis)


@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator]
def bone_lengths() -> Tensor:
    """(21,) metres, of the posed joints' bones on the standard body."""
    return _once(_bone_lengths)


def _bone_basis() -> Tensor:
    bases = []
    for bone in _bones():
        first = bone / np.linalg.norm(bone)
        # Across a limb its hinge swings: the second column is the performer's forward, or left.
        across = np.array([0.0, -1.0, 0.0]) if abs(first[1]) < 0.5 else np.array([1.0, 0.0, 0.0])
        third = np.cross(first, across)
        third /= np.linalg.norm(third)
        bases.append(np.stack([first, np.cross(third, first), third], axis=-1))
    return torch.tensor(np.array(bases), dtype=torch.float32)


def _bone_lengths() -> Tensor:
    return torch.tensor(np.linalg.norm(_bones(), axis=-1), dtype=torch.float32)


def _bones() -> Array:
    """(21, 3) the bone of every posed joint at rest, to its primary child or its tip."""
    skeleton = body_skeleton()
    bones = []
    for name in POSED:
        joint = skeleton.index(name)
        children = skeleton.children[joint]
        if name in _PRIMARY_CHILD:
            bones.append(skeleton.offsets[skeleton.index(_PRIMARY_CHILD[name])])
        else:
            bones.append(skeleton.offsets[children[0]] if children else skeleton.tips[joint])
    return np.array(bones)


def posed_from_world(heading_from_joint: Tensor) -> Tensor:
    """6D pose (..., 21, 6) of rotations (..., 24, 3, 3) in the heading frame."""
    rows = [BODY_JOINTS.index(name) for name in POSED]
    basis = bone_basis().to(heading_from_joint)
    return so3.to_sixd(heading_from_joint[..., rows, :, :] @ basis)


def world_from_posed(sixd: Tensor) -> Tensor:
    """Rotations (..., 24, 3, 3) in the heading frame of a 6D pose (..., 21, 6)."""
    joint_from_basis = bone_basis().to(sixd)
    rotations = so3.from_sixd(sixd) @ joint_from_basis.transpose(-1, -2)
    return rotations[..., list(POSED_ROW), :, :]


# The sensor (in the order of `PLACEMENTS`) whose bone a posed joint's bone most resembles.
_NEAREST_SENSOR: Final[Mapping[str, int]] = {
    "spine3": 3, "neck": 3, "left_collar": 3, "right_collar": 3,
    "left_shoulder": 1, "left_elbow": 1, "left_wrist": 1,
    "right_shoulder": 2, "right_elbow": 2, "right_wrist": 2,
}  # fmt: skip


def sensed_pose(sensors: Tensor) -> Tensor:
    """The stiff body that four sensors describe: every joint turned as the sensor nearest to it.

    Args:
        sensors: (..., 4, 12) as `features.sensor_features` makes them.

    Returns:
        6D pose (..., 21, 6); a network says how the body differs from it.
    """
    rotation = sensors[..., 3:].unflatten(-1, (3, 3))
    return so3.to_sixd(rotation[..., nearest_sensors(), :, :] @ bone_basis().to(sensors))


def nearest_sensors() -> list[int]:
    """(21,) for each posed joint the sensor, in the order of `PLACEMENTS`, that it is turned as at first."""
    return [_NEAREST_SENSOR.get(name, 0) for name in POSED]


@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator]
def ancestors() -> Tensor:
    """(24, 24): row j has a one for joint j and every joint between it and the root."""
    return _once(_ancestors)


def _ancestors() -> Tensor:
    matrix = torch.eye(len(BODY_JOINTS))
    for joint, parent in enumerate(BODY_PARENTS):
        if parent >= 0:
            matrix[joint] += matrix[parent]
    matrix[:, 0] = 0.0  # the root itself is the origin
    return matrix


def joint_positions(heading_from_joint: Tensor, offsets: Tensor) -> Tensor:
    """Joint origins (..., 24, 3) relative to the root, metres: equation (7) summed along the chains.

    Args:
        heading_from_joint: (..., 24, 3, 3) global rotations.
        offsets: (..., 24, 3) of the skeleton, broadcastable.
    """
    parents = [max(parent, 0) for parent in BODY_PARENTS]
    bones = (heading_from_joint[..., parents, :, :] @ offsets[..., None]).squeeze(-1)
    return ancestors().to(bones) @ bones


def leg_scale(offsets: Array) -> float:
    """Size of a body against the standard one, by the length of its legs."""
    rows = [
        BODY_JOINTS.index(f"{side}_{j}") for side in ("left", "right") for j in ("knee", "ankle")
    ]

    def length(of: Array) -> float:
        return float(np.linalg.norm(of[rows], axis=-1).sum())

    return length(offsets) / length(body_skeleton().offsets)
