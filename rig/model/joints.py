"""Joints: two frames of six parameters each, and the axes along which a child body moves.

A joint's frame is placed in its parent body and in its child body, three numbers for its origin and three
for its orientation each: the twelve parameters of the source paper (Hammond et al., "Development of a
Pytorch-based Kinematic Engine"). Between the two frames the child first shifts along the translation axes,
which are fixed in the parent's frame, and then turns about the rotation axes one after another, each carried
by those before it. Hinge, universal, gimbal, slider, planar, free and OpenSim's CustomJoint are all this one
thing; a ball joint turns by a rotation vector instead, so that it has no gimbal lock.

    parent_from_child = P(parent_frame) T(translations) R(rotations) inverse(P(child_frame))
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Final

import numpy as np

from ..arrays import Array, checked, frozen
from ..errors import ShapeError
from .functions import IDENTITY, Function

__all__ = [
    "GROUND",
    "Axis",
    "Frame",
    "Joint",
    "about",
    "along",
    "are_finite",
    "ball",
    "free",
    "hinge",
    "weld",
]

GROUND: Final = "ground"
_UNIT: Final = {"x": (1.0, 0.0, 0.0), "y": (0.0, 1.0, 0.0), "z": (0.0, 0.0, 1.0)}
_LEAST_LENGTH: Final = 1e-6  # of an axis' direction

Direction = str | Sequence[float] | Array


def are_finite(point: object) -> bool:
    """Whether it is three finite floats already, which nothing more has to be asked of."""
    if type(point) is not tuple or len(point) != 3:
        return False
    return all(type(value) is float and isfinite(value) for value in point)


@dataclass(frozen=True)
class Frame:
    """Where a joint's frame is in a body.

    Attributes:
        translation: (3,) metres in the body's frame.
        orientation: (3,) radians, turned about x, then the new y, then the new z (OpenSim's body-fixed XYZ).
    """

    translation: tuple[float, float, float] = (0.0, 0.0, 0.0)
    orientation: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        for name in ("translation", "orientation"):
            if are_finite(value := getattr(self, name)):
                continue
            value = checked(name, value, (3,))
            if not np.isfinite(value).all():
                raise ShapeError(f"a joint frame's {name} is {value}, expected finite numbers")
            object.__setattr__(self, name, tuple(float(v) for v in value))

    @property
    def rotation(self) -> Array:
        """body_from_frame (3, 3)."""
        if self.orientation == (0.0, 0.0, 0.0):
            return np.eye(3)
        cx, cy, cz = np.cos(self.orientation)
        sx, sy, sz = np.sin(self.orientation)
        about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
        about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
        about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
        return np.asarray(about_x @ about_y @ about_z)


@dataclass(frozen=True, eq=False)
class Axis:
    """One step of a joint: a turn about or a shift along a direction, by a function of a coordinate.

    Attributes:
        direction: (3,) unit vector in the joint's frame (any length is accepted).
        coordinate: name of the coordinate that drives it; None where the function is constant.
        function: coordinate to radians or metres.
    """

    direction: Array
    coordinate: str | None = None
    function: Function = IDENTITY

    def __post_init__(self) -> None:
        direction = checked("an axis' direction", self.direction, (3,))
        length = float(np.linalg.norm(direction))
        if not np.isfinite(length) or length < _LEAST_LENGTH:
            raise ShapeError(
                f"an axis has direction {direction}, expected one of length above zero"
            )
        object.__setattr__(self, "direction", frozen(direction / length))


def _axis(direction: Direction, coordinate: str | None, function: Function) -> Axis:
    if isinstance(direction, str):
        sign = -1.0 if direction.startswith("-") else 1.0
        if direction.lstrip("-") not in _UNIT:
            raise ShapeError(
                f"no direction {direction!r}; expected x, y, z, -x, -y, -z or a vector"
            )
        return Axis(sign * np.array(_UNIT[direction.lstrip("-")]), coordinate, function)
    return Axis(np.asarray(direction, dtype=np.float64), coordinate, function)


def about(direction: Direction, coordinate: str | None, function: Function = IDENTITY) -> Axis:
    """A turn about "x", "-z" or any vector (3,), for `Joint.rotations`."""
    return _axis(direction, coordinate, function)


def along(direction: Direction, coordinate: str | None, function: Function = IDENTITY) -> Axis:
    """A shift along "x", "-z" or any vector (3,), for `Joint.translations`."""
    return _axis(direction, coordinate, function)


@dataclass(frozen=True, eq=False)
class Joint:
    """How one body hangs on another.

    Attributes:
        name: unique among the joints.
        parent: name of the body that carries it, or "ground".
        child: name of the body that it moves; every body has exactly one such joint.
        parent_frame: the joint's frame in the parent body.
        child_frame: the joint's frame in the child body.
        translations: shifts, all in the parent's joint frame.
        rotations: turns, one after another; none if `ball` is set.
        ball: names of the three coordinates of a ball joint, a rotation vector in radians.
    """

    name: str
    parent: str
    child: str
    parent_frame: Frame = field(default_factory=Frame)
    child_frame: Frame = field(default_factory=Frame)
    translations: tuple[Axis, ...] = ()
    rotations: tuple[Axis, ...] = ()
    ball: tuple[str, str, str] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "translations", tuple(self.translations))
        object.__setattr__(self, "rotations", tuple(self.rotations))
        if self.ball is not None and (self.rotations or len(set(self.ball)) != 3):
            raise ShapeError(
                f"joint {self.name!r} is a ball joint of coordinates {self.ball} and has "
                f"{len(self.rotations)} rotation axes; expected three names and no axes"
            )

    @property
    def coordinates(self) -> tuple[str, ...]:
        """Names of the coordinates that drive it, in order of first use."""
        names = [a.coordinate for a in (*self.translations, *self.rotations) if a.coordinate]
        return tuple(dict.fromkeys([*names, *(self.ball or ())]))


def weld(
    name: str, parent: str, child: str, at: Frame | None = None, child_at: Frame | None = None
) -> Joint:
    """A joint that does not move."""
    return Joint(name, parent, child, at or Frame(), child_at or Frame())


def hinge(
    name: str,
    parent: str,
    child: str,
    at: Frame | None = None,
    axis: Direction = "z",
    coordinate: str | None = None,
) -> Joint:
    """One turn; the coordinate has the joint's name unless told."""
    return Joint(name, parent, child, at or Frame(), rotations=(about(axis, coordinate or name),))


def ball(name: str, parent: str, child: str, at: Frame | None = None) -> Joint:
    """Any turn, without gimbal lock; coordinates NAME_x, NAME_y, NAME_z are a rotation vector."""
    return Joint(name, parent, child, at or Frame(), ball=(f"{name}_x", f"{name}_y", f"{name}_z"))


def free(name: str, child: str, parent: str = GROUND) -> Joint:
    """Six degrees of freedom: shifts NAME_tx, NAME_ty, NAME_tz and a ball NAME_x, NAME_y, NAME_z."""
    shifts = tuple(along(axis, f"{name}_t{axis}") for axis in "xyz")
    return Joint(
        name, parent, child, translations=shifts, ball=(f"{name}_x", f"{name}_y", f"{name}_z")
    )
