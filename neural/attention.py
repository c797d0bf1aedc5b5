"""The encoder's building blocks: RMS norm, SwiGLU, rotary positions, attention over time and sensors.

Tokens lie on a (time, sensor) grid: tensors are (B, T, S, width). Report section 4.2.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = [
    "Block",
    "RmsNorm",
    "SwiGlu",
    "TimeCache",
    "attend",
    "literal_scale",
    "rotary",
    "sliding_window",
]


class RmsNorm(nn.Module):
    """Root mean square normalisation with a trained gain, equations (1) and (2)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise the last axis."""
        return functional.rms_norm(x, self.gain.shape, self.gain.to(x.dtype), 1e-6)


class SwiGlu(nn.Module):
    """Gated feed-forward layer: W2 (silu(W1 x) * W3 x)."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.gate_and_value = nn.Linear(width, 2 * hidden, bias=False)
        self.out = nn.Linear(hidden, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Mix each token with itself: (..., width) to (..., width)."""
        gate, value = self.gate_and_value(x).chunk(2, dim=-1)
        out: Tensor = self.out(functional.silu(gate) * value)
        return out


def rotary(x: Tensor, position: Tensor, base: float = 10000.0) -> Tensor:
    """Equation (5): turn pairs of features by position * theta, so that scores see differences only.

    Phases are taken in double precision: after an hour at 60 Hz a float32 one is off by 0.01 radians.

    Args:
        x: (..., N, features), features even.
        position: (N,) places along the axis that is second to last.
        base: the longest wavelength is about 2 pi * base positions.
    """
    half = x.shape[-1] // 2
    theta = base ** (-torch.arange(half, device=x.device, dtype=torch.float32) / half)
    phase = position.double()[:, None] * theta.double()  # (N, half)
    cosine, sine = phase.cos().to(x.dtype), phase.sin().to(x.dtype)
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cosine - second * sine, first * sine + second * cosine], dim=-1)


def sliding_window(n_queries: int, n_keys: int, window: int, device: torch.device) -> Tensor:
    """Boolean (Q, K) mask: the last Q of K frames, each seeing itself and `window` - 1 frames before."""
    query = torch.arange(n_keys - n_queries, n_keys, device=device)[:, None]
    key = torch.arange(n_keys, device=device)[None]
    return (key <= query) & (key > query - window)


def attend(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None = None,
    scale: float | None = None,
) -> Tensor:
    """Equation (6): (..., heads, Q, head_dim) from K keys and values.

    Scores are multiplied by `scale`, 1 / sqrt(head_dim) if None. torch has a fused kernel for four axes
    only, so the leading ones are folded into one.
    """
    lead = query.shape[:-3]
    query, key, value = (part.flatten(0, -4) for part in (query, key, value))
    out = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask, scale=scale)
    return out.unflatten(0, lead)


def literal_scale(batch: int) -> float:
    """Equation (6) to the letter: 1 / sqrt(bs), "bs" the batch size of this very call.

    What a network says then depends on how many windows it is shown at once: trained on 8, asked about
    one take, its scores are sqrt(8) times what it has learnt. Kept for the ablation only.
    """
    return float(batch) ** -0.5


class TimeCache:
    """Keys and values (B, S, heads, past, head_dim) of the frames one block has seen."""

    def __init__(self) -> None:
        self.key: Tensor | None = None
        self.value: Tensor | None = None

    def extended(self, key: Tensor, value: Tensor, window: int) -> tuple[Tensor, Tensor]:
        """Append new frames, remember the last `window` - 1, and return all that queries may need."""
        if self.key is not None and self.value is not None:
            key = torch.cat([self.key, key], dim=-2)
            value = torch.cat([self.value, value], dim=-2)
        self.key = key[..., max(key.shape[-2] - window + 1, 0) :, :]
        self.value = value[..., max(value.shape[-2] - window + 1, 0) :, :]
        return key, value


class _Attention(nn.Module):
    """Multi-head attention with rotary positions along the second to last axis, equation (6)."""

    def __init__(self, width: int, n_heads: int) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.query_key_value = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)

    def split(self, x: Tensor, position: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """Of (..., N, width): queries, keys (both turned by position, if any), values.

        Each is (..., heads, N, head_dim).
        """
        query, key, value = (
            part.unflatten(-1, (self.n_heads, -1)).transpose(-2, -3)
            for part in self.query_key_value(x).chunk(3, dim=-1)
        )
        if position is not None:
            query, key = rotary(query, position), rotary(key, position)
        return query, key, value

    def merge(self, heads: Tensor) -> Tensor:
        """(..., heads, N, head_dim) to (..., N, width)."""
        out: Tensor = self.out(heads.transpose(-2, -3).flatten(-2))
        return out


class Block(nn.Module):
    """One LLaMA block on the grid: over time (causal, sliding window), over sensors, feed-forward.

    Args:
        width: of a token.
        n_heads: of both attentions.
        hidden: of the feed-forward layer.
        window: frames each frame sees back, itself included.
        rotary_sensors: turn queries and keys by the sensor's number too, not by time alone.
        literal: scale scores by `literal_scale`.
    """

    def __init__(
        self,
        width: int,
        n_heads: int,
        hidden: int,
        window: int,
        *,
        rotary_sensors: bool = True,
        literal: bool = False,
    ) -> None:
        super().__init__()
        self.window, self.rotary_sensors, self.literal = window, rotary_sensors, literal
        self.time_norm, self.time = RmsNorm(width), _Attention(width, n_heads)
        self.sensor_norm, self.sensor = RmsNorm(width), _Attention(width, n_heads)
        self.feed_norm, self.feed = RmsNorm(width), SwiGlu(width, hidden)

    def forward(self, x: Tensor, start: int = 0, cache: TimeCache | None = None) -> Tensor:
        """(B, T, S, width) to the same shape; `start` is the first frame's place in time."""
        x = x + self._over_time(self.time_norm(x), start, cache)
        x = x + self._over_sensors(self.sensor_norm(x))
        out: Tensor = x + self.feed(self.feed_norm(x))
        return out

    def _over_time(self, x: Tensor, start: int, cache: TimeCache | None) -> Tensor:
        frames = x.shape[1]
        position = torch.arange(start, start + frames, device=x.device)
        query, key, value = self.time.split(x.transpose(1, 2), position)
        if cache is not None:
            key, value = cache.extended(key, value, self.window)
        mask = sliding_window(frames, key.shape[-2], self.window, x.device)
        heads = attend(query, key, value, mask, self._scale(x))
        return self.time.merge(heads).transpose(1, 2)

    def _over_sensors(self, x: Tensor) -> Tensor:
        position = torch.arange(x.shape[2], device=x.device) if self.rotary_sensors else None
        return self.sensor.merge(attend(*self.sensor.split(x, position), scale=self._scale(x)))

    def _scale(self, x: Tensor) -> float | None:
        return literal_scale(len(x)) if self.literal else None
