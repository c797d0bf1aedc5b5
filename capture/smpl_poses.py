"""Poses of a body model as a motion: its axes to ours, its joints onto a skeleton, its feet onto the floor.

A body model rests in a T-pose with y up, facing +Z. Its translation moves the pelvis from where it is at
rest, however the body is turned: pelvis = pelvis at rest + translation (SMPL, Loper et al. 2015).
"""

import warnings
from dataclasses import dataclass, field, replace
from typing import Final, Literal, Protocol

import numpy as np
import numpy.typing as npt

from ..rig import quaternion
from ..rig.arrays import Array, checked
from ..rig.errors import FormatError
from ..rig.motion import Motion
from ..rig.skeleton import Skeleton
from . import axes
from .smpl_layout import JOINTS, standard_body
from .textfile import LARGEST, FormatWarning

__all__ = ["BodyModel", "CameraPath", "SmplPoses", "motion_of_poses"]

World = Literal["z up", "y up", "camera"]

# Pelvis of the models' mean shapes in their own axes, metres, to the centimetre.
_PELVIS: Final = {"SMPL": (0.0, -0.22, 0.03), "SMPL-X": (0.0, -0.35, 0.01)}
_OURS_FROM_MODEL = quaternion.from_axis_angle(np.array([1.0, 0.0, 0.0]), 0.5 * np.pi)
_Y_UP_FROM_CAMERA = quaternion.from_axis_angle(np.array([1.0, 0.0, 0.0]), np.pi)
_UP = np.array([0.0, 0.0, 1.0])
_STANDING = 10.0  # percent of frames in which a performer's lower foot is taken to be on the floor
_PERSON = (1.2, 2.2)  # metres, heights that are believed
_STANDARD_HEIGHT = 1.70
_TILT = np.radians(45.0)  # a camera that tilts more is not levelled by the people in it


@dataclass(frozen=True, eq=False)
class CameraPath:
    """Where a camera is: rotations (T, 4) world_from_camera, places (T, 3) metres."""

    rotations: Array
    places: Array


@dataclass(frozen=True, eq=False)
class SmplPoses:
    """T frames of one person, as body-model files have them.

    Attributes:
        rotations: (T, J, 4) parent_from_joint in the model's axes, J as in `JOINTS`; the root's is
            world_from_root.
        translation: (T, 3) metres, in the file's world.
        fps: frames per second.
        world: the file's world: z up, y up, or a camera's (x right, y down, z ahead).
        frames: (T,) numbers of the frames in the video, increasing.
        floor: whether the world's floor is at height 0.
        betas: shape of the body; empty where not told.
        person: name of the person in the file.
        camera: of poses that each frame's camera sees, how that moves; None where it stands still.
    """

    rotations: Array
    translation: Array
    fps: float
    world: World
    frames: npt.NDArray[np.int64]
    floor: bool = False
    betas: Array = field(default_factory=lambda: np.zeros(0))
    person: str = "0"
    camera: CameraPath | None = None

    def __post_init__(self) -> None:
        rotations = checked("the rotations", self.rotations, (None, None, 4))
        translation = checked("the translation", self.translation, (len(rotations), 3))
        if rotations.shape[1] not in JOINTS:
            raise FormatError(
                f"found {rotations.shape[1]} joints, expected {', '.join(map(str, JOINTS))}"
            )
        if not len(rotations):
            raise FormatError("the motion has 0 frames, expected at least 1")
        if not (np.abs(translation) < LARGEST).all() or not np.isfinite(rotations).all():
            raise FormatError("a pose holds a number of no sensible size")
        if not (np.isfinite(self.fps) and self.fps > 0):
            raise FormatError(f"the frame rate is {self.fps}, expected a positive number")
        if self.frames.shape != (len(rotations),) or (np.diff(self.frames) <= 0).any():
            raise FormatError("the frame numbers don't increase, or are not as many as the poses")

    def __len__(self) -> int:
        return len(self.rotations)


class BodyModel(Protocol):
    """What a model file tells of a body (`smpl_model.SmplModel`)."""

    def skeleton(self, betas: Array) -> Skeleton:
        """The body's joints, in our axes, standing on the floor."""

    def pelvis(self, betas: Array) -> Array:
        """(3,) metres, the pelvis in the model's own axes."""


def motion_of_poses(poses: SmplPoses, model: BodyModel | None = None) -> Motion:
    """The motion of a body that takes these poses.

    Without a model file it is a standard body: as tall as lets it stand on the file's floor, where the file
    has one, else 1.70 m. Where it has none, the body is put on ours. Frames that are missing in between are
    interpolated, with a warning. A camera's people are taken to stand upright on average.

    Args:
        poses: of one person.
        model: the body model whose bones it has.

    Raises:
        FormatError: the model lacks the poses' joints.
    """
    whole = _without_gaps(poses)
    if model is None:
        name = "SMPL-X" if whole.rotations.shape[1] == max(JOINTS) else "SMPL"
        return _on_standard_body(whole, np.array(_PELVIS[name]))
    motion = _posed(whole, model.skeleton(whole.betas), model.pelvis(whole.betas))
    return motion if whole.floor else _on_floor(motion)


