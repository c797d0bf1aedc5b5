"""What retargeting is asked for, and what it gives."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal, get_args

import numpy as np

from ..arrays import Array, Mask
from ..errors import ShapeError

__all__ = ["LIMB_NAMES", "Contacts", "LimbTarget", "RetargetOptions", "Retargeted", "RootMotion"]

Contacts = Literal["off", "feet", "feet and hands"]
RootMotion = Literal["bone", "hips", "in place"]
LIMB_NAMES: Final = ("left_arm", "right_arm", "left_leg", "right_leg")


@dataclass(frozen=True)
class RetargetOptions:
    """How a motion is brought to another body.

    Attributes:
        contacts: what stays where it touches: nothing, standing feet, or reaching hands too.
        root: what carries the body over the floor: the root bone (and the hips the rest), the hips alone, or
            nothing ("in place": the hips only go up and down).
        scale: how far the body travels over the floor, by the source's way; None for legs' size over legs'
            size. Heights are always the legs'.
        fingers: pass fingers through that both rigs have.
        twist: let twist bones share a limb's twist.
    """

    contacts: Contacts = "feet"
    root: RootMotion = "hips"
    scale: float | None = None
    fingers: bool = True
    twist: bool = True

    def __post_init__(self) -> None:
        for name, kind in (("contacts", Contacts), ("root", RootMotion)):
            if getattr(self, name) not in get_args(kind):
                known = ", ".join(repr(word) for word in get_args(kind))
                raise ShapeError(f"{name} is {getattr(self, name)!r}; expected one of {known}")
        if self.scale is not None and not (np.isfinite(self.scale) and self.scale > 0.0):
            raise ShapeError(f"scale is {self.scale}; expected a positive number, or none")


@dataclass(frozen=True, eq=False)
class LimbTarget:
    """Where one limb of the target is, as its IK controls take it; T frames, world, metres.

    Attributes:
        start: (T, 3) shoulder or hip joint.
        middle: (T, 3) elbow or knee.
        end: (T, 3) wrist or ankle.
        rotation: (T, 4) world_from_bone of the hand or foot, of the lower bone where there is none.
        pole: (T, 3) unit direction from the limb's line to where its elbow or knee points.
        ball: (T, 3) ball of the foot; NaN for arms and where it is not known.
    """

    start: Array
    middle: Array
    end: Array
    rotation: Array
    pole: Array
    ball: Array


@dataclass(frozen=True, eq=False)
class Retargeted:
    """T frames of the N target bones that the source moves.

    Attributes:
        driven: (N,) places of these bones among the target's.
        rotations: (T, N, 4) world_from_bone, signs continuous over time.
        heads: (T, N, 3) metres, where they start.
        places: those of `driven` whose location is keyed too (target indices): hips, and the root bone.
        contacts: (T, 2) True where the left and the right foot stand with the ball down, None where that was
            not asked.
        find_limbs: finds `limbs` when they are asked for.
    """

    driven: tuple[int, ...]
    rotations: Array
    heads: Array
    places: tuple[int, ...]
    contacts: Mask | None = None
    find_limbs: Callable[[], Mapping[str, LimbTarget]] = dict

    @cached_property
    def limbs(self) -> Mapping[str, LimbTarget]:
        """By limb ("left_arm", ...), targets for IK; a limb that lacks a joint isn't there."""
        return self.find_limbs()
