"""Frames of the target on their way: how its bones are turned from rest, and where that puts them."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from .. import quaternion
from ..arrays import Array
from .drives import Drive
from .rests import Rest

__all__ = ["Carriage", "Posed"]


class Carriage:
    """Which bones carry which, so that all heads are one product.

    Args:
        target: the rig.
        found: the bones that move, the hips first.
    """

    def __init__(self, target: Rest, found: list[Drive]) -> None:
        rows = {drive.bone: place for place, drive in enumerate(found)}
        heads = target.bones.heads
        count = len(found)
        self.above = np.array([max(rows.get(drive.before, 0), 0) for drive in found])
        self.steps = np.zeros((count, 3))
        self.sums = np.zeros((count, count))
        for place, drive in enumerate(found):
            self.sums[place, place] = 1.0
            if place:
                self.steps[place] = heads[drive.bone] - heads[found[self.above[place]].bone]
                self.sums[place] += self.sums[self.above[place]]
        self.from_centre = heads[target.hips] - target.centre


@dataclass(frozen=True, eq=False)
class Posed:
    """T frames of N bones of the target.

    Attributes:
        carriage: of the rig.
        turns: (T, N, 4) rotations from rest, in the world.
        centre: (T, 3) metres, between the hip joints.
    """

    carriage: Carriage
    turns: Array
    centre: Array

    @cached_property
    def heads(self) -> Array:
        """(T, N, 3) metres, where bones start."""
        carriage = self.carriage
        steps = quaternion.rotate(self.turns[:, carriage.above], carriage.steps)
        steps[:, 0] = self.centre + quaternion.rotate(self.turns[:, 0], carriage.from_centre)
        found: Array = carriage.sums @ steps
        return found

    def moved(self, by: Array) -> "Posed":
        """The same elsewhere, by (3,) or (T, 3) metres."""
        return replace(self, centre=self.centre + by)

    def turned(self, turns: Array) -> "Posed":
        """The same with other rotations."""
        return replace(self, turns=turns)
