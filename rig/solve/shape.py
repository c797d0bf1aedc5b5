"""What all frames share: the size of the body and where the markers sit on it.

One vector holds the full-body scale, the scales of groups of bodies, and the shifts of the markers along
the axes that a registration may move them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from ..errors import ShapeError
from ..model.kinematics import Posed, turned
from ..model.model import KinematicModel
from ..model.tables import tables_of

__all__ = ["Shape", "ShapeUnknowns", "stretched"]

_LEAST_SCALE = 0.1  # what no marker sees must not shrink to nothing


@dataclass(frozen=True)
class Shape:
    """Which sizes and marker places are unknown, and how far they may stray.

    Every spread is a standard deviation that counts once per frame, as the markers' do.

    Attributes:
        full: whether the whole body has a scale.
        groups: names of bodies that are scaled together, one scale per group.
        per_axis: whether a group has one scale per axis of its bodies.
        markers: names of the markers that may move, along their `free` axes.
        scale_spread: of every scale about 1.
        marker_spread: metres, of every marker about its first place; or by the marker's name.
    """

    full: bool = False
    groups: tuple[tuple[str, ...], ...] = ()
    per_axis: bool = False
    markers: tuple[str, ...] = ()
    scale_spread: float = 0.1
    marker_spread: float | Mapping[str, float] = 0.02

    def __post_init__(self) -> None:
        spreads = [self.scale_spread]
        given = self.marker_spread
        spreads += list(given.values()) if isinstance(given, Mapping) else [given]
        if not all(spread > 0.0 for spread in spreads):
            raise ShapeError(f"a spread of the shape is {min(spreads):g}, expected above zero")


@dataclass(frozen=True, eq=False)
class ShapeUnknowns:
    """A shape laid out as a vector (S,): full, groups, markers.

    Attributes:
        groups: (G, B, 3) 1 where a group's scale acts.
        has_full: whether the first entry is the full-body scale.
        markers: (K,) which marker each of the last entries moves.
        axes: (K,) along which axis of its body.
        stiffness: (S,) inverse variances.
        base: (M, 3) first places of all markers.
        first: (S,) where the vector starts, and what it stays near.
    """

    groups: Tensor
    has_full: bool
    markers: Tensor
    axes: Tensor
    stiffness: Tensor
    base: Tensor
    first: Tensor

    @classmethod
    def of(cls, model: KinematicModel, shape: Shape | None) -> Self:
        """Lay out a shape on a model.

        Raises:
            ShapeError: a body or marker is not the model's.
        """
        base = tables_of(model).marker_position
        shape = shape or Shape()
        groups = torch.zeros(len(shape.groups), len(model.bodies), 3, dtype=torch.float64)
        for row, names in enumerate(shape.groups):
            groups[row, [model.body_index(name) for name in names]] = 1.0
        if shape.per_axis:
            groups = (groups[:, None] * torch.eye(3, dtype=torch.float64)[:, None]).flatten(0, 1)
        moves = [
            (model.marker_index(name), axis)
            for name in shape.markers
            for axis in range(3)
            if model.markers[model.marker_index(name)].free[axis]
        ]
        spread = shape.marker_spread
        spreads = [
            spread[model.marker_names[m]] if isinstance(spread, Mapping) else spread
            for m, _ in moves
        ]
        scales = len(groups) + shape.full
        stiffness = torch.tensor([shape.scale_spread] * scales + spreads, dtype=torch.float64) ** -2
        return cls(
            groups=groups,
            has_full=shape.full,
            markers=torch.tensor([m for m, _ in moves], dtype=torch.long),
            axes=torch.tensor([a for _, a in moves], dtype=torch.long),
            stiffness=stiffness,
            base=base,
            first=torch.cat([torch.ones(scales), torch.zeros(len(moves))]).double(),
        )

    def __len__(self) -> int:
        return len(self.stiffness)

    @property
    def scale_count(self) -> int:
        """How many entries are scales."""
        return len(self.groups) + self.has_full

    def stepped(self, shared: Tensor, step: Tensor) -> Tensor:
        """Values (S,) after a step; no scale falls below a tenth."""
        moved = shared + step
        scales = moved[: self.scale_count].clamp(min=_LEAST_SCALE)
        return torch.cat([scales, moved[self.scale_count :]])

    def _parts(self, shared: Tensor) -> tuple[Tensor, Tensor]:
        """Full-body scale (B, 1), 1 for the ground, and the groups' factors (B, 3)."""
        ground = torch.zeros(self.groups.shape[1], 1, dtype=torch.float64)
        ground[0] = 1.0
        full = ground + (1.0 - ground) * (shared[0] if self.has_full else 1.0)
        own = shared[int(self.has_full) : self.scale_count]
        return full, 1.0 + torch.einsum("g,gbk->bk", own - 1.0, self.groups)

    def scales(self, shared: Tensor) -> Tensor | None:
        """(B, 3) of every body, or None where no scale is unknown."""
        if not self.scale_count:
            return None
        full, groups = self._parts(shared)
        return full * groups

    def positions(self, shared: Tensor) -> Tensor:
        """(M, 3) of every marker in its unscaled body."""
        if not len(self.markers):
            return self.base
        return self.base.index_put(
            (self.markers, self.axes), shared[self.scale_count :], accumulate=True
        )

    def anchor(self, shared: Tensor) -> Tensor:
        """Cost () of straying."""
        away = shared - self.first
        return 0.5 * (self.stiffness * away * away).sum()

    def scale_directions(self, shared: Tensor) -> Tensor:
        """(K, B, 3) how the bodies' scales change with each scale unknown."""
        full, groups = self._parts(shared)
        rows = full * self.groups
        if not self.has_full:
            return rows
        whole = groups.clone()
        whole[0] = 0.0
        return torch.cat([whole[None], rows])

    def origin_shifts(self, posed: Posed, change: Tensor, bodies: Tensor) -> Tensor:
        """(3, P, K, N) how origins of bodies (P,) move where scales change by (K, B, 3), each by itself."""
        t = posed.tables
        world = posed.turns.index_select(2, t.parents[1:])
        steps = stretched(world, t.parent_translation * change[:, t.parents[1:]])
        if len(t.translation_joint):
            steps = steps.index_add(1, t.translation_joint, self._stretches(posed, change))
        if t.offset_children:
            steps = steps - stretched(posed.turns[:, :, 1:], t.child_translation * change[:, 1:])
        carry = t.subtree.T[bodies, 1:]
        return (carry @ steps.flatten(2)).unflatten(2, steps.shape[2:])

    def _stretches(self, posed: Posed, change: Tensor) -> Tensor:
        """(3, X, K, N) how the shifts along axes grow with the parent body."""
        t = posed.tables
        joints = t.translation_joint
        bodies = t.parents[1:][joints]
        rate = (t.translation_stretch * change[:, bodies]).sum(-1).T  # (X, K)
        along = turned(posed.turns[:, :, bodies], t.translation_direction.T[..., None])
        return (along * posed.shifts)[:, :, None] * rate[..., None]


def stretched(turns: Tensor, lengths: Tensor) -> Tensor:
    """(3, J, K, N) lengths (K, J, 3) as bodies have them that are turned by (3, 3, J, N)."""
    every = lengths.permute(2, 1, 0)[..., None].expand(-1, -1, -1, turns.shape[-1])
    return turned(turns[:, :, :, None], every)
