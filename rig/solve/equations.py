"""The Gauss-Newton equations of a problem, gathered without ever writing its Jacobian down.

A marker on a body moves by P S: S (6 x unknowns) are the twists of the unknowns above it, P (3 x 6) its
lever. So J'J = S' (P'P) S, and the 6 x 6 matrices P'P of all markers below a joint can be summed before S is
applied, as the composite rigid bodies of the mass matrix are (Featherstone 2008, ch. 6): every entry of the
Hessian is the twist of one unknown, times the sum below the deeper one, times the twist of the other.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from .unknowns import Unknowns

__all__ = ["Equations", "lever_moments", "point_moments"]


@dataclass(eq=False)
class Equations:
    """H step + C shared = -g and C' step + B shared = -h; H is block-diagonal, or block-tridiagonal.

    Of H only the lower triangle is valid.

    Attributes:
        unknowns: U per frame.
        below: (T, B, 6, 6) summed over the bodies that each body carries, itself too.
        wrench: (T, B, 6) likewise.
        own: (T, U, U) entries of terms that look at the unknowns themselves.
        pull: (T, U) likewise.
        coupling: (T - 1, U, U) row frame t, column t + 1; None where nothing couples frames.
        border: (T, U, S) between the frames' unknowns and the shared ones.
        shared: (S, S).
        shared_gradient: (S,).
    """

    unknowns: Unknowns
    below: Tensor
    wrench: Tensor
    own: Tensor
    pull: Tensor
    coupling: Tensor | None
    border: Tensor
    shared: Tensor
    shared_gradient: Tensor

    @classmethod
    def empty(cls, unknowns: Unknowns, frames: int, bodies: int, shared: int) -> "Equations":
        """All zero."""
        size = len(unknowns)

        def zeros(*shape: int) -> Tensor:
            return torch.zeros(*shape, dtype=torch.float64)

        return cls(
            unknowns,
            zeros(frames, bodies, 6, 6),
            zeros(frames, bodies, 6),
            zeros(frames, size, size),
            zeros(frames, size),
            None,
            zeros(frames, size, shared),
            zeros(shared, shared),
            zeros(shared),
        )

    def reduced(self, twists: Tensor) -> tuple[Tensor, Tensor]:
        """Hessian (T, U, U) and gradient (T, U), the bodies' sums applied to twists (T, C, 6)."""
        bodies, merge = self.unknowns.bodies, self.unknowns.merge
        forces = (self.below[:, bodies] @ twists[..., None]).squeeze(-1)
        hessian = forces @ twists.transpose(-1, -2) * self.unknowns.descends
        gradient = (self.wrench[:, bodies] * twists).sum(-1)
        if merge is not None:
            strict = hessian.tril(-1)
            hessian = merge.T @ (hessian + strict.transpose(-1, -2)) @ merge
            gradient = gradient @ merge
        return hessian + self.own, gradient + self.pull

    def add_border(self, twists: Tensor, wrenches: Tensor) -> None:
        """Add the border of wrenches (T, B, 6, S), summed over what each body carries."""
        rows = torch.einsum("tcd,tcds->tcs", twists, wrenches[:, self.unknowns.bodies])
        merge = self.unknowns.merge
        self.border += rows if merge is None else torch.einsum("cu,tcs->tus", merge, rows)

    def add_unknowns(self, slope: Tensor, balls: Tensor, residual: Tensor, weight: Tensor) -> None:
        """Add a term whose residuals are the unknowns' own distances, times weights, all (T, U).

        Args:
            slope: (T, U) of each residual by its unknown, before the weight; of balls it is not used.
            balls: (T, N, 3, 3) of the balls' residuals by their unknowns, before the weight.
            residual: (T, U) before the weight.
            weight: (T, U).
        """
        first = weighted(self.unknowns, slope, balls, weight)
        self.pull += first.transposed(weight * residual)
        first.add_product(self.own, first)


