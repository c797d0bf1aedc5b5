"""Rotations as matrices, in torch: what networks and solvers compute with, batched and differentiable.

The same verbs as `quaternion`, on tensors (..., 3, 3).
"""

import torch
from torch import Tensor

__all__ = [
    "composed",
    "exp",
    "from_quaternion",
    "from_sixd",
    "geodesic",
    "log",
    "relative",
    "skew",
    "to_quaternion",
    "to_sixd",
]


def skew(vector: Tensor) -> Tensor:
    """Cross-product matrices (..., 3, 3) of vectors (..., 3)."""
    x, y, z = vector.unbind(-1)
    zero = torch.zeros_like(x)
    rows = [zero, -z, y, z, zero, -x, -y, x, zero]
    return torch.stack(rows, dim=-1).unflatten(-1, (3, 3))


def exp(vector: Tensor) -> Tensor:
    """Rodrigues' formula: matrices (..., 3, 3) of rotation vectors (..., 3), radians."""
    squared = (vector * vector).sum(-1)
    small = squared < 1e-8
    # Taylor series near zero, where the closed forms and their gradients are 0/0.
    safe = torch.where(small, torch.ones_like(squared), squared)
    angle = safe.sqrt()
    first = torch.where(small, 1.0 - squared / 6.0, angle.sin() / angle)
    second = torch.where(small, 0.5 - squared / 24.0, (1.0 - angle.cos()) / safe)
    x, y, z = vector.unbind(-1)
    sx, sy, sz = first * x, first * y, first * z
    cx, cy, cz = second * x, second * y, second * z
    xx, yy, zz, xy, xz, yz = cx * x, cy * y, cz * z, cx * y, cx * z, cy * z
    entries = [
        1 - (yy + zz), xy - sz, xz + sy,
        xy + sz, 1 - (xx + zz), yz - sx,
        xz - sy, yz + sx, 1 - (xx + yy),
    ]  # fmt: skip
    return torch.stack(entries, dim=-1).unflatten(-1, (3, 3))


def log(matrix: Tensor) -> Tensor:
    """Rotation vectors (..., 3), radians, of length at most pi, of matrices (..., 3, 3)."""
    return _vector(to_quaternion(matrix))


def composed(first: Tensor, second: Tensor) -> Tensor:
    """log(exp(first) exp(second)): rotation vectors (..., 3) one after the other, radians."""
    return _vector(_multiplied(_quaternion(first), _quaternion(second)))


def relative(first: Tensor, second: Tensor) -> Tensor:
    """log(exp(first)^-1 exp(second)): the rotation vector (..., 3) from the first to the second, radians."""
    return _vector(_multiplied(_quaternion(-first), _quaternion(second)))


def _quaternion(vector: Tensor) -> Tensor:
    """Unit quaternions (..., 4) of rotation vectors (..., 3)."""
    squared = (vector * vector).sum(-1, keepdim=True)
    small = squared < 1e-8
    angle = torch.where(small, torch.ones_like(squared), squared).sqrt()
    cosine = torch.where(small, 1.0 - squared / 8.0, (0.5 * angle).cos())
    scale = torch.where(small, 0.5 - squared / 48.0, (0.5 * angle).sin() / angle)
    return torch.cat([cosine, scale * vector], dim=-1)


def _multiplied(p: Tensor, q: Tensor) -> Tensor:
    """The Hamilton product of quaternions (..., 4)."""
    a, b = p[..., :1], p[..., 1:]
    c, d = q[..., :1], q[..., 1:]
    real = a * c - (b * d).sum(-1, keepdim=True)
    return torch.cat([real, a * d + c * b + torch.linalg.cross(b, d)], dim=-1)


def _vector(quaternion: Tensor) -> Tensor:
    """Rotation vectors (..., 3), of length at most pi, of unit quaternions (..., 4)."""
    quaternion = torch.where(quaternion[..., :1] < 0.0, -quaternion, quaternion)
    w, xyz = quaternion[..., :1], quaternion[..., 1:]
    squared = (xyz * xyz).sum(-1, keepdim=True)
    small = squared < 1e-12
    sine = torch.where(small, torch.ones_like(squared), squared).sqrt()
    scale = torch.where(small, 2.0 / w.clamp(min=0.5), 2.0 * torch.atan2(sine, w) / sine)
    return scale * xyz


def from_quaternion(quaternion: Tensor) -> Tensor:
    """Matrices (..., 3, 3) of unit quaternions (..., 4) in (w, x, y, z)."""
    w, x, y, z = quaternion.unbind(-1)
    entries = [
        1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
        2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
        2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y),
    ]  # fmt: skip
    return torch.stack(entries, dim=-1).unflatten(-1, (3, 3))


def to_quaternion(matrix: Tensor) -> Tensor:
    """Unit quaternions (..., 4) in (w, x, y, z), w >= 0, of matrices (..., 3, 3)."""
    m = matrix
    d0, d1, d2 = m[..., 0, 0], m[..., 1, 1], m[..., 2, 2]
    a, b, c = m[..., 2, 1] - m[..., 1, 2], m[..., 0, 2] - m[..., 2, 0], m[..., 1, 0] - m[..., 0, 1]
    p, q, r = m[..., 1, 0] + m[..., 0, 1], m[..., 0, 2] + m[..., 2, 0], m[..., 2, 1] + m[..., 1, 2]
    # Four formulas, each exact where its own component is large (Shepperd 1978).
    candidates = torch.stack(
        [
            torch.stack([1 + d0 + d1 + d2, a, b, c], -1),
            torch.stack([a, 1 + d0 - d1 - d2, p, q], -1),
            torch.stack([b, p, 1 - d0 + d1 - d2, r], -1),
            torch.stack([c, q, r, 1 - d0 - d1 + d2], -1),
        ],
        dim=-2,
    )
    best = candidates.diagonal(dim1=-2, dim2=-1).argmax(-1)
    index = best[..., None, None].expand(*best.shape, 1, 4)
    chosen = candidates.gather(-2, index).squeeze(-2)
    unit = chosen / chosen.norm(dim=-1, keepdim=True)
    return torch.where(unit[..., :1] < 0, -unit, unit)


def to_sixd(matrix: Tensor) -> Tensor:
    """First two columns, one after the other (..., 6) (Zhou et al. 2019)."""
    return matrix[..., :2].transpose(-1, -2).flatten(-2)


def from_sixd(sixd: Tensor) -> Tensor:
    """Gram-Schmidt: matrices (..., 3, 3) of 6D rotations (..., 6) (Zhou et al. 2019)."""
    first, second = sixd[..., :3], sixd[..., 3:]
    x = torch.nn.functional.normalize(first, dim=-1)
    y = torch.nn.functional.normalize(second - (x * second).sum(-1, keepdim=True) * x, dim=-1)
    return torch.stack([x, y, torch.linalg.cross(x, y)], dim=-1)


def geodesic(first: Tensor, second: Tensor) -> Tensor:
    """Angle (...) in radians between rotations (..., 3, 3)."""
    relative = first.transpose(-1, -2) @ second
    sine = 0.5 * (relative - relative.transpose(-1, -2))
    axis = torch.stack([sine[..., 2, 1], sine[..., 0, 2], sine[..., 1, 0]], dim=-1)
    cosine = 0.5 * (relative.diagonal(dim1=-2, dim2=-1).sum(-1) - 1.0)
    return torch.atan2(axis.norm(dim=-1), cosine)
