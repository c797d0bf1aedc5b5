"""The encoder: what four sensors felt in, one feature vector per frame out (report section 4.2)."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .attention import Block, RmsNorm, TimeCache, attend, rotary
from .features import NETWORK_FPS

__all__ = ["Encoder", "EncoderCache", "EncoderConfig", "LongShortCrossAttention"]


@dataclass(frozen=True)
class EncoderConfig:
    """Everything needed to rebuild the encoder; saved as JSON beside its weights.

    Frames are at `fps`; every length in frames counts at that rate.
    """

    n_sensors: int = 4
    n_features: int = 12  # per sensor: 3 linear acceleration [m/s^2 / 10] + 9 rotation entries
    width: int = 128
    n_heads: int = 4
    n_blocks: int = 3
    hidden: int = 256
    window: int = 60  # frames each block sees back, itself included
    features: int = 256  # per frame, handed to the heads
    long_span: int = 240  # frames of history that ask (query) ...
    long_stride: int = 8  # ... every so many
    short_span: int = 30  # frames that answer (key and value)
    cross_width: int = 128
    fps: float = NETWORK_FPS

    def __post_init__(self) -> None:
        if self.width % (2 * self.n_heads) or self.cross_width % (2 * self.n_heads):
            raise ValueError(
                f"widths {self.width} and {self.cross_width} are not divisible by "
                f"2 * n_heads = {2 * self.n_heads}"
            )
        if self.long_span % self.long_stride:
            raise ValueError(
                f"long_span {self.long_span} is not a multiple of long_stride {self.long_stride}"
            )

    @property
    def history(self) -> int:
        """Frames before a frame that can change its features."""
        return self.n_blocks * (self.window - 1) + self.long_span


class EncoderCache:
    """What a stream has seen: keys and values of every block, and the last fused frames."""

    def __init__(self, config: EncoderConfig) -> None:
        self.blocks = [TimeCache() for _ in range(config.n_blocks)]
        self.fused: Tensor | None = None
        self.frames = 0


class LongShortCrossAttention(nn.Module):
    """Section 4.2.2: the long history asks, the last frames answer.

    At frame t the queries are frames t, t - 8, ... over `long_span`; keys and values are the last
    `short_span` frames. The answers are pooled by trained weights, one per query.
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        width = config.cross_width
        self.norm = RmsNorm(config.features)
        self.query = nn.Linear(config.features, width, bias=False)
        self.key_value = nn.Linear(config.features, 2 * width, bias=False)
        self.pool = nn.Parameter(torch.zeros(config.n_heads, self.n_queries))
        self.out = nn.Linear(width, config.features, bias=False)

    @property
    def n_queries(self) -> int:
        """Queries per frame."""
        return self.config.long_span // self.config.long_stride

    def forward(self, fused: Tensor, n_new: int) -> Tensor:
        """Attend for the last `n_new` of the frames (B, N, features): (B, n_new, features)."""
        normed = self.norm(fused)
        place = torch.arange(fused.shape[1], device=fused.device)
        query, key, value = (
            part.unflatten(-1, (self.config.n_heads, -1)).transpose(1, 2)
            for part in (self.query(normed), *self.key_value(normed).chunk(2, dim=-1))
        )
        query, key = rotary(query, place), rotary(key, place)
        now = place[-n_new:, None]
        steps = torch.arange(self.n_queries, device=fused.device) * self.config.long_stride
        asking = now - steps  # (n_new, Q) frames that ask
        answering = now - torch.arange(self.config.short_span, device=fused.device)  # (n_new, K)
        q = query[:, :, asking.clamp(min=0)]  # (B, H, n_new, Q, head_dim)
        k, v = key[:, :, answering.clamp(min=0)], value[:, :, answering.clamp(min=0)]
        heads = attend(q, k, v, (answering >= 0)[:, None, :])
        weight = self.pool[:, None, :].masked_fill(asking < 0, -torch.inf).softmax(-1)
        pooled = torch.einsum("bhnqd,hnq->bnhd", heads, weight.to(heads.dtype))
        out: Tensor = self.out(pooled.flatten(-2))
        return out


class Encoder(nn.Module):
    """(B, T, S, 12) sensor features to (B, T, features); causal, so it streams frame by frame."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.embed = nn.Linear(config.n_features, config.width)
        self.which = nn.Parameter(torch.randn(config.n_sensors, config.width) * 0.1)
        self.blocks = nn.ModuleList(
            Block(config.width, config.n_heads, config.hidden, config.window)
            for _ in range(config.n_blocks)
        )
        self.fuse = nn.Linear(config.n_sensors * config.width, config.features)
        self.cross = LongShortCrossAttention(config)
        self.norm = RmsNorm(config.features)

    def forward(self, sensors: Tensor, cache: EncoderCache | None = None) -> Tensor:
        """Encode frames; with a cache they continue the ones it has seen.

        Args:
            sensors: (B, T, S, n_features) as `features.sensor_features` makes them.
            cache: of the stream; None for a whole sequence at once.
        """
        start = 0 if cache is None else cache.frames
        x = self.embed(sensors) + self.which
        for index, block in enumerate(self.blocks):
            x = block(x, start, None if cache is None else cache.blocks[index])
        fused = self.fuse(x.flatten(-2))
        n_new = fused.shape[1]
        seen = fused
        if cache is not None:
            seen = fused if cache.fused is None else torch.cat([cache.fused, fused], dim=1)
            cache.fused = seen[:, -self.config.long_span :]
            cache.frames += n_new
        out: Tensor = self.norm(fused + self.cross(seen, n_new))
        return out
