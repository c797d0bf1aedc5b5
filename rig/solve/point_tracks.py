"""Keypoints over time, each free of the bones: where they were seen, near the body, and smooth.

Detectors see a point elsewhere on the body in another pose, clothes move, bones bend. So each keypoint is a
point of its own that is pulled to where it was seen and stays near the body; a low-pass takes the detector's
noise out. Every point of every frame is a problem of three unknowns: Gauss and Newton's steps, reweighted
(Huber 1964), all at once. Inside, the points are the last dimension.
"""

from typing import TYPE_CHECKING

import numpy as np

from ..arrays import Array
from ..filters import Butterworth, filtered
from ..triangulation.linear import nearest

if TYPE_CHECKING:
    from .evidence import Evidence
    from .views import BodyOptions

__all__ = ["point_tracks"]

_NEAR = 0.15  # metres, how far a keypoint may be from its place on the body
_SMOOTH = 8.0  # Hz
_ITERATIONS = 4
_NEAREST = 1e-3  # metres; a point closer to a camera's plane, or behind it, is not seen
_BLOCK = 100  # frames at a time: what fits the cache


def point_tracks(evidence: "Evidence", body: Array, fps: float, options: "BodyOptions") -> Array:
    """(T, P, 3) metres of the keypoints.

    Args:
        evidence: of T frames and P points.
        body: (T, P, 3) metres, where the body has them.
        fps: frames per second.
        options: how much is believed.
    """
    frames = len(body)
    tracks = np.empty_like(body)
    for start in range(0, frames, _BLOCK):
        some = np.arange(start, min(start + _BLOCK, frames))
        tracks[some] = _placed(evidence.taken(some), body[some], options)
    if options.smoothness == 0.0 or frames == 1:
        return tracks
    return filtered(tracks, fps, Butterworth(cutoff=min(_SMOOTH / options.smoothness, 0.4 * fps)))


def _placed(evidence: "Evidence", body: Array, options: "BodyOptions") -> Array:
    """(T, P, 3) metres, every point by itself."""
    first = np.ascontiguousarray(body.reshape(-1, 3).T)
    places = first
    for _ in range(_ITERATIONS):
        sums = np.zeros((9, first.shape[1]))
        sums[[0, 3, 5]] = _NEAR**-2
        sums[6:] = (places - first) * _NEAR**-2
        if len(evidence.pixels):
            _add_pictures(sums, evidence, places, options.robust)
        if evidence.points is not None and evidence.placed:
            _add_points(sums, evidence, places, options)
        places = places + nearest(sums)
    return places.T.reshape(body.shape)


def _add_pictures(sums: Array, evidence: "Evidence", places: Array, robust: float) -> None:
    """Add what C cameras saw, in their own spreads."""
    cameras, count = len(evidence.pixels), evidence.pixels.shape[2]
    moving = evidence.projections.shape[1] > 1
    matrices = evidence.projections.transpose(2, 3, 0, 1)  # (3, 4, C, T or 1)
    matrices = np.repeat(matrices, count, axis=-1) if moving else matrices
    u, v, depth = (
        row[0] * places[0] + row[1] * places[1] + row[2] * places[2] + row[3] for row in matrices
    )
    weights = (evidence.sure / evidence.spreads[:, None, None]).reshape(cameras, -1)
    weights = np.where(depth > _NEAREST, weights, 0.0)
    depth = np.where(depth > _NEAREST, depth, 1.0)
    u, v = u / depth, v / depth
    targets = np.nan_to_num(evidence.pixels.reshape(cameras, -1, 2))
    right, below = u - targets[..., 0], v - targets[..., 1]
    away = weights * np.sqrt(right * right + below * below)
    squares = weights * weights * (robust / np.maximum(away, robust)) / depth
    across = [matrices[0, k] - u * matrices[2, k] for k in range(3)]
    along = [matrices[1, k] - v * matrices[2, k] for k in range(3)]
    for k in range(3):
        sums[6 + k] += (squares * (across[k] * right + along[k] * below)).sum(axis=0)
    squares /= depth
    entry = 0
    for k in range(3):
        for other in range(k, 3):
            product = across[k] * across[other] + along[k] * along[other]
            sums[entry] += (squares * product).sum(axis=0)
            entry += 1


def _add_points(sums: Array, evidence: "Evidence", places: Array, options: "BodyOptions") -> None:
    """Add the points in space that were given."""
    assert evidence.points is not None
    away = np.nan_to_num(places - evidence.points.reshape(-1, 3).T)
    length = np.sqrt((away * away).sum(axis=0))
    weights = (evidence.points_sure.ravel() / options.point_spread) ** 2
    reach = options.robust * options.point_spread
    weights = weights * (reach / np.maximum(length, reach))
    sums[[0, 3, 5]] += weights
    sums[6:] += weights * away