@dataclass(frozen=True, eq=False)
class Blocks:
    """A block-diagonal matrix per frame: one by one, and three by three where a ball joint turns."""

    unknowns: Unknowns
    plain: Tensor  # (T, E)
    balls: Tensor  # (T, N, 3, 3)

    def transposed(self, vector: Tensor) -> Tensor:
        """This matrix' transpose times vectors (T, U)."""
        result = torch.zeros_like(vector)
        u = self.unknowns
        result[:, u.plain] = self.plain * vector[:, u.plain]
        turned = (self.balls.transpose(-1, -2) @ vector[:, u.balls][..., None]).squeeze(-1)
        result[:, u.balls] = turned
        return result

    def add_product(self, target: Tensor, other: "Blocks") -> None:
        """Add this matrix' transpose times another to `target` (T, U, U)."""
        u = self.unknowns
        target[:, u.plain, u.plain] += self.plain * other.plain
        rows, columns = u.balls[:, :, None], u.balls[:, None, :]
        target[:, rows, columns] += self.balls.transpose(-1, -2) @ other.balls


def weighted(unknowns: Unknowns, slope: Tensor, balls: Tensor, weight: Tensor) -> Blocks:
    """Rows times weights (T, U)."""
    plain = unknowns.plain
    return Blocks(
        unknowns, slope[:, plain] * weight[:, plain], balls * weight[:, unknowns.balls][..., None]
    )


# (13, 36): from [w, w x, w x x'] to the 6 x 6 matrix sum of w P'P, with P = [-[x], 1].
def _moment_map() -> Tensor:
    rows = torch.zeros(13, 6, 6, dtype=torch.float64)
    eye = torch.eye(3, dtype=torch.float64)
    rows[0, 3:, 3:] = eye
    for axis in range(3):
        cross = torch.zeros(3, 3, dtype=torch.float64)
        before, after = (axis + 1) % 3, (axis + 2) % 3
        cross[after, before], cross[before, after] = 1.0, -1.0  # [e_axis]
        rows[1 + axis, :3, 3:] = cross
        rows[1 + axis, 3:, :3] = cross.T
        for other in range(3):
            rows[4 + 3 * axis + other, axis, other] -= 1.0
            if other == axis:
                rows[4 + 3 * axis + other, :3, :3] += eye
    return rows.flatten(1)


_MOMENTS = _moment_map()


def point_moments(
    levers: Tensor, weight: Tensor, force: Tensor, carry: Tensor
) -> tuple[Tensor, Tensor]:
    """Sums over the points that each body carries, of points with one weight per frame.

    Args:
        levers: (T, P, 3) from the reference to the points.
        weight: (T, P) squared weights.
        force: (T, P, 3) squared weights times residuals.
        carry: (B, P) 1 where a body carries a point.

    Returns:
        (T, B, 6, 6) and (T, B, 6), as in `Equations`.
    """
    weighed = weight[..., None] * levers
    outer = (weighed[..., None] * levers[..., None, :]).flatten(-2)
    torque = torch.linalg.cross(levers, force)
    features = torch.cat([weight[..., None], weighed, outer, torque, force], dim=-1)
    summed = carry @ features  # (T, B, 19)
    return (summed[..., :13] @ _MOMENTS).unflatten(-1, (6, 6)), summed[..., 13:]


def lever_moments(
    levers: Tensor, information: Tensor, force: Tensor, carry: Tensor
) -> tuple[Tensor, Tensor]:
    """The same with a 3 x 3 matrix `information` (T, P, 3, 3) per point instead of one weight."""
    x, y, z = levers.unbind(-1)
    zero = torch.zeros_like(x)
    # P' = [[x], 1]
    cross = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], dim=-1).unflatten(-1, (3, 3))
    eye = torch.eye(3, dtype=levers.dtype).expand_as(cross)
    lever = torch.cat([cross, eye], dim=-2)  # (T, P, 6, 3)
    square = (lever @ information @ lever.transpose(-1, -2)).flatten(-2)
    wrench = (lever @ force[..., None]).squeeze(-1)
    return (carry @ square).unflatten(-1, (6, 6)), carry @ wrench
