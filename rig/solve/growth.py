"""How points move with the shape, and what that adds to the equations.

A scale moves every point that hangs on the bodies it stretches; a shift moves one marker only, so its part of
the equations is small, and there may be hundreds of them.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

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
    grown = (unscaled * change).permute(1, 2, 0)  # (P, 3, K) in the bodies
    return shifts + at.posed.rotations[:, bodies] @ grown


@dataclass(frozen=True, eq=False)
class Pulled:
    """Points and what pulls on them.

    Attributes:
        bodies: (P,).
        levers: (T, P, 3) metres, from the reference of the twists to the points.
        information: by which a move of a point changes the force on it: (T, P, 3, 3), or (T, P) where it is
            the same in all directions.
        force: (T, P, 3).
    """

    bodies: Tensor
    levers: Tensor
    information: Tensor
    force: Tensor

    def pushed(self, moves: Tensor, points: Tensor | None = None) -> Tensor:
        """(T, P, 3, K) changes of the forces where the points, or some of them, move by (T, P, 3, K)."""
        own = self.information if points is None else self.information[:, points]
        return own[..., None, None] * moves if own.ndim == 2 else own @ moves


def gather_scales(at: At, equations: Equations, pulled: Pulled, moves: Tensor) -> None:
    """Add the scales' rows and columns, which move the points by `moves` (T, P, 3, K)."""
    frames, points, _, count = moves.shape
    pushes = pulled.pushed(moves)
    levers = pulled.levers[..., None].expand_as(pushes)
    wrenches = torch.cat([torch.linalg.cross(levers, pushes, dim=2), pushes], dim=2)
    carry = at.problem.tables.subtree[at.problem.unknowns.bodies][:, pulled.bodies]
    carried = (carry @ wrenches.reshape(frames, points, 6 * count)).unflatten(2, (6, count))
    rows = (at.twists.permute(2, 1, 0)[..., None] * carried).sum(2)
    equations.add_border(rows, torch.arange(count))
    flat = moves.flatten(0, 2)
    equations.shared[:count, :count] += flat.T @ pushes.flatten(0, 2)
    equations.shared_gradient[:count] += flat.T @ pulled.force.flatten()


def gather_shifts(
    at: At, equations: Equations, pulled: Pulled, moves: Tensor, entries: Tensor, points: Tensor
) -> None:
    """Add the rows and columns of the shifts `entries` (E,) of the shape, which move the `points` (E,)."""
    shared, problem = at.problem.shared, at.problem
    axes, bodies = shared.axes[entries], pulled.bodies[points]
    along = at.posed.rotations[:, bodies, :, axes].movedim(0, 1)  # (T, E, 3)
    if at.scales is not None:
        along = along * at.scales[bodies, axes][:, None]
    push = pulled.pushed(along[..., None], points).squeeze(-1)
    wrench = torch.cat([torch.linalg.cross(pulled.levers[:, points], push), push], dim=-1)
    carry = problem.tables.subtree[problem.unknowns.bodies][:, bodies]  # (C, E)
    rows = (at.twists.permute(2, 1, 0) @ wrench.transpose(-1, -2)).mul_(carry)
    columns, count = shared.scale_count + entries, moves.shape[-1]
    equations.add_border(rows, columns)
    across, pushes = along.transpose(0, 1).flatten(1), push.transpose(0, 1).flatten(1)
    # A marker may have been measured twice, so that a column comes twice.
    own = (across @ pushes.T) * (points[:, None] == points)
    equations.shared.index_put_((columns[:, None], columns), own, accumulate=True)
    with_scales = (moves[:, points] * push[..., None]).sum((0, 2)).T
    equations.shared[:count].index_add_(1, columns, with_scales)
    equations.shared[:, :count].index_add_(0, columns, with_scales.T)
    pull = (along * pulled.force[:, points]).sum((0, 2))
    equations.shared_gradient.index_add_(0, columns, pull)
