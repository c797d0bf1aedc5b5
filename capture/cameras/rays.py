"""How well two cameras agree that they see the same person: how near their rays pass."""

from typing import Final

import numpy as np

from ...rig.arrays import Array

__all__ = ["ray_distance", "typical"]

_PARALLEL: Final = 1e-3  # sine of the angle between rays that tell nothing of their distance


def ray_distance(from_one: Array, one: Array, from_other: Array, other: Array) -> Array:
    """Metres between two lines.

    Args:
        from_one: (..., 3) metres, where a camera stands.
        one: (..., 3) unit vectors, what it sees.
        from_other: (..., 3) metres, of the other camera.
        other: (..., 3) unit vectors.

    Returns:
        (...) metres; NaN where the rays are nearly parallel.
    """
    (a, b, c), (d, e, f) = np.moveaxis(one, -1, 0), np.moveaxis(other, -1, 0)
    x, y, z = b * f - c * e, c * d - a * f, a * e - b * d  # the vector across both
    length, (u, v, w) = np.sqrt(x * x + y * y + z * z), np.moveaxis(from_other - from_one, -1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        away = np.abs(x * u + y * v + z * w) / length
    return np.asarray(np.where(length > _PARALLEL, away, np.nan))


def typical(values: Array, fewest: int = 6) -> float:
    """The median of those that are there; NaN where they are fewer than `fewest`."""
    known = int(np.isfinite(values).sum())
    if known < fewest:
        return np.nan
    low, high = (known - 1) // 2, known // 2
    part = np.partition(values, (low, high))  # NaN last
    return float(part[low] + part[high]) / 2.0
