"""Butterworth's low-pass filter, forward and backward."""

import math
from collections.abc import Iterator

import numpy as np

from ..arrays import Array
from .options import Butterworth

__all__ = ["butterworth"]


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
    """One part once over (T, n), begun as if the first value had always been."""
    early = np.concatenate([values[:1], values[:1], values])
    driven = forward[0] * early[2:] + forward[1] * early[1:-1] + forward[2] * early[:-2]
    out = np.empty_like(values)
    last, second = values[0], values[0]
    for frame, drive in enumerate(driven):
        last, second = drive - backward[0] * last - backward[1] * second, last
        out[frame] = last
    return out
