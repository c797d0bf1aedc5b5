"""OpenSim's joints as chains of axes."""

import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NamedTuple

from ..rig.errors import FormatError
from ..rig.model import Axis, Constant, Frame, Joint, about, along
from .osim_functions import held_function, read_function
from .osim_xml import name_of, vector, words

__all__ = [
    "AXES",
    "KINDS",
    "JointElement",
    "TransformAxis",
    "coordinate_names",
    "joint_of",
    "transform_axes",
]

_ROTATIONS: Final = ("rotation1", "rotation2", "rotation3")
_TRANSLATIONS: Final = ("translation1", "translation2", "translation3")
AXES: Final = (*_ROTATIONS, *_TRANSLATIONS)


class _Kind(NamedTuple):
    """Axes of a joint by the places of their coordinates: {"z": 0} turns about or shifts along z."""

    rotations: Mapping[str, int]
    translations: Mapping[str, int]


KINDS: Final[Mapping[str, _Kind]] = MappingProxyType(
    {
        "WeldJoint": _Kind({}, {}),
        "PinJoint": _Kind({"z": 0}, {}),
        "SliderJoint": _Kind({}, {"x": 0}),
        "UniversalJoint": _Kind({"x": 0, "y": 1}, {}),
        "BallJoint": _Kind({"x": 0, "y": 1, "z": 2}, {}),
        "GimbalJoint": _Kind({"x": 0, "y": 1, "z": 2}, {}),
        "PlanarJoint": _Kind({"z": 0}, {"x": 1, "y": 2}),
        "FreeJoint": _Kind({"x": 0, "y": 1, "z": 2}, {"x": 3, "y": 4, "z": 5}),
    }
)


# The names of the properties that hold a frame's translation and orientation.
Place = tuple[str, str]


@dataclass(frozen=True, eq=False)
class JointElement:
    """A joint as a file has it, in either layout.

    Attributes:
        element: of the joint.
        path: of the joint.
        parent: name of the body, and the frame in it.
        child: the same.
        coordinates: elements of its coordinates.
        places: names of the properties with the parent's and the child's frame, before OpenSim 4.
    """

    element: ET.Element
    path: str
    parent: tuple[str, Frame]
    child: tuple[str, Frame]
    coordinates: tuple[ET.Element, ...]
    places: tuple[Place, Place] | None = None

    @property
    def name(self) -> str:
        """Of the joint."""
        return name_of(self.element)


class TransformAxis(NamedTuple):
    """One of the six axes of a CustomJoint.

    Attributes:
        element: of the axis.
        axis: None where its function is the constant zero.
        rotation: whether it turns.
    """

    element: ET.Element
    axis: Axis | None
    rotation: bool


def joint_of(joint: JointElement, *, backwards: bool) -> Joint:
    """The joint as axes.

    Args:
        joint: of the file.
        backwards: its parent is the one farther from the ground.

    Raises:
        FormatError: it is of a kind that can't be read, or can't be turned around.
    """
    if joint.element.tag == "CustomJoint":
        axes = transform_axes(joint.element)
        turns = tuple(a.axis for a in axes if a.rotation and a.axis is not None)
        shifts = tuple(a.axis for a in axes if not a.rotation and a.axis is not None)
    else:
        turns, shifts = _plain(joint)
    (parent, parent_frame), (child, child_frame) = joint.parent, joint.child
    if not backwards:
        return Joint(joint.name, parent, child, parent_frame, child_frame, shifts, turns)
    if turns and shifts:
        raise FormatError(
            f"its parent {parent!r} is farther from the ground than its child {child!r}, and it both "
            "turns and shifts; such a reversed joint can't be read: swap parent and child in OpenSim"
        )
    turns, shifts = _opposite(turns), _opposite(shifts)
    return Joint(joint.name, child, parent, child_frame, parent_frame, shifts, turns)


def _opposite(axes: Sequence[Axis]) -> tuple[Axis, ...]:
    """What undoes a chain of turns, or of shifts."""
    return tuple(Axis(-axis.direction, axis.coordinate, axis.function) for axis in axes[::-1])


def _plain(joint: JointElement) -> tuple[tuple[Axis, ...], tuple[Axis, ...]]:
    kind = KINDS.get(joint.element.tag)
    if kind is None:
        raise FormatError(
            f"a {joint.element.tag[:60]} can't be read; these joints can: {', '.join(KINDS)}, CustomJoint"
        )
    names = coordinate_names(joint)
    turns = tuple(about(axis, names[place]) for axis, place in kind.rotations.items())
    shifts = tuple(along(axis, names[place]) for axis, place in kind.translations.items())
    return turns, shifts


def coordinate_names(joint: JointElement) -> tuple[str, ...]:
    """Names of a joint's coordinates.

    Raises:
        FormatError: there are too many or too few for its kind.
    """
    kind = KINDS.get(joint.element.tag)
    wanted = 0 if kind is None else len(kind.rotations) + len(kind.translations)
    if kind is not None and len(joint.coordinates) != wanted:
        raise FormatError(
            f"it has {len(joint.coordinates)} coordinates, but a {joint.element.tag} has {wanted}"
        )
    return tuple(name_of(element) for element in joint.coordinates)


def transform_axes(element: ET.Element) -> list[TransformAxis]:
    """The axes of a CustomJoint's SpatialTransform, rotations first."""
    transform = element.find("SpatialTransform")
    if transform is None:
        raise FormatError(
            "a CustomJoint has no <SpatialTransform>; save a model of before 1.9 anew in OpenSim 3"
        )
    found = {name_of(axis): axis for axis in transform.findall("TransformAxis")}
    unknown = set(found) - set(AXES)
    if unknown:
        raise FormatError(
            f"a SpatialTransform has the axis {min(unknown)[:40]!r}, expected {', '.join(AXES)}"
        )
    return [
        TransformAxis(found[name], _axis(found[name]), name in _ROTATIONS)
        for name in AXES
        if name in found
    ]


def _axis(element: ET.Element) -> Axis | None:
    name, coordinates = name_of(element), words(element, "coordinates")
    held = held_function(element)
    function = Constant(0.0) if held is None else read_function(held)
    if function == Constant(0.0):
        return None
    if len(coordinates) > 1:
        raise FormatError(
            f"axis {name} is a function of {len(coordinates)} coordinates ({', '.join(coordinates)}); "
            "functions of one coordinate can be read"
        )
    if not coordinates and not isinstance(function, Constant):
        raise FormatError(f"axis {name} has a {element.tag} but no coordinate, expected one")
    return Axis(
        vector(element, "axis", 3),  # type: ignore[arg-type]
        coordinates[0] if coordinates and not isinstance(function, Constant) else None,
        function,
    )
