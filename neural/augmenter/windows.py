"""Windows as networks see them: mid-hip relative, divided by height, turned to face one way; and back.

The source paper's windows are of 30 frames at 60 Hz, relative to a reference marker and divided by the
subject's height; OpenCap's networks take the same, with y up and any heading.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from .points import KEYPOINTS

__all__ = ["FPS", "FRAMES", "Window", "facing_window", "in_windows", "plain_window"]

FPS: Final = 60.0
FRAMES: Final = 30
_HIPS: Final = [KEYPOINTS.index("RHip"), KEYPOINTS.index("LHip")]
_LEAST = 1e-6


@dataclass(frozen=True, eq=False)
class Window:
    """Keypoints of windows in a network's terms, and the way back.

    Attributes:
        keypoints: (B, T, K, 3) parts of the height from the mid-hip.
        size: (B, 2) height in metres and mass in kilograms.
        origin: (B, T, 1, 3) mid-hip, metres in the world.
        world_from_window: (B, 1, 3, 3).
    """

    keypoints: Tensor
    size: Tensor
    origin: Tensor
    world_from_window: Tensor

    def towards(self, points: Tensor) -> Tensor:
        """Points (B, T, P, 3) from metres in the world to the window's terms."""
        local = (points - self.origin) / self.size[:, 0, None, None, None]
        return _turned(local, self.world_from_window)

    def back(self, points: Tensor) -> Tensor:
        """Points (B, T, P, 3) from the window's terms to metres in the world."""
        turned = _turned(points, self.world_from_window.transpose(-1, -2))
        return turned * self.size[:, 0, None, None, None] + self.origin


def facing_window(keypoints: Tensor, size: Tensor) -> Window:
    """A window whose x axis is the level direction from the right to the left hip, on the mean; z is up.

    Args:
        keypoints: (B, T, 19, 3) metres, z up.
        size: (B, 2) height in metres and mass in kilograms.
    """
    right, left = (keypoints[:, :, hip, :2] for hip in _HIPS)
    # Who lies on the side has no level hip line; any direction is as good as another.
    x = (left - right).mean(1) + torch.tensor([_LEAST, 0.0]).to(keypoints)
    x = x / x.norm(dim=-1, keepdim=True).clamp_min(_LEAST * 1e-3)
    turn = torch.zeros(len(x), 1, 3, 3).to(x)
    turn[:, 0, :2, 0] = x
    turn[:, 0, 0, 1], turn[:, 0, 1, 1] = -x[:, 1], x[:, 0]
    turn[:, 0, 2, 2] = 1.0
    return _window(keypoints, size, turn)


def plain_window(keypoints: Tensor, size: Tensor) -> Window:
    """A window in the world's own axes."""
    return _window(keypoints, size, torch.eye(3).expand(len(keypoints), 1, 3, 3))


def _window(keypoints: Tensor, size: Tensor, world_from_window: Tensor) -> Window:
    origin = 0.5 * (keypoints[:, :, _HIPS[:1]] + keypoints[:, :, _HIPS[1:]])
    blank = Window(keypoints, size, origin, world_from_window)
    return Window(blank.towards(keypoints), size, origin, world_from_window)


def _turned(points: Tensor, turn: Tensor) -> Tensor:
    """Points (B, T, P, 3) times (B, 1, 3, 3), a window's all at once."""
    return (points.flatten(1, 2) @ turn[:, 0]).unflatten(1, points.shape[1:3])


def in_windows(
    frames: Tensor,
    predict: Callable[[Tensor], Tensor],
    length: int = FRAMES,
    step: int = FRAMES // 2,
) -> Tensor:
    """Predict any number of frames by overlapping windows, the middle of each counting most.

    Args:
        frames: (T, ...) of what is predicted from.
        predict: from windows (B, length, ...) to (B, length, M, 3).
        length: of a window; fewer frames are filled up with the last one.
        step: frames from one window to the next.

    Returns:
        (T, M, 3).
    """
    count = len(frames)
    if count < length:
        frames = torch.cat([frames, frames[-1:].expand(length - count, *frames.shape[1:])])
    last = len(frames) - length
    starts = torch.tensor(sorted({*range(0, last + 1, step), last}))
    places = starts[:, None] + torch.arange(length)
    predicted = predict(frames[places])
    hill = 1.0 - ((torch.arange(length) + 0.5) / length * 2.0 - 1.0).abs()
    total = torch.zeros(len(frames), *predicted.shape[2:])
    weight = torch.zeros(len(frames))
    total.index_add_(0, places.flatten(), (predicted * hill[:, None, None]).flatten(0, 1))
    weight.index_add_(0, places.flatten(), hill.expand(len(starts), -1).flatten())
    return (total / weight[:, None, None])[:count]
