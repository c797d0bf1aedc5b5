"""How points move with the shape, and what that adds to the equations.

A scale moves every point that hangs on the bodies it stretches; a shift moves one marker only, so its part of
the equations is small, and there may be hundreds of them. The frames are last, as in the kinematics.
"""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from .equations import Equations
from .problem import At
from .shape import stretched

__all__ = ["Pulled", "by_scales", "gather_scales", "gather_shifts"]


def by_scales(at: At, bodies: Tensor, offsets: Tensor) -> Tensor:
    """(3, P, K, T) how points at offsets (P, 3) in scaled bodies (P,) move with each scale unknown."""
    shared = at.problem.shared
    if not shared.scale_count:
        return at.pose.new_zeros(3, len(bodies), 0, at.count)
    change = shared.scale_directions(at.shared)  # (K, B, 3)
    unscaled = offsets / (1.0 if at.scales is None else at.scales[bodies])
    grown = unscaled * change[:, bodies]  # (K, P, 3) in the bodies
    shifts = shared.origin_shifts(at.posed, change, bodies)
    return shifts + stretched(at.posed.turns.index_select(2, bodies), grown)


@dataclass(frozen=True, eq=False)
class Pulled:
    """Points and what pulls on them.

    Attributes:
        at: the problem.
        bodies: (P,).
        levers: (3, P, T) metres, from the reference of the twists to the points.
        information: by which a move of a point changes the force on it: (3, 3, P, T), or (P, T) where it is
            the same in all directions.
        force: (3, P, T).
    """

    at: At
    bodies: Tensor
    levers: Tensor
    information: Tensor
    force: Tensor

    def pushed(self, moves: Tensor) -> Tensor:
        """(3, P, K, T) changes of the forces where the points move by (3, P, K, T)."""
        own = self.information[..., None, :]
        return own * moves if own.ndim == 3 else (own * moves).sum(1)

    def wrenches(self, forces: Tensor) -> Tensor:
        """(6, P, K, T) of forces (3, P, K, T) on the points."""
        levers = self.levers[:, :, None].expand_as(forces)
        return torch.cat([torch.linalg.cross(levers, forces, dim=0), forces])

    @cached_property
    def carried(self) -> Tensor:
        """(C, P) 1 where a column's body carries, or is, the one of a point."""
        problem = self.at.problem
        return problem.tables.subtree[problem.unknowns.bodies][:, self.bodies]


def gather_scales(equations: Equations, pulled: Pulled, moves: Tensor) -> None:
    """Add the scales' rows and columns, which move the points by `moves` (3, P, K, T)."""
    count = moves.shape[2]
    pushes = pulled.pushed(moves)
    wrenches = pulled.wrenches(pushes)
    carried = (pulled.carried @ wrenches.flatten(2)).unflatten(2, moves.shape[2:])  # (6, C, K, T)
    rows = (pulled.at.twists[:, :, None] * carried).sum(0)
    equations.add_border(rows.permute(2, 0, 1), slice(count))
    flat, pushed = (one.transpose(0, 2).flatten(1) for one in (moves, pushes))
    equations.shared[:count, :count] += flat @ pushed.T
    equations.shared_gradient[:count] += flat @ pulled.force.transpose(0, 1).flatten()


def gather_shifts(
    equations: Equations, pulled: Pulled, moves: Tensor, entries: Tensor, points: Tensor
) -> None:
    """Add the rows and columns of the shifts `entries` (E,) of the shape, which move the `points` (E,)."""
    at, count, bodies = pulled.at, moves.shape[2], pulled.bodies
    shared = at.problem.shared
    along = at.posed.turns.index_select(2, bodies).transpose(1, 2)  # (3, P, 3, T) of all axes
    if at.scales is not None:
        along = along * at.scales[bodies][..., None]
    push = pulled.pushed(along)
    # Of points by axes, those that are unknowns.
    chosen, columns = 3 * points + shared.axes[entries], shared.scale_count + entries
    wrench = pulled.wrenches(push).flatten(1, 2).index_select(1, chosen)  # (6, E, T)
    rows = at.twists.permute(2, 1, 0) @ wrench.permute(2, 0, 1)
    equations.add_border(rows.mul_(pulled.carried.index_select(1, points)), columns)
    own, pushes = (one.permute(1, 2, 0, 3).flatten(2) for one in (along, push))  # (P, 3, 3 T)
    # A marker may have been measured twice, so that a column comes twice.
    same = (own @ pushes.mT).flatten(0, 1)[chosen][:, shared.axes[entries]]
    same = same * (points[:, None] == points)
    equations.shared.index_put_((columns[:, None], columns), same, accumulate=True)
    scales = moves.permute(1, 2, 0, 3).flatten(2)  # (P, K, 3 T)
    with_scales = (pushes @ scales.mT).flatten(0, 1).index_select(0, chosen)
    equations.shared[:count].index_add_(1, columns, with_scales.T)
    equations.shared[:, :count].index_add_(0, columns, with_scales)
    pull = own @ pulled.force.transpose(0, 1).flatten(1)[..., None]
    equations.shared_gradient.index_add_(0, columns, pull.flatten()[chosen])
