"""Lower bodies as tokens and back: a variational autoencoder with residual quantisation over scales.

Convolutions run over a whole take, across the borders of the 64-frame windows whose latents are quantised, so
the decoder joins windows smoothly. It sees how the pelvis is turned, so that the tokens say what legs do.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from ...rig import so3
from ..features import heading_matrix
from .quantiser import LATENTS, Quantised, Quantiser
from .windows import LOWER_BODY

__all__ = ["STRIDE", "WINDOW", "Tokeniser", "TokeniserConfig"]

WINDOW = 64  # frames
STRIDE = WINDOW // LATENTS  # frames per latent
_TILT = 6  # numbers that say how the pelvis is turned against its heading


@dataclass(frozen=True)
class TokeniserConfig:
    """Everything needed to rebuild the tokeniser."""

    width: int = 160
    latent: int = 32
    codes: int = 512
    blocks: int = 2


class Tokeniser(nn.Module):
    """Lower bodies (B, T, 54) to latents and tokens and back; T is a multiple of 64."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, config: TokeniserConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.register_buffer("mean", torch.zeros(LOWER_BODY))
        self.register_buffer("deviation", torch.ones(LOWER_BODY))
        self.encoder = nn.Sequential(
            _convolution(LOWER_BODY + _TILT, width, 5),
            nn.SiLU(),
            _halving(width),
            *(_Residual(width, 3**block) for block in range(config.blocks)),
            _halving(width),
            *(_Residual(width, 3**block) for block in range(config.blocks)),
            _convolution(width, config.latent, 3),
        )
        self.quantiser = Quantiser(config.codes, config.latent)
        self.decoder = nn.Sequential(
            _convolution(config.latent, width, 3),
            *(_Residual(width, 3**block) for block in range(config.blocks)),
            _Doubling(width),
            *(_Residual(width, 3**block) for block in range(config.blocks)),
            _Doubling(width),
        )
        self.finish = nn.Sequential(
            _convolution(width + _TILT, width // 2, 5),
            nn.SiLU(),
            _convolution(width // 2, LOWER_BODY, 5),
        )

    def normalise_by(self, lower: Tensor) -> None:
        """Take mean and deviation of the input from a sample (N, 54)."""
        self.mean.copy_(lower.mean(0))
        self.deviation.copy_(lower.std(0).clamp(min=0.05))

    def normalised(self, lower: Tensor) -> Tensor:
        """Lower bodies in units of their deviation."""
        return (lower - self.mean) / self.deviation

    def encode(self, lower: Tensor, world_from_pelvis: Tensor) -> Tensor:
        """Latents (B, T / 4, D) before quantisation.

        Args:
            lower: (B, T, 54) as `windows.lower_body` makes them.
            world_from_pelvis: (B, T, 3, 3) as sensed.
        """
        seen = torch.cat([self.normalised(lower), _tilt(world_from_pelvis)], dim=-1)
        out: Tensor = self.encoder(seen.transpose(1, 2)).transpose(1, 2)
        return out

    def quantise(
        self, latents: Tensor, random: torch.Generator | None = None, slip: float = 0.0
    ) -> Quantised:
        """Tokens of latents (B, n * 16, D), window by window: N is B * n."""
        windows = latents.unflatten(1, (-1, LATENTS)).flatten(0, 1)
        found: Quantised = self.quantiser(windows, random, slip)
        return found

    def decode(self, latents: Tensor, world_from_pelvis: Tensor) -> Tensor:
        """Lower bodies (B, T, 54) of latents (B, T / 4, D); the contacts are logits."""
        wide = self.decoder(latents.transpose(1, 2))
        seen = torch.cat([wide, _tilt(world_from_pelvis).transpose(1, 2)], dim=1)
        out = self.finish(seen).transpose(1, 2)
        numbers = out[..., :-2] * self.deviation[:-2] + self.mean[:-2]
        return torch.cat([numbers, out[..., -2:]], dim=-1)


def _tilt(world_from_pelvis: Tensor) -> Tensor:
    """6D rotation (..., 6) of the pelvis in its heading frame."""
    heading_from_world = heading_matrix(world_from_pelvis).transpose(-1, -2)
    return so3.to_sixd(heading_from_world @ world_from_pelvis)


class _Residual(nn.Module):
    """Two convolutions over time beside what goes in, the first with gaps."""

    def __init__(self, width: int, gap: int) -> None:
        super().__init__()
        self.wide = nn.Conv1d(width, width, 3, padding=gap, dilation=gap, padding_mode="replicate")
        self.narrow = nn.Conv1d(width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, width, T) to the same shape."""
        out: Tensor = x + self.narrow(functional.silu(self.wide(functional.silu(x))))
        return out


class _Doubling(nn.Module):
    """Twice as many frames."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.convolution = _convolution(width, width, 3)

    def forward(self, x: Tensor) -> Tensor:
        """(B, width, T) to (B, width, 2 T)."""
        wide = functional.interpolate(x, scale_factor=2.0, mode="linear", align_corners=False)
        out: Tensor = self.convolution(wide)
        return out


def _convolution(inputs: int, outputs: int, reach: int) -> nn.Conv1d:
    return nn.Conv1d(inputs, outputs, reach, padding=reach // 2, padding_mode="replicate")


def _halving(width: int) -> nn.Conv1d:
    return nn.Conv1d(width, width, 4, stride=2, padding=1, padding_mode="replicate")
