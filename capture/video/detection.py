"""From a video to keypoints over time: every frame detected, on an even clock, people told apart."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from ...rig.arrays import Array
from ...rig.errors import RecordingError
from ..keypoints.keypoints import Keypoints
from ..keypoints.tracks import tracked
from .detector import Detector, Found
from .even_times import even_rate, on_even_times
from .frames import Damage, facts, read_frames

__all__ = ["Detection", "detect_video"]

_MOST_PEOPLE: Final = 64


@dataclass(frozen=True)
class Detection:
    """What was found in a video.

    Attributes:
        keypoints: of the people, told apart; with frame rate, picture size and the file's name.
        frames: that were read.
        with_somebody: of them.
        seconds: that it took.
        warnings: what a user should know, a line each.
    """

    keypoints: Keypoints
    frames: int
    with_somebody: int
    seconds: float
    warnings: tuple[str, ...]

    @property
    def real_time(self) -> float:
        """Seconds of video for each second that it took."""
        length = len(self.keypoints) / (self.keypoints.fps or 1.0)
        return length / max(self.seconds, 1e-9)


def _untold(done: int, total: int | None) -> None:
    del done, total


def detect_video(
    path: Path,
    detector: Detector,
    people: int = 1,
    progress: Callable[[int, int | None], None] = _untold,
) -> Detection:
    """Find people's keypoints in every frame of a video.

    Args:
        path: of the video.
        detector: a new one; it is closed in the end.
        people: the most that are kept: those seen most.
        progress: told (frames done, frames in all or None).

    Raises:
        FileError, FormatError: the video can't be read.
        RecordingError: nobody is in any frame.
    """
    started = time.perf_counter()
    header, damage = facts(path), Damage()
    times: list[float] = []
    found: list[Found] = []
    try:
        for frame in read_frames(path, damage):
            found.append(_finite(detector.detect(frame.picture)))
            times.append(frame.time)
            progress(len(times), header.frames)
    finally:
        detector.close()
    somebody = sum(len(one.positions) > 0 for one in found)
    if not somebody:
        raise RecordingError(
            f"{path}: nobody was found in any of {len(found)} frames; is a whole person in the picture?"
        )
    warnings = [line for line in (damage.told(len(found)),) if line]
    if header.frames is not None and len(found) < header.frames and not warnings:
        warnings.append(f"{header.frames} frames are stated and {len(found)} are there")
    keypoints, uneven = _keypoints(path, detector, found, np.array(times), header.fps)
    keypoints = replace(keypoints, image_size=header.size)
    if uneven:
        warnings.append(
            f"its frames are unevenly spaced; keypoints are on an even clock of {keypoints.fps:.6g} "
            "frames per second"
        )
    return Detection(
        tracked(keypoints, people),
        len(found),
        somebody,
        time.perf_counter() - started,
        tuple(f"{path.name}: {line}" for line in warnings),
    )


def _finite(found: Found) -> Found:
    """Without what is no number."""
    there = np.isfinite(found.positions).all(axis=-1) & np.isfinite(found.confidence)
    return Found(
        np.where(there[..., None], found.positions, np.nan),
        np.where(there, found.confidence, 0.0),
    )


def _keypoints(
    path: Path, detector: Detector, found: list[Found], times: Array, stated: float
) -> tuple[Keypoints, bool]:
    """Rows of people for every frame of an even clock, and whether the frames were uneven."""
    widest = min(max(len(one.positions) for one in found), _MOST_PEOPLE)
    count = len(detector.layout)
    positions = np.full((len(found), widest, count, 2), np.nan)
    sure = np.zeros((len(found), widest, count))
    for row, one in enumerate(found):
        order = np.argsort(-one.confidence.sum(axis=-1))[:widest]
        order = np.sort(order)
        positions[row, : len(order)], sure[row, : len(order)] = (
            one.positions[order],
            one.confidence[order],
        )
    fps, even = even_rate(times, stated)
    keypoints = Keypoints(detector.layout, positions, sure, fps, name=path.stem)
    if even:
        return keypoints, False
    if widest > 1:
        keypoints = tracked(keypoints)
    between, lower = on_even_times(times, keypoints.positions, keypoints.confidence, fps)
    return Keypoints(detector.layout, between, lower, fps, name=path.stem), True
