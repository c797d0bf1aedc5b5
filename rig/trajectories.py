"""Markers over time, as a motion-capture system measured them."""

from dataclasses import dataclass, replace

import numpy as np

from .arrays import Array, checked, frozen
from .errors import ShapeError

__all__ = ["MarkerTrajectories"]


@dataclass(frozen=True, eq=False)
class MarkerTrajectories:
    """M named points over T frames.

    Attributes:
        names: M unique labels.
        positions: (T, M, 3) metres in our z-up world; NaN where a marker was not seen.
        fps: frames per second.
        start: seconds, time of the first frame.
    """

    names: tuple[str, ...]
    positions: Array
    fps: float
    start: float = 0.0

    def __post_init__(self) -> None:
        names = tuple(self.names)
        for name in names:
            if not name or names.count(name) > 1:
                raise ShapeError(
                    f"a marker is called {name!r}, {names.count(name)} times; "
                    "expected every marker to have its own name"
                )
        if not (np.isfinite(self.fps) and self.fps > 0.0):
            raise ShapeError(f"the markers' rate is {self.fps} frames per second, expected above 0")
        positions = checked("marker positions", self.positions, (None, len(names), 3))
        # One missing coordinate makes the whole point useless.
        positions = np.where(np.isfinite(positions).all(axis=-1, keepdims=True), positions, np.nan)
        object.__setattr__(self, "names", names)
        object.__setattr__(self, "positions", frozen(positions))

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def times(self) -> Array:
        """(T,) seconds."""
        return self.start + np.arange(len(self)) / self.fps

    @property
    def seen(self) -> Array:
        """(M,) fraction of the frames in which each marker was seen."""
        found = np.isfinite(self.positions[..., 0])
        return np.asarray(found.mean(axis=0) if len(self) else np.zeros(len(self.names)))

    def chosen(self, names: tuple[str, ...] | list[str]) -> "MarkerTrajectories":
        """Only these markers, in this order.

        Raises:
            ShapeError: one of them is not there; the message lists those that are.
        """
        for name in names:
            if name not in self.names:
                raise ShapeError(f"no marker {name!r}; there are: {', '.join(self.names)}")
        columns = [self.names.index(name) for name in names]
        return replace(self, names=tuple(names), positions=self.positions[:, columns])

    def clipped(self, first: int, stop: int) -> "MarkerTrajectories":
        """Frames first to stop, stop left out, with their times."""
        first, stop, _ = slice(first, stop).indices(len(self))
        return replace(
            self, positions=self.positions[first:stop], start=self.start + first / self.fps
        )
