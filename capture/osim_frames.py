"""Where the frames of an OpenSim model are: bodies, the ground, and offset frames fixed to them.

Components are named by paths such as /bodyset/pelvis or /jointset/hip_r/pelvis_offset. Sockets hold such a
path, absolute or relative to the component that owns the socket.
"""

import posixpath
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from ..rig.arrays import Array
from ..rig.errors import FormatError
from ..rig.model import GROUND, Frame
from .osim_xml import children, name_of, text, vector

__all__ = [
    "Component",
    "FrameMap",
    "components",
    "frame_of",
    "orientation_of",
    "socket",
    "transform",
]

_OFFSET: Final = "PhysicalOffsetFrame"
_BODIES: Final = ("Body", "Ground")
# Properties whose objects are components of the element that has the property.
_LISTS: Final = ("objects", "components", "frames")
# The sets of a model that hold what this package reads, by the name of their path.
_SETS: Final = ("BodySet", "JointSet", "ConstraintSet", "MarkerSet", "ComponentSet")
_MOST_FRAMES: Final = 100  # on one another
_LOCKED_COSINE: Final = (
    1e-9  # of the middle angle, below which the other two turn about the same line
)


@dataclass(frozen=True, eq=False)
class Component:
    """An element with its path."""

    path: str
    element: ET.Element


def components(model: ET.Element) -> list[Component]:
    """Bodies, joints, frames, markers and constraints of a model, in the order of the file."""
    found: list[Component] = []
    for child in children(model):
        if child.tag == "Ground":
            found += _below(child, f"/{GROUND}", itself=True)
        elif child.tag in _SETS:
            found += _below(child, f"/{child.tag.lower()}", itself=False)
        elif child.tag == "components":
            for inner in children(child):
                found += _below(inner, f"/{name_of(inner)}", itself=True)
    return found


def _below(element: ET.Element, path: str, *, itself: bool) -> Iterator[Component]:
    if itself:
        yield Component(path, element)
    for child in children(element):
        if child.tag in _LISTS:
            for inner in children(child):
                yield from _below(inner, f"{path}/{name_of(inner)}", itself=True)


def socket(element: ET.Element, name: str) -> str:
    """What a socket is connected to; empty where it is not."""
    return text(element, f"socket_{name}") or text(element, f"socket_{name}_connectee_name")


def frame_of(element: ET.Element, translation: str, orientation: str) -> Frame:
    """A joint's frame from two properties, at the origin where they are missing."""
    still = (0.0, 0.0, 0.0)
    moved, turned = (vector(element, tag, 3, still) for tag in (translation, orientation))
    return Frame((moved[0], moved[1], moved[2]), (turned[0], turned[1], turned[2]))


def transform(frame: Frame) -> Array:
    """body_from_frame (4, 4)."""
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = frame.rotation, frame.translation
    return matrix


def orientation_of(rotation: Array) -> tuple[float, float, float]:
    """Body-fixed XYZ angles of a rotation (3, 3): the inverse of `Frame.rotation`."""
    cosine = np.hypot(rotation[0, 0], rotation[0, 1])
    middle = float(np.arctan2(rotation[0, 2], cosine))
    if cosine < _LOCKED_COSINE:
        return float(np.arctan2(rotation[2, 1], rotation[1, 1])), middle, 0.0
    first = float(np.arctan2(-rotation[1, 2], rotation[2, 2]))
    return first, middle, float(np.arctan2(-rotation[0, 1], rotation[0, 0]))


class FrameMap:
    """The frames of a model, found by the paths that sockets hold."""

    def __init__(self, found: list[Component]) -> None:
        """Index what `components` found.

        Raises:
            FormatError: two bodies have the same name, or one has none.
        """
        kinds = (*_BODIES, _OFFSET)
        self._by_path: Mapping[str, ET.Element] = {
            c.path: c.element for c in found if c.element.tag in kinds
        }
        self.bodies = _bodies(found)
        self._by_name = {name_of(e): p for p, e in self._by_path.items() if e.tag in _BODIES}
        self._by_name.setdefault(GROUND, f"/{GROUND}")

    def locate(self, connectee: str, owner: str) -> tuple[str, Frame]:
        """Body and the frame in it that a socket of the component at path `owner` is connected to.

        Raises:
            FormatError: there is no such frame; the message names it.
        """
        chain: list[Frame] = []
        path = self._resolved(connectee, owner)
        while path in self._by_path and self._by_path[path].tag == _OFFSET:
            element = self._by_path[path]
            chain.append(frame_of(element, "translation", "orientation"))
            if len(chain) > _MOST_FRAMES:
                raise FormatError(f"frame {connectee!r} hangs on itself; expected one on a body")
            connectee, owner = socket(element, "parent"), path
            path = self._resolved(connectee, owner)
        body = GROUND if path == f"/{GROUND}" else name_of(self._by_path[path])
        return body, _joined(chain[::-1])

    def offset(self, connectee: str, owner: str) -> ET.Element | None:
        """The offset frame that a socket is connected to; None where that is a body."""
        element = self._by_path.get(self._resolved(connectee, owner))
        return element if element is not None and element.tag == _OFFSET else None

    def _resolved(self, connectee: str, owner: str) -> str:
        path = posixpath.normpath(posixpath.join(owner, connectee)) if connectee else ""
        if path in self._by_path or path == f"/{GROUND}":
            return path
        # The bare name of a body, as before OpenSim 4.
        name = connectee.rpartition("/")[2]
        if name in self._by_name and (connectee == name or connectee.startswith("/bodyset/")):
            return self._by_name[name]
        if not connectee:
            raise FormatError("it is connected to no frame; expected a body's path in its socket")
        raise FormatError(
            f"it is connected to {connectee[:60]!r}, which is no body and no PhysicalOffsetFrame of "
            f"the model; the bodies are: {', '.join(self.bodies)}"
        )


def _bodies(found: list[Component]) -> tuple[str, ...]:
    names: dict[str, None] = {}
    for component in found:
        name = name_of(component.element)
        if component.element.tag == "Body" and name != GROUND:
            if not name or name in names:
                raise FormatError(
                    f"body {name!r} is there twice or has no name; expected one of each"
                )
            names[name] = None
    return tuple(names)


def _joined(chain: list[Frame]) -> Frame:
    """Frames on one another, as one; a single one keeps its numbers."""
    if len(chain) < 2:
        return chain[0] if chain else Frame()
    matrix = np.eye(4)
    for frame in chain:
        matrix = matrix @ transform(frame)
    x, y, z = (float(value) for value in matrix[:3, 3])
    return Frame((x, y, z), orientation_of(matrix[:3, :3]))
