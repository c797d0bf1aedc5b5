"""Any skeleton as a kinematic model: a ball joint per bone, six degrees of freedom at the root."""

from functools import lru_cache

import numpy as np

from .. import quaternion
from ..arrays import Array
from ..errors import ShapeError
from ..motion import Motion
from ..skeleton import Skeleton
from .joints import GROUND, Frame, Joint, along
from .model import KinematicModel

__all__ = ["model_of_skeleton", "motion_of_pose", "pose_of_motion", "turns_of"]


def turns_of(joint: str) -> tuple[str, str, str]:
    """Names of the three coordinates, a rotation vector, of a skeleton's joint."""
    return (f"{joint}_x", f"{joint}_y", f"{joint}_z")


@lru_cache(maxsize=32)
def model_of_skeleton(skeleton: Skeleton) -> KinematicModel:
    """The model whose bodies are a skeleton's joints, each with the bones that hang on it.

    Coordinates are ROOT_tx, ROOT_ty, ROOT_tz, where the root is in the world, and JOINT_x, JOINT_y, JOINT_z
    for every joint. Scaling a body moves the joints that hang on it, as longer bones do.
    """
    root = skeleton.names[0]
    shifts = tuple(along(axis, f"{root}_t{axis}") for axis in "xyz")
    joints = [Joint(root, GROUND, root, translations=shifts, ball=turns_of(root))]
    for name, parent, offset in zip(
        skeleton.names[1:], skeleton.parents[1:], skeleton.offsets[1:], strict=True
    ):
        place = Frame((float(offset[0]), float(offset[1]), float(offset[2])))
        joints.append(Joint(name, skeleton.names[parent], name, place, ball=turns_of(name)))
    return KinematicModel("skeleton", tuple(joints))


def _columns(model: KinematicModel, skeleton: Skeleton) -> tuple[list[int], list[list[int]]]:
    root = [model.coordinate_index(f"{skeleton.names[0]}_t{axis}") for axis in "xyz"]
    return root, [[model.coordinate_index(n) for n in turns_of(name)] for name in skeleton.names]


def pose_of_motion(motion: Motion) -> Array:
    """(T, D) of `model_of_skeleton(motion.skeleton)`: metres and rotation vectors in radians."""
    model = model_of_skeleton(motion.skeleton)
    root, turns = _columns(model, motion.skeleton)
    pose = np.zeros((len(motion), len(model.coordinates)))
    pose[:, root] = motion.root_position
    pose[:, turns] = quaternion.to_rotation_vector(motion.rotations)
    return pose


def motion_of_pose(pose: Array, like: Motion, skeleton: Skeleton | None = None) -> Motion:
    """The motion that poses (T, D) are of.

    Args:
        pose: of `model_of_skeleton(like.skeleton)`.
        like: T frames; joints whose coordinates did not change have exactly its rotations.
        skeleton: with other bone lengths, if they were fitted.

    Raises:
        ShapeError: the poses are not of that model, or not as many.
    """
    model = model_of_skeleton(like.skeleton)
    if pose.shape != (len(like), len(model.coordinates)):
        raise ShapeError(
            f"poses have shape {pose.shape}, expected ({len(like)}, {len(model.coordinates)})"
        )
    root, turns = _columns(model, like.skeleton)
    before = pose_of_motion(like)
    moved = (pose[:, turns] != before[:, turns]).any(axis=(0, 2))
    rotations = np.array(like.rotations)
    turned = quaternion.from_rotation_vector(pose[:, turns][:, moved])
    rotations[:, moved] = quaternion.continuous(turned)
    return Motion(skeleton or like.skeleton, pose[:, root], rotations, like.fps)
