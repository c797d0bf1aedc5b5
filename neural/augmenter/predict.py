"""A recording's keypoints to markers: numpy in, numpy out, any length and frame rate."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from ...rig.arrays import Array, Mask
from ...rig.errors import ModelError, RecordingError, ShapeError
from ...rig.trajectories import MarkerTrajectories
from ..threads import one_thread
from .completed import PLACED, completed
from .networks import Augmenter
from .points import BODY, KEYPOINTS, MARKERS
from .windows import FPS, FRAMES, facing_window, in_windows

__all__ = ["STEP", "Augmented", "attention", "augment", "predict", "predict_batch", "resampled"]

STEP: Final = 24  # frames from one window to the next
_HEIGHTS, _MASSES = (0.5, 2.5), (5.0, 300.0)  # metres and kilograms of people
_AT_ONCE: Final = 24  # windows; more don't fit into a processor's near memory
_GAP: Final = 0.5  # seconds; through longer gaps of a keypoint markers are guesses
_HIPS: Final = [KEYPOINTS.index("RHip"), KEYPOINTS.index("LHip")]


@dataclass(frozen=True, eq=False)
class Augmented:
    """What came out.

    Attributes:
        markers: the 43 anatomical markers at the recording's own rate; NaN in long gaps.
        filled: keypoints times frames that were missing and closed.
        gaps: frames without markers, since a keypoint was missing for too long.
        placed: keypoints that were not given and follow from others (`completed.completed`).
    """

    markers: MarkerTrajectories
    filled: int
    gaps: int
    placed: tuple[str, ...] = ()


def augment(
    keypoints: MarkerTrajectories, height: float, mass: float, network: Augmenter
) -> Augmented:
    """Anatomical markers of a person.

    Args:
        keypoints: the 19 of OpenCap's names (`points.KEYPOINTS`) among others, z up; any frame rate. A
            neck and small toes are placed where a detector has none.
        height: of the person, metres.
        mass: kilograms.
        network: as `load_augmenter` gives it.

    Raises:
        ShapeError: height or mass are no person's.
        RecordingError: there is no frame, or a keypoint is missing, or never seen.
    """
    seen = _checked(keypoints, height, mass)
    whole, long = _closed(seen, keypoints.fps)
    middle = whole[:, _HIPS].mean(1, keepdims=True)
    steady = _at_rate(whole, keypoints.fps)
    with one_thread():
        found = predict(steady, height, mass, network)
    away = found - steady[:, _HIPS].mean(1, keepdims=True)
    markers = resampled(away, FPS, keypoints.times - keypoints.start) + middle
    markers[long] = np.nan
    return Augmented(
        MarkerTrajectories(MARKERS, markers, keypoints.fps, keypoints.start),
        int(np.isnan(seen[..., 0]).sum()),
        int(long.sum()),
        tuple(name for name in PLACED if name not in keypoints.names),
    )


def attention(
    keypoints: MarkerTrajectories, height: float, mass: float, network: Augmenter
) -> tuple[tuple[str, ...], Array]:
    """How much each of the body's keypoints counts in every frame of the recording's first window.

    Returns:
        The names of the 15 keypoints, and weights (frames, 15) whose rows sum to 1.

    Raises:
        ModelError: the network has no attention over keypoints.
    """
    whole, _ = _closed(_checked(keypoints, height, mass), keypoints.fps)
    steady = torch.as_tensor(_at_rate(whole, keypoints.fps)[:FRAMES]).float()[None]
    size = torch.tensor([[height, mass]], dtype=torch.float32)
    with one_thread(), torch.no_grad():
        found = network.attention_of(facing_window(steady, size).keypoints, size)
    if found is None:
        raise ModelError(
            "this network weighs no keypoints; train one with attention: pallas train --suite augmenter"
        )
    return BODY.inputs, np.asarray(found[0].numpy(), dtype=np.float64)


def _checked(keypoints: MarkerTrajectories, height: float, mass: float) -> Array:
    """The keypoints' positions (T, 19, 3), if they can be used."""
    for what, value, (low, high), unit in (
        ("height", height, _HEIGHTS, "metres"),
        ("mass", mass, _MASSES, "kilograms"),
    ):
        if not low <= value <= high:
            raise ShapeError(f"{what} is {value:g}; expected {low:g} to {high:g} {unit}")
    keypoints = completed(keypoints)
    missing = [name for name in KEYPOINTS if name not in keypoints.names]
    if len(missing) == len(KEYPOINTS):
        found = ", ".join(keypoints.names[:5]) or "nothing"
        raise RecordingError(
            f"none of the keypoints is there, but {found}; expected {', '.join(KEYPOINTS)}"
        )
    if missing:
        raise RecordingError(
            f"the keypoints {', '.join(missing)} are missing; expected {', '.join(KEYPOINTS)}"
        )
    if not len(keypoints):
        raise RecordingError("the recording has no frames; expected at least one")
    seen = np.array(keypoints.chosen(KEYPOINTS).positions)
    unseen = [
        n for n, k in zip(KEYPOINTS, seen.transpose(1, 0, 2), strict=True) if np.isnan(k).all()
    ]
    if len(unseen) == len(KEYPOINTS):
        raise RecordingError("no keypoint is ever seen; expected numbers, found gaps throughout")
    if unseen:
        raise RecordingError(f"the keypoints {', '.join(unseen)} are never seen; all are needed")
    return seen


