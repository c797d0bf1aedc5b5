"""The bones of a rig at rest, whatever program it comes from."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from .. import quaternion
from ..arrays import Array, checked, frozen
from ..errors import ShapeError
from ..skeleton import Skeleton

__all__ = ["Bones"]


@dataclass(frozen=True, eq=False)
class Bones:
    """B bones at rest, parents before children; world axes, metres, z up.

    Attributes:
        names: bone names, each once.
        parents: index of each bone's parent, -1 for none.
        rotations: (B, 4) world_from_bone at rest.
        heads: (B, 3) metres.
        tails: (B, 3) metres; NaN where a bone's end is not known.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    rotations: Array
    heads: Array
    tails: Array

    def __post_init__(self) -> None:
        count = len(self.names)
        if len(self.parents) != count or len(set(self.names)) != count:
            raise ShapeError(
                f"{len(set(self.names))} different names and {len(self.parents)} parents of {count} bones; "
                "expected one each"
            )
        for bone, parent in enumerate(self.parents):
            if not -1 <= parent < bone:
                raise ShapeError(f"bone {self.names[bone]!r} comes before its parent")
        for name, width in (("rotations", 4), ("heads", 3), ("tails", 3)):
            array = checked(name, getattr(self, name), (count, width))
            object.__setattr__(self, name, frozen(array))

    def __len__(self) -> int:
        return len(self.names)

    def index(self, name: str) -> int:
        """Place of a bone.

        Raises:
            ShapeError: there is none of that name.
        """
        try:
            return self.names.index(name)
        except ValueError:
            raise ShapeError(f"there is no bone {name!r}") from None

    @property
    def children(self) -> tuple[tuple[int, ...], ...]:
        """Per bone, the bones that hang on it."""
        found: list[list[int]] = [[] for _ in self.names]
        for bone, parent in enumerate(self.parents):
            if parent >= 0:
                found[parent].append(bone)
        return tuple(tuple(own) for own in found)

    @classmethod
    def of_skeleton(cls, skeleton: Skeleton) -> Self:
        """A skeleton's joints as bones, each to the mean of its children or to its tip."""
        heads = skeleton.rest_positions
        tails = heads + skeleton.tips
        for joint, children in enumerate(skeleton.children):
            if children:
                tails[joint] = heads[list(children)].mean(axis=0)
        rotations = np.tile(quaternion.IDENTITY, (len(skeleton), 1))
        return cls(skeleton.names, skeleton.parents, rotations, heads, tails)
