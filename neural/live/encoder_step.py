"""One frame through the encoder with little work: what a live stream does sixty times a second.

The same sums as `Encoder.forward`, arranged for one frame: weights lie as a product with a row wants them
and hold the norms' gains, keys and values lie in rings that never grow or move, and rotary phases are
taken in double precision from the frame's number, so the hundred-thousandth frame is as exact as the first.
Layers' products are torch's, which are several times as quick as numpy's on few rows; all else is numpy's:
on arrays this small a call costs more than what it computes, torch's most, and torch gives up Python's
lock in every one of them, which whoever draws the viewport then holds.
"""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ...rig.arrays import Array
from ..attention import Block
from ..encoder import Encoder
from ..long_short import LongShortCrossAttention

__all__ = ["EncoderStep", "Floats", "laid", "numbers", "product", "silu"]

Floats = NDArray[np.float32]
Turn = tuple[Floats, Floats]

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
        self._embed, self._which = (
            laid(encoder.embed.weight),
            numbers(encoder.embed.bias + encoder.which),
        )
        self._blocks = [_BlockStep(block, config.n_sensors) for block in encoder.blocks]  # type: ignore[arg-type]
        self._fuse, self._fuse_bias = laid(encoder.fuse.weight), numbers(encoder.fuse.bias)
        self._cross = None if encoder.cross is None else _LongShortStep(encoder.cross)
        self._gain = numbers(encoder.norm.gain)
        heads = {config.width // config.n_heads, config.cross_width // config.n_heads}
        self._theta = {head_dim: _theta(head_dim) for head_dim in heads}

    def __call__(self, sensors: Floats) -> Floats:
        """Features (features,) of the next frame (S, n_features); quickest in `torch.inference_mode`."""
        turns = {
            head: _turn(theta * (self.start + self.frames)) for head, theta in self._theta.items()
        }
        x = product(sensors, self._embed) + self._which
        for block in self._blocks:
            x = block(x, self.frames, turns)
        fused = product(x.reshape(1, -1), self._fuse) + self._fuse_bias
        if self._cross is not None:
            fused += self._cross(fused, self.frames, turns)
        self.frames += 1
        features: Floats = (_normed(fused) * self._gain)[0]
        return features


class _BlockStep:
    """One `Block`: rings of its last `window` keys and values (S * heads, window, head_dim)."""

    def __init__(self, block: Block, n_sensors: int) -> None:
        self.n_heads, self.window = block.time.n_heads, block.window
        width = block.time.out.in_features
        self.head_dim = width // self.n_heads
        scale = 1.0 if block.literal else 1.0 / math.sqrt(self.head_dim)
        self.time_in = _projection(block.time.query_key_value, block.time_norm.gain)
        self.sensor_in = _projection(block.sensor.query_key_value, block.sensor_norm.gain)
        for weight in (self.time_in, self.sensor_in):
            weight[:, :width] *= scale  # queries' columns: the scale of the scores
        self.time_out, self.sensor_out = (
            laid(block.time.out.weight),
            laid(block.sensor.out.weight),
        )
        self.feed_in = _projection(block.feed.gate_and_value, block.feed_norm.gain)
        self.feed_out = laid(block.feed.out.weight)
        ring = (n_sensors * self.n_heads, self.window, self.head_dim)
        self.keys, self.values = np.zeros(ring, np.float32), np.zeros(ring, np.float32)
        places = np.arange(n_sensors, dtype=np.float64)[:, None]
        if not block.rotary_sensors:
            places = np.zeros_like(places)
        cosine, sine = _turn(places * _theta(self.head_dim))
        self.sensor_turn = cosine[:, None], sine[:, None]  # (S, 1, head_dim)

    def __call__(self, x: Floats, frame: int, turns: dict[int, Turn]) -> Floats:
        x = x + self._over_time(x, frame, turns[self.head_dim])
        x += self._over_sensors(x)
        both = product(_normed(x), self.feed_in)
        half = both.shape[1] // 2
        x += product(silu(both[:, :half]) * both[:, half:], self.feed_out)
        return x

    def _split(self, x: Floats, weight: Tensor, turn: Turn) -> tuple[Floats, Floats, Floats]:
        """Queries, keys and values, each (S, heads, head_dim), the first two turned."""
        parts = product(_normed(x), weight).reshape(len(x), 3 * self.n_heads, self.head_dim)
        turned = _turned(parts[:, : 2 * self.n_heads], turn)
        return turned[:, : self.n_heads], turned[:, self.n_heads :], parts[:, 2 * self.n_heads :]

    def _over_time(self, x: Floats, frame: int, turn: Turn) -> Floats:
        query, key, value = self._split(x, self.time_in, turn)
        slot, filled = frame % self.window, min(frame + 1, self.window)
        self.keys[:, slot] = key.reshape(-1, self.head_dim)
        self.values[:, slot] = value.reshape(-1, self.head_dim)
        # The order of keys does not matter: each has been turned by its own frame's number.
        scores = self.keys[:, :filled] @ query.reshape(-1, self.head_dim, 1)
        shares = _softmax(scores[..., 0])
        heads = shares[:, None] @ self.values[:, :filled]
        return product(heads.reshape(len(x), -1), self.time_out)

    def _over_sensors(self, x: Floats) -> Floats:
        query, key, value = self._split(x, self.sensor_in, self.sensor_turn)
        shares = _softmax(query.transpose(1, 0, 2) @ key.transpose(1, 2, 0))  # (heads, S, S)
        heads = shares @ value.transpose(1, 0, 2)
        return product(heads.transpose(1, 0, 2).reshape(len(x), -1), self.sensor_out)


class _LongShortStep:
    """The cross attention: a ring of queries over the long span, of keys and values over the short one."""

    def __init__(self, cross: LongShortCrossAttention) -> None:
        config = cross.config
        self.config, self.head_dim = config, config.width // config.n_heads
        self.scale = np.float32(1.0 if config.literal else 1.0 / math.sqrt(self.head_dim))
        both = torch.cat([cross.query.weight, cross.key_value.weight])
        self.project = laid(both * cross.norm.gain)
        self.out = laid(cross.out.weight)
        self.pool = numbers(cross.pool)
        # Queries of one residue of the stride lie together, for they ask together.
        asking = (config.n_heads, config.long_stride, config.n_queries, self.head_dim)
        answering = (config.n_heads, config.short_span, self.head_dim)
        self.queries = np.zeros(asking, np.float32)
        self.keys, self.values = np.zeros(answering, np.float32), np.zeros(answering, np.float32)
        self.strides = np.arange(config.n_queries)

    def __call__(self, fused: Floats, frame: int, turns: dict[int, Turn]) -> Floats:
        config = self.config
        parts = product(_normed(fused), self.project).reshape(3, config.n_heads, self.head_dim)
        query, key = _turned(parts[:2], turns[self.head_dim])
        round_, residue = divmod(frame, config.long_stride)
        self.queries[:, residue, round_ % config.n_queries] = query
        slot, filled = frame % config.short_span, min(frame + 1, config.short_span)
        self.keys[:, slot], self.values[:, slot] = key, parts[2]
        scores = self.queries[:, residue] @ self.keys[:, :filled].transpose(0, 2, 1)
        mixed = self._shares(round_) @ _softmax(scores * self.scale)  # of (heads, Q, K)
        return product((mixed @ self.values[:, :filled]).reshape(1, -1), self.out)

    def _shares(self, round_: int) -> Floats:
        """(heads, 1, Q) how much each query of the ring counts; before the start none has asked."""
        shares = self.pool[:, (round_ - self.strides) % self.config.n_queries]
        if round_ < self.config.n_queries - 1:
            shares[:, self.strides > round_] = -np.inf
        return _softmax(shares)[:, None]


def numbers(weight: Tensor) -> Floats:
    """A copy of a layer's numbers."""
    copied: Floats = weight.detach().float().cpu().numpy().copy()
    return copied


def laid(weight: Tensor) -> Tensor:
    """(in, out) of a layer's (out, in), as products of few rows are fastest."""
    return weight.detach().float().cpu().T.contiguous().clone()


def product(rows: Floats, weight: Tensor) -> Floats:
    """(N, in) rows through a layer (in, out) without its bias."""
    through: Floats = torch.mm(torch.from_numpy(rows), weight).numpy()
    return through


def silu(x: Floats) -> Floats:
    """Swish of Ramachandran et al. 2017, x / (1 + exp(-x)), without overflow."""
    grown = np.exp(-np.maximum(x, np.float32(-80.0)))
    grown += np.float32(1.0)
    shrunk: Floats = x / grown
    return shrunk


def _projection(layer: nn.Linear, gain: Tensor) -> Tensor:
    """(in, out) of a layer behind a norm, the norm's gain inside."""
    return laid(layer.weight * gain)


def _softmax(x: Floats) -> Floats:
    """Shares over the last axis."""
    shares: Floats = np.exp(x - np.maximum.reduce(x, axis=-1, keepdims=True))
    shares /= np.add.reduce(shares, axis=-1, keepdims=True)
    return shares


def _normed(x: Floats) -> Floats:
    """Equation (2) without the gain."""
    mean_square = np.add.reduce(x * x, axis=-1, keepdims=True) / np.float32(x.shape[-1])
    normed: Floats = x / np.sqrt(mean_square + np.float32(_EPSILON))
    return normed


def _theta(head_dim: int) -> Array:
    """(head_dim / 2,) radians per position, as `rotary` rounds them."""
    half = head_dim // 2
    theta: Array = (_BASE ** (-torch.arange(half, dtype=torch.float32) / half)).double().numpy()
    return theta


def _turn(phase: Array) -> Turn:
    """Cosines and signed sines (..., head_dim) of phases (..., head_dim / 2)."""
    cosine, sine = np.cos(phase).astype(np.float32), np.sin(phase).astype(np.float32)
    return np.concatenate([cosine, cosine], axis=-1), np.concatenate([-sine, sine], axis=-1)


def _turned(x: Floats, turn: Turn) -> Floats:
    """Equation (5) for features (..., head_dim): `x` and its halves exchanged."""
    half = x.shape[-1] // 2
    turned: Floats = np.concatenate([x[..., half:], x[..., :half]], axis=-1)
    turned *= turn[1]
    turned += x * turn[0]
    return turned
