"""The point nearest to several rays, weighted; all points at once.

A camera with projection rows p1, p2, p3 sees X at u = p1 X / p3 X, v = p2 X / p3 X, so that (u p3 - p1)
X = 0 and (v p3 - p2) X = 0. These are solved in the least-squares sense, each divided by the depth p3 X
of the step before, so that what becomes small is the distance in pixels. Source: R. Hartley and P. Sturm,
Triangulation, Computer Vision and Image Understanding 68(2), 1997 (Iterative-LS).

What a camera adds to the normal equations is made once; whichever cameras count, and however much, their
weighted sum is what is solved. Inside, the points are the last dimension.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from ..arrays import Array, checked

__all__ = ["Rays", "nearest", "reprojected", "triangulated"]

_STEPS: Final = 3
_FLAT: Final = 1e-5  # of the equations' size: rays this parallel meet nowhere in particular
_NEAREST: Final = 1e-3  # metres before a camera
_BLOCK: Final = 4096  # points at a time: what fits the cache
# Rows and columns of the symmetric 4 x 4 normal equations, without the last entry, which moves nothing.
_ROWS: Final = (0, 0, 0, 1, 1, 2, 0, 1, 2)
_COLUMNS: Final = (0, 1, 2, 1, 2, 2, 3, 3, 3)


def reprojected(points: Array, projections: Array) -> tuple[Array, Array]:
    """Where cameras see points.

    Args:
        points: (N, 3) metres in the world.
        projections: (C, 3, 4) from the world to homogeneous pixels, undistorted.

    Returns:
        Pixels (N, C, 2), NaN behind a camera, and depths (N, C) in metres.
    """
    pixels, depth = _seen(points.T, projections)
    return pixels.transpose(2, 1, 0), depth.T


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
    found = np.empty((len(pixels), 3))
    for k in range(0, len(pixels), _BLOCK):
        some = slice(k, k + _BLOCK)
        found[some] = Rays.of(pixels[some].transpose(2, 1, 0), projections).met(weights[some].T).T
    return found


def _seen(points: Array, projections: Array) -> tuple[Array, Array]:
    """Pixels (2, C, N) and depths (C, N) of points (3, N)."""
    cameras = len(projections)
    ahead = projections[..., :3].swapaxes(0, 1).reshape(3 * cameras, 3) @ points
    ahead = ahead.reshape(3, cameras, -1)
    ahead += projections[..., 3].T[..., None]
    depth = ahead[2] / np.linalg.norm(projections[:, 2, :3], axis=-1)[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        return ahead[:2] / np.where(depth > _NEAREST, ahead[2], np.nan), depth


class Rays:
    """N points as C cameras saw them.

    Attributes:
        pixels: (2, C, N).
        projections: (C, 3, 4).
        products: (C, 9, N) what each camera adds to the normal equations.
    """

    def __init__(self, pixels: Array, projections: Array, products: Array) -> None:
        self.pixels, self.projections, self.products = pixels, projections, products
        ahead = projections[:, 2]
        self._ahead = ahead / np.linalg.norm(ahead[:, :3], axis=-1, keepdims=True)

    @classmethod
    def of(cls, pixels: Array, projections: Array) -> "Rays":
        """Rays to pixels (2, C, N) of cameras with projections (C, 3, 4)."""
        pixels = np.ascontiguousarray(pixels)
        u, v = np.where(np.isfinite(pixels), pixels, 0.0)
        known = np.stack([u * u + v * v, u, v, np.ones_like(u)], axis=1)  # (C, 4, N)
        return cls(pixels, projections, _squares(projections) @ known)

    def __getitem__(self, which: npt.NDArray[np.intp]) -> "Rays":
        """Those of some points."""
        return Rays(self.pixels[..., which], self.projections, self.products[..., which])

    def met(self, weights: Array, near: Array | None = None) -> Array:
        """(3, ..., N) points nearest to the rays of weights (C, ..., N); NaN where there is none.

        `near` (3, ..., N) are about where they are, which saves a step; NaN where nothing is known.
        """
        counts = weights > 0.0
        with np.errstate(invalid="ignore"):
            scale = weights if near is None else weights / self._before(self._depth(near))
            for _ in range(_STEPS if near is None else _STEPS - 1):
                points = nearest(np.einsum("ckn,c...n->k...n", self.products, scale * scale))
                depth = self._depth(points)
                scale = weights / self._before(depth)
            lost = (counts & ~(depth > _NEAREST)).any(axis=0) | (counts.sum(axis=0) < 2)
        points[:, lost] = np.nan
        return points

    @staticmethod
    def _before(depth: Array) -> Array:
        """(C, ..., N) depths by which equations are divided: all the same where there is no point."""
        return np.asarray(np.fmax(depth, _NEAREST))

    def _depth(self, points: Array) -> Array:
        """(C, ..., N) metres before each camera."""
        depth = self._ahead[:, :3] @ points.reshape(3, -1) + self._ahead[:, 3:]
        return np.asarray(depth.reshape(-1, *points.shape[1:]))

    def errors(self, points: Array) -> Array:
        """(C, ..., N) pixels between where points (3, ..., N) are seen and should be; NaN where not seen."""
        off = _seen(points.reshape(3, -1), self.projections)[0]
        off = off.reshape(*off.shape[:2], *points.shape[1:])
        off -= np.expand_dims(self.pixels, tuple(range(2, points.ndim)))
        off *= off
        return np.sqrt(off[0] + off[1])


def _squares(projections: Array) -> Array:
    """(C, 9, 4) the normal equations of (u p3 - p1) X = 0 and (v p3 - p2) X = 0 by u² + v², u, v and 1."""

    def product(a: int, b: int) -> Array:
        return np.asarray(projections[:, a, _ROWS] * projections[:, b, _COLUMNS])

    return np.stack(
        [
            product(2, 2),
            -product(0, 2) - product(2, 0),
            -product(1, 2) - product(2, 1),
            product(0, 0) + product(1, 1),
        ],
        axis=-1,
    )


def nearest(sums: Array) -> Array:
    """(3, ...) where sums of squares are least; NaN where they are flat in some direction.

    Args:
        sums: (9, ...) of each symmetric matrix xx, xy, xz, yy, yz, zz, and of the slope at 0 x, y, z.
    """
    a, b, c, d, e, f, x, y, z = sums
    # Of a symmetric 3 x 3 matrix the inverse is written out: that takes a tenth of a general solver's time.
    aa, bb, cc = d * f - e * e, c * e - b * f, b * e - c * d
    dd, ee, ff = a * f - c * c, b * c - a * e, a * d - b * b
    determinant = a * aa + b * bb + c * cc
    # Beside its size, the determinant tells of a direction without any hold.
    size = np.maximum((a + d + f) / 3.0, 1e-300)
    with np.errstate(invalid="ignore", divide="ignore"):
        solvable = determinant > _FLAT**2 * size * size * size  # NaN compares false
        inverse = np.where(solvable, -1.0 / determinant, np.nan)
    return (
        np.stack([aa * x + bb * y + cc * z, bb * x + dd * y + ee * z, cc * x + ee * y + ff * z])
        * inverse
    )
