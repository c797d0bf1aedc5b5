"""One frame through the encoder with little work: what a live stream does sixty times a second.

The same sums as `Encoder.forward`, arranged for one frame: weights lie as a product with a row wants them
and hold the norms' gains, keys and values lie in rings that never grow or move, and rotary phases are
taken in double precision from the frame's number, so the hundred-thousandth frame is as exact as the first.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..attention import Block, RmsNorm
from ..encoder import Encoder
from ..long_short import LongShortCrossAttention

__all__ = ["EncoderStep"]

_EPSILON = 1e-6  # of `RmsNorm`
_BASE = 10000.0  # of `rotary`


class EncoderStep:
    """A stream through an encoder, one frame at a time.

    Args:
        encoder: its weights are copied.
        start: the first frame's number; any, for only differences of numbers matter.
    """

    def __init__(self, encoder: Encoder, start: int = 0) -> None:
        config = encoder.config
        self.start, self.frames = start, 0
        with torch.inference_mode():
            self._embed, self._which = (
                _row(encoder.embed.weight),
                encoder.embed.bias + encoder.which,
            )
            self._blocks = [_BlockStep(block, config.n_sensors) for block in encoder.blocks]  # type: ignore[arg-type]
            self._fuse, self._fuse_bias = _row(encoder.fuse.weight), encoder.fuse.bias.clone()
            self._cross = None if encoder.cross is None else _LongShortStep(encoder.cross)
            self._gain = encoder.norm.gain.clone()
        heads = {config.width // config.n_heads, config.cross_width // config.n_heads}
        self._theta = {head_dim: _theta(head_dim) for head_dim in heads}

    def __call__(self, sensors: Tensor) -> Tensor:
        """Features (features,) of the next frame (S, n_features); call in `torch.inference_mode`."""
        turns = {
            head: _turn(theta * (self.start + self.frames)) for head, theta in self._theta.items()
        }
        x = torch.addmm(self._which, sensors, self._embed)
        for block in self._blocks:
            x = block(x, self.frames, turns)
        fused = torch.addmm(self._fuse_bias, x.view(1, -1), self._fuse)
        if self._cross is not None:
            fused = fused + self._cross(fused, self.frames, turns)
        self.frames += 1
        return (_normed(fused) * self._gain)[0]


class _BlockStep:
    """One `Block`: rings of its last `window` keys and values (S * heads, window, head_dim)."""

    def __init__(self, block: Block, n_sensors: int) -> None:
        self.n_heads, self.window = block.time.n_heads, block.window
        width = block.time.out.in_features
        self.head_dim = width // self.n_heads
        scale = 1.0 if block.literal else 1.0 / math.sqrt(self.head_dim)
        self.time_in = _scaled(
            _projection(block.time.query_key_value, block.time_norm), width, scale
        )
        self.time_out = _row(block.time.out.weight)
        sensor_in = _projection(block.sensor.query_key_value, block.sensor_norm)
        self.sensor_in = _scaled(sensor_in, width, scale)
        self.sensor_out = _row(block.sensor.out.weight)
        self.feed_in = _projection(block.feed.gate_and_value, block.feed_norm)
        self.feed_out = _row(block.feed.out.weight)
        ring = (n_sensors * self.n_heads, self.window, self.head_dim)
        self.keys, self.values = torch.zeros(ring), torch.zeros(ring)
        places = torch.arange(n_sensors, dtype=torch.float64)[:, None]
        if not block.rotary_sensors:
            places = torch.zeros_like(places)
        cosine, sine = _turn(places * _theta(self.head_dim))
        self.sensor_turn = cosine[:, None], sine[:, None]  # (S, 1, head_dim)

    def __call__(self, x: Tensor, frame: int, turns: dict[int, tuple[Tensor, Tensor]]) -> Tensor:
        x = x + self._over_time(x, frame, turns[self.head_dim])
        x = x + self._over_sensors(x)
        gate, value = torch.mm(_normed(x), self.feed_in).chunk(2, dim=-1)
        return torch.addmm(x, functional.silu(gate) * value, self.feed_out)

    def _split(self, x: Tensor, weight: Tensor, turn: tuple[Tensor, Tensor]) -> tuple[Tensor, ...]:
        """Queries, keys and values, each (S, heads, head_dim), the first two turned."""
        parts = torch.mm(_normed(x), weight).view(len(x), 3 * self.n_heads, self.head_dim)
        turned = _turned(parts[:, : 2 * self.n_heads], turn)
        return turned[:, : self.n_heads], turned[:, self.n_heads :], parts[:, 2 * self.n_heads :]

    def _over_time(self, x: Tensor, frame: int, turn: tuple[Tensor, Tensor]) -> Tensor:
        query, key, value = self._split(x, self.time_in, turn)
        slot, filled = frame % self.window, min(frame + 1, self.window)
        self.keys[:, slot], self.values[:, slot] = key.flatten(0, 1), value.flatten(0, 1)
        # The order of keys does not matter: each has been turned by its own frame's number.
        scores = torch.bmm(query.reshape(-1, 1, self.head_dim), self.keys[:, :filled].mT)
        heads = torch.bmm(scores.softmax(-1), self.values[:, :filled])
        return torch.mm(heads.view(len(x), -1), self.time_out)

    def _over_sensors(self, x: Tensor) -> Tensor:
        query, key, value = self._split(x, self.sensor_in, self.sensor_turn)
        scores = torch.matmul(query.transpose(0, 1), key.permute(1, 2, 0))  # (heads, S, S)
        heads = torch.matmul(scores.softmax(-1), value.transpose(0, 1))
        return torch.mm(heads.transpose(0, 1).reshape(len(x), -1), self.sensor_out)


class _LongShortStep:
    """The cross attention: a ring of queries over the long span, of keys and values over the short one."""

    def __init__(self, cross: LongShortCrossAttention) -> None:
        config = cross.config
        self.config, self.head_dim = config, config.width // config.n_heads
        self.scale = 1.0 if config.literal else 1.0 / math.sqrt(self.head_dim)
        both = torch.cat([cross.query.weight, cross.key_value.weight])
        self.project = (both * cross.norm.gain).T.contiguous()
        self.out = _row(cross.out.weight)
        self.pool = cross.pool.clone()
        # Queries of one residue of the stride lie together, for they ask together.
        asking = (config.n_heads, config.long_stride, config.n_queries, self.head_dim)
        answering = (config.n_heads, config.short_span, self.head_dim)
        self.queries = torch.zeros(asking)
        self.keys, self.values = torch.zeros(answering), torch.zeros(answering)
        self.strides = torch.arange(config.n_queries)

    def __call__(
        self, fused: Tensor, frame: int, turns: dict[int, tuple[Tensor, Tensor]]
    ) -> Tensor:
        config = self.config
        parts = torch.mm(_normed(fused), self.project).view(3, config.n_heads, self.head_dim)
        query, key = _turned(parts[:2], turns[self.head_dim])
        round_, residue = divmod(frame, config.long_stride)
        self.queries[:, residue, round_ % config.n_queries] = query
        slot, filled = frame % config.short_span, min(frame + 1, config.short_span)
        self.keys[:, slot], self.values[:, slot] = key, parts[2]
        scores = torch.bmm(self.queries[:, residue], self.keys[:, :filled].mT)
        attention = (scores * self.scale).softmax(-1)  # (heads, Q, K)
        mixed = torch.bmm(self._shares(round_), attention)
        heads = torch.bmm(mixed, self.values[:, :filled])
        return torch.mm(heads.view(1, -1), self.out)

    def _shares(self, round_: int) -> Tensor:
        """(heads, 1, Q) how much each query of the ring counts; before the start none has asked."""
        ago = (round_ - self.strides) % self.config.n_queries
        shares = self.pool[:, ago]
        if round_ < self.config.n_queries - 1:
            shares = shares.masked_fill(self.strides > round_, -math.inf)
        return shares.softmax(-1)[:, None]


def _row(weight: Tensor) -> Tensor:
    """(in, out) of a layer's (out, in), as products of few rows are fastest."""
    return weight.detach().T.contiguous().clone()


