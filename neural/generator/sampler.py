"""Windows drawn at random for training: mirrored, with sensors that are worn a little wrong."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ...rig import so3
from ...rig.errors import ModelError
from .windows import Clip, lower_body, sensed

__all__ = ["Sampler", "Windows", "Worn"]

_SIDES = [0, 2, 1, 3]  # sensors of the mirrored body
_LEG_SIDES = [1, 0, 3, 2, 5, 4, 7, 6]
_FLIPPED_TURN = torch.tensor([1.0, 1.0, -1.0, -1.0])
_FLIPPED_X = torch.tensor([-1.0, 1.0, 1.0])


@dataclass(frozen=True)
class Windows:
    """(B, T) frames."""

    sensed: Tensor  # (B, T, 51) the upper body
    pelvis: Tensor  # (B, T, 3, 3) world_from_pelvis as sensed
    lower: Tensor  # (B, T, 54) the lower body relative to the sensed pelvis


@dataclass(frozen=True)
class Worn:
    """What a window's sensors get wrong; zeros for perfect sensors."""

    mirror: float = 0.5  # probability
    mounting_error: float = 0.07  # radians per axis, standard deviation, constant in a window
    acceleration_noise: float = 0.25  # m/s^2, white
    acceleration_bias: float = 0.1  # m/s^2, constant in a window
    silent: float = 0.1  # probability that no sensor tells accelerations


class Sampler:
    """Draws batches of windows; batch number n is the same for the same seed, whoever asks."""

    def __init__(
        self,
        clips: Sequence[Clip],
        weights: Sequence[float],
        *,
        frames: int,
        batch: int,
        seed: int,
        over: int = 0,
        worn: Worn | None = None,
    ) -> None:
        """Take the clips to draw from.

        Args:
            clips: at least one.
            weights: how often a frame of each is drawn.
            frames: of a window.
            batch: windows.
            seed: of everything random.
            over: frames of a window that may lie before a clip's start or after its end.
            worn: what sensors get wrong.
        """
        if not clips:
            raise ModelError("no clip to train on; build the motion library first")
        self.clips, self.frames, self.batch, self.seed = clips, frames, batch, seed
        self.over = over
        self.worn = worn or Worn()
        share = np.array([len(clip) * w for clip, w in zip(clips, weights, strict=True)])
        self._share = share / share.sum()

    def __call__(self, number: int) -> Windows:
        """Batch `number`."""
        random = np.random.default_rng([self.seed, number])
        chosen = random.choice(len(self.clips), self.batch, p=self._share)
        cuts = [self._cut(self.clips[index], random) for index in chosen]
        names = Clip.__dataclass_fields__
        clip = Clip(*(torch.stack([getattr(cut, name) for cut in cuts]) for name in names))
        return _windows(clip, self.worn, random)

    def _cut(self, clip: Clip, random: np.random.Generator) -> Clip:
        """One window, anywhere in the clip."""
        low, high = sorted((-self.over, len(clip) - self.frames + self.over))
        start = int(random.integers(low, high + 1))
        cut = clip.held(start, start + self.frames)
        return _mirrored(cut) if random.random() < self.worn.mirror else cut


def _mirrored(clip: Clip) -> Clip:
    """The same motion in a mirror across the plane x = 0."""
    return Clip(
        clip.bones[:, _SIDES] * _FLIPPED_TURN,
        clip.acceleration[:, _SIDES] * _FLIPPED_X,
        clip.legs[:, _LEG_SIDES] * _FLIPPED_TURN,
        clip.velocity * _FLIPPED_X,
        clip.height,
        clip.contacts.flip(-1),
    )


def _windows(clip: Clip, worn: Worn, random: np.random.Generator) -> Windows:
    """Clips stacked to (B, T, …), with the sensors' errors."""
    batch, frames = clip.bones.shape[:2]

    def normal(scale: float, *shape: int) -> Tensor:
        return torch.from_numpy(random.normal(0, scale, shape)).float()

    mounting = so3.exp(normal(worn.mounting_error, batch, 1, 4, 3))
    bones = so3.from_quaternion(clip.bones) @ mounting
    noise = normal(worn.acceleration_noise, batch, frames, 4, 3)
    bias = normal(worn.acceleration_bias, batch, 1, 4, 3)
    silent = torch.from_numpy(random.random((batch, 1, 1, 1)) < worn.silent)
    acceleration = (clip.acceleration + noise + bias) * ~silent
    legs = so3.from_quaternion(clip.legs)
    pelvis = bones[:, :, 0]
    lower = lower_body(pelvis, legs, clip.velocity, clip.height, clip.contacts)
    return Windows(sensed(bones, acceleration), pelvis, lower)
