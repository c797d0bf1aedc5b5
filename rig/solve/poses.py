"""Terms of the pose itself: pinned and prior poses, limits, smoothness over time.

Weights are inverse standard deviations: 1 on a rotation says that it is known to a radian.
"""

import torch
from torch import Tensor

from ..errors import ShapeError
from .equations import Equations, weighted
from .points import Numbers, tensor
from .problem import At

__all__ = ["Limits", "SmoothChange", "Smoothness", "StayNear"]


class _PoseTerm:
    """A term with a reference pose and a weight per coordinate."""

    def __init__(self, pose: Numbers | None, weights: Numbers) -> None:
        self.pose = None if pose is None else tensor(pose)
        self.weights = tensor(weights)
        if bool((self.weights < 0.0).any()):
            raise ShapeError("a weight is negative, expected zero or more")

    @property
    def frames(self) -> int | None:
        """Of the reference or the weights, if they have frames."""
        for given in (self.pose, self.weights):
            if given is not None and given.ndim == 2:
                return len(given)
        return None

    def weight(self, at: At) -> Tensor:
        """(T, U) of the unknowns."""
        given, count = self.weights, len(at.problem.model.coordinates)
        if given.ndim and given.shape[-1] != count:
            raise ShapeError(
                f"{type(self).__name__} has weights of shape {tuple(given.shape)}, expected one number, "
                f"({count},) or (frames, {count})"
            )
        chosen = given[at.frames] if given.ndim == 2 else given
        return chosen.expand(len(at.pose), count)[:, at.problem.unknowns.coordinates]

    def reference(self, at: At) -> Tensor:
        """(T, D)."""
        assert self.pose is not None
        if self.pose.shape[-1] != at.pose.shape[1]:
            raise ShapeError(
                f"{type(self).__name__} has a pose of shape {tuple(self.pose.shape)}, "
                f"expected {at.pose.shape[1]} coordinates"
            )
        chosen = self.pose[at.frames] if self.pose.ndim == 2 else self.pose
        return chosen.expand_as(at.pose)


class StayNear(_PoseTerm):
    """Stay near a pose: pinned poses, and a prior where the measurements say little.

    Args:
        pose: (D,) or (T, D) radians and metres.
        weights: one, (D,) or (T, D): 1 / radians or 1 / metres; zero leaves a coordinate free.
    """

    def __init__(self, pose: Numbers, weights: Numbers = 1.0) -> None:
        super().__init__(pose, weights)

    def renew(self, pose: Tensor) -> None:
        """Stay near another pose from now on."""
        self.pose = pose

    def _pinned(self, at: At) -> tuple[Tensor, ...]:
        """Reference (T, D) and weights (T, U) of these frames."""
        if id(self) not in at.measured:
            at.measured[id(self)] = self.reference(at), self.weight(at)
        return at.measured[id(self)]

    def cost(self, at: At) -> Tensor:
        """(T,)."""
        reference, weight = self._pinned(at)
        away = at.problem.unknowns.away(reference, at.pose)
        return 0.5 * (weight * away).square().sum(-1)

    def gather(self, at: At, equations: Equations) -> None:
        """Add the unknowns' own rows."""
        unknowns, (reference, weight) = at.problem.unknowns, self._pinned(at)
        away = unknowns.away(reference, at.pose)
        if unknowns.balls.shape[0]:
            balls = unknowns.ball_slopes(away)
            equations.add_unknowns(torch.ones_like(away), balls, away, weight)
            return
        stiffness = weight.square()
        equations.pull.addcmul_(stiffness, away)
        equations.add_stiffness(stiffness)


