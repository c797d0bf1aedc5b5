"""A term of orientations: inertial sensors on bodies."""

from collections.abc import Sequence

import torch
from torch import Tensor

from .. import so3
from ..errors import ShapeError
from .equations import Equations
from .points import Numbers, tensor
from .problem import At
from .unknowns import inverse_right_jacobian

__all__ = ["Orientations"]


class Orientations:
    """Sensors on bodies at measured orientations.

    The residual is the rotation vector, in the world, from the measured to the model's orientation, so a
    sensor whose heading drifts can be trusted about the horizontal axes and less about the vertical one.

    Args:
        bodies: P names of bodies.
        targets: (T, P, 3, 3) world_from_sensor; NaN where a sensor has no reading.
        body_from_sensor: (P, 3, 3) how each sensor sits on its body; aligned with it if None.
        weights: 1 / radians: one, (P,), (P, 3) about the world's axes, or (T, P, 3).
        robust: radians; residuals that are longer count linearly (Huber 1964). None for squares.
    """

    def __init__(
        self,
        bodies: Sequence[str],
        targets: Numbers,
        body_from_sensor: Numbers | None = None,
        weights: Numbers = 20.0,
        robust: float | None = None,
    ) -> None:
        self.names, self.robust = tuple(bodies), robust
        count = len(self.names)
        given = tensor(targets)
        if given.ndim != 4 or given.shape[1:] != (count, 3, 3):
            raise ShapeError(
                f"Orientations has targets of shape {tuple(given.shape)}, "
                f"expected (frames, {count}, 3, 3)"
            )
        eye = torch.eye(3, dtype=torch.float64)
        weight = tensor(weights)
        self._given = weight[:, None] if weight.ndim == 1 else weight
        if weight.ndim and weight.shape[:1] != (count,) and weight.shape != (len(given), count, 3):
            raise ShapeError(
                f"weights have shape {tuple(weight.shape)}, expected one number, ({count},), ({count}, 3) "
                f"or ({len(given)}, {count}, 3)"
            )
        mounted = eye if body_from_sensor is None else tensor(body_from_sensor)
        self.body_from_sensor = mounted.expand(count, 3, 3)
        self._take(given)

    def _take(self, given: Tensor) -> None:
        seen = torch.isfinite(given).all(-1).all(-1)[..., None]
        self.targets = torch.where(seen[..., None], given, torch.eye(3, dtype=torch.float64))
        self.weights = self._given.expand(*given.shape[:2], 3) * seen

    def renew(self, targets: Numbers | None) -> None:
        """Take the orientations (P, 3, 3) of one other frame in the place of all; None if there are none."""
        shape = self.targets.shape[1:]
        given = torch.full(shape, torch.nan).double() if targets is None else tensor(targets)
        if given.shape != shape:
            raise ShapeError(
                f"a frame has orientations of shape {tuple(given.shape)}, expected {tuple(shape)}"
            )
        self._take(given[None])

    @property
    def frames(self) -> int:
        """Of the targets."""
        return len(self.targets)

    @property
    def observed(self) -> Tensor:
        """(T,) how many numbers were measured."""
        return (self.weights > 0.0).sum((-1, -2))

    def residual(self, at: At) -> Tensor:
        """(T, P, 3) radians, not weighted."""
        bodies = at.problem.places("body", self.names)
        model = at.posed.rotations[:, bodies] @ self.body_from_sensor
        return so3.log(model @ self.targets[at.frames].transpose(-1, -2))

    def cost(self, at: At) -> Tensor:
        """(T,)."""
        squared = (self.weights[at.frames] * self.residual(at)).square().sum(-1)
        if self.robust is not None:
            limit = self.robust * self.weights[at.frames].amax(-1)
            beyond = squared > limit**2
            length = torch.where(beyond, squared, torch.ones_like(squared)).sqrt()
            squared = torch.where(beyond, limit * (2.0 * length - limit), squared)
        return 0.5 * squared.sum(-1)

    def gather(self, at: At, equations: Equations) -> None:
        """Add the sensors' sums; only turns matter to them."""
        residual = self.residual(at)
        weight = self.weights[at.frames]
        squared = weight.square()
        if self.robust is not None:
            limit = self.robust * weight.amax(-1, keepdim=True)
            length = (weight * residual).norm(dim=-1, keepdim=True)
            squared = squared * torch.where(length > limit, limit / length.clamp(min=1e-12), 1.0)
        # The left Jacobian is the right one of the opposite vector.
        slope = inverse_right_jacobian(-residual)
        information = slope.transpose(-1, -2) @ (squared[..., None] * slope)
        torque = (slope.transpose(-1, -2) @ (squared * residual)[..., None]).squeeze(-1)
        carry = at.problem.tables.subtree[:, at.problem.places("body", self.names)]
        below = at.pose.new_zeros(6, 6, carry.shape[0], at.count)
        below[:3, :3] = torch.einsum("bp,tpij->ijbt", carry, information)
        turn = torch.einsum("bp,tpi->ibt", carry, torque)
        equations.add_sums(below, torch.cat([turn, torch.zeros_like(turn)]))
