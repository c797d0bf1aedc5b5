"""The encoder: what four sensors felt in, one feature vector per frame out (report section 4.2)."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .attention import Block, RmsNorm, TimeCache
from .features import NETWORK_FPS
from .long_short import LongShortConfig, LongShortCrossAttention

__all__ = ["Encoder", "EncoderCache", "EncoderConfig"]

ROTARY = ("time and sensor", "time")
SCORE_SCALES = ("head_dim", "batch")


@dataclass(frozen=True)
class EncoderConfig:
    """Everything needed to rebuild the encoder; saved as JSON beside its weights.

    Frames are at `fps`; every length in frames counts at that rate. `rotary`, `score_scale` and
    `cross_attention` are switches for the ablation table; what ships has the first of each.
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
    rotary: str = "time and sensor"  # or "time": sensors are told apart by their embedding alone
    score_scale: str = "head_dim"  # or "batch": equation (6) to the letter, see `literal_scale`
    cross_attention: bool = True  # of long and short time series, section 4.2.2

    def __post_init__(self) -> None:
        for name, known in (("rotary", ROTARY), ("score_scale", SCORE_SCALES)):
            if getattr(self, name) not in known:
                raise ValueError(
                    f"{name} is {getattr(self, name)!r}; there are: {', '.join(known)}"
                )
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
        cross = self.long_span if self.cross_attention else 0
        return self.n_blocks * (self.window - 1) + cross

    @property
    def literal(self) -> bool:
        """Whether scores are scaled as equation (6) says."""
        return self.score_scale == "batch"

    @property
    def long_short(self) -> LongShortConfig:
        """The part that the cross attention needs."""
        return LongShortConfig(
            self.features, self.cross_width, self.n_heads, self.long_span, self.long_stride,
            self.short_span, self.literal,
        )  # fmt: skip


class EncoderCache:
    """What a stream has seen: keys and values of every block, and the last fused frames."""

    def __init__(self, config: EncoderConfig) -> None:
        self.blocks = [TimeCache() for _ in range(config.n_blocks)]
        self.fused: Tensor | None = None
        self.frames = 0


class Encoder(nn.Module):
    """(B, T, S, 12) sensor features to (B, T, features); causal, so it streams frame by frame."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.embed = nn.Linear(config.n_features, config.width)
        self.which = nn.Parameter(torch.randn(config.n_sensors, config.width) * 0.1)
        self.blocks = nn.ModuleList(
            Block(
                config.width,
                config.n_heads,
                config.hidden,
                config.window,
                rotary_sensors=config.rotary == "time and sensor",
                literal=config.literal,
            )
            for _ in range(config.n_blocks)
        )
        self.fuse = nn.Linear(config.n_sensors * config.width, config.features)
        self.cross = LongShortCrossAttention(config.long_short) if config.cross_attention else None
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
        fused: Tensor = self.fuse(x.flatten(-2))
        n_new = fused.shape[1]
        if self.cross is None:
            if cache is not None:
                cache.frames += n_new
            return self._normed(fused)
        seen = fused
        if cache is not None:
            seen = fused if cache.fused is None else torch.cat([cache.fused, fused], dim=1)
            cache.fused = seen[:, -self.config.long_span :]
            cache.frames += n_new
        return self._normed(fused + self.cross(seen, n_new))

    def _normed(self, features: Tensor) -> Tensor:
        out: Tensor = self.norm(features)
        return out
