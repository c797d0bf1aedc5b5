"""A low-pass filter that shifts nothing in time: Butterworth's of the second order, there and back."""

import math
from typing import Final

import numpy as np

from ..arrays import Array, checked
from ..errors import ShapeError

__all__ = ["low_pass"]

_PADDING: Final = 1.0  # seconds mirrored at each end, if there are as many


def low_pass(positions: Array, fps: float, cutoff: float) -> Array:
    """Filter tracks; what is missing stays missing, and does not spread.

    Forward and backward it is of the fourth order, and what moves at the cut-off keeps half its size, as
    is usual in biomechanics. Source: D. Winter, Biomechanics and Motor Control of Human Movement.

    Args:
        positions: (T, M, D), NaN where missing.
        fps: frames per second.
        cutoff: hertz.

    Raises:
        ShapeError: the cut-off is not between 0 and half the frame rate.
    """
    positions = checked("positions", positions, (None, None, None))
    if not 0.0 < cutoff < fps / 2:
        raise ShapeError(
            f"the cut-off is {cutoff:g} Hz at {fps:g} frames per second; expected above 0 and below "
            f"{fps / 2:g}"
        )
    frames = len(positions)
    if frames < 3:
        return positions
    flat = _without_gaps(positions.reshape(frames, -1))
    reach = min(max(round(_PADDING * fps), 2), frames - 1)
    padded = np.concatenate(
        [2 * flat[0] - flat[reach:0:-1], flat, 2 * flat[-1] - flat[-2 : -reach - 2 : -1]]
    )
    there = _filtered(padded, fps, cutoff)
    back = _filtered(there[::-1], fps, cutoff)[::-1][reach : reach + frames]
    return np.where(np.isfinite(positions), back.reshape(positions.shape), np.nan)


def _without_gaps(values: Array) -> Array:
    """(T, n) with straight lines through gaps, and the first and last values held; zeros where nothing is."""
    filled = np.zeros_like(values)
    frames = np.arange(len(values))
    for column in range(values.shape[1]):
        seen = np.isfinite(values[:, column])
        if seen.any():
            filled[:, column] = np.interp(frames, frames[seen], values[seen, column])
    return filled


def _filtered(values: Array, fps: float, cutoff: float) -> Array:
    """The filter once over (T, n), begun as if the first value had always been."""
    warped = math.tan(math.pi * cutoff / fps)
    below = 1.0 + math.sqrt(2.0) * warped + warped**2
    gain = warped**2 / below
    one, two = 2.0 * (warped**2 - 1.0) / below, (1.0 - math.sqrt(2.0) * warped + warped**2) / below
    out = np.empty_like(values)
    before, earlier = values[0], values[0]  # of what goes in
    last, second = values[0], values[0]  # of what came out
    for frame, value in enumerate(values):
        now = gain * (value + 2.0 * before + earlier) - one * last - two * second
        earlier, before = before, value
        second, last = last, now
        out[frame] = now
    return out
