"""The elements of an OpenSim 4 model, made from the parts of a kinematic model."""

import xml.etree.ElementTree as ET
from typing import Final

from ..rig.errors import FormatError
from ..rig.model import GROUND, Axis, BodyMarker, Constant, Coordinate, Coupling, Frame
from .osim_functions import function_element
from .osim_xml import put

__all__ = [
    "axis_element",
    "body_path",
    "coupler_element",
    "fill_coordinate",
    "fill_frame",
    "fill_marker",
    "offset_frame",
]

_OLD_PARENT: Final = "body"  # of a marker, before OpenSim 4


def body_path(body: str) -> str:
    """The path of a body or the ground."""
    return f"/{GROUND}" if body == GROUND else f"/bodyset/{body}"


def offset_frame(name: str, body: str, frame: Frame) -> ET.Element:
    """A PhysicalOffsetFrame on a body."""
    element = ET.Element("PhysicalOffsetFrame", {"name": name})
    put(element, "socket_parent", body_path(body))
    fill_frame(element, "translation", "orientation", frame)
    return element


def fill_frame(element: ET.Element, translation: str, orientation: str, frame: Frame) -> None:
    """Put a frame into two properties."""
    put(element, translation, *frame.translation)
    put(element, orientation, *frame.orientation)


def axis_element(name: str, axis: Axis) -> ET.Element:
    """A TransformAxis; one without a coordinate is where its function has zero."""
    element = ET.Element("TransformAxis", {"name": name})
    put(element, "coordinates", axis.coordinate or "")
    put(element, "axis", *axis.direction)
    still = Constant(float(axis.function(0.0)))
    element.append(function_element(axis.function if axis.coordinate else still, "function"))
    return element


def fill_coordinate(element: ET.Element, coordinate: Coordinate) -> None:
    """Put a coordinate's default, limits and locks into its element.

    Raises:
        FormatError: its default is outside limits that it must keep, which OpenSim refuses.
    """
    low, high = coordinate.limits
    if coordinate.clamped and not low <= coordinate.default <= high:
        raise FormatError(
            f"coordinate {coordinate.name!r} has the default {coordinate.default:g} outside its limits "
            f"{low:g} to {high:g}, which OpenSim does not load; move it inside, or unclamp it"
        )
    put(element, "default_value", coordinate.default)
    put(element, "range", low, high)
    put(element, "clamped", coordinate.clamped)
    put(element, "locked", coordinate.locked)


def coupler_element(coupling: Coupling) -> ET.Element:
    """A CoordinateCouplerConstraint."""
    element = ET.Element("CoordinateCouplerConstraint", {"name": f"{coupling.coordinate}_con"})
    put(element, "isEnforced", True)
    held = ET.SubElement(element, "coupled_coordinates_function")
    held.append(function_element(coupling.function))
    put(element, "independent_coordinate_names", coupling.driver)
    put(element, "dependent_coordinate_name", coupling.coordinate)
    put(element, "scale_factor", 1.0)
    return element


def fill_marker(element: ET.Element, marker: BodyMarker, *, old: bool) -> None:
    """Put a marker's body, place and freedom into its element; `old` for the layout before OpenSim 4."""
    element.set("name", marker.name)
    if old:
        put(element, _OLD_PARENT, marker.body)
    else:
        put(element, "socket_parent_frame", body_path(marker.body))
    put(element, "location", *marker.position)
    put(element, "fixed", not any(marker.free))
