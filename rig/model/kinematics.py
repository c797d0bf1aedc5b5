"""Forward kinematics of a model: poses in, bodies, markers and their derivatives out.

All frames at once, in float32 or float64, differentiable with respect to pose, scales and marker places.
`a_from_b` maps coordinates in frame b to frame a, so neighbours cancel.

Inside, the frames are the last dimension of every tensor: a product of 3 x 3 matrices is then nine sums over
long contiguous rows, which a processor does several times faster than as many small matrix products.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .. import so3
from ..errors import ShapeError
from .model import KinematicModel
from .tables import Tables, tables_of

_FEW_FRAMES = 10  # of which a sum of products is quicker in one piece

__all__ = ["Posed", "bodies_in_world", "markers_in_world", "posed", "product", "turned"]


def product(a: Tensor, b: Tensor) -> Tensor:
    """(I, K, ...) of matrices a (I, J, ...) and b (J, K, ...), the frames last."""
    return _summed(a.unsqueeze(2), b, 1)


def turned(a: Tensor, b: Tensor) -> Tensor:
    """(I, ...) of matrices a (I, J, ...) and vectors b (J, ...), the frames last."""
    return _summed(a, b, 1)


def _summed(a: Tensor, b: Tensor, dim: int) -> Tensor:
    """Sum over J of a (I, J, ...) times b (J, ...)."""
    if b.shape[-1] <= _FEW_FRAMES:  # fewer calls; with more frames, less memory is faster
        return (a * b).sum(dim)
    columns, rows = a.unbind(dim), b.unbind(0)
    total = columns[0] * rows[0]
    for column, row in zip(columns[1:], rows[1:], strict=True):
        total.addcmul_(column, row)
    return total


@dataclass(frozen=True, eq=False)
class Posed:
    """A model in N poses, with what its derivatives need; the frames last.

    Attributes:
        tables: of the model.
        turns: (3, 3, B, N) world_from_body.
        places: (3, B, N) metres, origins of the bodies in the world.
        centres: (3, J, N) metres, of the joints' frames in their parent bodies.
        directions: (3, R, N) of the rotation axes, (3, X, 1) of the translation axes and (3, 3 balls, N)
            of the balls' axes in the parent bodies.
        rates: (A, N) how fast every axis moves with its coordinate.
        shifts: (X, N) values of the translation axes, metres.
    """

    tables: Tables
    turns: Tensor
    places: Tensor
    centres: Tensor
    directions: tuple[Tensor, Tensor, Tensor]
    rates: Tensor
    shifts: Tensor

    @property
    def rotations(self) -> Tensor:
        """(N, B, 3, 3) world_from_body."""
        return self.turns.permute(3, 2, 0, 1)

    @property
    def origins(self) -> Tensor:
        """(N, B, 3) metres, of the bodies in the world."""
        return self.places.permute(2, 1, 0)

    def mixed(self, own: Tensor, other: "Posed") -> "Posed":
        """These poses where `own` (N,) is true, elsewhere another's."""

        def choose(a: Tensor, b: Tensor) -> Tensor:
            return torch.where(own, a, b)

        turning, shifting, balls = zip(self.directions, other.directions, strict=True)
        return Posed(
            self.tables,
            choose(self.turns, other.turns),
            choose(self.places, other.places),
            choose(self.centres, other.centres),
            (choose(*turning), shifting[0], choose(*balls)),
            choose(self.rates, other.rates),
            choose(self.shifts, other.shifts),
        )

    def taken(self, rows: Tensor) -> "Posed":
        """Only these poses (K,)."""

        def some(values: Tensor) -> Tensor:
            return values.index_select(-1, rows)

        turning, shifting, balls = self.directions
        return Posed(
            self.tables,
            some(self.turns),
            some(self.places),
            some(self.centres),
            (some(turning), shifting, some(balls)),
            some(self.rates),
            some(self.shifts),
        )

    def points(self, bodies: Tensor, offsets: Tensor) -> Tensor:
        """(3, P, N) points at `offsets` (P, 3) metres in the frames of `bodies` (P,)."""
        offset = turned(self.turns.index_select(2, bodies), offsets.T[..., None])
        return self.places.index_select(1, bodies) + offset

    def columns(self, reference: Tensor) -> Tensor:
        """(6, C, N) twists of the model's columns: per joint and coordinate that moves it.

        A body turns and, at `reference` (3, N), moves by the sum of the columns above it; the angular part is
        first, all in the world. The unknowns of a ball joint are a turn in the child's own frame, exp(step)
        from the right.
        """
        t = self.tables
        twists = self._axis_twists(reference)
        rates = self.rates
        if t.balls.shape[0]:
            rates = torch.cat([rates, rates.new_ones(3 * t.balls.shape[0], rates.shape[1])])
        twists = (twists * rates).index_select(1, t.columns.axis)
        count = t.columns.body.shape[0]
        if not t.columns.column.shape[0]:
            return twists
        return twists[:, :count].index_add(1, t.columns.column, twists[:, count:])

    def _axis_twists(self, reference: Tensor) -> Tensor:
        """(6, A + 3 balls, N) of every axis' own value."""
        t = self.tables
        above = t.parents[1:]
        rotations = self.turns.index_select(2, above)  # (3, 3, J, N) world_from_parent
        origins = self.places.index_select(1, above) - reference[:, None]
        centres = turned(rotations, self.centres) + origins
        turning, shifting, balls = self.directions
        joints = t.turning_joint
        axes = turned(rotations.index_select(2, joints), torch.cat([turning, balls], 1))
        turns = torch.cat([axes, torch.linalg.cross(centres.index_select(1, joints), axes, dim=0)])
        if not t.translation_joint.shape[0]:
            return turns
        moves = turned(rotations.index_select(2, t.translation_joint), shifting)
        shifts = torch.cat([torch.zeros_like(moves), moves])
        count = t.rotation_joint.shape[0]
        return torch.cat([turns[:, :count], shifts, turns[:, count:]], dim=1)


