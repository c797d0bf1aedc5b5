"""What a lens does to a picture: OpenCV's models, there and back.

With x, y the point divided by its depth and r² = x² + y², the lens shows it at

    x' = x (1 + k1 r² + k2 r⁴ + k3 r⁶) / (1 + k4 r² + k5 r⁴ + k6 r⁶) + 2 p1 x y + p2 (r² + 2 x²) + s1 r²
    + s2 r⁴ y' = y (…) / (…) + p1 (r² + 2 y²) + 2 p2 x y + s3 r² + s4 r⁴

with the numbers in OpenCV's order (k1, k2, p1, p2, k3, k4, k5, k6, s1 … s4); a fisheye lens shows the
angle θ from the axis at θ (1 + k1 θ² + k2 θ⁴ + k3 θ⁶ + k4 θ⁸). Source: OpenCV, "Camera Calibration and
3D Reconstruction" and "Fisheye camera model".
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from ...rig.arrays import Array

__all__ = ["COEFFICIENTS", "distorted", "undistorted"]

COEFFICIENTS: Final = (0, 4, 5, 8, 12)  # how many a lens may have; a fisheye has four
_STEPS: Final = 24
_EXACT: Final = 1e-10  # of the distance to the picture: a millionth of a pixel
_GOOD: Final = 1e-6
_NUDGE: Final = 1e-7
_TINY: Final = 1e-12
_BLOCK: Final = 8192  # points at a time: what fits the cache


def distorted(points: Array, coefficients: Array, *, fisheye: bool = False) -> Array:
    """Where the lens shows points (..., 2), coordinates divided by depth."""
    if not len(coefficients) or not np.any(coefficients):
        return _fisheye(points, np.zeros(4)) if fisheye else points
    return _fisheye(points, coefficients) if fisheye else _usual(points, coefficients)


def _usual(points: Array, coefficients: Array) -> Array:
    k1, k2, p1, p2, k3, k4, k5, k6, s1, s2, s3, s4 = _padded(coefficients, 12)
    x, y = points[..., 0], points[..., 1]
    r2 = x * x + y * y
    radial = (1 + r2 * (k1 + r2 * (k2 + r2 * k3))) / (1 + r2 * (k4 + r2 * (k5 + r2 * k6)))
    return np.stack(
        [
            x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x) + r2 * (s1 + r2 * s2),
            y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y + r2 * (s3 + r2 * s4),
        ],
        axis=-1,
    )


def _padded(coefficients: Array, count: int) -> list[float]:
    """So many of them, zero where there are none."""
    return [*coefficients.tolist(), *[0.0] * (count - len(coefficients))]


def _fisheye(points: Array, coefficients: Array) -> Array:
    k1, k2, k3, k4 = _padded(coefficients, 4)
    r = np.linalg.norm(points, axis=-1, keepdims=True)
    angle = np.arctan(r)
    a2 = angle * angle
    shown = angle * (1 + a2 * (k1 + a2 * (k2 + a2 * (k3 + a2 * k4))))
    return np.where(r > _TINY, points * (shown / np.maximum(r, _TINY)), points)


def undistorted(points: Array, coefficients: Array, *, fisheye: bool = False) -> Array:
    """The inverse of `distorted`, by Newton's method; NaN where the lens shows nothing at a point."""
    if not fisheye and (not len(coefficients) or not np.any(coefficients)):
        return points
    flat = points.reshape(-1, 2)
    every = np.flatnonzero(np.isfinite(flat[:, 0] + flat[:, 1]))
    found = np.full_like(flat, np.nan)
    with np.errstate(all="ignore"):
        for k in range(0, len(every), _BLOCK):
            seen = every[k : k + _BLOCK]
            shown = np.ascontiguousarray(flat[seen].T)
            start = _angle_undone(shown) if fisheye else shown
            found[seen] = _undone(shown, start, coefficients, fisheye=fisheye).T
    return found.reshape(points.shape)


