"""The networks: the source paper's LSTMs with their attentions, and a transformer on top of anatomy."""

from dataclasses import dataclass
from functools import cache
from typing import Final

import torch
from torch import Tensor, nn

from ..attention import RmsNorm, SwiGlu
from .points import ARMS, BODY, KEYPOINTS, MARKERS
from .segments import FixedMarkers

__all__ = ["Augmenter", "AugmenterConfig", "inputs_of"]

_CORES: Final = ("lstm", "transformer")
_FAR: Final = 1e-3  # parts of the height; what moves less is standardised as if it moved so


@dataclass(frozen=True)
class AugmenterConfig:
    """Everything needed to rebuild the network; saved as JSON beside its weights.

    Attributes:
        core: "lstm" or "transformer".
        width: units of an LSTM in either direction, or of a token.
        layers: LSTM layers added to the first one (the paper's nLayers), or transformer blocks.
        bidirectional: LSTMs run both ways.
        attention: 1 weighs the input markers in every frame (the paper's 4.3), 2 weighs frames before the
            last layer as well, 0 neither.
        heads: of the transformer's attention.
        anatomy: start from markers fixed in segments and a ridge regression, and learn what they leave.
    """

    core: str = "transformer"
    width: int = 64
    layers: int = 3
    bidirectional: bool = True
    attention: int = 0
    heads: int = 4
    anatomy: bool = True

    def __post_init__(self) -> None:
        if self.core not in _CORES:
            raise ValueError(f"core is {self.core!r}; there are: {', '.join(_CORES)}")
        if self.attention not in (0, 1, 2):
            raise ValueError(f"attention is {self.attention}; expected 0, 1 or 2")
        if self.width < 1 or self.layers < 0:
            raise ValueError(f"width {self.width} and layers {self.layers} are too small")
        if self.width % (2 * self.heads):
            raise ValueError(f"width {self.width} is not divisible by twice the heads {self.heads}")


def inputs_of(keypoints: Tensor, size: Tensor) -> Tensor:
    """(B, T, 59): all keypoints' coordinates, height in metres, mass in kilograms."""
    tall = size[:, None].expand(-1, keypoints.shape[1], -1)
    return torch.cat([keypoints.flatten(2), tall], dim=-1)


class Augmenter(nn.Module):
    """Keypoints of windows to markers.

    Args:
        config: sizes.
    """

    mean: Tensor
    deviation: Tensor
    centre: Tensor
    spread: Tensor
    start_mean: Tensor
    start_deviation: Tensor

    def __init__(self, config: AugmenterConfig) -> None:
        super().__init__()
        self.config = config
        n_inputs, n_outputs = 3 * len(KEYPOINTS) + 2, 3 * len(MARKERS)
        self.register_buffer("mean", torch.zeros(n_inputs))
        self.register_buffer("deviation", torch.ones(n_inputs))
        self.register_buffer("centre", torch.zeros(n_outputs))
        self.register_buffer("spread", torch.ones(n_outputs))
        self.register_buffer("start_mean", torch.zeros(n_outputs))
        self.register_buffer("start_deviation", torch.ones(n_outputs))
        self.fixed = FixedMarkers(n_inputs) if config.anatomy else None
        self.parts: nn.ModuleList | None = None
        if config.core == "lstm":
            self.parts = nn.ModuleList(
                [_Recurrent(config, len(p.inputs), 3 * len(p.outputs)) for p in (BODY, ARMS)]
            )
        else:
            seen = n_inputs + (n_outputs if config.anatomy else 0)
            self.whole = _Transformer(config, seen, n_outputs)
        for index, part in enumerate((BODY, ARMS)):
            names = [KEYPOINTS.index(name) for name in part.inputs]
            self.register_buffer(f"part{index}", torch.tensor(names), persistent=False)

    def forward(self, keypoints: Tensor, size: Tensor) -> Tensor:
        """Markers (B, T, 43, 3) from keypoints (B, T, 19, 3), both in a window's terms, and sizes (B, 2)."""
        inputs = (inputs_of(keypoints, size) - self.mean) / self.deviation
        start = self.fixed(keypoints, inputs).flatten(2) if self.fixed is not None else None
        if self.parts is not None:
            core = torch.cat([self._part(k, inputs)[0] for k in range(2)], dim=-1)
        else:
            tokens = inputs
            if start is not None:
                tokens = torch.cat(
                    [inputs, (start - self.start_mean) / self.start_deviation], dim=-1
                )
            core = self.whole(tokens)
        found = self.centre + self.spread * core
        if start is not None:
            found = found + start
        return found.unflatten(-1, (-1, 3))

    def attention_of(self, keypoints: Tensor, size: Tensor) -> Tensor | None:
        """(B, T, 15) how much each of the body's keypoints counts; rows sum to 1. None without attention."""
        if self.parts is None or not self.config.attention:
            return None
        inputs = (inputs_of(keypoints, size) - self.mean) / self.deviation
        found: Tensor = self._part(0, inputs)[1]
        return found

    def _part(self, index: int, inputs: Tensor) -> tuple[Tensor, Tensor]:
        names = getattr(self, f"part{index}")
        points = inputs[..., :-2].unflatten(-1, (-1, 3))[..., names, :]
        assert self.parts is not None
        found: tuple[Tensor, Tensor] = self.parts[index](points, inputs[..., -2:])
        return found

    @torch.no_grad()
    def prepare(self, keypoints: Tensor, size: Tensor, markers: Tensor) -> None:
        """Take means and deviations, and the anatomy, from examples (B, T, ...)."""
        raw = inputs_of(keypoints, size).flatten(0, 1)
        self.mean.copy_(raw.mean(0))
        self.deviation.copy_(raw.std(0).clamp_min(_FAR))
        target = markers.flatten(0, 1).flatten(1)
        if self.fixed is not None:
            inputs = (inputs_of(keypoints, size) - self.mean) / self.deviation
            self.fixed.fit(keypoints, inputs, markers)
            start = self.fixed(keypoints, inputs).flatten(2).flatten(0, 1)
            self.start_mean.copy_(start.mean(0))
            self.start_deviation.copy_(start.std(0).clamp_min(_FAR))
            target = target - start
        self.centre.copy_(target.mean(0))
        self.spread.copy_(target.std(0).clamp_min(_FAR))


