"""Triangulation that leaves out cameras that disagree, and says which."""

import itertools
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from ..arrays import Array, Mask, checked
from ..errors import ShapeError
from .linear import Rays

__all__ = ["Triangulation", "triangulate"]

_FEWEST: Final = 2
_BLOCK: Final = 4096  # points at a time: what fits the cache
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
        return _mean_error(np.moveaxis(self.errors, -1, 0), np.moveaxis(self.used, -1, 0))


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
    limits = _Limits(threshold, min_cameras)
    points, errors, used = np.empty((3, len(flat))), np.empty((cameras, len(flat))), seen.T.copy()
    for k in range(0, len(flat), _BLOCK):
        some = slice(k, k + _BLOCK)
        rays = Rays.of(flat[some].transpose(2, 1, 0), projections)
        weights = np.ascontiguousarray(sure[some].T)
        points[:, some], errors[:, some] = _agreed(
            rays, weights, seen[some].T, used[:, some], limits
        )
    found = np.isfinite(points[0])[:, None]
    return Triangulation(
        points.T.reshape(*shape, 3),
        errors.T.reshape(*shape, cameras),
        used.T.reshape(*shape, cameras),
        (seen & ~used.T & found).reshape(*shape, cameras),
    )


class _Limits(NamedTuple):
    threshold: float  # pixels, mean error
    cameras: int  # that must agree


def _agreed(
    rays: Rays, sure: Array, seen: Mask, used: Mask, limits: _Limits
) -> tuple[Array, Array]:
    """Points (3, N) and errors (C, N); `used` (C, N) loses the cameras that are left out.

    Args:
        rays: of N points.
        sure: (C, N) weights.
        seen: (C, N).
        used: (C, N), as `seen` before.
        limits: when cameras agree.
    """
    cameras = len(sure)
    points = rays.met(np.where(used, sure, 0.0))
    errors = _errors(rays, points, seen)
    for count in range(1, cameras - limits.cameras + 1):
        doubtful = ~(_mean_error(errors, used) <= limits.threshold)
        again = np.flatnonzero(doubtful & (used.sum(axis=0) > limits.cameras))
        if not len(again):
            break
        every = cameras <= _ALL_SUBSETS
        part, of = rays[again], (seen if every else used)[:, again]
        used[:, again], points[:, again] = _without_worst(
            part, sure[:, again], of, count if every else 1, points[:, again]
        )
        errors[:, again] = _errors(part, points[:, again], seen[:, again])
    bad = (used.sum(axis=0) < limits.cameras) | ~(_mean_error(errors, used) <= limits.threshold)
    points[:, bad], errors[:, bad], used[:, bad] = np.nan, np.nan, False
    return points, errors


def _errors(rays: Rays, points: Array, seen: Mask) -> Array:
    """(C, ..., N) pixels; infinite where a camera saw what is behind it."""
    away = rays.errors(points)
    away = np.where(np.isfinite(away), away, np.inf)
    return np.where(seen & np.isfinite(points[0]), away, np.nan)


def _mean_error(errors: Array, used: Mask) -> Array:
    """(...) pixels, of errors (C, ...)."""
    count = used.sum(axis=0)
    total = np.where(used, errors, 0.0).sum(axis=0)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan))


def _without_worst(
    rays: Rays, sure: Array, used: Mask, dropped: int, near: Array
) -> tuple[Mask, Array]:
    """Leave out, of every point near (3, N), so many cameras (C, N) that the others agree best."""
    ways = np.array(list(itertools.combinations(range(len(sure)), dropped)))
    stay = (np.arange(len(sure))[:, None, None] != ways).all(axis=-1)  # (C, ways)
    rest = used[:, None] & stay[..., None]  # (C, ways, N)
    found = rays.met(np.where(rest, sure[:, None], 0.0), near[:, None])
    error = _mean_error(_errors(rays, found, rest), rest)
    error[np.isnan(error) | (used.sum(axis=0) - rest.sum(axis=0) < dropped)] = np.inf
    best, each = error.argmin(axis=0), np.arange(sure.shape[1])
    chosen, points = rest[:, best, each], found[:, best, each]
    # Where leaving out any of them gives no point, the least sure ones go.
    lost = np.flatnonzero(np.isinf(error[best, each]))
    order = np.argsort(np.where(used, sure, np.inf)[:, lost], axis=0)[:dropped]
    chosen[:, lost], points[:, lost] = used[:, lost], np.nan
    chosen[order, lost] = False
    return chosen, points
