"""What a lens does to a picture: OpenCV's models, there and back.

With x, y the point divided by its depth and r² = x² + y², the lens shows it at

    x' = x (1 + k1 r² + k2 r⁴ + k3 r⁶) / (1 + k4 r² + k5 r⁴ + k6 r⁶) + 2 p1 x y + p2 (r² + 2 x²) + s1 r²
    + s2 r⁴ y' = y (…) / (…) + p1 (r² + 2 y²) + 2 p2 x y + s3 r² + s4 r⁴

with the numbers in OpenCV's order (k1, k2, p1, p2, k3, k4, k5, k6, s1 … s4); a fisheye lens shows the
angle θ from the axis at θ (1 + k1 θ² + k2 θ⁴ + k3 θ⁶ + k4 θ⁸). Source: OpenCV, "Camera Calibration and
3D Reconstruction" and "Fisheye camera model".
"""

from typing import Final

import numpy as np

from ...rig.arrays import Array

__all__ = ["COEFFICIENTS", "distorted", "undistorted"]

COEFFICIENTS: Final = (0, 4, 5, 8, 12)  # how many a lens may have; a fisheye has four
_STEPS: Final = 24
_CHEAP: Final = 4
_EXACT: Final = 1e-10  # of the distance to the picture: a millionth of a pixel
_GOOD: Final = 1e-6
_NUDGE: Final = 1e-7
_TINY: Final = 1e-12


def distorted(points: Array, coefficients: Array, *, fisheye: bool = False) -> Array:
    """Where the lens shows points (..., 2), coordinates divided by depth."""
    if not len(coefficients) or not np.any(coefficients):
        return _fisheye(points, np.zeros(4)) if fisheye else points
    return _fisheye(points, coefficients) if fisheye else _usual(points, coefficients)


def _usual(points: Array, coefficients: Array) -> Array:
    k1, k2, p1, p2, k3, k4, k5, k6, s1, s2, s3, s4 = np.pad(
        coefficients, (0, 12 - len(coefficients))
    )
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


def _fisheye(points: Array, coefficients: Array) -> Array:
    k1, k2, k3, k4 = np.pad(coefficients, (0, 4 - len(coefficients)))
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
    found = _angle_undone(flat) if fisheye else np.array(flat)
    left = np.flatnonzero(np.isfinite(flat).all(axis=-1))
    with np.errstate(all="ignore"):
        for step in range(_STEPS):
            off = distorted(found[left], coefficients, fisheye=fisheye) - flat[left]
            exact = (np.abs(off) <= _EXACT).all(axis=-1)
            left, off = left[~exact], off[~exact]
            if not len(left):
                break
            # Most lenses hardly bend: what is off is nearly the step, and costs a fifth of Newton's.
            steep = step >= _CHEAP
            found[left] -= (
                _solved(found[left], off, coefficients, fisheye=fisheye) if steep else off
            )
        off = distorted(found, coefficients, fisheye=fisheye) - flat
        good = (np.abs(off) < _GOOD).all(axis=-1, keepdims=True)  # NaN compares false
    return np.where(good, found, np.nan).reshape(points.shape)


def _angle_undone(points: Array) -> Array:
    """A start for a fisheye: as if it showed angles as they are."""
    r = np.linalg.norm(points, axis=-1, keepdims=True)
    return points * (np.tan(np.minimum(r, 1.5)) / np.maximum(r, _TINY))


def _solved(at: Array, off: Array, coefficients: Array, *, fisheye: bool) -> Array:
    """The Newton step: the inverse of the model's slope, by differences, times what is off."""
    columns = []
    for axis in range(2):
        nudge = np.zeros(2)
        nudge[axis] = _NUDGE
        ahead = distorted(at + nudge, coefficients, fisheye=fisheye)
        columns.append(
            (ahead - distorted(at - nudge, coefficients, fisheye=fisheye)) / (2 * _NUDGE)
        )
    (a, c), (b, d) = (np.moveaxis(column, -1, 0) for column in columns)
    u, v = off[..., 0], off[..., 1]
    det = a * d - b * c
    return np.stack([(d * u - b * v) / det, (a * v - c * u) / det], axis=-1)
