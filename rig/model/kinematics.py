"""Forward kinematics of a model: poses in, bodies, markers and their derivatives out.

All frames at once, in float32 or float64, differentiable with respect to pose, scales and marker places.
`a_from_b` maps coordinates in frame b to frame a, so neighbours cancel.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .. import so3
from ..errors import ShapeError
from .model import KinematicModel
from .tables import Tables, tables_of

__all__ = ["Posed", "bodies_in_world", "markers_in_world", "posed"]


@dataclass(frozen=True, eq=False)
class Posed:
    """A model in N poses, with what its derivatives need.

    Attributes:
        tables: of the model.
        rotations: (N, B, 3, 3) world_from_body.
        origins: (N, B, 3) metres, of the bodies in the world.
        centres: (N, J, 3) metres, of the joints' frames in their parent bodies.
        directions: (N, A + 3 balls, 3) of the axes in the parent bodies.
        rates: (N, A) how fast every axis moves with its coordinate.
        shifts: (N, X) values of the translation axes, metres.
    """

    tables: Tables
    rotations: Tensor
    origins: Tensor
    centres: Tensor
    directions: tuple[Tensor, ...]
    rates: Tensor
    shifts: Tensor

    def points(self, bodies: Tensor, offsets: Tensor) -> Tensor:
        """(N, P, 3) points at `offsets` (P, 3) or (N, P, 3) metres in the frames of `bodies` (P,)."""
        turned = (self.rotations[:, bodies] @ offsets[..., None]).squeeze(-1)
        return self.origins[:, bodies] + turned

    def axis_twists(self, reference: Tensor) -> Tensor:
        """(N, A + 3 balls, 6) how a point at `reference` (N, 3) turns and moves with each axis' own value.

        Angular part first, in the world.
        """
        t = self.tables
        above = t.parents[1:]
        rotations = self.rotations[:, above]  # (N, J, 3, 3) world_from_parent
        centres = (rotations @ self.centres[..., None]).squeeze(-1) + self.origins[:, above]
        centres = centres - reference[:, None]
        turning, shifting, balls = self.directions
        joints = torch.cat([t.rotation_joint, t.balls.repeat_interleave(3)])
        axes = (rotations[:, joints] @ torch.cat([turning, balls], 1)[..., None]).squeeze(-1)
        turns = torch.cat([axes, torch.linalg.cross(centres[:, joints], axes)], dim=-1)
        if not len(t.translation_joint):
            return turns
        moves = (rotations[:, t.translation_joint] @ shifting[..., None]).squeeze(-1)
        shifts = torch.cat([torch.zeros_like(moves), moves], dim=-1)
        count = len(t.rotation_joint)
        return torch.cat([turns[:, :count], shifts, turns[:, count:]], dim=1)

    def columns(self, reference: Tensor) -> Tensor:
        """(N, C, 6) twists of the model's columns: per joint and coordinate that moves it.

        A body turns and, at `reference` (N, 3), moves by the sum of the columns above it. The unknowns of a
        ball joint are a turn in the child's own frame, exp(step) from the right.
        """
        t = self.tables
        twists = self.axis_twists(reference)
        rates = self.rates
        if len(t.balls):
            rates = torch.nn.functional.pad(rates, (0, 3 * len(t.balls)), value=1.0)
        twists = (twists * rates[..., None])[:, t.columns.axis]
        count = len(t.columns.body)
        if not len(t.columns.column):
            return twists
        return twists[:, :count].index_add(1, t.columns.column, twists[:, count:])


def posed(tables: Tables, pose: Tensor, scales: Tensor | None = None) -> Posed:
    """Pose a model: `pose` (N, D), `scales` (B, 3) of the bodies along their own axes."""
    values, rates = _axis_values(tables, pose)
    turns = len(tables.rotation_joint)
    local, directions = _turned(tables, values[:, :turns])
    if len(tables.balls):
        spins = local[:, tables.balls] @ so3.exp(pose[:, tables.ball_coordinates])
        local = local.index_copy(1, tables.balls, spins)
        directions[2] = spins.transpose(-1, -2).flatten(1, 2)
    centres, directions[1] = _shifted(tables, values[:, turns:], scales)
    rotations, origins = _chained(tables, local, centres, scales)
    return Posed(tables, rotations, origins, centres, tuple(directions), rates, values[:, turns:])


def _axis_values(t: Tables, pose: Tensor) -> tuple[Tensor, Tensor]:
    """(N, A) values of the axes and how fast they change with their (drivers') coordinates."""
    drive = None
    if t.couplings is not None:
        driven, slopes = t.couplings.evaluate(pose[:, t.drivers])
        pose = pose.index_copy(1, t.coupled, driven)
        drive = torch.ones_like(pose).index_copy(1, t.coupled, slopes)
    coordinates = pose[:, t.axis_coordinate]
    values = t.slope * coordinates + t.intercept
    rates = t.slope.expand_as(values)
    if t.curves is not None:
        curved, slopes = t.curves.evaluate(coordinates[:, t.curved])
        values = values.index_copy(1, t.curved, curved)
        rates = rates.index_copy(1, t.curved, slopes)
    if drive is not None:
        rates = rates * drive[:, t.axis_coordinate]
    return values, rates


def _turned(t: Tables, angles: Tensor) -> tuple[Tensor, list[Tensor]]:
    """parent_from_frame (N, J, 3, 3) after the turns, and the directions (N, R, 3) of their axes."""
    count = len(angles)
    none = angles.new_zeros(count, 0, 3)
    if not t.slots:
        return t.parent_rotation.expand(count, -1, 3, 3), [none, none, none]
    angles = torch.nn.functional.pad(angles, (0, 1))
    cosines, sines = angles.cos()[..., None, None], angles.sin()[..., None, None]
    local, directions = None, []
    for slot in t.slots:
        turn = cosines[:, slot.axis] * slot.a + sines[:, slot.axis] * slot.b + slot.c
        if local is None:
            directions.append(slot.direction.expand(count, -1, 3))
            local = turn
        else:
            directions.append((local @ slot.direction[..., None]).squeeze(-1))
            local = local @ turn
    assert local is not None
    every = torch.cat(directions, dim=1)  # (N, slots * J, 3)
    return local, [every[:, t.rotation_place], none, none]


def _shifted(t: Tables, shifts: Tensor, scales: Tensor | None) -> tuple[Tensor, Tensor]:
    """Joint centres (N, J, 3) and directions (N, X, 3) of the shifts, in the parent bodies."""
    placed, directions = t.parent_translation, t.translation_direction
    if scales is not None:
        above = scales[t.parents[1:]]
        placed = placed * above
        stretch = (t.translation_stretch * above[t.translation_joint]).sum(-1)
        unscaled = t.translation_stretch.sum(-1) < 0.5
        directions = directions * torch.where(unscaled, 1.0, stretch)[:, None]
    placed = placed.expand(len(shifts), -1, 3)
    directions = directions.expand(len(shifts), -1, 3)
    if not len(t.translation_joint):
        return placed, directions
    return placed.index_add(1, t.translation_joint, shifts[..., None] * directions), directions


def _chained(
    t: Tables, local: Tensor, centres: Tensor, scales: Tensor | None
) -> tuple[Tensor, Tensor]:
    """World rotations (N, B, 3, 3) and origins (N, B, 3), level by level from the ground."""
    origins = centres
    if t.offset_children:
        local = local @ t.child_rotation
        inside = t.child_translation if scales is None else t.child_translation * scales[1:]
        origins = centres - (local @ inside[..., None]).squeeze(-1)
    step = torch.cat([local, origins[..., None]], dim=-1)  # (N, J, 3, 4)
    ground = t.world_from_ground.expand(len(local), 1, 3, 3)
    chain = [torch.nn.functional.pad(ground, (0, 1))]
    for level in t.levels:
        above = chain[-1][:, level.parents]
        here = above[..., :3] @ step[:, level.start - 1 : level.stop - 1]
        shift = torch.nn.functional.pad(above[..., 3:], (3, 0))
        chain.append(here + shift)
    world = torch.cat(chain, dim=1)
    return world[..., :3], world[..., 3]


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
        return tables, pose.reshape(-1, count), None
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
    return tables, pose.reshape(-1, count), factors


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
    lead = pose.shape[:-1]
    return here.rotations.reshape(*lead, -1, 3, 3), here.origins.reshape(*lead, -1, 3)


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
    points = posed(tables, flat, factors).points(tables.marker_body, places)
    return points.reshape(*pose.shape[:-1], -1, 3)
