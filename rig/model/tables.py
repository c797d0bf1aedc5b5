"""A kinematic model laid out for tensors: every joint, axis and function in one vectorised form.

Bodies lie level by level of the tree, so that all joints of a level are posed in one step. A turn by an
angle about a fixed axis is cos * A + sin * B + C with constant matrices; a function of a coordinate is a row
of polynomial pieces.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..arrays import Array
from .functions import IDENTITY, Constant, Function
from .joints import Axis, Frame, Joint
from .model import KinematicModel

__all__ = ["Columns", "Curves", "Level", "Slots", "Tables", "tables_of"]


class Curves(NamedTuple):
    """F functions as rows of K pieces each, padded to the same number of them and of powers.

    Attributes:
        breaks: (F, K - 1) padded with infinity.
        first: (F, 1) row of each function's first piece among all.
        pieces: (F K, 1 + N) where a piece begins, then its coefficients, highest power first.
    """

    breaks: Tensor
    first: Tensor
    pieces: Tensor

    def evaluate(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Values and first derivatives (F, T) at x (F, T), by Horner's scheme."""
        piece = torch.searchsorted(self.breaks, x.detach().contiguous(), right=True) + self.first
        start, value, *rest = self.pieces[piece].unbind(-1)
        away, slope = x - start, torch.zeros_like(x)
        for coefficient in rest:
            slope = torch.addcmul(value, slope, away)
            value = torch.addcmul(coefficient, value, away)
        return value, slope


class Level(NamedTuple):
    """Joints at one depth of the tree: bodies start to stop, and where their parents lie in the level above.

    `parents` is None where they are the whole level above, in order.
    """

    start: int
    stop: int
    parents: Tensor | None


class Slots(NamedTuple):
    """The k-th rotations of all joints, for every k, as cos * a + sin * b + c (3, 3, K, J, 1).

    `axis` (K * J,) drives them and `direction` (3, K, J, 1) is that of the axis after the turns before it. A
    joint without a k-th rotation has a = b = 0 and is driven by one more angle, which is always zero.
    """

    axis: Tensor
    a: Tensor
    b: Tensor
    c: Tensor
    direction: Tensor


class Columns(NamedTuple):
    """How axes become unknowns: one column per joint and coordinate that moves it.

    Attributes:
        axis: (X,) which axis; the first C are the first of their column, the rest come on top.
        column: (X - C,) to which column each of the rest belongs.
        coordinate: (C,) which coordinate a column belongs to, or, if that is coupled, its driver.
        body: (C,) which body the column moves first.
        turns: (C,) True where the coordinate is one of a ball joint.
        descends: (C, C) True where the row's body is the column's or hangs on it.
    """

    axis: Tensor
    column: Tensor
    coordinate: Tensor
    body: Tensor
    turns: Tensor
    descends: Tensor


