"""Rotations as unit quaternions (w, x, y, z), in numpy: what the types carry and Blender reads.

All functions work on arrays (..., 4) and broadcast. `a_from_b` maps coordinates in b to a, so
neighbours cancel: `multiply(a_from_b, b_from_c)` is `a_from_c`. The maths of networks and solvers
uses matrices in torch: see `so3`.
"""

import numpy as np

from .arrays import Array

__all__ = [
    "IDENTITY",
    "angle",
    "conjugate",
    "continuous",
    "from_axis_angle",
    "from_euler",
    "from_frames",
    "from_matrix",
    "from_rotation_vector",
    "mean",
    "multiply",
    "normalised",
    "resample",
    "rotate",
    "shortest_arc",
    "slerp",
    "swing_twist",
    "to_euler",
    "to_matrix",
    "to_rotation_vector",
]

IDENTITY: Array = np.array([1.0, 0.0, 0.0, 0.0])
_AXES = {"X": 0, "Y": 1, "Z": 2}


def normalised(quaternion: Array) -> Array:
    """Scale to unit length; a zero quaternion becomes NaN (missing)."""
    length = np.linalg.norm(quaternion, axis=-1, keepdims=True)
    return np.divide(quaternion, length, out=np.full_like(quaternion, np.nan), where=length > 0)


def conjugate(a_from_b: Array) -> Array:
    """b_from_a (..., 4)."""
    return a_from_b * np.array([1.0, -1.0, -1.0, -1.0])


def multiply(a_from_b: Array, b_from_c: Array) -> Array:
    """a_from_c (..., 4), the Hamilton product."""
    aw, ax, ay, az = a_from_b[..., 0], a_from_b[..., 1], a_from_b[..., 2], a_from_b[..., 3]
    bw, bx, by, bz = b_from_c[..., 0], b_from_c[..., 1], b_from_c[..., 2], b_from_c[..., 3]
    w = aw * bw - ax * bx - ay * by - az * bz
    product: Array = np.empty((*np.shape(w), 4), dtype=np.result_type(w))
    product[..., 0] = w
    product[..., 1] = aw * bx + ax * bw + ay * bz - az * by
    product[..., 2] = aw * by - ax * bz + ay * bw + az * bx
    product[..., 3] = aw * bz + ax * by - ay * bx + az * bw
    return product


def rotate(a_from_b: Array, vector_in_b: Array) -> Array:
    """The vectors (..., 3) in frame a."""
    w, xyz = a_from_b[..., :1], a_from_b[..., 1:]
    twice = 2.0 * _cross(xyz, vector_in_b)
    result: Array = vector_in_b + w * twice + _cross(xyz, twice)
    return result


def _cross(first: Array, second: Array) -> Array:
    """As `numpy.cross` of (..., 3), which takes five times as long for a few vectors."""
    ax, ay, az = first[..., 0], first[..., 1], first[..., 2]
    bx, by, bz = second[..., 0], second[..., 1], second[..., 2]
    x = ay * bz - az * by
    product: Array = np.empty((*np.shape(x), 3), dtype=np.result_type(x))
    product[..., 0] = x
    product[..., 1] = az * bx - ax * bz
    product[..., 2] = ax * by - ay * bx
    return product


def from_axis_angle(axis: Array, radians: Array | float) -> Array:
    """Rotation by `radians` (...) about the unit vector `axis` (..., 3)."""
    half = 0.5 * np.asarray(radians, dtype=np.float64)[..., None]
    axis, half = np.broadcast_arrays(axis, half * np.ones(3))
    return np.concatenate([np.cos(half[..., :1]), np.sin(half) * axis], axis=-1)


def from_rotation_vector(vector: Array) -> Array:
    """Exponential map of a rotation vector (..., 3), radians."""
    angle_ = np.linalg.norm(vector, axis=-1, keepdims=True)
    scale = 0.5 * np.sinc(angle_ / (2.0 * np.pi))
    return np.concatenate([np.cos(0.5 * angle_), scale * vector], axis=-1)


