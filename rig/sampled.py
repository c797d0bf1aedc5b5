"""What was sampled at an even rate: how long it lasts, and when each frame is."""

import numpy as np

from .arrays import Array

__all__ = ["Sampled"]


class Sampled:
    """`len` frames, `fps` of them a second, the first at zero."""

    fps: float

    def __len__(self) -> int:
        raise NotImplementedError

    @property
    def duration(self) -> float:
        """Seconds from the first frame to the last."""
        return max(len(self) - 1, 0) / self.fps

    @property
    def times(self) -> Array:
        """(T,) seconds, the first frame at zero."""
        return np.arange(len(self)) / self.fps
