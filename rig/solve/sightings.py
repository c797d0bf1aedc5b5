"""A term of 2D keypoints of several cameras at once: markers of the model as they are seen.

A marker's sums over all cameras are one 3 x 3 matrix, so that a camera more costs little.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from ..errors import ShapeError
from .equations import Equations, lever_moments
from .points import Numbers, PointTerm, tensor
from .problem import At

__all__ = ["Sightings"]

_NEAREST = 1e-3  # metres; a marker closer to a camera's plane, or behind it, is not seen


class Sightings(PointTerm):
    """Markers of the model where C cameras saw them.

    Args:
        names: P names of the model's markers.
        targets: (C, T, P, 2) pixels, the lens' distortion taken out; NaN where a marker was not seen.
        projections: (C, 3, 4) or (C, T, 3, 4) from the world in metres to homogeneous pixels.
        weights: one, or whatever expands to (C, T, P): 1 / pixels.
        robust: in multiples of 1 / weight; residuals that are longer count linearly (Huber 1964). None for
            squares.

    Raises:
        ShapeError: the arrays don't fit each other.
    """

    def __init__(
        self,
        names: Sequence[str],
        targets: Numbers,
        projections: Numbers,
        weights: Numbers = 0.2,
        robust: float | None = None,
    ) -> None:
        self.names, self.robust = tuple(names), robust
        given, matrices = tensor(targets), tensor(projections)
        if given.ndim != 4 or given.shape[2:] != (len(self.names), 2):
            raise ShapeError(
                f"Sightings has targets of shape {tuple(given.shape)}, expected "
                f"(cameras, frames, {len(self.names)}, 2)"
            )
        if matrices.ndim == 3:
            matrices = matrices[:, None]
        cameras, frames = given.shape[:2]
        if matrices.shape[1] not in (1, frames) or matrices.shape[::2] != (cameras, 3):
            raise ShapeError(
                f"projections have shape {tuple(tensor(projections).shape)}, expected "
                f"({cameras}, 3, 4) or ({cameras}, {frames}, 3, 4)"
            )
        try:
            spread = tensor(weights).expand(given.shape[:3])
        except RuntimeError as error:
            raise ShapeError(
                f"weights have shape {tuple(tensor(weights).shape)}, expected {tuple(given.shape[:3])}"
            ) from error
        seen = torch.isfinite(given).all(-1)
        self.last_targets = (
            torch.where(seen[..., None], given, 0.0).permute(0, 3, 2, 1).contiguous()
        )
        self.last_weights = (spread * seen).permute(0, 2, 1).contiguous()  # (C, P, T)
        self.matrices = matrices.permute(0, 2, 3, 1).contiguous()  # (C, 3, 4, T or 1)

    @property
    def frames(self) -> int:
        """Of the targets."""
        return self.last_targets.shape[-1]

    @property
    def observed(self) -> Tensor:
        """(T,) how many numbers were measured."""
        return 2 * (self.last_weights > 0.0).sum((0, 1))

    def bodies(self, at: At) -> Tensor:
        """(P,)."""
        return at.problem.places("marker body", self.names)

    def offsets(self, at: At) -> Tensor:
        """(P, 3)."""
        return at.marker_places.index_select(0, at.problem.places("marker", self.names))

    def shifted(self, at: At) -> tuple[Tensor, Tensor]:
        """(E,) and (E,)."""
        same = at.problem.shared.markers[:, None] == at.problem.places("marker", self.names)
        entries, points = same.nonzero().unbind(-1)
        return entries, points

    def _measured(self, at: At) -> tuple[Tensor, ...]:
        """Targets (C, 2, P, T), weights (C, P, T) and matrices (C, 3, 4, T or 1) of these frames."""
        if id(self) not in at.measured:
            whole = at.frames
            frames = torch.arange(self.frames)[whole] if isinstance(whole, slice) else whole
            matrices = self.matrices
            at.measured[id(self)] = (
                self.last_targets.index_select(3, frames),
                self.last_weights.index_select(2, frames),
                matrices.index_select(3, frames) if matrices.shape[3] > 1 else matrices,
            )
        return at.measured[id(self)]

    def _state(self, at: At) -> tuple[Tensor, ...]:
        """Places (3, P, T), pixels (C, 2, P, T), depths (C, 1, P, T), weighted residuals, their squares.

        Residuals are (C, 2, P, T), zero where nothing is seen; depths are infinite behind a camera.
        """
        if id(self) not in at.kept:
            targets, weights, matrices = self._measured(at)
            places = at.posed.points(self.bodies(at), self.offsets(at))
            turned = torch.einsum("cijt,jpt->cipt", matrices[:, :, :3], places)
            turned = turned + matrices[:, :, 3, None]
            before = turned[:, 2:] > _NEAREST
            depth = torch.where(before, turned[:, 2:], 1.0)
            pixels = turned[:, :2] / depth
            residual = (pixels - targets) * (weights[:, None] * before)
            depth = torch.where(before, depth, torch.inf)
            at.kept[id(self)] = (places, pixels, depth, residual, residual.square().sum(1))
        return at.kept[id(self)]

    def cost(self, at: At) -> Tensor:
        """(T,) half the weighted squares; robust: Huber's loss."""
        squared = self._state(at)[4]
        if self.robust is not None:
            beyond = squared > self.robust**2
            length = torch.where(beyond, squared, 1.0).sqrt()
            squared = torch.where(beyond, self.robust * (2.0 * length - self.robust), squared)
        return 0.5 * squared.sum((0, 1))

    def gather(self, at: At, equations: Equations) -> None:
        """Add the markers' 6 x 6 sums over all cameras."""
        places, pixels, depth, residual, squared = self._state(at)
        _, weights, matrices = self._measured(at)
        if self.robust is not None:
            less = (self.robust / squared.sqrt().clamp(min=self.robust)).sqrt()
            weights, residual = weights * less, residual * less[:, None]
        ahead = matrices[:, 2:, :3, None]  # (C, 1, 3, 1, T)
        slope = matrices[:, :2, :3, None] - pixels[:, :, None] * ahead
        slope = slope * (weights[:, None] / depth)[:, :, None]  # (C, 2, 3, P, T)
        rows = slope.flatten(0, 1)
        information = torch.einsum("ripT,rjpT->Tpij", rows, rows)
        force = torch.einsum("ripT,rpT->Tpi", rows, residual.flatten(0, 1))
        levers = (places - at.reference[:, None]).permute(2, 1, 0)
        carry = at.problem.carried(self.bodies(at))
        equations.add_sums(*lever_moments(levers, information, force, carry))
        if len(at.problem.shared):
            self.gather_shared(at, equations, information, force)
