"""The lifter's network: what is seen of the keypoints in, points in space out, over a second in both ways."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from .points import INPUTS, POINTS

__all__ = ["FEATURES", "Lifted", "Lifter", "LifterConfig"]

FEATURES = 3 * len(INPUTS) + 5  # x, y, seen of each keypoint; size; up, and whether it is known


@dataclass(frozen=True)
class LifterConfig:
    """Everything needed to rebuild the network.

    Attributes:
        width: channels.
        dilations: of the blocks; each sees that many frames before and after.
        inner: channels of a block's second layer, as a multiple of the width.
    """

    width: int = 256
    dilations: tuple[int, ...] = (1, 2, 4, 8, 1)
    inner: float = 1.0

    def __post_init__(self) -> None:
        if self.width < 1 or not self.dilations or min(self.dilations) < 1:
            raise ValueError(f"width {self.width} and dilations {self.dilations} make no network")


class Lifted(NamedTuple):
    """What the network says of (B, T) frames, in the turned view, for a body of `points.HEIGHT`."""

    points: Tensor  # (B, T, P, 3) metres, relative to the pelvis
    spread: Tensor  # (B, T, P) logarithm of the error that is to be expected, metres
    contacts: Tensor  # (B, T, 2) logits that the left and the right foot stand
    up: Tensor  # (B, T, 3) direction of up, of any length


class _Block(nn.Module):
    """Three frames, `dilation` apart, mixed; added to what came in."""

    def __init__(self, width: int, dilation: int, inner: int) -> None:
        super().__init__()
        self.dilation = dilation
        self.norm = nn.LayerNorm(width)
        self.mix = nn.Linear(3 * width, inner)
        self.out = nn.Linear(inner, width)
        nn.init.zeros_(self.out.weight)

    def forward(self, hidden: Tensor) -> Tensor:
        value = self.norm(hidden)
        before, after = _shifted(value, self.dilation), _shifted(value, -self.dilation)
        mixed = self.mix(torch.cat([before, value, after], dim=-1))
        return hidden + self.out(nn.functional.gelu(mixed))


def _shifted(value: Tensor, frames: int) -> Tensor:
    """(B, T, C) later by `frames`; the first (or last) frame is repeated."""
    last = value.shape[1] - 1
    index = (torch.arange(value.shape[1], device=value.device) - frames).clamp(0, last)
    return value[:, index]


class Lifter(nn.Module):
    """Keypoints of a turned view (B, T, FEATURES) in, `Lifted` out."""

    def __init__(self, config: LifterConfig | None = None) -> None:
        super().__init__()
        self.config = config or LifterConfig()
        width = self.config.width
        inner = max(1, round(self.config.inner * width))
        self.start = nn.Linear(FEATURES, width)
        self.blocks = nn.ModuleList(_Block(width, d, inner) for d in self.config.dilations)
        self.norm = nn.LayerNorm(width)
        self.heads = nn.Linear(width, 4 * len(POINTS) + 5)

    def forward(self, features: Tensor) -> Lifted:
        """Lift (B, T, FEATURES) as `frames.features` makes them."""
        hidden = nn.functional.gelu(self.start(features))
        for block in self.blocks:
            hidden = block(hidden)
        count = len(POINTS)
        out = self.heads(self.norm(hidden))
        points, spread, contacts, up = out.split([3 * count, count, 2, 3], dim=-1)
        points = points.unflatten(-1, (count, 3))
        return Lifted(points - points[..., :1, :], spread.clamp(-6.0, 2.0) - 3.0, contacts, up)
