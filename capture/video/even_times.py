"""Frames at their true times, brought to an even clock: phones film at rates that vary."""

from typing import Final

import numpy as np

from ...rig.arrays import Array

__all__ = ["even_rate", "on_even_times"]

_UNEVEN: Final = 0.25  # of a frame, by which times may leave the even clock
_NAMED: Final = 4e-4  # a rate so near to a usual one is that one
_BROADCAST: Final = tuple(1000.0 * n / 1001.0 for n in (24, 30, 60, 120))
_USUAL: Final = (24.0, 25.0, 30.0, 48.0, 50.0, 60.0, 90.0, 100.0, 120.0, 240.0, *_BROADCAST)
_FALLBACK: Final = 30.0


def even_rate(times: Array, stated: float | None = None) -> tuple[float, bool]:
    """Frames per second of (T,) times, and whether they are even already.

    Uneven ones get the rate of their median step, so that no frame is lost where filming was fastest
    most of the time.
    """
    if len(times) < 2:
        return (stated or _FALLBACK), True
    mean = (len(times) - 1) / float(times[-1] - times[0])
    off = times - times[0] - np.arange(len(times)) / mean
    if np.abs(off - np.median(off)).max() * mean <= _UNEVEN:
        return _named(mean), True
    return _named(1.0 / float(np.median(np.diff(times)))), False


def _named(rate: float) -> float:
    nearest = min(_USUAL, key=lambda usual: abs(usual - rate))
    return nearest if abs(nearest - rate) < _NAMED * nearest else rate


def on_even_times(times: Array, values: Array, sure: Array, fps: float) -> tuple[Array, Array]:
    """Keypoints of uneven frames on an even clock that starts with the first.

    Args:
        times: (T,) seconds, rising.
        values: (T, ..., D), NaN where missing.
        sure: (T, ...) confidence, 0 where missing.
        fps: of the even clock.

    Returns:
        Both at the even times: linear between two frames that have a keypoint, the lower confidence;
        at a frame's own time (a hundredth of a step beside it) that frame's; else missing.
    """
    grid = np.arange(int(np.floor((times[-1] - times[0]) * fps + 1e-6)) + 1) / fps + times[0]
    after = np.clip(np.searchsorted(times, grid), 1, max(len(times) - 1, 1))
    if len(times) == 1:
        return values, sure
    before = after - 1
    part = np.clip((grid - times[before]) / (times[after] - times[before]), 0.0, 1.0)
    shaped = part.reshape(-1, *[1] * (values.ndim - 1))
    mixed = values[before] * (1.0 - shaped) + values[after] * shaped
    lower = np.minimum(sure[before], sure[after])
    for rows, source in ((part < 0.01, before), (part > 0.99, after)):
        mixed[rows], lower[rows] = values[source[rows]], sure[source[rows]]
    return mixed, lower
