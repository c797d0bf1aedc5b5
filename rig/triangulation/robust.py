"""Triangulation that leaves out cameras that disagree, and says which."""

import itertools
from dataclasses import dataclass
from typing import Final

import numpy as np

from ..arrays import Array, Mask, checked
from ..errors import ShapeError
from .linear import reprojected, triangulated

__all__ = ["Triangulation", "triangulate"]

_FEWEST: Final = 2
_ALL_SUBSETS: Final = 6  # cameras whose every subset is tried; of more, one after the other goes


@dataclass(frozen=True, eq=False)
class Triangulation:
    """Points in space and how they were found; `...` is any shape, frames x keypoints mostly.

    Attributes:
        points: (..., 3) metres in the world; NaN where too few cameras agree.
        errors: (..., C) pixels between where a camera saw a point and where it should have, of cameras
            that were left out too; NaN where it saw none or there is no point.
        used: (..., C) the cameras that made the point.
        left_out: (..., C) the cameras that saw it and were left out because they disagreed.
    """

    points: Array
    errors: Array
    used: Mask
    left_out: Mask

    @property
    def error(self) -> Array:
        """(...) pixels, mean over the cameras that made a point; NaN where there is none."""
        return _mean_error(self.errors, self.used)


def triangulate(
    pixels: Array,
    confidence: Array,
    projections: Array,
    *,
    threshold: float,
    min_cameras: int = _FEWEST,
    min_confidence: float = 0.0,
) -> Triangulation:
    """Triangulate, and leave out as few cameras as must go for the others to agree.

    Args:
        pixels: (..., C, 2) undistorted; NaN where not seen.
        confidence: (..., C) of the detector: the weight.
        projections: (C, 3, 4) from the world in metres to homogeneous pixels.
        threshold: pixels, the mean error of the cameras that count, above which one more is left out.
        min_cameras: a point needs as many that agree.
        min_confidence: what the detector is less sure of is not seen.

    Raises:
        ShapeError: arrays don't fit each other, or `min_cameras` is below 2.
    """
    if min_cameras < _FEWEST:
        raise ShapeError(f"a point is triangulated from {min_cameras} cameras; expected at least 2")
    projections = checked("projections", projections, (None, 3, 4))
    cameras = len(projections)
    shape = np.shape(confidence)[:-1]
    flat = checked("pixels", np.reshape(pixels, (-1, *np.shape(pixels)[-2:])), (None, cameras, 2))
    sure = checked("confidence", np.reshape(confidence, (-1, cameras)), (len(flat), cameras))
    seen = (
        np.isfinite(flat[..., 0])
        & np.isfinite(flat[..., 1])
        & (sure > 0.0)
        & (sure >= min_confidence)
    )
    used = seen.copy()
    points = _solved(flat, projections, sure, used)
    errors = _errors(points, flat, projections, seen)
    for count in range(1, cameras - min_cameras + 1):
        doubtful = ~(_mean_error(errors, used) <= threshold)
        of = seen if cameras <= _ALL_SUBSETS else used
        again = np.flatnonzero(doubtful & (used.sum(axis=1) > min_cameras))
        if not len(again):
            break
        dropped = count if cameras <= _ALL_SUBSETS else 1
        rest = _without_worst(flat[again], projections, sure[again], of[again], dropped)
        used[again], points[again] = rest
        errors[again] = _errors(points[again], flat[again], projections, seen[again])
    bad = (used.sum(axis=1) < min_cameras) | ~(_mean_error(errors, used) <= threshold)
    points[bad], errors[bad] = np.nan, np.nan
    used &= ~bad[:, None]
    left_out = seen & ~used & ~bad[:, None]
    return Triangulation(
        points.reshape(*shape, 3),
        errors.reshape(*shape, cameras),
        used.reshape(*shape, cameras),
        left_out.reshape(*shape, cameras),
    )


def _solved(pixels: Array, projections: Array, confidence: Array, used: Mask) -> Array:
    return triangulated(pixels, projections, np.where(used, confidence, 0.0))


def _errors(points: Array, pixels: Array, projections: Array, seen: Mask) -> Array:
    """(N, C) pixels; infinite where a camera saw what is behind it."""
    apart = reprojected(points, projections)[0] - pixels
    away = np.sqrt(np.einsum("...d,...d->...", apart, apart))
    away = np.where(np.isfinite(away), away, np.inf)
    return np.where(seen & np.isfinite(points[:, :1]), away, np.nan)


def _mean_error(errors: Array, used: Mask) -> Array:
    count = used.sum(axis=-1)
    total = np.where(used, errors, 0.0).sum(axis=-1)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan))


def _without_worst(
    pixels: Array, projections: Array, confidence: Array, used: Mask, dropped: int
) -> tuple[Mask, Array]:
    """Leave out, of every point, so many cameras that the others agree best."""
    best = np.full(len(pixels), np.inf)
    points = np.full((len(pixels), 3), np.nan)
    # Where leaving out any of them gives no point, the least sure ones go.
    order = np.argsort(np.where(used, confidence, np.inf), axis=1)[:, :dropped]
    chosen = used.copy()
    np.put_along_axis(chosen, order, values=False, axis=1)
    for cameras in itertools.combinations(range(len(projections)), dropped):
        rows = np.flatnonzero(used[:, cameras].all(axis=1))
        rest = used[rows].copy()
        rest[:, cameras] = False
        found = _solved(pixels[rows], projections, confidence[rows], rest)
        error = _mean_error(_errors(found, pixels[rows], projections, rest), rest)
        better = error < best[rows]  # NaN compares false
        best[rows[better]] = error[better]
        chosen[rows[better]], points[rows[better]] = rest[better], found[better]
    return chosen, points