def predict(keypoints: Array, height: float, mass: float, network: Augmenter) -> Array:
    """Markers (T, 43, 3) from keypoints (T, 19, 3) at 60 Hz, both in metres in the world."""
    size = torch.tensor([[height, mass]], dtype=torch.float32)
    # Relative to the first frame's hips, so that single precision is enough far from the origin.
    start = keypoints[0, _HIPS].mean(0)
    frames = torch.as_tensor(keypoints - start).float()

    def windows(parts: Tensor) -> Tensor:
        some = parts.split(_AT_ONCE)
        return torch.cat([predict_batch(p, size.expand(len(p), -1), network) for p in some])

    return np.asarray(in_windows(frames, windows, FRAMES, STEP).numpy(), dtype=np.float64) + start


@torch.no_grad()
def predict_batch(keypoints: Tensor, size: Tensor, network: Augmenter) -> Tensor:
    """Markers (B, T, 43, 3) of single windows from keypoints (B, T, 19, 3), metres in the world."""
    window = facing_window(keypoints, size)
    return window.back(network(window.keypoints, size))


def _closed(seen: Array, fps: float) -> tuple[Array, Mask]:
    """Gaps closed by straight lines, ends held; and (T,) True where one was too long."""
    frames = np.arange(len(seen))
    whole, long = seen.copy(), np.zeros(len(seen), dtype=bool)
    for point in range(seen.shape[1]):
        there = np.flatnonzero(np.isfinite(seen[:, point, 0]))
        if len(there) == len(seen):
            continue
        for axis in range(3):
            whole[:, point, axis] = np.interp(frames, there, seen[there, point, axis])
        edges = np.concatenate([[-1], there, [len(seen)]])
        for first, stop in zip(edges[:-1] + 1, edges[1:], strict=True):
            if stop - first > _GAP * fps:
                long[first:stop] = True
    return whole, long


def _at_rate(values: Array, fps: float) -> Array:
    """(T, ...) at `fps` to the network's rate over the same span of time."""
    count = int(np.floor((len(values) - 1) / fps * FPS + 1e-6)) + 1
    return resampled(values, fps, np.arange(count) / FPS)


def resampled(values: Array, fps: float, times: Array) -> Array:
    """Values (T, ...) of frames at `fps` at other times (N,) in seconds: straight lines, held ends."""
    place = np.clip(np.asarray(times) * fps, 0.0, len(values) - 1)
    before = np.minimum(place.astype(np.int64), max(len(values) - 2, 0))
    after = np.minimum(before + 1, len(values) - 1)
    share = (place - before)[(slice(None), *(None,) * (values.ndim - 1))]
    return np.asarray(values[before] + share * (values[after] - values[before]))
