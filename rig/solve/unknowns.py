"""The unknowns of one frame: which coordinates may move, how a step changes them, where their bounds are.

A step of an ordinary coordinate adds to it. Three steps of a ball joint turn it in the child's own frame,
exp(pose) <- exp(pose) exp(step), so that there is no gimbal lock.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import torch
from torch import Tensor

from .. import so3
from ..errors import ShapeError
from ..model.model import KinematicModel
from ..model.tables import tables_of

__all__ = ["Unknowns", "inverse_right_jacobian", "unknowns_of"]


@dataclass(frozen=True, eq=False)
class Unknowns:
    """U unknowns per frame, deeper joints after those that carry them.

    Attributes:
        coordinates: (U,) places in a pose.
        columns: (C,) which of the model's columns they use.
        bodies: (C,) which body each of these columns moves first.
        movers: (G,) these bodies, each once.
        mover: (C,) which of the movers is a column's.
        descends: (C, C) 1 where the row's body is the column's or hangs on it, in the lower triangle.
        merge: (C, U) sums the columns of a coordinate that moves several joints; None if none does.
        plain: (E,) unknowns that are ordinary coordinates.
        balls: (N, 3) unknowns that turn ball joints.
        rotations: (R,) unknowns in radians.
        low: (U,) hard lower bounds, minus infinity where there is none.
        high: (U,) hard upper bounds.
    """

    coordinates: Tensor
    columns: Tensor
    bodies: Tensor
    movers: Tensor
    mover: Tensor
    descends: Tensor
    merge: Tensor | None
    plain: Tensor
    balls: Tensor
    rotations: Tensor
    low: Tensor
    high: Tensor

    def __len__(self) -> int:
        return self.coordinates.shape[0]

    @cached_property
    def bounded(self) -> bool:
        """Whether any unknown has a hard bound."""
        return bool(torch.isfinite(torch.cat([self.low, self.high])).any())

    @cached_property
    def block_entries(self) -> tuple[Tensor, Tensor]:
        """Where (E,) and (9 N,) the plain unknowns and the balls' blocks are in a flattened matrix (U, U)."""
        rows, columns = self.balls[:, :, None], self.balls[:, None, :]
        return self.plain * (len(self) + 1), (rows * len(self) + columns).flatten()

    def stepped(self, pose: Tensor, step: Tensor) -> Tensor:
        """Poses (T, D) after a step (T, U), kept within the hard bounds."""
        if not self.balls.shape[0]:
            moved = pose.index_select(1, self.coordinates).add_(step).clamp_(self.low, self.high)
            return pose.index_copy(1, self.coordinates, moved)
        plain, balls = self.coordinates[self.plain], self.coordinates[self.balls]
        moved = pose[:, plain] + step[:, self.plain]
        moved = moved.clamp(self.low[self.plain], self.high[self.plain])
        turned = so3.composed(pose[:, balls], step[:, self.balls])
        pose = pose.index_copy(1, plain, moved)
        return pose.index_copy(1, balls.flatten(), turned.flatten(1))

    def within(self, pose: Tensor) -> Tensor:
        """Poses (T, D) with the unknowns brought within their hard bounds."""
        if not self.bounded:
            return pose
        inside = pose[:, self.coordinates].clamp(self.low, self.high)
        return pose.index_copy(1, self.coordinates, inside)

    def away(self, reference: Tensor, pose: Tensor) -> Tensor:
        """How far poses (T, D) are from others, (T, U).

        A ball's is the rotation vector that turns it from the reference, in its own frame.
        """
        difference = pose[:, self.coordinates] - reference[:, self.coordinates]
        if not self.balls.shape[0]:
            return difference
        balls = self.coordinates[self.balls]
        turn = so3.relative(reference[:, balls], pose[:, balls])
        return difference.index_copy(1, self.balls.flatten(), turn.flatten(1))

    def ball_slopes(self, away: Tensor) -> Tensor:
        """(T, N, 3, 3) how the balls among distances (T, U) change with a step of the poses."""
        return inverse_right_jacobian(away[:, self.balls])


