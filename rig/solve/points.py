"""Terms of points: markers, 3D keypoints, pinned points.

Weights are inverse standard deviations: 100 on a marker says that it is known to a centimetre.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ..errors import ShapeError
from .equations import Equations, point_moments
from .growth import Pulled, by_scales, gather_scales, gather_shifts
from .problem import At

__all__ = ["Markers", "Numbers", "PointTerm", "Points", "one_frame", "tensor"]

Numbers = Tensor | np.ndarray | Sequence[float] | float  # type: ignore[type-arg]


def tensor(values: Numbers) -> Tensor:
    """Float64, keeping gradients; arrays are copied, for they may be read-only."""
    if isinstance(values, Tensor):
        return values.to(torch.float64)
    return torch.as_tensor(np.array(values, dtype=np.float64))


def one_frame(targets: Numbers | None, shape: torch.Size, what: str = "targets") -> Tensor:
    """(1, *shape) what a term is told of one other frame; NaN if nothing was measured.

    Raises:
        ShapeError: the frame's targets have another shape.
    """
    given = torch.full(shape, torch.nan).double() if targets is None else tensor(targets)
    if given.shape != shape:
        raise ShapeError(
            f"a frame has {what} of shape {tuple(given.shape)}, expected {tuple(shape)}"
        )
    return given[None]


def _weights(weights: Numbers, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Weights spread over (T, P), zero where a target is missing, and targets without NaN."""
    shape = targets.shape[:2]
    try:
        spread = tensor(weights).expand(shape)
    except RuntimeError as error:
        raise ShapeError(
            f"weights have shape {tuple(tensor(weights).shape)}, expected one number, "
            f"({shape[1]},) or {tuple(shape)}"
        ) from error
    if bool((spread < 0.0).any()):
        raise ShapeError("a weight is negative, expected zero or more")
    seen = torch.isfinite(targets).all(-1)
    return spread * seen, torch.where(seen[..., None], targets, torch.zeros_like(targets))


class PointTerm:
    """What every term of points shares; a subclass says where its points are."""

    robust: float | None = None

    def __init__(self, targets: Numbers, weights: Numbers, count: int, width: int) -> None:
        given = tensor(targets)
        if given.ndim != 3 or given.shape[1:] != (count, width):
            raise ShapeError(
                f"{type(self).__name__} has targets of shape {tuple(given.shape)}, "
                f"expected (frames, {count}, {width})"
            )
        self._given = tensor(weights)
        self._take(given)

    def _take(self, given: Tensor) -> None:
        self.weights, self.targets = _weights(self._given, given)
        # The frames last, as the kinematics have them.
        self.last_targets = self.targets.permute(2, 1, 0).contiguous()
        self.squared = self.weights.square().T.contiguous()

    def renew(self, targets: Numbers | None) -> None:
        """Take the targets (P, R) of one other frame in the place of all; None if nothing was measured."""
        self._take(one_frame(targets, self.targets.shape[1:]))

    @property
    def frames(self) -> int:
        """Of the targets."""
        return len(self.targets)

    @property
    def observed(self) -> Tensor:
        """(T,) how many numbers were measured."""
        return (self.weights > 0.0).sum(-1) * self.targets.shape[-1]

    def bodies(self, at: At) -> Tensor:
        """(P,) which body carries each point."""
        raise NotImplementedError

    def offsets(self, at: At) -> Tensor:
        """(P, 3) metres in the scaled bodies."""
        raise NotImplementedError

    def _measured(self, at: At) -> tuple[Tensor, ...]:
        """Targets (R, P, T) and squared weights (P, T) of these frames."""
        if id(self) not in at.measured:
            frames = at.frames
            if isinstance(frames, slice):
                chosen = self.last_targets[..., frames], self.squared[:, frames]
            else:
                chosen = (
                    self.last_targets.index_select(2, frames),
                    self.squared.index_select(1, frames),
                )
            at.measured[id(self)] = chosen
        return at.measured[id(self)]

    def _state(self, at: At) -> tuple[Tensor, ...]:
        """Places (3, P, T), residual (R, P, T) and its squared length (P, T)."""
        if id(self) not in at.kept:
            places = at.posed.points(self.bodies(at), self.offsets(at))
            residual = self._residual(at, places)
            at.kept[id(self)] = (places, residual, residual.square().sum(0))
        return at.kept[id(self)]

    def _residual(self, at: At, places: Tensor) -> Tensor:
        return places - self._measured(at)[0]

    def places(self, at: At) -> Tensor:
        """(3, P, T) in the world."""
        return self._state(at)[0]

    def residual(self, at: At) -> Tensor:
        """(R, P, T), not weighted."""
        return self._state(at)[1]

    def cost(self, at: At) -> Tensor:
        """(T,) half the weighted squares; robust: Huber's loss (1964)."""
        squared = self._state(at)[2]
        if self.robust is not None:
            beyond = squared > self.robust**2
            length = torch.where(beyond, squared, torch.ones_like(squared)).sqrt()
            squared = torch.where(beyond, self.robust * (2.0 * length - self.robust), squared)
        return 0.5 * (self._measured(at)[1] * squared).sum(0)

    def _squared_weights(self, at: At) -> Tensor:
        """(P, T) as iteratively reweighted least squares has them."""
        squared = self._measured(at)[1]
        if self.robust is None:
            return squared
        return squared * (self.robust / self._state(at)[2].sqrt().clamp(min=self.robust))

    def gather(self, at: At, equations: Equations) -> None:
        """Add the points' 6 x 6 sums, and what the shape has to do with them."""
        residual = self.residual(at)
        weight = self._squared_weights(at)
        levers = self.places(at) - at.reference[:, None]
        carry = at.problem.carried(self.bodies(at))
        force = weight * residual
        below, curvature, wrench = point_moments(levers, weight, force, carry)
        equations.add_sums(below, wrench, curvature)
        if len(at.problem.shared):
            self.gather_shared(at, equations, weight.T, force.permute(2, 1, 0))

    def gather_shared(
        self, at: At, equations: Equations, information: Tensor, force: Tensor
    ) -> None:
        """Add the border: information, as of `Pulled`, and force (T, P, 3) against the shape."""
        levers = self.places(at) - at.reference[:, None]
        bodies, last = self.bodies(at), range(information.ndim - 1, -1, -1)
        pulled = Pulled(at, bodies, levers, information.permute(*last), force.permute(2, 1, 0))
        moves = by_scales(at, bodies, self.offsets(at))
        gather_scales(equations, pulled, moves)
        entries, points = self.shifted(at)
        if len(entries):
            gather_shifts(equations, pulled, moves, entries, points)

    def shifted(self, at: At) -> tuple[Tensor, Tensor]:
        """Which of the shape's shifts (E,) move these points, and which of the points (E,) each moves."""
        del at
        none = torch.zeros(0, dtype=torch.long)
        return none, none


