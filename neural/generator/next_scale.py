"""The transformer that predicts a window's tokens scale by scale (Tian et al. 2024, next-scale prediction).

It sees three windows: the past, the one whose tokens are drawn, and the next. Of each it sees the upper body;
of the past the latents of its tokens, and of the next too when a gap is filled. Then follow the 31 tokens;
each sees the three windows and all tokens of its own and of coarser scales (block-causal).
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..attention import RmsNorm, SwiGlu
from .quantiser import LATENTS, SCALES, scale_slices
from .windows import SENSED

__all__ = ["SEEN", "NextScale", "NextScaleConfig", "Seen", "block_causal"]

SEEN = 3 * LATENTS  # places of the three windows
Seen = list[tuple[Tensor, Tensor]]  # keys and values of every layer


@dataclass(frozen=True)
class NextScaleConfig:
    """Everything needed to rebuild the transformer."""

    width: int = 192
    layers: int = 4
    heads: int = 6
    hidden: int = 384
    latent: int = 32
    codes: int = 512
    dropout: float = 0.1

    def __post_init__(self) -> None:
        if self.width % self.heads or self.width % 2:
            raise ValueError(
                f"width {self.width} is not even or not divisible by heads {self.heads}"
            )


def block_causal() -> Tensor:
    """Boolean (48 + 31, 48 + 31): what sees what; True where the row's place sees the column's."""
    scale = torch.cat([torch.full((size,), k + 1) for k, size in enumerate(SCALES)])
    order = torch.cat([torch.zeros(SEEN, dtype=torch.long), scale])
    return order[:, None] >= order[None]


class NextScale(nn.Module):
    """Logits of every token, given the coarser ones, the past and the upper body."""

    mean: Tensor
    deviation: Tensor
    _time: Tensor
    _mask: Tensor

    def __init__(self, config: NextScaleConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.register_buffer("mean", torch.zeros(SENSED))
        self.register_buffer("deviation", torch.ones(SENSED))
        self.register_buffer("_time", _times(width), persistent=False)
        self.register_buffer("_mask", block_causal(), persistent=False)
        self.upper = nn.Sequential(
            nn.Conv1d(SENSED, width, 5, padding=2, padding_mode="replicate"),
            nn.SiLU(),
            nn.Conv1d(width, width, 4, stride=2, padding=1, padding_mode="replicate"),
            nn.SiLU(),
            nn.Conv1d(width, width, 4, stride=2, padding=1, padding_mode="replicate"),
        )
        self.known = nn.Linear(config.latent, width)
        self.unknown = nn.Parameter(torch.randn(width) * 0.1)
        self.token = nn.Linear(config.latent, width)
        self.here = nn.Linear(width, width)
        self.scale = nn.Parameter(torch.randn(len(SCALES), width) * 0.1)
        self.blocks = nn.ModuleList(_Block(config) for _ in range(config.layers))
        self.norm = RmsNorm(width)
        self.logits = nn.Linear(width, config.codes)

    def normalise_by(self, sensed: Tensor) -> None:
        """Take mean and deviation of the input from a sample (N, 51)."""
        self.mean.copy_(sensed.mean(0))
        self.deviation.copy_(sensed.std(0).clamp(min=0.05))

    def forward(self, sensed: Tensor, latents: Tensor, known: Tensor, inputs: Tensor) -> Tensor:
        """Logits (B, 31, codes) of all tokens at once, as they are trained.

        Args:
            sensed: (B, 192, 51) the upper body over three windows.
            latents: (B, 48, D) of the lower body where it is known.
            known: (B, 48) True where it is.
            inputs: (B, 31, D) what is known before each scale (`quantiser.Quantised.inputs`).
        """
        seen = self._seen(sensed, latents, known)
        here = seen[:, LATENTS : 2 * LATENTS]
        x = torch.cat([seen, *(self._tokens(inputs[:, s], here, k) for k, s in _scales())], dim=1)
        for block in self.blocks:
            x, _ = block(x, None, self._mask)
        out: Tensor = self.logits(self.norm(x[:, SEEN:]))
        return out

    def look(self, sensed: Tensor, latents: Tensor, known: Tensor) -> tuple[Tensor, Seen]:
        """Read the three windows once: their embedding here (B, 16, width), and keys and values."""
        x = seen = self._seen(sensed, latents, known)
        memory: Seen = []
        for block in self.blocks:
            x, kept = block(x, None, None)
            memory.append(kept)
        return seen[:, LATENTS : 2 * LATENTS], memory

    def step(self, inputs: Tensor, here: Tensor, memory: Seen, scale: int) -> tuple[Tensor, Seen]:
        """Logits (B, size, codes) of one scale, after those before it; `memory` grows by it."""
        x = self._tokens(inputs, here, scale)
        grown: Seen = []
        for block, past in zip(self.blocks, memory, strict=True):
            x, kept = block(x, past, None)
            grown.append(kept)
        return self.logits(self.norm(x)), grown

    def _seen(self, sensed: Tensor, latents: Tensor, known: Tensor) -> Tensor:
        normal = (sensed - self.mean) / self.deviation
        upper = self.upper(normal.clamp(-8.0, 8.0).transpose(1, 2)).transpose(1, 2)
        lower = torch.where(known[..., None], self.known(latents), self.unknown)
        out: Tensor = upper + lower + self._time[:SEEN]
        return out

    def _tokens(self, inputs: Tensor, here: Tensor, scale: int) -> Tensor:
        """Embed what is known before a scale (B, size, D), beside the upper body at its places."""
        start = SEEN + scale_slices()[scale].start
        time = self._time[start : start + SCALES[scale]]
        upper = self.here(here.unflatten(1, (SCALES[scale], -1)).mean(2))
        out: Tensor = self.token(inputs) + upper + self.scale[scale] + time
        return out


class _Block(nn.Module):
    """Attention and a gated feed-forward layer, each normalised before and added."""

    def __init__(self, config: NextScaleConfig) -> None:
        super().__init__()
        width = config.width
        self.heads = config.heads
        self.attention_norm, self.feed_norm = RmsNorm(width), RmsNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.feed = SwiGlu(width, config.hidden)
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self, x: Tensor, kept: tuple[Tensor, Tensor] | None, mask: Tensor | None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """(B, N, width) to the same shape, with keys and values of all places so far."""
        query, key, value = (
            part.unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for part in self.query_key_value(self.attention_norm(x)).chunk(3, dim=-1)
        )
        if kept is not None:
            key, value = torch.cat([kept[0], key], dim=2), torch.cat([kept[1], value], dim=2)
        heads = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        x = x + self.dropout(self.out(heads.transpose(1, 2).flatten(-2)))
        x = x + self.dropout(self.feed(self.feed_norm(x)))
        return x, (key, value)


def _scales() -> list[tuple[int, slice]]:
    return list(enumerate(scale_slices()))


def _times(width: int) -> Tensor:
    """Sines of the time (48 + 31, width) that each place stands for, in latents of the drawn window."""
    places = [torch.arange(SEEN) - LATENTS + 0.5]
    places += [(torch.arange(size) + 0.5) * (LATENTS / size) for size in SCALES]
    time = torch.cat(places)[:, None]
    rate = 100.0 ** (-torch.arange(width // 2) / (width // 2))
    return torch.cat([(time * rate).sin(), (time * rate).cos()], dim=-1)
