"""OpenSim's markers: those of a model, and marker sets in files of their own."""

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from ..rig.errors import FormatError
from ..rig.model import BodyMarker
from .osim_frames import FrameMap, socket, transform
from .osim_xml import document_object, flag, name_of, text, vector
from .textfile import naming, read_text

__all__ = [
    "MarkerElement",
    "marker_element",
    "on_bodies",
    "parse_marker_set",
    "read_marker_set",
    "updated",
]

_BODY_PATH: Final = "/bodyset/"


@dataclass(frozen=True)
class MarkerElement:
    """A marker as a file has it.

    Attributes:
        name: of the marker.
        frame: what it is fixed to: a path, or before OpenSim 4 the name of a body.
        location: (3,) metres in that frame.
        fixed: whether a registration may not move it.
    """

    name: str
    frame: str
    location: tuple[float, float, float]
    fixed: bool


def read_marker_set(path: Path | str) -> tuple[BodyMarker, ...]:
    """Read a file that holds a <MarkerSet>, of any version of OpenSim.

    Markers on an offset frame need its model: `read_osim(model, markers=path)`.

    Raises:
        FileError: the file can't be read.
        FormatError: it holds no marker set, or a marker that is not on a body.
    """
    content = read_text(path)
    with naming(path):
        return tuple(_alone(marker) for marker in parse_marker_set(content))


def parse_marker_set(content: str) -> list[MarkerElement]:
    """The markers in the text of a marker set's file."""
    return _marker_elements([document_object(content, ("MarkerSet",))])


def _marker_elements(sets: Iterable[ET.Element]) -> list[MarkerElement]:
    """The markers of some <MarkerSet> elements."""
    found = []
    for held in sets:
        inner = held if held.find("objects") is None else held.find("objects")
        for element in () if inner is None else inner.findall("Marker"):
            found.append(marker_element(element))
    return found


def marker_element(element: ET.Element) -> MarkerElement:
    """One <Marker>.

    Raises:
        FormatError: it has no place.
    """
    name = name_of(element)
    with naming(f"marker {name!r}"):
        x, y, z = vector(element, "location", 3)
        frame = socket(element, "parent_frame") or text(element, "body")
        return MarkerElement(name, frame, (x, y, z), flag(element, "fixed", default=False))


def _alone(marker: MarkerElement) -> BodyMarker:
    """A marker whose frame's name tells its body."""
    body = marker.frame.removeprefix(_BODY_PATH).removeprefix("/")
    if not body or "/" in body:
        raise FormatError(
            f"marker {marker.name!r} is on {marker.frame[:60]!r}, which is no body; "
            "read the marker set together with its model"
        )
    return BodyMarker(marker.name, body, marker.location, (not marker.fixed,) * 3)


def on_bodies(markers: Sequence[MarkerElement], frames: FrameMap) -> list[BodyMarker]:
    """The markers in the frames of their bodies.

    Raises:
        FormatError: a marker is on a frame that the model lacks.
    """
    placed = []
    for marker in markers:
        with naming(f"marker {marker.name!r}"):
            body, frame = frames.locate(marker.frame, f"/markerset/{marker.name}")
            point = transform(frame) @ np.append(marker.location, 1.0)
            x, y, z = (float(value) for value in point[:3])
            free = (not marker.fixed,) * 3
            placed.append(BodyMarker(marker.name, body, (x, y, z), free))
    return placed


def updated(markers: Sequence[BodyMarker], others: Sequence[BodyMarker]) -> list[BodyMarker]:
    """Markers with those of the same name replaced by `others`, the rest of which follow."""
    new = {marker.name: marker for marker in others}
    return [*(new.pop(marker.name, marker) for marker in markers), *new.values()]
