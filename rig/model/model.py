"""A kinematic model: bodies joined in a tree, coordinates that move them, markers fixed to them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np

from ..arrays import Array, checked, frozen
from ..errors import ShapeError
from .functions import Function
from .joints import GROUND, Joint, are_finite

__all__ = ["BodyMarker", "Coordinate", "Coupling", "KinematicModel"]

Kind = Literal["rotation", "translation", "mixed", "ball"]


@dataclass(frozen=True)
class Coordinate:
    """One number of a pose, radians or metres.

    Attributes:
        name: unique.
        default: its value in the default pose.
        limits: lowest and highest value.
        clamped: whether a solver must stay within the limits; otherwise they are only reported.
        locked: whether it stays at its default.
        kind: what it drives. "mixed" drives turns and shifts, "ball" is one of three of a rotation vector.
    """

    name: str
    default: float = 0.0
    limits: tuple[float, float] = (-math.inf, math.inf)
    clamped: bool = False
    locked: bool = False
    kind: Kind = "rotation"

    def __post_init__(self) -> None:
        low, high = self.limits
        if not low <= high:
            raise ShapeError(
                f"coordinate {self.name!r} has limits from {low:g} to {high:g}; "
                "expected the lower one first"
            )
        if not math.isfinite(self.default):
            raise ShapeError(
                f"coordinate {self.name!r} has the default {self.default}, not a number"
            )


@dataclass(frozen=True, eq=False)
class Coupling:
    """A coordinate that another one drives: `coordinate` = function(`driver`)."""

    coordinate: str
    driver: str
    function: Function


@dataclass(frozen=True)
class BodyMarker:
    """A point fixed to a body.

    Attributes:
        name: unique.
        body: name of its body.
        position: (3,) metres in the body's frame.
        free: along which of the body's axes a registration may move it.
    """

    name: str
    body: str
    position: tuple[float, float, float]
    free: tuple[bool, bool, bool] = (True, True, True)

    def __post_init__(self) -> None:
        if are_finite(self.position):
            return
        value = checked(f"position of marker {self.name!r}", self.position, (3,))
        if not np.isfinite(value).all():
            raise ShapeError(f"marker {self.name!r} is at {value}, expected finite numbers")
        object.__setattr__(self, "position", tuple(float(v) for v in value))


def _unique(what: str, names: Sequence[str]) -> None:
    if all(names) and len(set(names)) == len(names):
        return
    for index, name in enumerate(names):
        if not name:
            raise ShapeError(f"{what} number {index + 1} has no name")
        if name in names[:index]:
            raise ShapeError(f"two {what}s are called {name!r}; expected different names")


def _ordered(joints: Sequence[Joint]) -> tuple[Joint, ...]:
    """Joints by their depth in the tree, in the given order within a depth."""
    _unique("joint", [joint.name for joint in joints])
    parents: dict[str, str] = {}
    for joint in joints:
        if joint.child in parents or joint.child == GROUND:
            raise ShapeError(
                f"body {joint.child!r} is moved by joint {joint.name!r} and by another; "
                "expected one joint per body and none for the ground"
            )
        parents[joint.child] = joint.parent
    for joint in joints:
        if joint.parent != GROUND and joint.parent not in parents:
            raise ShapeError(
                f"joint {joint.name!r} hangs on body {joint.parent!r}, which no joint connects to the "
                "ground; expected a tree that begins at the ground"
            )

    def depth(body: str) -> int:
        steps = 0
        while body != GROUND:
            body, steps = parents[body], steps + 1
            if steps > len(parents):
                raise ShapeError(f"body {body!r} is part of a ring of joints; expected a tree")
        return steps

    return tuple(sorted(joints, key=lambda joint: depth(joint.child)))


@dataclass(frozen=True, eq=False)
class KinematicModel:
    """Bodies, joints, coordinates and markers.

    The root has no degree of freedom if its joint to the ground is a `weld`, six if it is `free`.

    Attributes:
        name: of the model.
        joints: in any order; kept parents first.
        coordinates: what is known of the coordinates; those that only the axes name are added.
        couplings: coordinates that others drive.
        markers: points on bodies.
        world_from_ground: (3, 3) rotation from the model's own ground frame to our z-up world; foreign models
            have their y axis up.
    """

    name: str
    joints: tuple[Joint, ...]
    coordinates: tuple[Coordinate, ...] = ()
    couplings: tuple[Coupling, ...] = ()
    markers: tuple[BodyMarker, ...] = ()
    world_from_ground: Array = field(default_factory=lambda: np.eye(3))

    def __post_init__(self) -> None:
        if not self.joints:
            raise ShapeError(f"model {self.name!r} has no joint; expected at least one body")
        object.__setattr__(self, "joints", _ordered(self.joints))
        object.__setattr__(self, "coordinates", self._completed())
        object.__setattr__(self, "couplings", tuple(self.couplings))
        object.__setattr__(self, "markers", tuple(self.markers))
        turn = checked("world_from_ground", self.world_from_ground, (3, 3))
        object.__setattr__(self, "world_from_ground", frozen(turn))
        self._check_couplings()
        _unique("marker", [marker.name for marker in self.markers])
        for marker in self.markers:
            if marker.body not in self.bodies:
                raise ShapeError(
                    f"marker {marker.name!r} is on body {marker.body!r}, which the model lacks; "
                    f"the bodies are: {', '.join(self.bodies)}"
                )

    def _completed(self) -> tuple[Coordinate, ...]:
        """Every coordinate that an axis names, in the given order or that of the joints, with its kind."""
        _unique("coordinate", [coordinate.name for coordinate in self.coordinates])
        kinds: dict[str, set[Kind]] = {}
        for joint in self.joints:
            for axis in joint.translations:
                kinds.setdefault(axis.coordinate or "", set()).add("translation")
            for axis in joint.rotations:
                kinds.setdefault(axis.coordinate or "", set()).add("rotation")
            for name in joint.ball or ():
                if name in kinds:
                    raise ShapeError(f"coordinate {name!r} of a ball joint drives another axis too")
                kinds[name] = {"ball"}
        kinds.pop("", None)
        given = {coordinate.name: coordinate for coordinate in self.coordinates}
        names = [*given, *(name for name in kinds if name not in given)]

        def kind(name: str) -> Kind:
            found = kinds.get(name, {"rotation"})
            return found.copy().pop() if len(found) == 1 else "mixed"

        every = [(given.get(name, Coordinate(name)), kind(name)) for name in names]
        return tuple(one if one.kind == own else replace(one, kind=own) for one, own in every)

    def _check_couplings(self) -> None:
        _unique("coupled coordinate", [coupling.coordinate for coupling in self.couplings])
        drivers = {coupling.coordinate: coupling.driver for coupling in self.couplings}
        for coupling in self.couplings:
            for name in (coupling.coordinate, coupling.driver):
                if self.coordinates[self.coordinate_index(name)].kind == "ball":
                    raise ShapeError(f"coordinate {name!r} of a ball joint can't be coupled")
            if coupling.driver in drivers:
                raise ShapeError(
                    f"coordinate {coupling.coordinate!r} is driven by {coupling.driver!r}, "
                    "which is itself driven; expected a free coordinate"
                )

    @cached_property
    def bodies(self) -> tuple[str, ...]:
        """Names of the bodies, the ground first, parents before children."""
        return (GROUND, *(joint.child for joint in self.joints))

    @cached_property
    def parents(self) -> tuple[int, ...]:
        """Index of each body's parent; -1 for the ground."""
        return (-1, *(self.bodies.index(joint.parent) for joint in self.joints))

    @cached_property
    def coordinate_names(self) -> tuple[str, ...]:
        """Names of the coordinates, in the order of a pose."""
        return tuple(coordinate.name for coordinate in self.coordinates)

    @cached_property
    def marker_names(self) -> tuple[str, ...]:
        """Names of the markers."""
        return tuple(marker.name for marker in self.markers)

    @cached_property
    def default_pose(self) -> Array:
        """(D,) radians and metres, coupled coordinates where their drivers put them."""
        pose = np.array([coordinate.default for coordinate in self.coordinates])
        for coupling in self.couplings:
            driver = pose[self.coordinate_index(coupling.driver)]
            pose[self.coordinate_index(coupling.coordinate)] = coupling.function(driver)
        return frozen(pose)

    @cached_property
    def free_coordinates(self) -> tuple[int, ...]:
        """Indices of the coordinates that are neither locked nor coupled."""
        coupled = {coupling.coordinate for coupling in self.couplings}
        return tuple(
            index
            for index, coordinate in enumerate(self.coordinates)
            if not coordinate.locked and coordinate.name not in coupled
        )

    def body_index(self, name: str) -> int:
        """Place of a body in `bodies`.

        Raises:
            ShapeError: there is no such body; the message lists those there are.
        """
        return _place("body", name, self.bodies)

    def coordinate_index(self, name: str) -> int:
        """Place of a coordinate in a pose.

        Raises:
            ShapeError: there is no such coordinate; the message lists those there are.
        """
        return _place("coordinate", name, self.coordinate_names)

    def marker_index(self, name: str) -> int:
        """Place of a marker in `markers`.

        Raises:
            ShapeError: there is no such marker; the message lists those there are.
        """
        return _place("marker", name, self.marker_names)

    def with_markers(self, markers: Sequence[BodyMarker]) -> "KinematicModel":
        """The same model with other markers."""
        return replace(self, markers=tuple(markers))

    def with_coordinates(self, changes: Mapping[str, Mapping[str, object]]) -> "KinematicModel":
        """The same model with attributes of some coordinates changed, as `{"knee": {"locked": True}}`."""
        for name in changes:
            self.coordinate_index(name)
        changed = (
            replace(c, **changes.get(c.name, {}))  # type: ignore[arg-type]
            for c in self.coordinates
        )
        return replace(self, coordinates=tuple(changed))


def _place(what: str, name: str, names: tuple[str, ...]) -> int:
    if name not in names:
        raise ShapeError(f"no {what} {name!r}; there are: {', '.join(names)}")
    return names.index(name)
