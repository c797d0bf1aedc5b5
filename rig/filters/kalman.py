"""Kalman filter forward and Rauch-Tung-Striebel smoother backward, which is a smoothing spline too."""

import math
from typing import Final

import numpy as np

from ..arrays import Array
from .options import KalmanSmoother

__all__ = ["kalman"]

_UNKNOWN: Final = 1e8  # variance of the first state, where a measurement's is 1


def kalman(
    values: Array, weights: Array, fps: float, options: KalmanSmoother
) -> tuple[Array, Array, Array]:
    """Smooth (T, n) without gaps.

    The last derivative of the model moves by white noise. With nothing known of the first state the result is
    the natural smoothing spline: cubic for constant velocity, quintic for constant acceleration, which
    multiplies a sine of frequency f by 1 / (1 + (f/f0)^(2m)), m = 2 or 3.
    Sources: Rauch, Tung, Striebel, AIAA Journal 3, 1965; Wahba, J. R. Stat. Soc. B 40, 1978.

    Args:
        values: (T, n).
        weights: (T, n) one over the measurement's variance; 0 where nothing was measured.
        fps: frames per second.
        options: cut-off and model.

    Returns:
        Values, velocities and accelerations (T, n), per second and per second squared; constant velocity's
        acceleration is zeros.
    """
    size = 3 if options.model == "acceleration" else 2
    half = 2.0 * math.pi * options.cutoff / (math.sqrt(2.0) - 1.0) ** (0.5 / size)
    if (weights == weights[:, :1]).all():
        weights = weights[:, :1]  # then one covariance does for all columns
    states = _smoothed(values - values[0], weights, *_model(size, half / fps))
    acceleration = states[:, :, 2] * half**2 if size == 3 else np.zeros_like(values)
    return states[:, :, 0] + values[0], states[:, :, 1] * half, acceleration


def _model(size: int, step: float) -> tuple[Array, Array]:
    """How a state moves on, and by what covariance it strays, in time units of one over the cut-off."""
    powers = np.subtract.outer(np.arange(size), np.arange(size)).T
    moved = np.array(
        [[step**p / math.factorial(p) if p >= 0 else 0.0 for p in row] for row in powers]
    )
    down = [size - 1 - k for k in range(size)]
    strays = np.array(
        [
            [
                step ** (a + b + 2) / ((a + b + 1) * math.factorial(a) * math.factorial(b))
                for b in down
            ]
            for a in down
        ]
    )
    return moved, strays


def _smoothed(values: Array, weights: Array, moved: Array, strays: Array) -> Array:
    """States (T, n, d)."""
    frames, size = len(values), len(moved)
    states = np.zeros((*values.shape, size))
    ahead = np.zeros_like(states)  # what was expected before measuring
    gains = np.zeros((frames, weights.shape[1], size, size))
    covariance = np.broadcast_to(_UNKNOWN * np.eye(size), gains[0].shape)
    for k in range(frames):
        if k:
            ahead[k] = states[k - 1] @ moved.T
            carried = moved @ covariance
            expected = carried @ moved.T + strays
            gains[k] = np.swapaxes(np.linalg.solve(expected, carried), -1, -2)
            covariance = expected
        weight = weights[k][:, None]
        gain = covariance[..., 0] * weight / (covariance[..., :1, 0] * weight + 1.0)
        states[k] = ahead[k] + gain * (values[k] - ahead[k, :, 0])[:, None]
        keep = np.eye(size) - gain[..., None] * np.eye(size)[0]
        noise = np.divide(1.0, weight, out=np.zeros_like(weight), where=weight > 0.0)
        covariance = keep @ covariance @ np.swapaxes(keep, -1, -2)
        covariance = covariance + noise[..., None] * gain[..., None] * gain[:, None, :]
    for k in range(frames - 2, -1, -1):
        states[k] += (gains[k + 1] @ (states[k + 1] - ahead[k + 1])[..., None])[..., 0]
    return states
