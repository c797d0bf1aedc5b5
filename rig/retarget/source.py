"""What is to be retargeted: bones at rest, and where they are over time."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from .. import quaternion
from ..arrays import Array, checked, frozen
from ..errors import ShapeError
from ..motion import Motion
from ..sampled import Sampled
from .bones import Bones

__all__ = ["SourceMotion"]


@dataclass(frozen=True, eq=False)
class SourceMotion(Sampled):
    """T frames of a figure with B bones, wherever they come from.

    Attributes:
        bones: the bones at rest.
        rotations: (T, B, 4) unit quaternions (w, x, y, z), world_from_bone; NaN where missing.
        heads: (T, B, 3) metres, where the bones start in the world; NaN where missing.
        fps: frames per second, any positive float.
        name: of the motion; empty if it has none.
    """

    bones: Bones
    rotations: Array
    heads: Array
    fps: float
    name: str = ""

    def __post_init__(self) -> None:
        if not (np.isfinite(self.fps) and self.fps > 0):
            raise ShapeError(f"fps is {self.fps}, expected a positive number of frames per second")
        frames, count = len(self.rotations), len(self.bones)
        rotations = checked("rotations", self.rotations, (frames, count, 4))
        heads = checked("heads", self.heads, (frames, count, 3))
        object.__setattr__(self, "rotations", frozen(rotations))
        object.__setattr__(self, "heads", frozen(heads))

    def __len__(self) -> int:
        return len(self.rotations)

    @classmethod
    def of_motion(cls, motion: Motion, name: str = "") -> Self:
        """A skeleton's motion, its joints as bones."""
        rotations, heads = motion.world()
        return cls(Bones.of_skeleton(motion.skeleton), rotations, heads, motion.fps, name)

    def clipped(self, start: int, stop: int, step: int = 1) -> Self:
        """Every `step`-th frame from `start` to `stop`, the last not included."""
        if step < 1:
            raise ShapeError(f"the step is {step} frames, expected at least 1")
        kept = slice(start, stop, step)
        return replace(
            self, rotations=self.rotations[kept], heads=self.heads[kept], fps=self.fps / step
        )

    def resampled(self, fps: float) -> Self:
        """The same span of time at another rate: slerp for rotations, linear for heads."""
        if fps == self.fps or len(self) < 2:
            return replace(self, fps=fps)
        count = int(np.floor(self.duration * fps + 1e-9)) + 1
        times = np.arange(count) / fps
        columns = self.heads.reshape(len(self), -1).T
        heads = np.stack([np.interp(times, self.times, column) for column in columns], axis=-1)
        return replace(
            self,
            rotations=quaternion.resample(self.rotations, self.times, times),
            heads=heads.reshape(count, -1, 3),
            fps=fps,
        )
