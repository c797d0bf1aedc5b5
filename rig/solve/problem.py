"""The unknowns of a fit, and what a term must give.

Per frame the unknowns are the root's position and, for every moving joint, a rotation vector in the
joint's own frame: `parent_from_joint <- parent_from_joint @ exp(step)`. Shared by all frames are the
scales of groups of bones and the places of markers on their bones.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor

from .. import so3
from ..errors import ShapeError
from ..kinematics import forward_kinematics
from ..skeleton import Skeleton

__all__ = ["Linear", "Pair", "PairTerm", "Pose", "Problem", "Shape", "State", "Term"]


class Linear(NamedTuple):
    """A term at one state: cost and first derivatives, frame by frame, already weighted.

    Attributes:
        residual: (T, R).
        frame: (T, R, D) by the unknowns of the frame; or (T, D / 3, 3, 3) where R = D and every three rows
            depend on their own three unknowns only.
        scales: (T, R, G) by the bone scales, or None.
        own: (T, R, S) by what the term itself shares over all frames, or None.
    """

    residual: Tensor
    frame: Tensor
    scales: Tensor | None = None
    own: Tensor | None = None


class Pair(NamedTuple):
    """A term between neighbouring frames: residual (T-1, R), and (T-1, R, D) by each frame's unknowns."""

    residual: Tensor
    before: Tensor
    after: Tensor


@dataclass(frozen=True, eq=False)
class State:
    """The values of all unknowns.

    Attributes:
        rotations: (T, J, 3, 3) parent_from_joint.
        root: (T, 3) metres.
        scales: (G,) of the shape's groups.
        own: per term, (S,) what it shares over all frames; empty for most.
    """

    rotations: Tensor
    root: Tensor
    scales: Tensor
    own: tuple[Tensor, ...]


@dataclass(frozen=True, eq=False)
class Pose:
    """A state with its forward kinematics, and how the unknowns are laid out."""

    problem: "Problem"
    state: State
    offsets: Tensor  # (J, 3)
    world: Tensor  # (T, J, 3, 3)
    origins: Tensor  # (T, J, 3)
    start: int = 0  # first frame of this pose within the terms' arrays

    @property
    def frames(self) -> slice:
        """Which frames of the terms' arrays these are."""
        return slice(self.start, self.start + len(self.state.root))


@runtime_checkable
class Term(Protocol):
    """A part of the objective that looks at one frame at a time."""

    def initial(self) -> Tensor:
        """(S,) first values of what the term shares over all frames."""

    def cost(self, pose: Pose, own: Tensor) -> Tensor:
        """(T,) half the weighted squared residual, or its robust form."""

    def linearise(self, pose: Pose, own: Tensor) -> Linear:
        """Residual and derivatives."""

    def anchor(self, own: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Per frame: cost (), gradient (S,), diagonal Hessian (S,) of a prior on the shared values."""


@runtime_checkable
class PairTerm(Protocol):
    """A part of the objective that couples each frame with the next."""

    def linearise_pairs(self, pose: Pose) -> Pair:
        """Residual and derivatives."""


@dataclass(frozen=True, eq=False)
class Shape:
    """Bone lengths as unknowns: each group of joints has one scale for its offsets.

    Attributes:
        groups: joint names whose offsets are scaled together.
        weight: of the prior that keeps every scale near 1, per frame: 1 / standard deviation.
    """

    groups: tuple[tuple[str, ...], ...]
    weight: float = 10.0


@dataclass(frozen=True, eq=False)
class Problem:
    """What is fitted.

    Attributes:
        skeleton: J joints.
        terms: see `rig.solve`; terms between frames too.
        moving: names of the joints that may turn; all if None. The others stay exactly as they are.
        moves_root: whether the root may shift.
        shape: bone lengths that are unknown too, or None.
    """

    skeleton: Skeleton
    terms: Sequence[Term | PairTerm]
    moving: Sequence[str] | None = None
    moves_root: bool = True
    shape: Shape | None = field(default=None)

    def __post_init__(self) -> None:
        for name in self.moving or ():
            self.skeleton.index(name)
        if not self.joints and not self.moves_root:
            raise ShapeError("nothing may move: no joint is moving and the root is fixed")

    @cached_property
    def joints(self) -> list[int]:
        """Indices of the joints that may turn."""
        names = self.skeleton.names if self.moving is None else self.moving
        return sorted(self.skeleton.index(name) for name in names)

    @cached_property
    def frame_terms(self) -> list[Term]:
        """Terms that look at one frame at a time."""
        return [term for term in self.terms if isinstance(term, Term)]

    @cached_property
    def pair_terms(self) -> list[PairTerm]:
        """Terms between neighbouring frames."""
        return [term for term in self.terms if isinstance(term, PairTerm)]

    @property
    def size(self) -> int:
        """Unknowns per frame."""
        return 3 * len(self.joints) + 3 * self.moves_root

    @cached_property
    def ancestors(self) -> Tensor:
        """(J, J) 1 where the column's joint turns the row's."""
        count = len(self.skeleton)
        chain = torch.eye(count, dtype=torch.float64)
        for joint, parent in enumerate(self.skeleton.parents[1:], start=1):
            chain[joint] += chain[parent]
        return chain

    @cached_property
    def group_offsets(self) -> Tensor:
        """(G, J, 3) how each scale's unit moves each offset."""
        groups = () if self.shape is None else self.shape.groups
        base = torch.as_tensor(self.skeleton.offsets.copy())
        result = torch.zeros(len(groups), len(self.skeleton), 3, dtype=torch.float64)
        for row, names in enumerate(groups):
            for name in names:
                joint = self.skeleton.index(name)
                result[row, joint] = base[joint]
        return result

    def offsets(self, scales: Tensor) -> Tensor:
        """(J, 3) bone offsets at these scales."""
        base = torch.as_tensor(self.skeleton.offsets.copy())
        return base + torch.einsum("g,gjk->jk", scales - 1.0, self.group_offsets)

    def pose(self, state: State, start: int = 0) -> Pose:
        """Run forward kinematics."""
        offsets = self.offsets(state.scales)
        world, origins = forward_kinematics(self.skeleton, state.rotations, state.root, offsets)
        return Pose(self, state, offsets, world, origins, start)

    def stepped(self, state: State, step: Tensor) -> State:
        """The state after the frames' unknowns change by `step` (T, D)."""
        rotations = state.rotations.clone()
        turns = step[:, 3 * self.moves_root :].unflatten(-1, (len(self.joints), 3))
        rotations[:, self.joints] = state.rotations[:, self.joints] @ so3.exp(turns)
        root = state.root + step[:, :3] if self.moves_root else state.root
        return replace(state, rotations=rotations, root=root)
