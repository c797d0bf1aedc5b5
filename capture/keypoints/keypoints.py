"""Keypoints of people over time, as one camera saw them or as a program placed them in space."""

from dataclasses import dataclass, replace

import numpy as np

from ...rig.arrays import Array, Mask, checked, frozen
from ...rig.errors import ShapeError
from .layout import Layout

__all__ = ["Keypoints"]


@dataclass(frozen=True, eq=False)
class Keypoints:
    """K keypoints of up to P people over T frames.

    What a detector puts at exactly (0, 0), or gives no confidence, is missing. Unless somebody told them
    apart (`people.tracked`), a row of people is no person: detectors write them in any order.

    Attributes:
        layout: which keypoint is which.
        positions: (T, P, K, 2) pixels, x right and y down from the upper left corner of the picture; or
            (T, P, K, 3) metres, z up. NaN where missing.
        confidence: (T, P, K) as the detector says, from 0; 0 where missing.
        fps: frames per second; None where the file does not say.
        image_size: width and height in pixels; None where the file does not say.
        name: of the camera or file.
        start: number of the first frame.
    """

    layout: Layout
    positions: Array
    confidence: Array
    fps: float | None = None
    image_size: tuple[int, int] | None = None
    name: str = ""
    start: int = 0

    def __post_init__(self) -> None:
        positions = np.asarray(self.positions, dtype=np.float64)
        if positions.ndim != 4 or positions.shape[2:] not in (
            (len(self.layout), 2),
            (len(self.layout), 3),
        ):
            raise ShapeError(
                f"keypoints have shape {positions.shape}, expected (any, any, {len(self.layout)}, 2 or 3)"
            )
        confidence = checked("confidence", self.confidence, positions.shape[:3])
        if self.fps is not None and not (np.isfinite(self.fps) and self.fps > 0.0):
            raise ShapeError(
                f"the keypoints' rate is {self.fps} frames per second, expected above 0"
            )
        # A sum of sizes is missing where a part is, and zero where all are; einsum is quick at it.
        size = np.einsum("...d->...", np.abs(positions))
        seen = (size > 0.0) & (size < np.inf) & (confidence > 0.0)  # NaN compares false
        object.__setattr__(self, "positions", frozen(np.where(seen[..., None], positions, np.nan)))
        object.__setattr__(self, "confidence", frozen(np.where(seen, confidence, 0.0)))

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def people(self) -> int:
        """P, the most people of any frame."""
        return int(self.positions.shape[1])

    @property
    def spatial(self) -> bool:
        """Whether the points are in space, not in a picture."""
        return self.positions.shape[-1] == 3

    @property
    def seen(self) -> Mask:
        """(T, P, K) where a keypoint is there."""
        return np.asarray(self.confidence > 0.0)

    def person(self, index: int) -> "Keypoints":
        """Only that row of people."""
        keep = slice(index, index + 1)
        return replace(self, positions=self.positions[:, keep], confidence=self.confidence[:, keep])

    def above(self, confidence: float) -> "Keypoints":
        """Without the keypoints of less confidence."""
        return replace(
            self, confidence=np.where(self.confidence >= confidence, self.confidence, 0.0)
        )

    def between(self, first: int, stop: int) -> "Keypoints":
        """The frames with numbers first to stop, stop left out; empty ones where there are none."""
        if (first, stop) == (self.start, self.start + len(self)):
            return self
        shape = (max(stop - first, 0), *self.positions.shape[1:])
        positions, confidence = np.full(shape, np.nan), np.zeros(shape[:3])
        begin, end = max(first, self.start), min(stop, self.start + len(self))
        if begin < end:
            there, here = (
                slice(begin - first, end - first),
                slice(begin - self.start, end - self.start),
            )
            positions[there], confidence[there] = self.positions[here], self.confidence[here]
        return replace(self, positions=positions, confidence=confidence, start=first)

    def joined(self, table: str = "opencap") -> tuple[tuple[str, ...], Array, Array]:
        """Points made of the keypoints, as OpenCap's 20 ("opencap") or our joints ("joints").

        Returns:
            N names, positions (T, P, N, D), and confidence (T, P, N), the least of those that make a point.
        """
        made = self.layout.opencap if table == "opencap" else self.layout.joints
        columns = [list(which) for which in made.values()]
        shape = self.positions.shape
        positions = np.empty((*shape[:2], len(columns), shape[3]))
        confidence = np.empty((*shape[:2], len(columns)))
        for k, which in enumerate(columns):
            positions[:, :, k] = self.positions[:, :, which].mean(axis=2)
            confidence[:, :, k] = self.confidence[:, :, which].min(axis=2)
        return tuple(made), positions, confidence
