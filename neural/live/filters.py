"""Filters for live streams: they know the past only, so each trades noise for a delay that it states."""

import math

import numpy as np

from ...rig.arrays import Array

__all__ = ["OneEuro", "TwoPole"]


class TwoPole:
    """Two equal poles in a row: a causal stand-in for a Gaussian.

    Its weights on the past have the standard deviation sqrt(2) times the time constant, and its delay is
    twice the time constant.

    Args:
        time_constant: seconds of each pole; zero passes everything.
        fps: samples per second.
    """

    def __init__(self, time_constant: float, fps: float) -> None:
        self._keep = math.exp(-1.0 / (fps * time_constant)) if time_constant > 0.0 else 0.0
        self._first: Array | None = None
        self._second: Array | None = None

    def __call__(self, values: Array) -> Array:
        """The next sample (...), filtered; the first one passes."""
        if self._first is None or self._second is None:
            self._first = self._second = values
        self._first = values + self._keep * (self._first - values)
        self._second = self._first + self._keep * (self._second - self._first)
        return self._second


class OneEuro:
    """The 1 euro filter (Casiez et al. 2012): smooth at rest, quick in motion.

    A first-order low-pass whose cutoff is `at_rest` + `per_speed` * speed. Its delay is 1 / (2 pi cutoff).

    Args:
        at_rest: Hz, cutoff when nothing moves.
        per_speed: Hz per unit per second, by which it opens with the speed.
        fps: samples per second.
        speed_cutoff: Hz, of the low-pass on the speed itself.
    """

    def __init__(
        self, at_rest: float, per_speed: float, fps: float, speed_cutoff: float = 1.0
    ) -> None:
        self.at_rest, self.per_speed, self.fps = at_rest, per_speed, fps
        self._speed_share = self._share(np.array(speed_cutoff))
        self._value: Array | None = None
        self._change: Array = np.zeros(1)

    def __call__(self, values: Array) -> Array:
        """The next sample (N, K) of N things with K numbers, each with a speed of its own."""
        if self._value is None:
            self._value, self._change = values, np.zeros_like(values)
        change = (values - self._value) * self.fps
        self._change = self._change + self._speed_share * (change - self._change)
        speed = np.sqrt((self._change * self._change).sum(-1, keepdims=True))
        share = self._share(self.at_rest + self.per_speed * speed)
        self._value = self._value + share * (values - self._value)
        return self._value

    def _share(self, cutoff: Array) -> Array:
        """How much of the new sample a first-order low-pass takes."""
        turn = np.minimum(2.0 * math.pi * cutoff / self.fps, 1e9)
        share: Array = turn / (turn + 1.0)
        return share
