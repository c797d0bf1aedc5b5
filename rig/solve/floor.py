"""A term of heights: points that stand on a floor."""

from collections.abc import Sequence

import torch
from torch import Tensor

from .equations import Equations, lever_moments
from .points import Numbers, Points, tensor
from .problem import At

__all__ = ["Floor"]


class Floor(Points):
    """Points fixed to bodies at a height, wherever they are along the floor.

    Args:
        bodies: P names of bodies.
        height: metres, z of the points.
        offsets: (P, 3) metres in the unscaled bodies.
        weights: (T, P) 1 / metres; zero where a point is in the air.
    """

    def __init__(
        self, bodies: Sequence[str], height: float, offsets: Numbers, weights: Numbers
    ) -> None:
        frames = tensor(weights).shape[0]
        targets = torch.full((frames, len(tuple(bodies)), 3), float(height))
        super().__init__(bodies, targets, offsets, weights)

    def _residual(self, at: At, places: Tensor) -> Tensor:
        away = places - self._measured(at)[0]
        away[:2] = 0.0
        return away

    def gather(self, at: At, equations: Equations) -> None:
        """Add the points' 6 x 6 sums, of their heights alone."""
        weight = self._squared_weights(at)
        information = torch.zeros(*weight.T.shape, 3, 3, dtype=torch.float64)
        information[..., 2, 2] = weight.T
        force = (weight * self.residual(at)).permute(2, 1, 0)
        levers = (self.places(at) - at.reference[:, None]).permute(2, 1, 0)
        carry = at.problem.carried(self.bodies(at))
        equations.add_sums(*lever_moments(levers, information, force, carry))
        if len(at.problem.shared):
            self.gather_shared(at, equations, information, force)