class Limits(_PoseTerm):
    """Push coordinates back within their limits, softly; clamped ones never leave them anyway.

    Args:
        weights: one or (D,): 1 / radians or 1 / metres beyond a limit.
    """

    def __init__(self, weights: Numbers = 50.0) -> None:
        super().__init__(None, weights)

    @staticmethod
    def _beyond(at: At) -> Tensor:
        """(T, U) signed distance outside the limits; zero inside, and for ball joints."""
        coordinates = at.problem.unknowns.coordinates
        limits = torch.tensor([c.limits for c in at.problem.model.coordinates], dtype=torch.float64)
        kinds = torch.tensor([c.kind == "ball" for c in at.problem.model.coordinates])
        low, high = limits[coordinates].unbind(-1)
        value = at.pose[:, coordinates]
        beyond = (value - high).clamp(min=0.0) - (low - value).clamp(min=0.0)
        return torch.where(kinds[coordinates], torch.zeros_like(beyond), beyond)

    def cost(self, at: At) -> Tensor:
        """(T,)."""
        return 0.5 * (self.weight(at) * self._beyond(at)).square().sum(-1)

    def gather(self, at: At, equations: Equations) -> None:
        """Add the unknowns' own rows, of those outside."""
        beyond = self._beyond(at)
        balls = beyond.new_zeros(len(beyond), len(at.problem.unknowns.balls), 3, 3)
        equations.add_unknowns((beyond != 0.0).double(), balls, beyond, self.weight(at))


def _add_pairs(
    equations: Equations, residual: Tensor, weight: Tensor, before: Tensor, after: Tensor
) -> None:
    """Add rows between neighbours: residual (T-1, U), balls' slopes (T-1, N, 3, 3) of both frames."""
    u, ones = equations.unknowns, torch.ones_like(residual)
    first, second = weighted(u, -ones, before, weight), weighted(u, ones, after, weight)
    if equations.coupling is None:
        equations.coupling = torch.zeros_like(equations.own[:-1])
    equations.pull[:-1] += first.transposed(weight * residual)
    equations.pull[1:] += second.transposed(weight * residual)
    first.add_product(equations.own[:-1], first)
    second.add_product(equations.own[1:], second)
    first.add_product(equations.coupling, second)


class Smoothness(_PoseTerm):
    """Move little from frame to frame.

    Args:
        weights: one or (D,): 1 / radians or 1 / metres per frame.
    """

    def __init__(self, weights: Numbers = 1.0) -> None:
        super().__init__(None, weights)

    def pair_cost(self, at: At) -> Tensor:
        """(T - 1,)."""
        away = at.problem.unknowns.away(at.pose[:-1], at.pose[1:])
        return 0.5 * (self.weight(at)[:-1] * away).square().sum(-1)

    def gather_pairs(self, at: At, equations: Equations) -> None:
        """Add the rows between neighbours."""
        unknowns = at.problem.unknowns
        away = unknowns.away(at.pose[:-1], at.pose[1:])
        after = unknowns.ball_slopes(away)
        # The left Jacobian is the right one of the opposite vector, and so the right one transposed.
        _add_pairs(equations, away, self.weight(at)[:-1], -after.transpose(-1, -2), after)


class SmoothChange(_PoseTerm):
    """Change a motion evenly: the difference from it varies little from frame to frame.

    Args:
        pose: (T, D) the motion.
        weights: one or (D,): 1 / radians or 1 / metres per frame.
    """

    def __init__(self, pose: Numbers, weights: Numbers = 1.0) -> None:
        super().__init__(pose, weights)

    def pair_cost(self, at: At) -> Tensor:
        """(T - 1,)."""
        away = at.problem.unknowns.away(self.reference(at), at.pose)
        return 0.5 * (self.weight(at)[:-1] * (away[1:] - away[:-1])).square().sum(-1)

    def gather_pairs(self, at: At, equations: Equations) -> None:
        """Add the rows between neighbours."""
        unknowns = at.problem.unknowns
        away = unknowns.away(self.reference(at), at.pose)
        balls = unknowns.ball_slopes(away)
        _add_pairs(equations, away[1:] - away[:-1], self.weight(at)[:-1], -balls[:-1], balls[1:])
