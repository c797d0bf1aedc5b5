"""A term of orientations: inertial sensors on bodies."""

from collections.abc import Sequence

import torch
from torch import Tensor

from .. import so3
from ..errors import ShapeError
from ..model.kinematics import product, turned
from .equations import Equations
from .points import Numbers, one_frame, tensor
from .problem import At

__all__ = ["Orientations"]

_NEARLY_HALF_TURN = -0.95  # cosine


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
        self._take(one_frame(targets, self.targets.shape[1:], "orientations"))

    @property
    def frames(self) -> int:
        """Of the targets."""
        return len(self.targets)

    @property
    def observed(self) -> Tensor:
        """(T,) how many numbers were measured."""
        return (self.weights > 0.0).sum((-1, -2))

    def _measured(self, at: At) -> tuple[Tensor, ...]:
        """sensor_from_world (3, 3, P, T) and squared weights (3, P, T) of these frames."""
        if id(self) not in at.measured:
            targets, weights = self.targets[at.frames], self.weights[at.frames]
            at.measured[id(self)] = (
                targets.permute(3, 2, 1, 0).contiguous(),
                weights.square().permute(2, 1, 0).contiguous(),
            )
        return at.measured[id(self)]

    def residual(self, at: At) -> Tensor:
        """(3, P, T) radians, not weighted."""
        if id(self) not in at.kept:
            bodies = at.problem.places("body", self.names)
            mounted = self.body_from_sensor.permute(1, 2, 0)[..., None]
            model = product(at.posed.turns.index_select(2, bodies), mounted)
            at.kept[id(self)] = (_rotation_vector(product(model, self._measured(at)[0])),)
        return at.kept[id(self)][0]

    def _squared(self, at: At) -> Tensor:
        """(P, T) weighted squares."""
        return (self._measured(at)[1] * self.residual(at).square()).sum(0)

    def _limit(self, at: At) -> Tensor:
        """(P, T) weighted length beyond which a residual counts linearly."""
        assert self.robust is not None
        return self.robust * self._measured(at)[1].amax(0).sqrt()

    def cost(self, at: At) -> Tensor:
        """(T,)."""
        squared = self._squared(at)
        if self.robust is not None:
            limit = self._limit(at)
            beyond = squared > limit.square()
            length = torch.where(beyond, squared, torch.ones_like(squared)).sqrt()
            squared = torch.where(beyond, limit * (2.0 * length - limit), squared)
        return 0.5 * squared.sum(0)

    def gather(self, at: At, equations: Equations) -> None:
        """Add the sensors' sums; only turns matter to them."""
        residual, squared = self.residual(at), self._measured(at)[1]
        if self.robust is not None:
            limit = self._limit(at)
            length = self._squared(at).sqrt().clamp(min=1e-12)
            squared = squared * (limit / length).clamp(max=1.0)
        slope = _inverse_left_jacobian(residual)
        weighed = squared[:, None] * slope
        carry = at.problem.carried(at.problem.places("body", self.names))
        turns = carry @ product(slope.transpose(0, 1), weighed)
        torque = carry @ turned(weighed.transpose(0, 1), residual)
        below = torch.nn.functional.pad(turns, (0, 0, 0, 0, 0, 3, 0, 3))
        equations.add_sums(below, torch.cat([torque, torch.zeros_like(torque)]))


def _rotation_vector(matrix: Tensor) -> Tensor:
    """(3, P, T) of rotations (3, 3, P, T); half turns are left to the slower formula."""
    sine = 0.5 * torch.stack(
        [matrix[2, 1] - matrix[1, 2], matrix[0, 2] - matrix[2, 0], matrix[1, 0] - matrix[0, 1]]
    )
    cosine = 0.5 * (matrix[0, 0] + matrix[1, 1] + matrix[2, 2] - 1.0)
    if bool((cosine < _NEARLY_HALF_TURN).any()):
        return so3.log(matrix.permute(3, 2, 0, 1)).permute(2, 1, 0)
    squared = sine.square().sum(0)
    small = squared < 1e-12
    length = torch.where(small, torch.ones_like(squared), squared).sqrt()
    # asin(x) / x where the turn is small
    ratio = torch.where(small, 1.0 + squared / 6.0, torch.atan2(length, cosine) / length)
    return ratio * sine


def _inverse_left_jacobian(vector: Tensor) -> Tensor:
    """(3, 3, P, T) by which log(exp(w) R) changes with w at w = 0, where log(R) is `vector` (3, P, T)."""
    squared = vector.square().sum(0)
    small = squared < 1e-6
    angle = torch.where(small, torch.ones_like(squared), squared).sqrt()
    half = 0.5 * angle
    closed = (1.0 - half * half.cos() / half.sin().clamp(min=1e-9)) / (angle * angle)
    factor = torch.where(small, 1.0 / 12.0 + squared / 720.0, closed)
    outer = factor * vector[:, None] * vector
    x, y, z = (0.5 * vector).unbind(0)
    flat = 1.0 - factor * squared
    rows = [flat, z, -y, -z, flat, x, y, -x, flat]
    return outer + torch.stack(rows).unflatten(0, (3, 3))
