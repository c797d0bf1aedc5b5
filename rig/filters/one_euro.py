"""The one-euro filter: what stands still is smoothed, what moves is followed."""

import math

import numpy as np

from ..arrays import Array
from .options import OneEuro

__all__ = ["one_euro"]


def one_euro(values: Array, fps: float, options: OneEuro) -> Array:
    """Filter (T, n) without gaps, forward.

    Source: Casiez, Roussel, Vogel, 1€ Filter, CHI 2012, algorithm 1.
    """
    out = np.empty_like(values)
    out[0] = last = values[0]
    speed = np.zeros_like(last)
    follow = _share(np.array(options.speed_cutoff), fps)
    for frame in range(1, len(values)):
        speed = speed + follow * ((values[frame] - last) * fps - speed)
        share = _share(options.cutoff + options.beta * np.abs(speed), fps)
        last = last + share * (values[frame] - last)
        out[frame] = last
    return out


def _share(cutoff: Array, fps: float) -> Array:
    """How much of the way to the new value is taken."""
    return np.asarray(1.0 / (1.0 + fps / (2.0 * math.pi * cutoff)))