@dataclass(frozen=True, eq=False)
class Tables:
    """Everything that forward kinematics and its derivatives need of a model, as tensors of one dtype.

    Axes are numbered: rotations joint by joint, then translations, then three per ball joint.
    """

    bodies: int
    levels: tuple[Level, ...]
    hops: tuple[Tensor, ...]  # (B,) each body's ancestor 1, 2, 4, ... steps up, the ground's own
    parents: Tensor  # (B,), the ground's own
    subtree: Tensor  # (B, B) 1 where the column's body is the row's or hangs on it
    ground: Tensor  # (3, 4, 1, 1) world_from_ground, and no shift
    last_row: Tensor  # (1, 4, 1, 1) of a homogeneous matrix
    nowhere: Tensor  # (4, 4, 1, 1) the homogeneous matrix that moves nothing
    parent_rotation: Tensor  # (3, 3, J, 1) parent_from_frame
    parent_translation: Tensor  # (J, 3)
    child_rotation: Tensor  # (3, 3, J, 1) frame_from_child
    child_translation: Tensor  # (J, 3) in the child
    slots: Slots | None
    rotation_joint: Tensor  # (R,)
    turning_joint: Tensor  # (R + 3 balls,) of every axis that turns
    rotation_place: Tensor  # (R,) in all slots' joints, one slot after another
    translation_joint: Tensor  # (X,)
    translation_direction: Tensor  # (X, 3) in the parent body
    translation_stretch: Tensor  # (X, 3) share of the parent's scale per axis; zero: never scaled
    balls: Tensor  # (N,) joints
    ball_coordinates: Tensor  # (N, 3)
    axis_coordinate: Tensor  # (A,) of rotations and translations
    slope: Tensor  # (A,) of the linear ones
    intercept: Tensor  # (A,)
    curved: Tensor  # (F,) which axes are not linear
    curves: Curves | None
    coupled: Tensor  # (P,)
    drivers: Tensor  # (P,)
    couplings: Curves | None
    columns: Columns
    offset_children: bool  # whether a joint's frame is not the child body's own
    marker_body: Tensor  # (M,)
    marker_position: Tensor  # (M, 3)

    @property
    def dtype(self) -> torch.dtype:
        """Of every number here."""
        return self.slope.dtype

    @cached_property
    def curved_coordinates(self) -> frozenset[int]:
        """Places of the coordinates for which a whole turn more is another pose."""
        curved = self.axis_coordinate[self.curved].tolist()
        steep = (self.slope != 0.0) & ((self.slope.abs() - 1.0).abs() > 1e-9)
        slanted = self.axis_coordinate[steep].tolist()
        return frozenset([*curved, *slanted, *self.drivers.tolist(), *self.coupled.tolist()])

    @property
    def axes(self) -> int:
        """Rotations and translations, without the balls'."""
        return len(self.axis_coordinate)


def tables_of(model: KinematicModel, dtype: torch.dtype = torch.float64) -> Tables:
    """Lay a model out; the same model is laid out once per dtype."""
    return _laid_out(model, dtype)


@lru_cache(maxsize=64)
def _laid_out(model: KinematicModel, dtype: torch.dtype) -> Tables:
    # Whoever asks first, gradients must be able to pass later.
    with torch.inference_mode(mode=False):
        return _Layout(model, dtype).tables()


