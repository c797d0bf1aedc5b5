"""Butterworth's low-pass filter, forward and backward."""

import math
from collections.abc import Iterator
from typing import Final

import numpy as np

from ..arrays import Array
from .options import Butterworth

__all__ = ["butterworth"]

_BLOCK: Final = 32  # frames


def butterworth(values: Array, fps: float, options: Butterworth) -> Array:
    """Filter (T, n) without gaps.

    Both ends are continued by their point reflection, over one period of the cut-off if there is as much. The
    cut-off of a single pass is raised so that both together have the one that was asked for.
    Source: D. Winter, Biomechanics and Motor Control of Human Movement, 4th ed., 2009, section 3.4.4.
    """
    frames = len(values)
    reach = min(math.ceil(fps / options.cutoff), frames - 1)
    if reach < 1:
        return values
    long = np.concatenate(
        [2 * values[0] - values[reach:0:-1], values, 2 * values[-1] - values[-2 : -reach - 2 : -1]]
    )
    for _ in range(2):
        for forward, backward in _sections(fps, options):
            long = _recursion(long, forward, backward)
        long = long[::-1]
    return long[reach : reach + frames]


def _sections(fps: float, options: Butterworth) -> Iterator[tuple[list[float], list[float]]]:
    """The filter of one pass in parts of the second order, by the bilinear transform."""
    order = options.order // 2
    once = (math.sqrt(2.0) - 1.0) ** (
        0.5 / order
    )  # |H|^2 = 1/sqrt(2) where one pass is this far below
    w = math.tan(math.pi * options.cutoff / fps) / once
    for k in range(order // 2):
        damping = 2.0 * math.sin(math.pi * (2 * k + 1) / (2 * order))
        below = 1.0 + damping * w + w * w
        gain = w * w / below
        yield (
            [gain, 2.0 * gain, gain],
            [2.0 * (w * w - 1.0) / below, (1.0 - damping * w + w * w) / below],
        )
    if order % 2:
        yield [w / (1.0 + w), w / (1.0 + w), 0.0], [(w - 1.0) / (w + 1.0), 0.0]


def _recursion(values: Array, forward: list[float], backward: list[float]) -> Array:
    """One part once over (T, n), begun as if the first value had always been.

    A block of frames at a time: what comes out is what the block's own values give, and what the two frames
    before it go on to give.
    """
    early = np.concatenate([values[:1], values[:1], values])
    out = forward[0] * early[2:] + forward[1] * early[1:-1] + forward[2] * early[:-2]
    own, after = _responses(*backward)
    before = early[:2]
    for k in range(0, len(out), _BLOCK):
        driven = out[k : k + _BLOCK]
        count = len(driven)
        driven[:] = own[:count, :count] @ driven + after[:count] @ before
        before = np.concatenate([before, driven])[-2:]
    return out


def _responses(first: float, second: float) -> tuple[Array, Array]:
    """What a block of y[t] = x[t] - first y[t - 1] - second y[t - 2] gives.

    Returns:
        Of its values (B, B), and of the two y before it (B, 2), the earlier one first.
    """
    pulse = [0.0, 1.0]
    for _ in range(_BLOCK):
        pulse.append(-first * pulse[-1] - second * pulse[-2])
    late = np.arange(_BLOCK)[:, None] - np.arange(_BLOCK)
    given = np.array(pulse)
    own = np.where(late >= 0, given[np.maximum(late, 0) + 1], 0.0)
    return own, np.stack([-second * given[1:-1], given[2:]], axis=1)
