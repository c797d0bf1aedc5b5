"""What is fitted: a model, the terms that pull on it, and the values of all unknowns at one moment."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Protocol, cast

import torch
from torch import Tensor

from ..errors import ShapeError
from ..model.kinematics import Posed, posed
from ..model.model import KinematicModel
from ..model.tables import Tables, tables_of
from .equations import Equations
from .shape import Shape, ShapeUnknowns
from .unknowns import Unknowns, unknowns_of

__all__ = ["At", "Frames", "PairTerm", "Problem", "Term"]

Frames = slice | Tensor


class Term(Protocol):
    """A part of the objective that looks at one frame at a time."""

    @property
    def frames(self) -> int | None:
        """How many frames it was measured for; None if it fits any number."""

    def cost(self, at: "At") -> Tensor:
        """(T,) half the weighted squared residual, or its robust form; differentiable."""

    def gather(self, at: "At", equations: Equations) -> None:
        """Add the Gauss-Newton equations of the term."""


class PairTerm(Protocol):
    """A part of the objective that couples each frame with the next."""

    def pair_cost(self, at: "At") -> Tensor:
        """(T - 1,) half the weighted squared residual; differentiable."""

    def gather_pairs(self, at: "At", equations: Equations) -> None:
        """Add the Gauss-Newton equations of the term."""


@dataclass(frozen=True, eq=False)
class Problem:
    """What is fitted.

    Attributes:
        model: D coordinates; locked and coupled ones are no unknowns, clamped ones stay within their limits.
        terms: see `rig.solve`; terms between frames too.
        moving: names of the coordinates that may move; all if None. The others stay exactly as they are.
        shape: sizes and marker places that are unknown too, or None.
        scales: (B, 3) or None: known sizes of the bodies.
        positions: (M, 3) metres in the unscaled bodies, or None: known marker places instead of the model's.
    """

    model: KinematicModel
    terms: Sequence[Term | PairTerm]
    moving: Sequence[str] | None = None
    shape: Shape | None = None
    scales: Tensor | None = None
    positions: Tensor | None = None

    def __post_init__(self) -> None:
        if self.shape is not None and not (self.scales is None and self.positions is None):
            raise ShapeError(
                "sizes and marker places are given and unknown; expected one of the two"
            )

    @cached_property
    def tables(self) -> Tables:
        """The model laid out."""
        return tables_of(self.model, torch.float64)

    @cached_property
    def unknowns(self) -> Unknowns:
        """The unknowns of one frame."""
        return unknowns_of(self.model, self.moving)

    @cached_property
    def shared(self) -> ShapeUnknowns:
        """The unknowns of all frames together."""
        with torch.inference_mode(mode=False):
            return ShapeUnknowns.of(self.model, self.shape)

    @cached_property
    def frame_terms(self) -> list[Term]:
        """Terms that look at one frame at a time."""
        return [cast(Term, term) for term in self.terms if hasattr(term, "gather")]

    @cached_property
    def pair_terms(self) -> list[PairTerm]:
        """Terms between neighbouring frames."""
        return [cast(PairTerm, term) for term in self.terms if hasattr(term, "gather_pairs")]

    def only(self, moving: Sequence[str]) -> "Problem":
        """The same problem with other coordinates that may move; what has been laid out is kept."""
        other = replace(self, moving=moving)
        for name in ("tables", "shared", "frame_terms", "pair_terms", "_named"):
            other.__dict__[name] = getattr(self, name)
        return other

    @property
    def coupled(self) -> bool:
        """Whether the frames must be solved together."""
        return bool(self.pair_terms) or len(self.shared) > 0

    @cached_property
    def _named(self) -> dict[tuple[str, tuple[str, ...]], Tensor]:
        return {}

    def places(self, kind: str, names: tuple[str, ...]) -> Tensor:
        """(P,) places of bodies, markers, markers' bodies or coordinates in the model, looked up once.

        Raises:
            ShapeError: a name is not the model's; the message lists those that are.
        """
        if (kind, names) not in self._named:
            with torch.inference_mode(mode=False):
                self._named[kind, names] = self._looked_up(kind, names)
        return self._named[kind, names]

    def _looked_up(self, kind: str, names: tuple[str, ...]) -> Tensor:
        if kind == "marker body":
            return self.tables.marker_body[self.places("marker", names)]
        look = getattr(self.model, f"{kind}_index")
        return torch.tensor([look(name) for name in names], dtype=torch.long)

    def carried(self, bodies: Tensor) -> Tensor:
        """(G, P) 1 where a body that unknowns move first carries, or is, the one of a point."""
        if id(bodies) not in self._carried:
            with torch.inference_mode(mode=False):
                self._carried[id(bodies)] = self.tables.subtree[self.unknowns.movers][:, bodies]
        return self._carried[id(bodies)]

    @cached_property
    def _carried(self) -> dict[int, Tensor]:
        return {}

    def at(self, pose: Tensor, shared: Tensor | None = None, frames: Frames | None = None) -> "At":
        """The problem at poses (T, D), which are the given frames of the terms' measurements."""
        shared = self.shared.first if shared is None else shared
        return At(self, pose, shared, slice(0, pose.shape[0]) if frames is None else frames)


