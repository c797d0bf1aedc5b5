"""The point nearest to several rays, weighted; all points at once.

A camera with projection rows p1, p2, p3 sees X at u = p1 X / p3 X, v = p2 X / p3 X, so that (u p3 - p1)
X = 0 and (v p3 - p2) X = 0. These are solved in the least-squares sense, each divided by the depth p3 X
of the step before, so that what becomes small is the distance in pixels. Source: R. Hartley and P. Sturm,
Triangulation, Computer Vision and Image Understanding 68(2), 1997 (Iterative-LS).
"""

from typing import Final

import numpy as np

from ..arrays import Array, checked

__all__ = ["reprojected", "triangulated"]

_STEPS: Final = 3
_FLAT: Final = 1e-5  # of the equations' size: rays this parallel meet nowhere in particular
_NEAREST: Final = 1e-3  # metres before a camera


def reprojected(points: Array, projections: Array) -> tuple[Array, Array]:
    """Where cameras see points.

    Args:
        points: (N, 3) metres in the world.
        projections: (C, 3, 4) from the world to homogeneous pixels, undistorted.

    Returns:
        Pixels (N, C, 2), NaN behind a camera, and depths (N, C) in metres.
    """
    seen = np.einsum("cij,nj->nci", projections[..., :3], points) + projections[..., 3]
    depth = seen[..., 2] / np.linalg.norm(projections[:, 2, :3], axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        pixels = seen[..., :2] / np.where(depth > _NEAREST, seen[..., 2], np.nan)[..., None]
    return pixels, depth


def triangulated(pixels: Array, projections: Array, weights: Array) -> Array:
    """Points from where cameras saw them.

    Args:
        pixels: (N, C, 2) undistorted; what is in unweighted ones does not matter.
        projections: (C, 3, 4) from the world in metres to homogeneous pixels.
        weights: (N, C), 0 where a camera is left out.

    Returns:
        (N, 3) metres; NaN where fewer than two cameras count, rays are parallel, or they meet behind a
        camera.

    Raises:
        ShapeError: arrays don't fit each other.
    """
    projections = checked("projections", projections, (None, 3, 4))
    cameras = len(projections)
    pixels = checked("pixels", pixels, (None, cameras, 2))
    weights = checked("weights", weights, (len(pixels), cameras))
    counts = weights > 0.0
    rows = pixels[..., None] * projections[:, None, 2] - projections[:, :2]  # (N, C, 2, 4)
    rows = np.where(counts[..., None, None], rows, 0.0)
    found = np.full((len(pixels), 3), np.nan)
    good = counts.sum(axis=1) >= 2
    rows, weights = rows[good], weights[good]
    scale = weights
    points = np.empty((0, 3))
    for _ in range(_STEPS):
        points = _nearest(rows * scale[..., None, None])
        depth = reprojected(points, projections)[1]
        with np.errstate(invalid="ignore"):
            scale = weights / np.maximum(np.nan_to_num(depth, nan=1.0), _NEAREST)
    behind = (counts[good] & ~(depth > _NEAREST)).any(axis=1)
    points[behind] = np.nan
    found[good] = points
    return found


def _nearest(rows: Array) -> Array:
    """(N, 3) least-squares solutions of rows (N, C, 2, 4) times (X, 1)."""
    flat = rows.reshape(len(rows), 2 * rows.shape[1], 4)
    square = np.swapaxes(flat, -1, -2) @ flat
    matrix, right = square[:, :3, :3], -square[:, :3, 3]
    # Of a symmetric 3 x 3 matrix the inverse is written out: that takes a tenth of a general solver's time.
    (a, b, c), (_, d, e), (_, _, f) = np.moveaxis(matrix, 0, -1)
    cofactors = np.array(
        [
            [d * f - e * e, c * e - b * f, b * e - c * d],
            [c * e - b * f, a * f - c * c, b * c - a * e],
            [b * e - c * d, b * c - a * e, a * d - b * b],
        ]
    )
    determinant = a * cofactors[0, 0] + b * cofactors[0, 1] + c * cofactors[0, 2]
    # Beside its size, the determinant tells of a direction without any hold.
    size = np.maximum((a + d + f) / 3.0, 1e-300)
    with np.errstate(invalid="ignore", divide="ignore"):
        solvable = determinant / size**3 > _FLAT**2  # NaN compares false
        inverse = np.where(solvable, cofactors / determinant, np.nan)
    return np.einsum("ijn,nj->ni", inverse, right)