class _Layout:
    """The steps of `tables_of`."""

    def __init__(self, model: KinematicModel, dtype: torch.dtype) -> None:
        self.model, self.dtype = model, dtype
        joints = model.joints
        self.rotations = [(j, axis) for j, joint in enumerate(joints) for axis in joint.rotations]
        self.shifts = [(j, axis) for j, joint in enumerate(joints) for axis in joint.translations]
        self.balls = [(j, joint.ball) for j, joint in enumerate(joints) if joint.ball]
        self.axes: list[Axis] = [axis for _, axis in (*self.rotations, *self.shifts)]

    def number(self, values: object) -> Tensor:
        return torch.as_tensor(np.array(values, dtype=np.float64)).to(self.dtype)

    def last(self, values: object) -> Tensor:
        """(J, ...) with the joints last but one, and a last dimension of one for the frames."""
        return self.number(values).movedim(0, -1)[..., None].contiguous()

    @staticmethod
    def index(values: Sequence[int]) -> Tensor:
        return torch.tensor(list(values), dtype=torch.long)

    def tables(self) -> Tables:
        model, number, index = self.model, self.number, self.index
        joints, parents = model.joints, np.maximum(model.parents, 0)
        slope, intercept, curved = self._lines()
        coordinate = [self._coordinate(axis.coordinate) for axis in self.axes]
        shift_joints = [j for j, _ in self.shifts]
        turned = [joints[j].parent_frame.rotation @ axis.direction for j, axis in self.shifts]
        stretch = [
            np.zeros(3) if axis.function == IDENTITY else axis.direction**2
            for _, axis in self.shifts
        ]
        markers = model.markers
        return Tables(
            bodies=len(model.bodies),
            levels=self._levels(),
            hops=self._hops(),
            parents=index(parents.tolist()),
            subtree=number(self._subtree()),
            ground=number(np.pad(model.world_from_ground, ((0, 0), (0, 1))))[..., None, None],
            last_row=number([0.0, 0.0, 0.0, 1.0]).reshape(1, 4, 1, 1),
            nowhere=number(np.eye(4)).reshape(4, 4, 1, 1),
            parent_rotation=self.last([j.parent_frame.rotation for j in joints]),
            parent_translation=number([j.parent_frame.translation for j in joints]),
            child_rotation=self.last([j.child_frame.rotation.T for j in joints]),
            child_translation=number([j.child_frame.translation for j in joints]),
            slots=self._slots(),
            rotation_joint=index([j for j, _ in self.rotations]),
            turning_joint=index(
                [j for j, _ in self.rotations] + [j for j, _ in self.balls for _ in "xyz"]
            ),
            rotation_place=index([k * len(joints) + j for j, k in self._numbered()]),
            translation_joint=index(shift_joints),
            translation_direction=number(turned).reshape(-1, 3),
            translation_stretch=number(stretch).reshape(-1, 3),
            balls=index([j for j, _ in self.balls]),
            ball_coordinates=index(
                [model.coordinate_index(n) for _, names in self.balls for n in names]
            ).reshape(-1, 3),
            axis_coordinate=index(coordinate),
            slope=number(slope),
            intercept=number(intercept),
            curved=index(curved),
            curves=self._curves([self.axes[a].function for a in curved]),
            coupled=index([model.coordinate_index(c.coordinate) for c in model.couplings]),
            drivers=index([model.coordinate_index(c.driver) for c in model.couplings]),
            couplings=self._curves([c.function for c in model.couplings]),
            columns=self._columns(),
            offset_children=any(joint.child_frame != Frame() for joint in joints),
            marker_body=index([model.body_index(m.body) for m in markers]),
            marker_position=number([m.position for m in markers]).reshape(-1, 3),
        )

    def _coordinate(self, name: str | None) -> int:
        return 0 if name is None else self.model.coordinate_index(name)

    def _levels(self) -> tuple[Level, ...]:
        depth = [0]
        for parent in self.model.parents[1:]:
            depth.append(depth[parent] + 1)
        levels = []
        for level in range(1, max(depth) + 1):
            own = [body for body, d in enumerate(depth) if d == level]
            above = depth.index(level - 1)
            parents = [self.model.parents[body] - above for body in own]
            same = parents == list(range(own[0] - above))
            levels.append(Level(own[0], own[-1] + 1, None if same else self.index(parents)))
        return tuple(levels)

    def _hops(self) -> tuple[Tensor, ...]:
        hop = np.maximum(self.model.parents, 0)
        hops: list[Tensor] = []
        while hop.any() or not hops:
            hops.append(self.index(hop.tolist()))
            hop = hop[hop]
        return tuple(hops)

    def _subtree(self) -> Array:
        count = len(self.model.bodies)
        below = np.eye(count)
        for body in range(count - 1, 0, -1):
            below[self.model.parents[body]] += below[body]
        return below

    def _lines(self) -> tuple[list[float], list[float], list[int]]:
        """Slope and intercept of every axis, and which are curved."""
        slope, intercept, curved = [], [], []
        for place, axis in enumerate(self.axes):
            _, origins, coefficients = axis.function.pieces()
            straight = coefficients.shape[0] == 1 and coefficients.shape[1] <= 2
            value, rate = [*coefficients[0], 0.0][:2] if straight else (0.0, 0.0)
            moves = axis.coordinate is not None
            slope.append(rate if moves else 0.0)
            intercept.append(value - rate * float(origins[0]) if moves else value)
            if not straight:
                curved.append(place)
        return slope, intercept, curved

    def _curves(self, functions: Sequence[Function]) -> Curves | None:
        if not functions:
            return None
        rows = [function.pieces() for function in functions]
        pieces = max(len(row.origins) for row in rows)
        powers = max(2, *(row.coefficients.shape[1] for row in rows))
        breaks = np.full((len(rows), pieces - 1), np.inf)
        origins = np.zeros((len(rows), pieces))
        coefficients = np.zeros((len(rows), pieces, powers))
        for place, row in enumerate(rows):
            breaks[place, : len(row.breaks)] = row.breaks
            origins[place, : len(row.origins)] = row.origins
            coefficients[place, : len(row.origins), : row.coefficients.shape[1]] = row.coefficients
        numbers = np.concatenate([origins[..., None], coefficients[..., ::-1]], axis=-1)
        first = self.index(range(0, len(rows) * pieces, pieces))[:, None]
        return Curves(self.number(breaks), first, self.number(numbers).flatten(0, 1))

    def _slots(self) -> Slots | None:
        joints = self.model.joints
        place = {(j, k): a for a, (j, k) in enumerate(self._numbered())}
        still = len(self.rotations)
        most = max((len(joint.rotations) for joint in joints), default=0)
        if not most:
            return None
        every = [(k, j) for k in range(most) for j in range(len(joints))]
        rows = [_turn(joints[j], k) for k, j in every]
        directions, a, b, c = (
            self.last(np.array(part).reshape(most * len(joints), *np.shape(part[0])))
            for part in zip(*((direction, *parts) for direction, parts in rows), strict=True)
        )
        size = (most, len(joints))
        axis = self.index([place.get((j, k), still) for k, j in every])
        a, b, c = (part.unflatten(2, size) for part in (a, b, c))
        return Slots(axis, a, b, c, directions.unflatten(1, size))

    def _numbered(self) -> list[tuple[int, int]]:
        """(joint, slot) of every rotation."""
        return [
            (j, k) for j, joint in enumerate(self.model.joints) for k in range(len(joint.rotations))
        ]

    def _columns(self) -> Columns:
        """One column per joint and coordinate, in the order of the chain, so deeper ones come later."""
        model = self.model
        driven = {c.coordinate: model.coordinate_index(c.driver) for c in model.couplings}
        moving = [
            (j, axis.coordinate, a) for a, (j, axis) in enumerate((*self.rotations, *self.shifts))
        ]
        # Within a joint the shifts come first, as in its chain.
        moving = moving[len(self.rotations) :] + moving[: len(self.rotations)]
        balls = len(self.axes)
        for number, (j, names) in enumerate(self.balls):
            moving += [(j, name, balls + 3 * number + k) for k, name in enumerate(names)]
        locked = {c.name for c in model.coordinates if c.locked}
        first: dict[tuple[int, str], int] = {}
        rest: list[tuple[tuple[int, str], int]] = []
        for j, name, axis in sorted(moving, key=lambda entry: entry[0]):
            driver = name if name not in driven else model.coordinate_names[driven[name]]
            if name is None or driver in locked or self._still(axis):
                continue
            if (j, name) in first:
                rest.append(((j, name), axis))
            else:
                first[j, name] = axis
        order = list(first)
        bodies = [j + 1 for j, _ in order]
        kinds = {c.name: c.kind for c in model.coordinates}
        below = self._subtree().T[np.ix_(bodies, bodies)] if order else np.zeros((0, 0))
        return Columns(
            axis=self.index([*first.values(), *(axis for _, axis in rest)]),
            column=self.index([order.index(key) for key, _ in rest]),
            coordinate=self.index([driven.get(n, model.coordinate_index(n)) for _, n in order]),
            body=self.index(bodies),
            turns=torch.tensor([kinds[n] == "ball" for _, n in order], dtype=torch.bool),
            descends=torch.as_tensor(below > 0.0),
        )

    def _still(self, axis: int) -> bool:
        return axis < len(self.axes) and isinstance(self.axes[axis].function, Constant)


def _turn(joint: Joint, k: int) -> tuple[Array, tuple[Array, Array, Array]]:
    """Direction of a joint's k-th rotation, and its matrices; the joint's frame is folded into the first."""
    before = joint.parent_frame.rotation if k == 0 else np.eye(3)
    if k >= len(joint.rotations):
        return np.zeros(3), (np.zeros((3, 3)), np.zeros((3, 3)), before)
    x, y, z = direction = np.array(joint.rotations[k].direction)
    outer = np.outer(direction, direction)
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return before @ direction, (before @ (np.eye(3) - outer), before @ cross, before @ outer)