@dataclass(eq=False)
class At:
    """A problem at one set of values: what every term looks at.

    Attributes:
        problem: whose values these are.
        pose: (T, D).
        shared: (S,) of the shape.
        frames: which frames of the terms' measurements these are.
        kept: whatever a term wants to keep between its cost and its equations, the frames last.
        measured: whatever a term wants to keep of its measurements of these frames.
    """

    problem: Problem
    pose: Tensor
    shared: Tensor
    frames: Frames
    kept: dict[int, tuple[Tensor, ...]] = field(default_factory=dict)
    measured: dict[int, tuple[Tensor, ...]] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """T."""
        return self.pose.shape[0]

    def moved(self, pose: Tensor) -> "At":
        """The same frames at other poses."""
        result = At(self.problem, pose, self.shared, self.frames, {}, self.measured)
        return result._of_the_same_size(self)

    def _of_the_same_size(self, other: "At") -> "At":
        """Itself, with what another has found that depends on the shared values alone."""
        for name in ("scales", "marker_places"):
            if name in other.__dict__:
                self.__dict__[name] = other.__dict__[name]
        return self

    def mixed(self, own: Tensor, other: "At") -> "At":
        """These values where `own` (T,) is true, elsewhere those of the same frames at other poses."""
        result = other.moved(torch.where(own[:, None], self.pose, other.pose))
        result.__dict__["posed"] = self.posed.mixed(own, other.posed)
        for key, values in self.kept.items():
            if key in other.kept:
                pairs = zip(values, other.kept[key], strict=True)
                result.kept[key] = tuple(torch.where(own, a, b) for a, b in pairs)
        return result

    def taken(self, rows: Tensor) -> "At":
        """Only some frames (K,) of these, with what is known of them."""
        assert isinstance(self.frames, Tensor)
        result = At(self.problem, self.pose[rows], self.shared, self.frames[rows])
        result.__dict__["posed"] = self.posed.taken(rows)
        for key, values in self.kept.items():
            result.kept[key] = tuple(value.index_select(-1, rows) for value in values)
        return result._of_the_same_size(self)

    @cached_property
    def scales(self) -> Tensor | None:
        """(B, 3) of the bodies, or None."""
        if self.problem.scales is not None:
            return self.problem.scales
        return self.problem.shared.scales(self.shared)

    @cached_property
    def posed(self) -> Posed:
        """The bodies in the world."""
        return posed(self.problem.tables, self.pose, self.scales)

    @cached_property
    def marker_places(self) -> Tensor:
        """(M, 3) metres of all markers in their scaled bodies."""
        problem = self.problem
        given = problem.positions
        places = problem.shared.positions(self.shared) if given is None else given
        return places if self.scales is None else places * self.scales[problem.tables.marker_body]

    @cached_property
    def reference(self) -> Tensor:
        """(3, T) a point near the body, about which twists are counted."""
        return self.posed.places[:, 1].detach()

    @cached_property
    def twists(self) -> Tensor:
        """(6, C, T) of the columns of the unknowns."""
        columns = self.posed.columns(self.reference)
        chosen = self.problem.unknowns.columns
        return columns if chosen.shape[0] == columns.shape[1] else columns[:, chosen]

    def cost(self) -> Tensor:
        """(T,) of the terms that look at one frame at a time."""
        total = self.pose.new_zeros(self.pose.shape[0])
        for term in self.problem.frame_terms:
            total = total + term.cost(self)
        return total

    def total(self) -> Tensor:
        """() cost of everything: frames, neighbours, and straying of the shape once per frame."""
        total = self.cost().sum()
        for term in self.problem.pair_terms:
            total = total + term.pair_cost(self).sum()
        return total + len(self.pose) * self.problem.shared.anchor(self.shared)
