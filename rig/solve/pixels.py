"""A term of 2D keypoints: points on bodies as a camera sees them."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ..errors import ShapeError
from .equations import Equations, lever_moments
from .points import Numbers, Points, tensor
from .problem import At

__all__ = ["Pixels"]

_NEAREST = 1e-3  # metres; a point closer to a camera's plane, or behind it, is not seen


class Pixels(Points):
    """Points fixed to bodies where a camera saw them: 2D keypoints.

    Args:
        bodies: P names of bodies.
        targets: (T, P, 2) pixels, the lens' distortion taken out; NaN where a point was not seen.
        projection: (3, 4) or (T, 3, 4) from the world in metres to homogeneous pixels.
        offsets: (P, 3) metres in the unscaled bodies; their origins if None.
        weights: one, (P,) or (T, P): 1 / pixels, the detector's confidence in it.
        robust: pixels; residuals that are longer count linearly. None for squares.
    """

    width = 2

    def __init__(
        self,
        bodies: Sequence[str],
        targets: Numbers,
        projection: Numbers,
        offsets: Numbers | None = None,
        weights: Numbers = 0.2,
        robust: float | None = None,
    ) -> None:
        super().__init__(bodies, targets, offsets, weights, robust)
        try:
            self.projection = tensor(projection).expand(self.frames, 3, 4)
        except RuntimeError as error:
            raise ShapeError(
                f"projection has shape {tuple(tensor(projection).shape)}, "
                f"expected (3, 4) or ({self.frames}, 3, 4)"
            ) from error

    def _projected(self, at: At, places: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Pixels (T, P, 2), depths (T, P, 1), and whether each point is before the camera."""
        places, matrix = places.permute(2, 1, 0), self.projection[at.frames]
        seen = (matrix[:, None, :, :3] @ places[..., None]).squeeze(-1) + matrix[:, None, :, 3]
        depth = seen[..., 2:]
        before = depth > _NEAREST
        depth = torch.where(before, depth, torch.ones_like(depth))
        return seen[..., :2] / depth, depth, before

    def _residual(self, at: At, places: Tensor) -> Tensor:
        """(2, P, T) pixels; zero behind the camera."""
        pixels, _, before = self._projected(at, places)
        away = pixels.permute(2, 1, 0) - self._measured(at)[0]
        return torch.where(before.permute(2, 1, 0), away, torch.zeros_like(away))

    def gather(self, at: At, equations: Equations) -> None:
        """Add the points' 6 x 6 sums: a camera knows nothing of depth."""
        pixels, depth, before = self._projected(at, self.places(at))
        matrix = self.projection[at.frames][:, None, :, :3]
        slope = (matrix[..., :2, :] - pixels[..., None] * matrix[..., 2:, :]) / depth[..., None]
        slope = slope * before[..., None]  # (T, P, 2, 3)
        residual = self.residual(at)
        weight = self._squared_weights(at).T[..., None, None]
        information = slope.transpose(-1, -2) @ (weight * slope)
        weighed = weight * residual.permute(2, 1, 0)[..., None]
        force = (slope.transpose(-1, -2) @ weighed).squeeze(-1)
        levers = (self.places(at) - at.reference[:, None]).permute(2, 1, 0)
        carry = at.problem.carried(self.bodies(at))
        below, wrench = lever_moments(levers, information, force, carry)
        equations.add_sums(below, wrench)
        if len(at.problem.shared):
            self.gather_shared(at, equations, information, force)