def to_rotation_vector(a_from_b: Array) -> Array:
    """Logarithm: the rotation vector (..., 3), radians, of length at most pi."""
    w, xyz = a_from_b[..., :1], a_from_b[..., 1:]
    sign = np.where(w < 0, -1.0, 1.0)
    sine = np.linalg.norm(xyz, axis=-1, keepdims=True)
    angle_ = 2.0 * np.arctan2(sine, np.abs(w))
    small = sine < 1e-12
    scale = np.where(small, 2.0, angle_ / np.where(small, 1.0, sine))
    result: Array = sign * scale * xyz
    return result


def angle(a_from_b: Array, a_from_c: Array) -> Array:
    """Angle (...) in radians, 0 to pi, between two rotations."""
    return np.linalg.norm(to_rotation_vector(multiply(conjugate(a_from_b), a_from_c)), axis=-1)


def to_matrix(a_from_b: Array) -> Array:
    """Rotation matrices (..., 3, 3)."""
    columns = [rotate(a_from_b, axis) for axis in np.eye(3)]
    return np.stack(columns, axis=-1)


def from_matrix(a_from_b: Array) -> Array:
    """Quaternions (..., 4), w >= 0, of rotation matrices (..., 3, 3)."""
    m = a_from_b
    d0, d1, d2 = m[..., 0, 0], m[..., 1, 1], m[..., 2, 2]
    # Four formulas, each exact where its own component is large (Shepperd 1978).
    candidates: Array = np.empty((*m.shape[:-2], 4, 4), dtype=np.result_type(m, 1.0))
    candidates[..., 0, 0] = 1 + d0 + d1 + d2
    candidates[..., 1, 1] = 1 + d0 - d1 - d2
    candidates[..., 2, 2] = 1 - d0 + d1 - d2
    candidates[..., 3, 3] = 1 - d0 - d1 + d2
    candidates[..., 0, 1] = candidates[..., 1, 0] = m[..., 2, 1] - m[..., 1, 2]
    candidates[..., 0, 2] = candidates[..., 2, 0] = m[..., 0, 2] - m[..., 2, 0]
    candidates[..., 0, 3] = candidates[..., 3, 0] = m[..., 1, 0] - m[..., 0, 1]
    candidates[..., 1, 2] = candidates[..., 2, 1] = m[..., 1, 0] + m[..., 0, 1]
    candidates[..., 1, 3] = candidates[..., 3, 1] = m[..., 0, 2] + m[..., 2, 0]
    candidates[..., 2, 3] = candidates[..., 3, 2] = m[..., 2, 1] + m[..., 1, 2]
    scores = np.nan_to_num(np.diagonal(candidates, axis1=-2, axis2=-1), nan=-1.0)
    best = np.argmax(scores, axis=-1)[..., None, None]
    chosen = np.take_along_axis(candidates, best, axis=-2)[..., 0, :]
    unit = normalised(chosen)
    return np.where(unit[..., :1] < 0, -unit, unit)


def from_frames(x_axis: Array, y_hint: Array) -> Array:
    """World-from-frame quaternion of the frame with this x axis and y nearest to the hint."""
    x = x_axis / np.linalg.norm(x_axis, axis=-1, keepdims=True)
    z = np.cross(x, y_hint)
    z = z / np.linalg.norm(z, axis=-1, keepdims=True)
    return from_matrix(np.stack([x, np.cross(z, x), z], axis=-1))


def from_euler(angles: Array, order: str) -> Array:
    """Intrinsic rotations about the axes of `order` (such as "ZXY"), angles (..., n) in radians."""
    result = np.broadcast_to(IDENTITY, (*angles.shape[:-1], 4))
    for index, axis in enumerate(order):
        result = multiply(result, from_axis_angle(np.eye(3)[_AXES[axis]], angles[..., index]))
    return result