def posed(tables: Tables, pose: Tensor, scales: Tensor | None = None) -> Posed:
    """Pose a model: `pose` (N, D), `scales` (B, 3) of the bodies along their own axes."""
    values, rates = _axis_values(tables, pose)
    count = tables.rotation_joint.shape[0]
    local, turning = _rotated(tables, values[:count])
    balls = local.new_zeros(3, 0, pose.shape[0])
    if tables.balls.shape[0]:
        spins = so3.exp(pose[:, tables.ball_coordinates]).permute(2, 3, 1, 0)
        spun = product(local[:, :, tables.balls], spins)
        local = local.index_copy(2, tables.balls, spun)
        balls = spun.transpose(1, 2).flatten(1, 2)
    centres, shifting = _shifted(tables, values[count:], scales)
    turns, places = _chained(tables, local, centres, scales)
    directions = (turning, shifting, balls)
    return Posed(tables, turns, places, centres, directions, rates, values[count:])


def _axis_values(t: Tables, pose: Tensor) -> tuple[Tensor, Tensor]:
    """(A, N) values of the axes and how fast they change with their (drivers') coordinates."""
    drive, columns = None, pose.T
    if t.couplings is not None:
        driven, slopes = t.couplings.evaluate(columns[t.drivers])
        columns = columns.index_copy(0, t.coupled, driven)
        drive = torch.ones_like(columns).index_copy(0, t.coupled, slopes)
    coordinates = columns.index_select(0, t.axis_coordinate)
    values = torch.addcmul(t.intercept[:, None], coordinates, t.slope[:, None])
    rates = t.slope[:, None].expand_as(values)
    if t.curves is not None:
        curved, slopes = t.curves.evaluate(coordinates.index_select(0, t.curved))
        values = values.index_copy(0, t.curved, curved)
        rates = rates.index_copy(0, t.curved, slopes)
    if drive is not None:
        rates = rates * drive[t.axis_coordinate]
    return values, rates


def _rotated(t: Tables, angles: Tensor) -> tuple[Tensor, Tensor]:
    """parent_from_frame (3, 3, J, N) after the turns, and the directions (3, R, N) of their axes."""
    count = angles.shape[1]
    if t.slots is None:
        return t.parent_rotation.expand(3, 3, -1, count), angles.new_zeros(3, 0, count)
    angles = torch.cat([angles, angles.new_zeros(1, count)])
    chosen = angles.index_select(0, t.slots.axis).unflatten(0, t.slots.a.shape[2:4])  # (K, J, N)
    turns = torch.addcmul(
        torch.addcmul(t.slots.c, chosen.cos(), t.slots.a), chosen.sin(), t.slots.b
    )
    local, *others = turns.unbind(2)
    first, *axes = t.slots.direction.unbind(1)
    directions = [first.expand(3, -1, count)]
    for axis, turn in zip(axes, others, strict=True):
        both = product(local, torch.cat([turn, axis.expand(3, -1, count)[:, None]], dim=1))
        local, direction = both[:, :3], both[:, 3]
        directions.append(direction)
    return local, torch.cat(directions, dim=1).index_select(1, t.rotation_place)


def _shifted(t: Tables, shifts: Tensor, scales: Tensor | None) -> tuple[Tensor, Tensor]:
    """Joint centres (3, J, N) and directions (3, X, 1) of the shifts, in the parent bodies."""
    placed, directions = t.parent_translation, t.translation_direction
    if scales is not None:
        above = scales[t.parents[1:]]
        placed = placed * above
        stretch = (t.translation_stretch * above[t.translation_joint]).sum(-1)
        unscaled = t.translation_stretch.sum(-1) < 0.5
        directions = directions * torch.where(unscaled, 1.0, stretch)[:, None]
    directions = directions.T[..., None]
    placed = placed.T[..., None].expand(3, -1, shifts.shape[1])
    if not t.translation_joint.shape[0]:
        return placed, directions
    return placed.index_add(1, t.translation_joint, shifts * directions), directions


