"""A motion: a skeleton's root position and joint rotations over time."""

from dataclasses import dataclass, replace

import numpy as np

from . import quaternion
from .arrays import Array, checked, frozen
from .errors import ShapeError
from .sampled import Sampled
from .skeleton import Skeleton

__all__ = ["Motion"]


@dataclass(frozen=True, eq=False)
class Motion(Sampled):
    """T frames of a skeleton with J joints.

    Attributes:
        skeleton: the joints that move.
        root_position: (T, 3) metres, the root's origin in the world (z up).
        rotations: (T, J, 4) unit quaternions (w, x, y, z), parent_from_joint; the root's is world_from_root.
        fps: frames per second, any positive float.
        confidence: (T, J) between 0 and 1, or None where it is not known.
    """

    skeleton: Skeleton
    root_position: Array
    rotations: Array
    fps: float
    confidence: Array | None = None

    def __post_init__(self) -> None:
        frames, joints = len(self.root_position), len(self.skeleton)
        if not (np.isfinite(self.fps) and self.fps > 0):
            raise ShapeError(f"fps is {self.fps}, expected a positive number of frames per second")
        position = checked("root_position", self.root_position, (frames, 3))
        rotations = checked("rotations", self.rotations, (frames, joints, 4))
        object.__setattr__(self, "root_position", frozen(position))
        object.__setattr__(self, "rotations", frozen(rotations))
        if self.confidence is not None:
            confidence = checked("confidence", self.confidence, (frames, joints))
            object.__setattr__(self, "confidence", frozen(confidence))

    def __len__(self) -> int:
        return len(self.root_position)

    def world(self) -> tuple[Array, Array]:
        """Pose every joint in the world, without torch.

        Returns:
            world_from_joint (T, J, 4), and joint origins in the world (T, J, 3) in metres.
        """
        rotations = np.array(self.rotations)
        origins = np.empty((*rotations.shape[:2], 3))
        origins[:, 0] = self.root_position
        for joint, parent in enumerate(self.skeleton.parents[1:], start=1):
            offset = self.skeleton.offsets[joint]
            origins[:, joint] = origins[:, parent] + quaternion.rotate(rotations[:, parent], offset)
            rotations[:, joint] = quaternion.multiply(rotations[:, parent], rotations[:, joint])
        return rotations, origins

    def resampled(self, fps: float) -> "Motion":
        """The same span of time at another rate: slerp for rotations, linear for positions."""
        if fps == self.fps or len(self) < 2:
            return replace(self, fps=fps)
        count = int(np.floor(self.duration * fps + 1e-9)) + 1
        times = np.arange(count) / fps

        def linear(values: Array) -> Array:
            columns = values.reshape(len(values), -1).T
            return np.stack([np.interp(times, self.times, c) for c in columns], axis=-1)

        return Motion(
            self.skeleton,
            linear(self.root_position),
            quaternion.resample(self.rotations, self.times, times),
            fps,
            None if self.confidence is None else linear(self.confidence),
        )

    def clipped(self, start: int, stop: int) -> "Motion":
        """Frames `start` to `stop`, the last not included."""
        confidence = None if self.confidence is None else self.confidence[start:stop]
        return Motion(
            self.skeleton,
            self.root_position[start:stop],
            self.rotations[start:stop],
            self.fps,
            confidence,
        )

    @classmethod
    def from_world(
        cls, skeleton: Skeleton, root_position: Array, world_from_joint: Array, fps: float
    ) -> "Motion":
        """Build from world rotations (T, J, 4) instead of local ones."""
        local = np.array(world_from_joint)
        parent_from_world = quaternion.conjugate(local[:, list(skeleton.parents[1:])])
        local[:, 1:] = quaternion.multiply(parent_from_world, local[:, 1:])
        return cls(skeleton, root_position, quaternion.continuous(local), fps)