def _undone(shown: Array, found: Array, coefficients: Array, *, fisheye: bool) -> Array:
    """(2, N) points shown at `shown` (2, N), from others near them; NaN where there are none."""
    result, left = np.full_like(shown, np.nan), np.arange(shown.shape[1])
    goal, off = shown, np.zeros_like(shown)
    for _ in range(_STEPS):
        value, slope_there = _with_slope(found, coefficients, fisheye=fisheye)
        off = value - goal
        exact = np.maximum(np.abs(off[0]), np.abs(off[1])) <= _EXACT
        if exact.all():
            result[:, left] = found
            break
        slope = slope_there()
        if exact.any():
            result[:, left[exact]] = found[:, exact]
            left, found, goal = left[~exact], found[:, ~exact], goal[:, ~exact]
            off, slope = off[:, ~exact], slope[..., ~exact]
        found = found - _solved(slope, off)
    else:
        near = np.abs(off).max(axis=0) < _GOOD  # NaN compares false
        result[:, left[near]] = found[:, near]
    # What a lens bends so far that it comes out on the other side is another branch of the formula.
    result[:, result[0] * shown[0] + result[1] * shown[1] < -_GOOD] = np.nan
    return result


def _angle_undone(points: Array) -> Array:
    """A start for a fisheye: as if it showed angles as they are."""
    r = np.linalg.norm(points, axis=0)
    return np.asarray(points * (np.tan(np.minimum(r, 1.5)) / np.maximum(r, _TINY)))


def _with_slope(
    at: Array, coefficients: Array, *, fisheye: bool
) -> tuple[Array, Callable[[], Array]]:
    """Where points (2, N) are shown (2, N), and what tells how that changes with them (2, 2, N)."""
    if not fisheye:
        return _usual_with_slope(at, coefficients)

    def slope() -> Array:
        columns = []
        for axis in range(2):
            nudge = np.zeros((2, 1))
            nudge[axis] = _NUDGE
            ahead, behind = ((at + sign * nudge).T for sign in (1, -1))
            apart = _fisheye(ahead, coefficients) - _fisheye(behind, coefficients)
            columns.append(apart.T / (2 * _NUDGE))
        return np.stack(columns, axis=1)

    return _fisheye(at.T, coefficients).T, slope


def _usual_with_slope(at: Array, coefficients: Array) -> tuple[Array, Callable[[], Array]]:
    k1, k2, p1, p2, k3, k4, k5, k6, s1, s2, s3, s4 = _padded(coefficients, 12)
    x, y = at
    xx, xy, yy = x * x, x * y, y * y
    r2 = xx + yy
    below = 1 + r2 * (k4 + r2 * (k5 + r2 * k6)) if k4 or k5 or k6 else 1.0
    radial = (1 + r2 * (k1 + r2 * (k2 + r2 * k3))) / below
    value = at * radial
    value += [2 * p1 * xy + p2 * (r2 + 2 * xx), 2 * p2 * xy + p1 * (r2 + 2 * yy)]
    if s1 or s2 or s3 or s4:
        value += [r2 * (s1 + r2 * s2), r2 * (s3 + r2 * s4)]

    def slope() -> Array:
        steep = k1 + r2 * (2 * k2 + 3 * r2 * k3)
        if k4 or k5 or k6:
            steep = (steep - radial * (k4 + r2 * (2 * k5 + 3 * r2 * k6))) / below
        across = xy * (2 * steep) + 2 * (p1 * x + p2 * y)
        slope = np.array([[radial + 2 * xx * steep + 2 * p1 * y + 6 * p2 * x, across],
                          [across, radial + 2 * yy * steep + 6 * p1 * y + 2 * p2 * x]])  # fmt: skip
        if s1 or s2 or s3 or s4:
            prism = np.array([2 * (s1 + 2 * r2 * s2), 2 * (s3 + 2 * r2 * s4)])
            slope += prism[:, None] * at
        return slope

    return value, slope


def _solved(slope: Array, off: Array) -> Array:
    """(2, N) the Newton step: the inverse of the slope times what is off."""
    ((a, b), (c, d)), (u, v) = slope, off
    return np.array([d * u - b * v, a * v - c * u]) / (a * d - b * c)
