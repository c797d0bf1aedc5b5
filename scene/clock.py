"""When samples happened and on which frames of the scene their keys lie; kept with the keys."""

from dataclasses import dataclass
from typing import Final, Self

import bpy
import numpy as np
import numpy.typing as npt

from ..rig.arrays import Array
from ..rig.errors import SceneError

__all__ = ["Clock", "scene_fps"]

_PROPERTY: Final[str] = "pallas_clock"  # custom property of what is keyed


@dataclass(frozen=True)
class Clock:
    """Regular samples on the frames of a scene.

    Attributes:
        fps: samples per second.
        start: seconds, time of the first sample.
        first: scene frame of the first sample.
        step: scene frames from one sample to the next; need not be whole.
    """

    fps: float
    start: float
    first: float
    step: float

    @classmethod
    def in_scene(cls, scene: bpy.types.Scene, fps: float, start: float) -> Self:
        """From the scene's first frame on, at the scene's own rate."""
        return cls(fps, start, float(scene.frame_start), scene_fps(scene) / fps)

    @classmethod
    def of(cls, item: bpy.types.ID) -> Self:
        """What was kept with an object or an Action.

        Raises:
            SceneError: nothing was.
        """
        kept = item.get(_PROPERTY)
        if kept is None or len(kept) != 4:
            raise SceneError(
                f"{item.name!r} doesn't say how fast its samples follow each other; import them again"
            )
        return cls(*kept)

    def keep(self, item: bpy.types.ID) -> None:
        """Keep it with an object or an Action."""
        item[_PROPERTY] = [self.fps, self.start, self.first, self.step]

    def frames(self, count: int) -> Array:
        """(count,) scene frames of the samples."""
        return self.first + self.step * np.arange(count)

    def samples(self, frames: Array) -> npt.NDArray[np.int64]:
        """(K,) numbers of the samples whose keys lie on these frames; negative before the first."""
        return np.rint((frames - self.first) / self.step).astype(np.int64)


def scene_fps(scene: bpy.types.Scene) -> float:
    """Frames per second of a scene."""
    return float(scene.render.fps / scene.render.fps_base)
