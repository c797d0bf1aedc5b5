"""A term of contacts: points that do not slide while they stand."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ..errors import ShapeError
from .equations import Equations
from .growth import by_scales
from .points import Numbers, Points, tensor
from .problem import At

__all__ = ["Contacts"]


class Contacts:
    """Points fixed to bodies that stay where they are from one frame to the next while in contact.

    Nothing says where they stand; a floor is `Points` with targets.

    Args:
        bodies: P names of bodies.
        standing: (T, P) 0 to 1, how sure it is that a point stands.
        offsets: (P, 3) metres in the unscaled bodies; their origins if None.
        weights: one or (P,): 1 / metres per frame.
    """

    def __init__(
        self,
        bodies: Sequence[str],
        standing: Numbers,
        offsets: Numbers | None = None,
        weights: Numbers = 200.0,
    ) -> None:
        stands = tensor(standing)
        count = len(tuple(bodies))
        if stands.ndim != 2 or stands.shape[1] != count:
            raise ShapeError(
                f"Contacts has standing of shape {tuple(stands.shape)}, expected (frames, {count})"
            )
        self.points = Points(bodies, torch.zeros(len(stands), count, 3), offsets)
        # Both frames must stand, for a point to stay between them.
        self.weights = tensor(weights) * torch.minimum(stands[:-1], stands[1:])

    def _residual(self, at: At) -> tuple[Tensor, Tensor]:
        if not isinstance(at.frames, slice):
            raise ShapeError("Contacts needs neighbouring frames, expected all of them in order")
        places = self.points.places(at).permute(2, 1, 0)
        weight = self.weights[at.frames.start : at.frames.start + len(at.pose) - 1]
        return places[1:] - places[:-1], weight

    def pair_cost(self, at: At) -> Tensor:
        """(T - 1,)."""
        moved, weight = self._residual(at)
        return 0.5 * (weight.square() * moved.square().sum(-1)).sum(-1)

    def gather_pairs(self, at: At, equations: Equations) -> None:
        """Add the rows between neighbours, by the points' Jacobians."""
        moved, weight = self._residual(at)
        slope = self._slopes(at)  # (T, P, 3, U)
        scale = weight[..., None, None]
        before, after = (-scale * slope[:-1]).flatten(1, 2), (scale * slope[1:]).flatten(1, 2)
        residual = (weight[..., None] * moved).flatten(1, 2)[..., None]
        if equations.coupling is None:
            equations.coupling = torch.zeros_like(equations.own[:-1])
        equations.own[:-1] += before.transpose(-1, -2) @ before
        equations.own[1:] += after.transpose(-1, -2) @ after
        equations.coupling += before.transpose(-1, -2) @ after
        equations.pull[:-1] += (before.transpose(-1, -2) @ residual).squeeze(-1)
        equations.pull[1:] += (after.transpose(-1, -2) @ residual).squeeze(-1)
        if len(at.shared):
            moves = by_scales(at, self.points.bodies(at), self.points.offsets(at))
            moves = moves.permute(3, 1, 0, 2)  # (T, P, 3, K)
            by_shape = (scale * (moves[1:] - moves[:-1])).flatten(1, 2)
            columns = slice(by_shape.shape[-1])
            equations.border[:-1, :, columns] += before.transpose(-1, -2) @ by_shape
            equations.border[1:, :, columns] += after.transpose(-1, -2) @ by_shape
            equations.shared[columns, columns] += torch.einsum("trs,trz->sz", by_shape, by_shape)
            equations.shared_gradient[columns] += torch.einsum("trs,trd->s", by_shape, residual)

    def _slopes(self, at: At) -> Tensor:
        """(T, P, 3, U) of the points by the unknowns of their frames."""
        unknowns, tables = at.problem.unknowns, at.problem.tables
        levers = (self.points.places(at) - at.reference[:, None]).permute(2, 1, 0)
        carried = tables.subtree[unknowns.bodies][:, self.points.bodies(at)].T  # (P, C)
        angular, linear = at.twists.permute(2, 1, 0).split(3, dim=-1)
        spun = torch.linalg.cross(
            angular[:, None], levers[:, :, None].expand(-1, -1, len(carried.T), -1)
        )
        slopes = ((spun + linear[:, None]) * carried[..., None]).transpose(-1, -2)
        return slopes if unknowns.merge is None else slopes @ unknowns.merge