class Markers(PointTerm):
    """Markers of the model at measured places.

    Args:
        names: P names of the model's markers.
        targets: (T, P, 3) metres in the world; NaN where a marker was not seen.
        weights: one, (P,) or (T, P): 1 / metres.
        robust: metres; residuals that are longer count linearly (Huber 1964). None for squares.
    """

    def __init__(
        self,
        names: Sequence[str],
        targets: Numbers,
        weights: Numbers = 100.0,
        robust: float | None = None,
    ) -> None:
        self.names, self.robust = tuple(names), robust
        super().__init__(targets, weights, len(self.names), 3)

    def indices(self, at: At) -> Tensor:
        """(P,) places of the markers in the model."""
        return at.problem.places("marker", self.names)

    def bodies(self, at: At) -> Tensor:
        """(P,)."""
        return at.problem.places("marker body", self.names)

    def offsets(self, at: At) -> Tensor:
        """(P, 3)."""
        return at.marker_places.index_select(0, self.indices(at))

    def shifted(self, at: At) -> tuple[Tensor, Tensor]:
        """(E,) and (E,)."""
        same = at.problem.shared.markers[:, None] == self.indices(at)
        entries, points = same.nonzero().unbind(-1)
        return entries, points


class Points(PointTerm):
    """Points fixed to bodies at places in the world: keypoints, contacts, pins.

    Args:
        bodies: P names of bodies.
        targets: (T, P, 3) metres in the world; NaN where a point has no target.
        offsets: (P, 3) metres in the unscaled bodies; their origins if None.
        weights: one, (P,) or (T, P): 1 / metres.
        robust: metres; residuals that are longer count linearly (Huber 1964). None for squares.
    """

    width = 3

    def __init__(
        self,
        bodies: Sequence[str],
        targets: Numbers,
        offsets: Numbers | None = None,
        weights: Numbers = 100.0,
        robust: float | None = None,
    ) -> None:
        self.names, self.robust = tuple(bodies), robust
        count = len(self.names)
        super().__init__(targets, weights, count, self.width)
        places = torch.zeros(count, 3).double() if offsets is None else tensor(offsets)
        if places.shape != (count, 3):
            raise ShapeError(f"offsets have shape {tuple(places.shape)}, expected ({count}, 3)")
        self.places_in_body = places

    def bodies(self, at: At) -> Tensor:
        """(P,)."""
        return at.problem.places("body", self.names)

    def offsets(self, at: At) -> Tensor:
        """(P, 3)."""
        places = self.places_in_body
        return places if at.scales is None else places * at.scales[self.bodies(at)]
