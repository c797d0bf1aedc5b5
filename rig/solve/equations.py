"""The Gauss-Newton equations of a problem, gathered without ever writing its Jacobian down.

A marker on a body moves by P S: S (6 x unknowns) are the twists of the unknowns above it, P (3 x 6) its
lever. So J'J = S' (P'P) S, and the 6 x 6 matrices P'P of all markers below a joint can be summed before S is
applied, as the composite rigid bodies of the mass matrix are (Featherstone 2008, ch. 6): every entry of the
Hessian is the twist of one unknown, times the sum below the deeper one, times the twist of the other.

The residuals' own curvature costs as little: a turn of an upper joint carries the lower unknowns' motion of a
marker with it, d2p / dq_i dq_j = w_i x (dp / dq_j), and its product with the residuals is summed below the
deeper joint in the same way. With it the equations are Newton's and not Gauss's, which matters where the
markers fit badly.
"""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from .. import so3
from ..model.kinematics import turned
from .unknowns import Unknowns

__all__ = ["Blocks", "Equations", "lever_moments", "point_moments", "weighted"]


class Equations:
    """H step + C shared = -g and C' step + B shared = -h; H is block-diagonal, or block-tridiagonal.

    Of H only the lower triangle is valid. Sums over bodies have the frames last, as the kinematics do. What
    no term touches is never made.

    Attributes:
        unknowns: U per frame.
        below: (6, 6, G, T) summed over the bodies that each mover of the unknowns carries, itself too.
        curvature: (3, 6, G, T) likewise, what the residuals' curvature adds to the upper half of `below`.
        wrench: (6, G, T) likewise.
        stiffness: (T, U) on the diagonal of `own`, of terms that hold every unknown by itself.
        coupling: (T - 1, U, U) row frame t, column t + 1; None where nothing couples frames.
    """

    def __init__(self, unknowns: Unknowns, frames: int, shared: int) -> None:
        self.unknowns = unknowns
        self._frames, self._shared = frames, shared
        self.below: Tensor | None = None
        self.curvature: Tensor | None = None
        self.wrench: Tensor | None = None
        self.stiffness: Tensor | None = None
        self.coupling: Tensor | None = None

    def _zeros(self, *shape: int) -> Tensor:
        return torch.zeros(*shape, dtype=torch.float64)

    @cached_property
    def own(self) -> Tensor:
        """(T, U, U) entries of terms that look at the unknowns themselves."""
        return self._zeros(self._frames, len(self.unknowns), len(self.unknowns))

    @cached_property
    def pull(self) -> Tensor:
        """(T, U) likewise."""
        return self._zeros(self._frames, len(self.unknowns))

    @cached_property
    def border(self) -> Tensor:
        """(T, U, S) between the frames' unknowns and the shared ones."""
        return self._zeros(self._frames, len(self.unknowns), self._shared)

    @cached_property
    def shared(self) -> Tensor:
        """(S, S)."""
        return self._zeros(self._shared, self._shared)

    @cached_property
    def shared_gradient(self) -> Tensor:
        """(S,)."""
        return self._zeros(self._shared)

    def add_sums(self, below: Tensor, wrench: Tensor, curvature: Tensor | None = None) -> None:
        """Add what a term sums over the bodies."""
        self.below = below if self.below is None else self.below + below
        self.wrench = wrench if self.wrench is None else self.wrench + wrench
        if curvature is not None:
            before = self.curvature
            self.curvature = curvature if before is None else before + curvature

    def reduced(self, twists: Tensor, newton: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Hessian (T, U, U) and gradient (T, U), the bodies' sums applied to twists (6, C, T).

        `newton` (T,) says how much of the residuals' curvature counts, 0 to 1; none if None.
        """
        if self.below is None or self.wrench is None:
            if self.stiffness is not None:
                self.own.diagonal(dim1=-2, dim2=-1).add_(self.stiffness)
            return self.own, self.pull
        bodies, merge = self.unknowns.mover, self.unknowns.merge
        if newton is not None and self.curvature is not None:
            self.below[:3].addcmul_(newton, self.curvature)
        forces = turned(self.below.index_select(2, bodies), twists)
        # The copies are small; a batched product of matrices that lie apart copies them one by one.
        upper, lower = forces.permute(2, 1, 0).contiguous(), twists.permute(2, 0, 1).contiguous()
        hessian = (upper @ lower).mul_(self.unknowns.descends)
        gradient = (self.wrench.index_select(1, bodies) * twists).sum(0).T
        if merge is not None:
            strict = hessian.tril(-1)
            hessian = merge.T @ (hessian + strict.transpose(-1, -2)) @ merge
            gradient = gradient @ merge
        if "own" in self.__dict__:
            hessian = hessian + self.own
        if self.stiffness is not None:
            hessian.diagonal(dim1=-2, dim2=-1).add_(self.stiffness)
        if "pull" in self.__dict__:
            gradient = gradient + self.pull
        return hessian, gradient

    def add_border(self, rows: Tensor, columns: Tensor | slice) -> None:
        """Add rows (T, C, K) of the model's columns against some shared unknowns (K,)."""
        merge = self.unknowns.merge
        own = rows if merge is None else torch.einsum("cu,tck->tuk", merge, rows)
        if isinstance(columns, slice):
            self.border[..., columns] += own
        else:
            self.border.index_add_(2, columns, own)

    def add_stiffness(self, stiffness: Tensor) -> None:
        """Add springs (T, U) that hold every unknown by itself."""
        self.stiffness = stiffness if self.stiffness is None else self.stiffness + stiffness

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
        plain, balls = self.unknowns.plain, self.unknowns.balls
        result.index_add_(1, plain, self.plain * vector[:, plain])
        if len(balls):
            turned = (self.balls * vector[:, balls][..., None]).sum(-2)
            result.index_add_(1, balls.flatten(), turned.flatten(1))
        return result

    def add_product(self, target: Tensor, other: "Blocks") -> None:
        """Add this matrix' transpose times another to `target` (T, U, U)."""
        plain, balls = self.unknowns.block_entries
        flat = target.view(len(target), len(self.unknowns) ** 2)
        flat.index_add_(1, plain, self.plain * other.plain)
        if len(balls):
            products = self.balls.transpose(-1, -2) @ other.balls
            flat.index_add_(1, balls, products.flatten(1))


def weighted(unknowns: Unknowns, slope: Tensor, balls: Tensor, weight: Tensor) -> Blocks:
    """Rows times weights (T, U)."""
    plain = unknowns.plain
    return Blocks(
        unknowns, slope[:, plain] * weight[:, plain], balls * weight[:, unknowns.balls][..., None]
    )


def _cross(axis: int) -> Tensor:
    """(3, 3) cross-product matrix of a unit vector."""
    cross = torch.zeros(3, 3, dtype=torch.float64)
    before, after = (axis + 1) % 3, (axis + 2) % 3
    cross[after, before], cross[before, after] = 1.0, -1.0
    return cross


def _moment_maps() -> tuple[Tensor, Tensor]:
    """From the sums of [w, w x, w x x'] (13) to those of w P'P, with P = [-[x], 1], flat (36).

    And from the sums of [w r, w x r'] (12) to the curvature [C - tr(C), -[f]] of C = w x r', f = w r (18).
    """
    square, bend = torch.zeros(13, 6, 6).double(), torch.zeros(12, 3, 6).double()
    eye = torch.eye(3, dtype=torch.float64)
    square[0, 3:, 3:] = eye
    for axis in range(3):
        square[1 + axis, :3, 3:], square[1 + axis, 3:, :3] = _cross(axis), _cross(axis).T
        bend[axis, :, 3:] = -_cross(axis)
        for other in range(3):
            place = 3 * axis + other
            square[4 + place, axis, other] -= 1.0
            bend[3 + place, axis, other] += 1.0
            if other == axis:
                square[4 + place, :3, :3] += eye
                bend[3 + place, :, :3] -= eye
    return square.flatten(1).T.contiguous(), bend.flatten(1).T.contiguous()


_SQUARE, _BEND = _moment_maps()


def point_moments(
    levers: Tensor, weight: Tensor, force: Tensor, carry: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Sums over the points that each of G bodies carries, of points with one weight per frame.

    Args:
        levers: (3, P, T) from the reference to the points.
        weight: (P, T) squared weights.
        force: (3, P, T) squared weights times residuals.
        carry: (G, P) 1 where a body carries a point.

    Returns:
        (6, 6, G, T), (3, 6, G, T) and (6, G, T), as in `Equations`.
    """
    features = levers.new_empty(28, *weight.shape)
    features[0], features[13:16] = weight, force
    weighed = torch.mul(weight, levers, out=features[1:4])
    torch.mul(weighed[:, None], levers, out=features[4:13].unflatten(0, (3, 3)))
    torch.mul(levers[:, None], force, out=features[16:25].unflatten(0, (3, 3)))
    torch.linalg.cross(levers, force, dim=0, out=features[25:])
    summed = carry @ features  # (28, G, T)
    shape = summed.shape[1:]
    square = (_SQUARE @ summed[:13].flatten(1)).reshape(6, 6, *shape)
    curvature = (_BEND @ summed[13:25].flatten(1)).reshape(3, 6, *shape)
    return square, curvature, torch.cat([summed[25:], summed[13:16]])


def lever_moments(
    levers: Tensor, information: Tensor, force: Tensor, carry: Tensor
) -> tuple[Tensor, Tensor]:
    """The same with a 3 x 3 matrix `information` (T, P, 3, 3) per point instead of one weight.

    Levers and force are (T, P, 3) here; the curvature is left out.
    """
    eye = torch.eye(3, dtype=levers.dtype).expand(*levers.shape, 3)
    lever = torch.cat([so3.skew(levers), eye], dim=-2)  # P' = [[x], 1], (T, P, 6, 3)
    square = torch.einsum("gp,tpij->ijgt", carry, lever @ information @ lever.transpose(-1, -2))
    return square, torch.einsum("gp,tpi->igt", carry, (lever @ force[..., None]).squeeze(-1))
