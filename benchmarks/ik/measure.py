"""One way of measuring for all engines: errors of markers and sensors, differences of angles, time."""

import statistics
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np
import torch

__all__ = ["angle_differences", "spread", "timed", "turn_rmse", "weighted_rmse"]

Result = TypeVar("Result")


def weighted_rmse(measured: np.ndarray, placed: np.ndarray, weights: np.ndarray) -> float:
    """Root of the weighted mean squared distance of all markers in all frames, millimetres.

    Args:
        measured: (T, M, 3) metres; NaN where a marker was not seen.
        placed: (T, M, 3) metres.
        weights: (M,) of the squared distances.
    """
    squared = np.square(placed - measured).sum(axis=-1)
    counted = np.where(np.isfinite(squared), weights, 0.0)
    return 1e3 * float(np.sqrt((counted * np.nan_to_num(squared)).sum() / counted.sum()))


def turn_rmse(measured: np.ndarray, placed: np.ndarray) -> float:
    """Root mean square of the angles between rotations (T, S, 3, 3), degrees."""
    between = np.swapaxes(measured, -1, -2) @ placed
    sine = np.linalg.norm(
        np.stack([between[..., i - 1, i - 2] - between[..., i - 2, i - 1] for i in range(3)]),
        axis=0,
    )
    angle = np.arctan2(sine, np.trace(between, axis1=-2, axis2=-1) - 1.0)
    return float(np.degrees(np.sqrt(np.square(angle).mean())))


def angle_differences(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(T, D) degrees between angles in radians, full turns left out."""
    away = np.degrees(first - second)
    return np.abs((away + 180.0) % 360.0 - 180.0)


def spread(differences: np.ndarray) -> tuple[float, float]:
    """Root mean square and largest."""
    return float(np.sqrt(np.square(differences).mean())), float(differences.max())


def timed(
    work: Callable[[], Result], repeats: int, threads: int = 1
) -> tuple[Result, float, float]:
    """What the work gave last, and medians of its milliseconds on the wall and of the processor.

    One run before is not counted, unless one is all that is asked for.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        result = work() if repeats > 1 else None
        took = []
        for _ in range(repeats):
            started = time.perf_counter(), time.process_time()
            result = work()
            ended = time.perf_counter(), time.process_time()
            took.append([(b - a) * 1e3 for a, b in zip(started, ended, strict=True)])
    finally:
        torch.set_num_threads(before)
    assert result is not None
    wall, processor = (statistics.median(column) for column in zip(*took, strict=True))
    return result, wall, processor