def to_euler(a_from_b: Array, order: str) -> Array:
    """Intrinsic Euler angles (..., 3) in radians about three different axes, inverse of `from_euler`."""
    i, j, k = (_AXES[axis] for axis in order)
    sign = 1.0 if (j - i) % 3 == 1 else -1.0
    m = to_matrix(a_from_b)
    middle = np.arcsin(np.clip(sign * m[..., i, k], -1.0, 1.0))
    first = np.arctan2(-sign * m[..., j, k], m[..., k, k])
    last = np.arctan2(-sign * m[..., i, j], m[..., i, i])
    locked = np.abs(m[..., i, k]) > 1.0 - 1e-12  # gimbal lock: the last angle is free, so zero
    first = np.where(locked, np.arctan2(sign * m[..., k, j], m[..., j, j]), first)
    return np.stack([first, middle, np.where(locked, 0.0, last)], axis=-1)


def shortest_arc(source: Array, target: Array) -> Array:
    """The smallest rotation (..., 4) that turns direction `source` (..., 3) onto `target`."""
    a = source / np.linalg.norm(source, axis=-1, keepdims=True)
    b = target / np.linalg.norm(target, axis=-1, keepdims=True)
    a, b = np.broadcast_arrays(a, b)
    cosine = np.sum(a * b, axis=-1, keepdims=True)
    opposite = cosine < -1.0 + 1e-12
    # Opposite directions: half a turn about any axis across them.
    across = np.cross(a, np.where(np.abs(a[..., :1]) < 0.9, np.eye(3)[0], np.eye(3)[1]))
    half_turn = np.concatenate([np.zeros_like(cosine), across], axis=-1)
    return normalised(
        np.where(opposite, half_turn, np.concatenate([1.0 + cosine, np.cross(a, b)], axis=-1))
    )


def swing_twist(a_from_b: Array, axis: Array) -> tuple[Array, Array]:
    """Split into swing and twist about `axis` (..., 3): a_from_b = multiply(swing, twist)."""
    along = np.sum(a_from_b[..., 1:] * axis, axis=-1, keepdims=True) * axis
    twist = np.concatenate([a_from_b[..., :1], along], axis=-1)
    length = np.linalg.norm(twist, axis=-1, keepdims=True)
    twist = np.where(length > 1e-12, twist / np.where(length > 1e-12, length, 1.0), IDENTITY)
    return multiply(a_from_b, conjugate(twist)), twist


def continuous(quaternions: Array) -> Array:
    """Flip signs along the first axis (time) so that neighbours lie in one hemisphere."""
    if len(quaternions) < 2:
        return quaternions
    dots = np.sum(quaternions[1:] * quaternions[:-1], axis=-1)
    flips = np.cumprod(np.where(dots < 0, -1.0, 1.0), axis=0)
    return quaternions * np.concatenate([np.ones_like(flips[:1]), flips])[..., None]


def slerp(start: Array, end: Array, fraction: Array | float) -> Array:
    """Rotate from `start` (..., 4) towards `end` along the shorter arc by `fraction` (...) of it."""
    turn = to_rotation_vector(multiply(conjugate(start), end))
    part = np.asarray(fraction, dtype=np.float64)[..., None] * turn
    return multiply(start, from_rotation_vector(part))


def resample(quaternions: Array, times: Array, new_times: Array) -> Array:
    """Slerp quaternions (T, ..., 4) at `times` (T,) to `new_times` (N,): (N, ..., 4); ends are held."""
    if len(times) == 1:
        return np.repeat(quaternions, len(new_times), axis=0)
    after = np.clip(np.searchsorted(times, new_times, side="right"), 1, len(times) - 1)
    span = times[after] - times[after - 1]
    fraction = np.clip((new_times - times[after - 1]) / span, 0.0, 1.0)
    fraction = fraction.reshape(-1, *([1] * (quaternions.ndim - 2)))
    return slerp(quaternions[after - 1], quaternions[after], fraction)


def mean(quaternions: Array) -> Array:
    """Average rotation over the first axis, NaN rows left out (Markley et al. 2007): (..., 4)."""
    clean = np.nan_to_num(quaternions)
    scatter = np.einsum("t...i,t...j->...ij", clean, clean)
    _, vectors = np.linalg.eigh(scatter)
    best: Array = vectors[..., -1]
    return np.where(best[..., :1] < 0, -best, best)