def _without_gaps(poses: SmplPoses) -> SmplPoses:
    first, last = int(poses.frames[0]), int(poses.frames[-1])
    missing = last - first + 1 - len(poses)
    if not missing:
        return poses
    if missing > 10 * len(poses):
        raise FormatError(f"{missing} frames between {first} and {last} are missing")
    warnings.warn(
        f"{missing} frames of person {poses.person[:40]!r} are missing; they are interpolated",
        FormatWarning,
        stacklevel=3,
    )
    times, frames = poses.frames.astype(np.float64), np.arange(first, last + 1)

    def turned(values: Array) -> Array:
        return quaternion.resample(values, times, frames.astype(np.float64))

    def moved(values: Array) -> Array:
        return np.stack([np.interp(frames, times, column) for column in values.T], axis=-1)

    camera = poses.camera
    return replace(
        poses,
        rotations=turned(poses.rotations),
        translation=moved(poses.translation),
        frames=frames,
        camera=camera and CameraPath(turned(camera.rotations), moved(camera.places)),
    )


def _on_standard_body(poses: SmplPoses, pelvis: Array) -> Motion:
    count = poses.rotations.shape[1]
    joints = 24 if count == len(JOINTS[22]) else count
    motion = _posed(poses, standard_body(joints), pelvis)
    if not poses.floor:
        return _on_floor(motion)
    height = _height(motion)
    return motion if height is None else _posed(poses, standard_body(joints, height), pelvis)


def _posed(poses: SmplPoses, skeleton: Skeleton, pelvis: Array) -> Motion:
    """The poses on a skeleton whose joints have the same names."""
    names = JOINTS[poses.rotations.shape[1]]
    lacking = [n for n in names[:22] if n not in skeleton.names]
    if lacking:
        raise FormatError(f"the body model has no {', '.join(lacking)}")
    rotations = np.tile(quaternion.IDENTITY, (len(poses), len(skeleton), 1))
    for joint, name in enumerate(names):
        if name in skeleton.names:
            rotations[:, skeleton.index(name)] = poses.rotations[:, joint]
    root, place = rotations[:, skeleton.index(names[0])], pelvis + poses.translation
    if poses.camera is not None:
        root = quaternion.multiply(poses.camera.rotations, root)
        place = quaternion.rotate(poses.camera.rotations, place) + poses.camera.places
    ours_from_world = _ours_from(poses.world)
    turned = axes.z_up_from_y_up_rotation(rotations)
    turned[:, skeleton.index(names[0])] = quaternion.multiply(
        quaternion.multiply(ours_from_world, root), quaternion.conjugate(_OURS_FROM_MODEL)
    )
    path = quaternion.rotate(ours_from_world, place)
    motion = Motion(skeleton, path, quaternion.continuous(turned), poses.fps)
    return _levelled(motion) if poses.world == "camera" else motion


def _ours_from(world: World) -> Array:
    if world == "z up":
        return quaternion.IDENTITY
    if world == "y up":
        return _OURS_FROM_MODEL
    return quaternion.multiply(_OURS_FROM_MODEL, _Y_UP_FROM_CAMERA)


def _levelled(motion: Motion) -> Motion:
    """Turned so that the person stands upright on average, if the camera did not tilt too much."""
    _, origins = motion.world()
    ankles = [motion.skeleton.index(f"{side}_ankle") for side in ("left", "right")]
    upwards = origins[:, motion.skeleton.index("neck")] - origins[:, ankles].mean(axis=1)
    mean = upwards.sum(axis=0)
    if not np.linalg.norm(mean) or np.arccos(mean[2] / np.linalg.norm(mean)) > _TILT:
        return motion
    turn = quaternion.shortest_arc(mean, _UP)
    rotations = np.array(motion.rotations)
    rotations[:, 0] = quaternion.multiply(turn, rotations[:, 0])
    path = quaternion.rotate(turn, motion.root_position)
    return Motion(motion.skeleton, path, quaternion.continuous(rotations), motion.fps)


def _lower_foot(motion: Motion) -> tuple[Array, float]:
    """(T,) height of the lower foot joint, and its height at rest, metres."""
    _, origins = motion.world()
    feet = [motion.skeleton.index(f"{side}_foot") for side in ("left", "right")]
    return origins[:, feet, 2].min(axis=1), float(motion.skeleton.rest_positions[feet, 2].min())


def _height(motion: Motion) -> float | None:
    """Height of the performer whose lower foot stands on the floor at 0; None if it is nobody's."""
    low, rest = _lower_foot(motion)
    hips = motion.root_position[:, 2]
    reach = hips - low + rest  # pelvis above the floor when the lower foot is on it
    standing = reach > 0.5 * motion.skeleton.offsets[0, 2]
    if not standing.any():
        return None
    ratio = float(np.percentile(hips[standing] / reach[standing], _STANDING))
    height = _STANDARD_HEIGHT * ratio
    return height if _PERSON[0] <= height <= _PERSON[1] else None


def _on_floor(motion: Motion) -> Motion:
    """Moved up or down so that the lower foot is at its height of rest when it is lowest."""
    low, rest = _lower_foot(motion)
    path = motion.root_position + (rest - np.percentile(low, _STANDING)) * _UP
    return Motion(motion.skeleton, path, motion.rotations, motion.fps)
