"""Windows to learn from: bodies moved by clips of the motion library, seen with errors."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor

from ...rig.motion import Motion
from ...rig.skeleton import BODY_JOINTS
from ...rig.so3 import from_quaternion
from ..library import Library, load_library
from .moving import Crowd, moved
from .points import MARKERS
from .variation import Variation, keypoint_errors, mirror, scales_of
from .windows import FPS, FRAMES, Window, facing_window

__all__ = ["Batch", "Moves", "Sampler", "load_moves"]

_SET = "ui_prmd"
_EXERCISES = 2.0  # how often a frame of that exercise set is drawn against one of everyday motion
_GOING = 2.0  # seconds per metre; most frames stand, and walking and running must be learnt too
_PAIRS: Final = [
    BODY_JOINTS.index(
        name.replace("left", "RIGHT").replace("right", "left").replace("RIGHT", "right")
    )
    for name in BODY_JOINTS
]


@dataclass(frozen=True, eq=False)
class Moves:
    """World rotations of the 24 joints at 60 Hz, clip after clip.

    Attributes:
        rotations: (N, 24, 4) quaternions.
        starts: (W,) first frames of all windows.
        weights: (W,) how often each is drawn; they sum to 1.
    """

    rotations: Tensor
    starts: Tensor
    weights: Tensor


def load_moves(
    library: Path, split: str, progress: Callable[[int, int, str], None], frames: int = FRAMES
) -> Moves:
    """The clips of a split; of the exercise set, whose repetitions are alike, every fourth.

    Windows start every eighth frame.
    """
    every = load_library(library, split)
    kept = [e for n, e in enumerate(every.entries) if n % 4 == 0 or not e.name.startswith(_SET)]
    clips = Library(every.folder, tuple(kept))
    rotations, starts, weights, count = [], [], [], 0
    for number, clip in enumerate(clips):
        motion = _resampled(clip.motion)
        if len(motion) >= frames:
            share = clip.weight * (_EXERCISES if clip.name.startswith(_SET) else 1.0)
            steps = np.diff(motion.root_position[:, :2], axis=0)
            speed = float(np.linalg.norm(steps, axis=1).mean() * FPS)
            own = np.arange(0, len(motion) - frames + 1, 8)
            rotations.append(motion.world()[0].astype(np.float32))
            starts.append(own + count)
            weights.append(np.full(len(own), share * (1.0 + _GOING * min(speed, 2.0))))
            count += len(motion)
        progress(number + 1, len(clips), f"reading {clip.name}")
    together = np.concatenate(weights)
    return Moves(
        torch.from_numpy(np.concatenate(rotations)),
        torch.from_numpy(np.concatenate(starts)),
        torch.from_numpy(together / together.sum()),
    )


def _resampled(motion: Motion) -> Motion:
    """At 60 Hz; rotations are mixed linearly, since neighbours are a hundredth of a second apart."""
    if motion.fps == FPS or len(motion) < 2:
        return motion
    times = np.arange(int(motion.duration * FPS + 1e-9) + 1) * motion.fps / FPS
    before = np.minimum(times.astype(np.int64), len(motion) - 2)
    share = times - before
    first, second = motion.rotations[before], motion.rotations[before + 1]
    sign = np.where((first * second).sum(-1, keepdims=True) < 0.0, -1.0, 1.0)
    mixed = first + share[:, None, None] * (sign * second - first)
    mixed /= np.linalg.norm(mixed, axis=-1, keepdims=True)
    root = motion.root_position
    position = root[before] + share[:, None] * (root[before + 1] - root[before])
    return Motion(motion.skeleton, position, mixed, FPS)


@dataclass(frozen=True, eq=False)
class Batch:
    """Windows with their answers.

    Attributes:
        window: keypoints as the network sees them.
        markers: (B, T, 43, 3) in the window's terms.
    """

    window: Window
    markers: Tensor


class Sampler:
    """Draws batches; the same number gives the same batch.

    Args:
        moves: clips.
        bodies: that are moved.
        variation: of bodies and measurements.
        batch: windows in a batch.
        seed: of everything random.
        frames: in a window.
    """

    def __init__(
        self,
        moves: Moves,
        bodies: Crowd,
        variation: Variation,
        batch: int,
        seed: int,
        frames: int = FRAMES,
    ) -> None:
        self.moves, self.bodies, self.variation = moves, bodies, variation
        self.batch, self.seed, self.frames = batch, seed, frames

    def __call__(self, number: int) -> Batch:
        """Draw batch `number`."""
        random = torch.Generator().manual_seed(self.seed * 1_000_003 + number)
        keypoints, markers, size = self.drawn(random)
        window = facing_window(keypoints, size)
        batch = Batch(window, window.towards(markers))
        return self._mirrored(batch, random)

    def drawn(self, random: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Keypoints (B, T, 19, 3), markers (B, T, 43, 3) in metres in the world, sizes (B, 2)."""
        count, v = self.batch, self.variation
        chosen = torch.multinomial(self.moves.weights, count, replacement=True, generator=random)
        places = self.moves.starts[chosen][:, None] + torch.arange(self.frames)
        turns = from_quaternion(self.moves.rotations[places])
        own = torch.randint(len(self.bodies), (count,), generator=random)
        bodies = self.bodies.chosen(own)
        scales = scales_of(count, _PAIRS, v, random)
        points = bodies.points.clone()
        points[:, : len(MARKERS)] += (
            v.placement * torch.randn(count, len(MARKERS), 3, generator=random) * _loose()
        )
        share = v.video * torch.rand(count, 1, 1, generator=random)
        points[:, len(MARKERS) :] += share * bodies.video
        world = moved(bodies, points, turns, scales)
        keypoints, markers = world[:, :, len(MARKERS) :], world[:, :, : len(MARKERS)]
        errors = keypoint_errors(count, self.frames, v, random)
        return keypoints + errors, markers, _sizes(bodies, scales)

    def _mirrored(self, batch: Batch, random: torch.Generator) -> Batch:
        swap = torch.rand(self.batch, 1, 1, 1, generator=random) < self.variation.mirror
        window = batch.window
        keypoints, markers = mirror(window.keypoints, batch.markers)
        seen = torch.where(swap, keypoints, window.keypoints)
        whole = Window(seen, window.size, window.origin, window.world_from_window)
        return Batch(whole, torch.where(swap, markers, batch.markers))


def _loose() -> Tensor:
    """(43, 1) one for markers on the skin, zero for hip joint centres, which nobody sticks on."""
    return torch.tensor([[0.0 if "HJC" in name else 1.0] for name in MARKERS])


def _sizes(bodies: Crowd, scales: Tensor) -> Tensor:
    """Height and mass after scaling: legs count half of the height, the trunk's bones the other."""
    legs = [BODY_JOINTS.index(name) for name in ("left_hip", "left_knee")]
    trunk = [BODY_JOINTS.index(name) for name in ("pelvis", "spine1", "spine2", "spine3", "neck")]
    tall = 0.5 * (scales[:, legs, 2].mean(1) + scales[:, trunk, 2].mean(1))
    wide = scales[:, [*legs, *trunk]].prod(-1).mean(1)
    return bodies.size * torch.stack([tall, wide], dim=-1)