class _Recurrent(nn.Module):
    """The source paper's networks, sections 4.1 to 4.3."""

    def __init__(self, config: AugmenterConfig, n_points: int, n_outputs: int) -> None:
        super().__init__()
        self.attention = config.attention
        width = config.width * (2 if config.bidirectional else 1)
        n_inputs = 3 * n_points + 2
        if config.attention >= 1:
            self.seen = nn.LSTM(n_inputs, config.width, batch_first=True)
            self.score = nn.Linear(config.width, n_points)
        self.recurrent = nn.LSTM(
            n_inputs,
            config.width,
            num_layers=1 + config.layers,
            batch_first=True,
            bidirectional=config.bidirectional,
        )
        if config.attention >= 2:
            self.score_frames = nn.Linear(width, 1)
        self.out = nn.Linear(width, n_outputs)

    def forward(self, points: Tensor, size: Tensor) -> tuple[Tensor, Tensor]:
        """Outputs (B, T, n) and the markers' weights (B, T, K), all alike without attention."""
        count = points.shape[-2]
        weights = torch.full_like(points[..., 0], 1.0 / count)
        if self.attention >= 1:
            hidden, _ = self.seen(torch.cat([points.flatten(2), size], dim=-1))
            weights = torch.tanh(self.score(hidden)).softmax(-1)
        # Times the number of points, so that even weights leave the inputs as they are.
        weighed = count * weights[..., None] * points
        hidden, _ = self.recurrent(torch.cat([weighed.flatten(2), size], dim=-1))
        if self.attention >= 2:
            frames = torch.tanh(self.score_frames(hidden)).softmax(1)
            hidden = hidden.shape[1] * frames * hidden
        return self.out(hidden), weights


class _Transformer(nn.Module):
    """Blocks of attention over all frames of the window, and a head that starts at zero."""

    def __init__(self, config: AugmenterConfig, n_inputs: int, n_outputs: int) -> None:
        super().__init__()
        self.pairs = config.width // config.heads // 2
        self.into = nn.Linear(n_inputs, config.width)
        self.blocks = nn.ModuleList(
            [_Block(config.width, config.heads) for _ in range(config.layers)]
        )
        self.norm = RmsNorm(config.width)
        self.out = nn.Linear(config.width, n_outputs)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, T, n_inputs) to (B, T, n_outputs)."""
        x = self.into(tokens)
        turns = _turns(x.shape[1], self.pairs)
        for block in self.blocks:
            x = block(x, turns)
        out: Tensor = self.out(self.norm(x))
        return out


@cache
def _turns(frames: int, half: int) -> Tensor:
    """(T, half) rotary positions (`attention.rotary`) as complex numbers, for queries and keys alike.

    Their size makes scores as small as attention wants them; torch is a dozen times as fast with
    complex numbers as with sines and cosines.
    """
    theta = 10000.0 ** (-torch.arange(half, dtype=torch.float64) / half)
    phase = torch.arange(frames)[:, None] * theta
    return torch.polar(torch.full_like(phase, (2 * half) ** -0.25), phase).to(torch.complex64)


class _Block(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.time_norm, self.feed_norm = RmsNorm(width), RmsNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.feed = SwiGlu(width, 2 * width)

    def forward(self, x: Tensor, turns: Tensor) -> Tensor:
        batch, frames = x.shape[:2]
        parts = self.query_key_value(self.time_norm(x)).view(batch, frames, 3, self.heads, -1)
        parts = parts.permute(2, 0, 3, 1, 4)  # (3, B, heads, T, width / heads)
        turned = torch.complex(*parts[:2].chunk(2, dim=-1)) * turns
        query, key = torch.view_as_real(turned).flatten(-2)
        scores = torch.bmm(query.flatten(0, 1), key.flatten(0, 1).transpose(1, 2))
        mixed = torch.bmm(scores.softmax(-1), parts[2].flatten(0, 1))
        x = x + self.out(mixed.unflatten(0, (batch, -1)).transpose(1, 2).flatten(2))
        out: Tensor = x + self.feed(self.feed_norm(x))
        return out