def inverse_right_jacobian(vector: Tensor) -> Tensor:
    """(..., 3, 3) by which log(R exp(w)) changes with w at w = 0, where log(R) is `vector`."""
    squared = (vector * vector).sum(-1)
    small = squared < 1e-6
    angle = torch.where(small, torch.ones_like(squared), squared).sqrt()
    half = 0.5 * angle
    closed = (1.0 - half * half.cos() / half.sin().clamp(min=1e-9)) / (angle * angle)
    factor = torch.where(small, 1.0 / 12.0 + squared / 720.0, closed)
    # I + [v] / 2 + factor [v][v], written out, for there is [v][v] = v v' - |v|^2 I.
    eye = torch.eye(3, dtype=vector.dtype) * (1.0 - factor * squared)[..., None, None]
    outer = vector[..., :, None] * (factor[..., None] * vector)[..., None, :]
    return eye + outer + so3.skew(0.5 * vector)


def unknowns_of(model: KinematicModel, moving: Sequence[str] | None = None) -> Unknowns:
    """Lay out the unknowns; the same ones of a model are laid out once.

    Args:
        model: with its locked and coupled coordinates, which are no unknowns.
        moving: names of the coordinates that may move; all that are free if None.

    Raises:
        ShapeError: a name is not a coordinate's, or only part of a ball joint may move, or nothing may.
    """
    # Whoever asks first, gradients must be able to pass later.
    with torch.inference_mode(mode=False):
        return _laid_out(model, None if moving is None else tuple(moving))


@lru_cache(maxsize=64)
def _laid_out(model: KinematicModel, moving: tuple[str, ...] | None) -> Unknowns:
    columns = tables_of(model).columns
    allowed = set(model.free_coordinates)
    if moving is not None:
        allowed &= {model.coordinate_index(name) for name in moving}
    kept = [c for c, place in enumerate(columns.coordinate.tolist()) if place in allowed]
    order = list(dict.fromkeys(columns.coordinate[kept].tolist()))
    if not order:
        raise ShapeError(f"no coordinate of model {model.name!r} may move; expected at least one")
    bodies, chosen = columns.body[kept], torch.tensor(kept, dtype=torch.long)
    place = [order.index(c) for c in columns.coordinate[kept].tolist()]
    merge = None
    if len(order) < len(kept):
        merge = torch.zeros(len(kept), len(order), dtype=torch.float64)
        merge[range(len(kept)), place] = 1.0
    coordinates = [model.coordinates[c] for c in order]
    descends = columns.descends[chosen][:, chosen].double().tril()
    infinity = float("inf")
    movers, mover = bodies.unique(return_inverse=True)
    return Unknowns(
        coordinates=torch.tensor(order, dtype=torch.long),
        columns=chosen,
        bodies=bodies,
        movers=movers,
        mover=mover,
        descends=descends,
        merge=merge,
        plain=_places([i for i, c in enumerate(coordinates) if c.kind != "ball"]),
        balls=_ball_places(model, order),
        rotations=_places([i for i, c in enumerate(coordinates) if c.kind != "translation"]),
        low=_bounds([c.limits[0] if c.clamped else -infinity for c in coordinates]),
        high=_bounds([c.limits[1] if c.clamped else infinity for c in coordinates]),
    )


def _bounds(values: list[float]) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def _places(places: list[int]) -> Tensor:
    return torch.tensor(places, dtype=torch.long)


def _ball_places(model: KinematicModel, order: list[int]) -> Tensor:
    rows = []
    for joint in model.joints:
        triple = [model.coordinate_index(name) for name in joint.ball or ()]
        found = [order.index(c) for c in triple if c in order]
        if found and len(found) < 3:
            raise ShapeError(
                f"only {len(found)} of the coordinates of ball joint {joint.name!r} may move; "
                "expected all three or none"
            )
        if found:
            rows.append(found)
    return _places([i for row in rows for i in row]).reshape(-1, 3)