def _projection(layer: nn.Linear, norm: RmsNorm) -> Tensor:
    """(in, out) of a layer behind a norm, the norm's gain inside."""
    return _row(layer.weight * norm.gain)


def _scaled(weight: Tensor, width: int, scale: float) -> Tensor:
    """Queries' columns of a projection (in, 3 * width) times the scale of the scores."""
    weight[:, :width] *= scale
    return weight


def _normed(x: Tensor) -> Tensor:
    """Equation (2) without the gain."""
    mean_square = (x * x).mean(-1, keepdim=True)
    return x * mean_square.add_(_EPSILON).rsqrt_()


def _theta(head_dim: int) -> Tensor:
    """(head_dim / 2,) radians per position, as `rotary` rounds them."""
    half = head_dim // 2
    theta: Tensor = _BASE ** (-torch.arange(half, dtype=torch.float32) / half)
    return theta.double()


def _turn(phase: Tensor) -> tuple[Tensor, Tensor]:
    """Cosines and signed sines (..., head_dim) of phases (..., head_dim / 2)."""
    cosine, sine = phase.cos().float(), phase.sin().float()
    return torch.cat([cosine, cosine], dim=-1), torch.cat([-sine, sine], dim=-1)


def _turned(x: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
    """Equation (5) for features (..., head_dim): `x` and its halves exchanged."""
    half = x.shape[-1] // 2
    return torch.addcmul(x * turn[0], x.roll(half, -1), turn[1])