def _chained(
    t: Tables, local: Tensor, centres: Tensor, scales: Tensor | None
) -> tuple[Tensor, Tensor]:
    """World rotations (3, 3, B, N) and origins (3, B, N), level by level from the ground."""
    origins = centres
    if t.offset_children:
        local = product(local, t.child_rotation)
        inside = t.child_translation if scales is None else t.child_translation * scales[1:]
        origins = centres - turned(local, inside.T[..., None])
    count = local.shape[-1]
    last = t.last_row.expand(1, 4, t.parents.shape[0] - 1, count)
    step = torch.cat([torch.cat([local, origins[:, None]], dim=1), last])  # (4, 4, J, N)
    if count <= _FEW_FRAMES:
        world = torch.cat([t.nowhere.expand(4, 4, 1, count), step], dim=2)
        for hop in t.hops:  # each body in the frame of its ancestor 1, 2, 4, ... steps up
            world = product(world.index_select(2, hop), world)
        world = product(t.ground, world)
        return world[:, :3], world[:, 3]
    chain = [t.ground.expand(3, 4, 1, count)]
    for level in t.levels:
        above = chain[-1] if level.parents is None else chain[-1].index_select(2, level.parents)
        chain.append(product(above, step[:, :, level.start - 1 : level.stop - 1]))
    world = torch.cat(chain, dim=2)
    return world[:, :3], world[:, 3]


def _prepared(
    model: KinematicModel, pose: Tensor, scales: Tensor | float | None
) -> tuple[Tables, Tensor, Tensor | None]:
    tables = tables_of(model, pose.dtype)
    count = len(model.coordinates)
    if pose.shape[-1:] != (count,) or not pose.dtype.is_floating_point:
        raise ShapeError(
            f"a pose of shape {tuple(pose.shape)} and type {pose.dtype} does not fit model "
            f"{model.name!r}; expected float numbers (..., {count}), one per coordinate"
        )
    if scales is None:
        return tables, pose.reshape(pose.shape[:-1].numel(), count), None
    factors = torch.as_tensor(scales, dtype=pose.dtype)
    if factors.ndim == 0:  # the whole body, not the ground that it stands on
        factors = torch.cat([torch.ones_like(factors)[None], factors.expand(tables.bodies - 1)])
    if factors.ndim == 1:
        factors = factors[:, None]
    try:
        factors = factors.expand(tables.bodies, 3)
    except RuntimeError as error:
        raise ShapeError(
            f"scales of shape {tuple(factors.shape)} do not fit {tables.bodies} bodies; expected one "
            f"number, ({tables.bodies},) or ({tables.bodies}, 3), the ground first"
        ) from error
    if not bool((factors > 0.0).all()) or not np.isfinite(float(factors.detach().sum())):
        raise ShapeError("a body's scale is zero, negative or not a number; expected above zero")
    return tables, pose.reshape(pose.shape[:-1].numel(), count), factors


def bodies_in_world(
    model: KinematicModel, pose: Tensor, scales: Tensor | float | None = None
) -> tuple[Tensor, Tensor]:
    """Pose every body in the world.

    Args:
        model: D coordinates, B bodies, the ground first.
        pose: (..., D) radians and metres; coupled coordinates are computed, whatever is given.
        scales: full-body scale, one per body (B,), or per body and axis (B, 3); the ground first.

    Returns:
        world_from_body (..., B, 3, 3), and the bodies' origins (..., B, 3) in metres.

    Raises:
        ShapeError: pose or scales do not fit the model, or a scale is not above zero.
    """
    tables, flat, factors = _prepared(model, pose, scales)
    here = posed(tables, flat, factors)
    lead = (*pose.shape[:-1], tables.bodies)
    return here.rotations.reshape(*lead, 3, 3), here.origins.reshape(*lead, 3)


def markers_in_world(
    model: KinematicModel,
    pose: Tensor,
    scales: Tensor | float | None = None,
    positions: Tensor | None = None,
) -> Tensor:
    """Markers (..., M, 3) in the world, metres.

    Args:
        model: with M markers.
        pose: (..., D) radians and metres.
        scales: as in `bodies_in_world`; markers move with the scale of their body.
        positions: (M, 3) metres in the unscaled bodies, instead of the model's own, for a gradient in them.

    Raises:
        ShapeError: pose, scales or positions do not fit the model.
    """
    tables, flat, factors = _prepared(model, pose, scales)
    places = tables.marker_position if positions is None else positions
    if places.shape != tables.marker_position.shape:
        raise ShapeError(
            f"marker positions have shape {tuple(places.shape)}, "
            f"expected {tuple(tables.marker_position.shape)}"
        )
    if factors is not None:
        places = places * factors[tables.marker_body]
    points = posed(tables, flat, factors).points(tables.marker_body, places).permute(2, 1, 0)
    return points.reshape(*pose.shape[:-1], len(places), 3)
