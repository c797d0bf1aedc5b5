"""What varies from window to window: sizes of bodies, places of markers, errors of keypoints."""

from dataclasses import dataclass

import torch
from torch import Tensor

from .points import KEYPOINTS, MARKERS, mirrored

__all__ = ["Variation", "keypoint_errors", "mirror", "scales_of"]


@dataclass(frozen=True)
class Variation:
    """How much varies; lengths in metres.

    Attributes:
        size: standard deviation of a bone's scale along each axis, left and right alike.
        whole: the whole body's scale is between 1 - whole and 1 + whole.
        placement: standard deviation of each marker along each axis, constant over a window.
        bias: standard deviation of each keypoint along each axis, constant over a window; half of its
            variance is the same on both sides.
        wander: standard deviation of what wanders over time (first-order autoregression).
        memory: correlation of the wandering from one frame to the next, at 60 per second.
        jitter: standard deviation of what is new in every frame.
        errors: each window has between none and this many times the bias, wander and jitter.
        video: how far keypoints are, at most, from the joint centres towards where detectors put them.
        mirror: part of the windows whose left and right are exchanged.
    """

    size: float = 0.03
    whole: float = 0.1
    placement: float = 0.004
    bias: float = 0.010
    wander: float = 0.008
    memory: float = 0.9
    jitter: float = 0.003
    errors: float = 1.5
    video: float = 1.0
    mirror: float = 0.5


def scales_of(
    count: int, pairs: list[int], variation: Variation, random: torch.Generator
) -> Tensor:
    """Scales of every joint's bone (count, 24, 3); `pairs` are the joints of the other side."""
    free = 1.0 + variation.size * torch.randn(count, len(pairs), 3, generator=random)
    free = 0.5 * (free + free[:, pairs])
    whole = 1.0 + variation.whole * (2.0 * torch.rand(count, 1, 1, generator=random) - 1.0)
    return free.clamp(0.8, 1.2) * whole


def keypoint_errors(
    count: int, frames: int, variation: Variation, random: torch.Generator
) -> Tensor:
    """Errors of the keypoints (count, frames, K, 3) in metres: a bias, an AR(1) process and white noise."""
    v, k = variation, len(KEYPOINTS)

    def drawn(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=random)

    swap = [KEYPOINTS.index(mirrored(name)) for name in KEYPOINTS]
    alike = drawn(count, 1, k, 3)
    lower = torch.tensor(swap) < torch.arange(k)
    across = alike[:, :, swap] * torch.tensor([-1.0, 1.0, 1.0])
    alike = torch.where(lower[:, None], across, alike)
    bias = v.bias * 0.5**0.5 * (alike + drawn(count, 1, k, 3))
    new = drawn(count, frames, k, 3)
    wandering = [new[:, 0]]
    for frame in range(1, frames):
        step = (1.0 - v.memory**2) ** 0.5 * new[:, frame]
        wandering.append(v.memory * wandering[-1] + step)
    white = drawn(count, frames, k, 3)
    errors = bias + v.wander * torch.stack(wandering, 1) + v.jitter * white
    return v.errors * torch.rand(count, 1, 1, 1, generator=random) * errors


def mirror(keypoints: Tensor, markers: Tensor) -> tuple[Tensor, Tensor]:
    """Left and right exchanged: points (..., K, 3) and (..., 43, 3) with x to the left side."""
    flip = torch.tensor([-1.0, 1.0, 1.0])
    swap = [KEYPOINTS.index(mirrored(name)) for name in KEYPOINTS]
    others = [MARKERS.index(mirrored(name)) for name in MARKERS]
    return keypoints[..., swap, :] * flip, markers[..., others, :] * flip
