"""How points move with the shape, and what that adds to the equations.

A scale moves every point that hangs on the bodies it stretches; a shift moves one marker only, so its part of
the equations is small, and there may be hundreds of them.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from .. import so3
from .equations import Equations
from .problem import At

__all__ = ["Pulled", "by_scales", "gather_scales", "gather_shifts"]


def by_scales(at: At, bodies: Tensor, offsets: Tensor) -> Tensor:
    """(T, P, 3, K) how points at offsets (P, 3) in scaled bodies (P,) move with each scale unknown."""
    shared = at.problem.shared
    if not shared.scale_count:
        return at.pose.new_zeros(len(at.pose), len(bodies), 3, 0)
    shifts = shared.origin_shifts(at.posed, at.shared)[:, bodies]
    change = shared.scale_directions(at.shared)[:, bodies]  # (K, P, 3)
    unscaled = offsets / (1.0 if at.scales is None else at.scales[bodies])
    turned = torch.einsum("tpab,pb,kpb->tpak", at.posed.rotations[:, bodies], unscaled, change)
    return shifts + turned


@dataclass(frozen=True, eq=False)
class Pulled:
    """Points and what pulls on them.

    Attributes:
        bodies: (P,).
        levers: (T, P, 3) metres, from the reference of the twists to the points.
        information: (T, P, 3, 3) by which a move of a point changes the force on it.
        force: (T, P, 3).
    """

    bodies: Tensor
    levers: Tensor
    information: Tensor
    force: Tensor


def gather_scales(at: At, equations: Equations, pulled: Pulled, moves: Tensor) -> None:
    """Add the scales' rows and columns, which move the points by `moves` (T, P, 3, K)."""
    columns = slice(moves.shape[-1])
    pushes = pulled.information @ moves
    wrenches = torch.cat([so3.skew(pulled.levers) @ pushes, pushes], dim=-2)
    carry = at.problem.tables.subtree[at.problem.unknowns.bodies][:, pulled.bodies]
    carried = torch.einsum("cp,tpdk->tcdk", carry, wrenches)
    rows = torch.einsum("dct,tcdk->tck", at.twists, carried)
    equations.add_border(rows, torch.arange(moves.shape[-1]))
    equations.shared[columns, columns] += torch.einsum("tpds,tpdz->sz", moves, pushes)
    equations.shared_gradient[columns] += torch.einsum("tpds,tpd->s", moves, pulled.force)


def gather_shifts(
    at: At, equations: Equations, pulled: Pulled, moves: Tensor, entries: Tensor, points: Tensor
) -> None:
    """Add the rows and columns of the shifts `entries` (E,) of the shape, which move the `points` (E,)."""
    shared, problem = at.problem.shared, at.problem
    axes, bodies = shared.axes[entries], pulled.bodies[points]
    along = at.posed.rotations[:, bodies, :, axes].movedim(0, 1)  # (T, E, 3)
    if at.scales is not None:
        along = along * at.scales[bodies, axes][:, None]
    push = (pulled.information[:, points] @ along[..., None]).squeeze(-1)
    wrench = torch.cat([torch.linalg.cross(pulled.levers[:, points], push), push], dim=-1)
    carry = problem.tables.subtree[problem.unknowns.bodies][:, bodies]  # (C, E)
    rows = (at.twists.permute(2, 1, 0) @ wrench.transpose(-1, -2)) * carry
    columns, count = shared.scale_count + entries, moves.shape[-1]
    equations.add_border(rows, columns)
    # A marker may have been measured twice, so that a column comes twice.
    own = torch.einsum("ted,tfd->ef", along, push) * (points[:, None] == points)
    equations.shared.index_put_((columns[:, None], columns), own, accumulate=True)
    with_scales = torch.einsum("tedk,ted->ke", moves[:, points], push)
    equations.shared[:count].index_add_(1, columns, with_scales)
    equations.shared[:, :count].index_add_(0, columns, with_scales.T)
    pull = (along * pulled.force[:, points]).sum((0, 2))
    equations.shared_gradient.index_add_(0, columns, pull)
