"""OpenSim models in: .osim files of version 1.9 to 4.x as kinematic models.

Found in the format and confirmed against OpenSim 4.6, position by position:

- Ground has y up; `world_from_ground` turns it, so that coordinates keep OpenSim's own meaning.
- A CustomJoint turns about its three rotation axes one after another, each carried by those before, and
  shifts along its translation axes in the parent's joint frame. Axes are normalised.
- Ball, gimbal and free joints turn by body-fixed X-Y-Z angles; a planar joint about z, then shifts along the
  parent's x and y.
- A `PolynomialFunction` has the highest power first.
- Before version 4, joints are inside their child body, and `reverse` swaps parent and child.
"""

from pathlib import Path
from typing import Final

import numpy as np

from ..rig.arrays import Array
from ..rig.errors import FormatError
from ..rig.model import BodyMarker, Coordinate, Joint, KinematicModel
from .osim_coordinates import coordinate_of, couplings_of
from .osim_frames import Component, FrameMap, components
from .osim_joints import joint_of
from .osim_layout import joint_elements, outwards
from .osim_markers import marker_element, on_bodies, parse_marker_set, updated
from .osim_xml import document_object, name_of, text
from .textfile import naming, read_text

__all__ = ["WORLD_FROM_GROUND", "parse_osim", "read_osim"]

# A quarter turn about x: y up becomes z up.
WORLD_FROM_GROUND: Final[Array] = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
_METRES: Final = ("", "meters", "metres", "meter", "m")


def read_osim(path: Path | str, markers: Path | str | None = None) -> KinematicModel:
    """Read an OpenSim model.

    Args:
        path: of the .osim file.
        markers: of a file with a <MarkerSet>; its markers replace those of the same name and follow the rest.

    Raises:
        FileError: a file can't be read.
        FormatError: it is no model, is cut, or has a joint, function or constraint that can't be read; the
            message names it and says what can.
        ShapeError: names, limits or the tree of bodies make no model.
    """
    content = read_text(path)
    with naming(path):
        model, frames = _parse(content)
    if markers is None:
        return model
    marker_set = read_text(markers)
    with naming(markers):
        others = on_bodies(parse_marker_set(marker_set), frames)
        return model.with_markers(updated(model.markers, others))


def parse_osim(content: str) -> KinematicModel:
    """Parse the text of an .osim file. See `read_osim`."""
    return _parse(content)[0]


def _parse(content: str) -> tuple[KinematicModel, FrameMap]:
    element = document_object(content, ("Model",))
    units = text(element, "length_units").lower()
    if units not in _METRES:
        raise FormatError(f"the model's lengths are in {units[:40]!r}, expected meters")
    found = components(element)
    frames = FrameMap(found)
    joints, coordinates = _joints(found, frames)
    model = KinematicModel(
        name_of(element) or "model",
        joints,
        coordinates,
        couplings_of(found),
        _markers(found, frames),
        WORLD_FROM_GROUND,
    )
    return model, frames


def _joints(
    found: list[Component], frames: FrameMap
) -> tuple[tuple[Joint, ...], tuple[Coordinate, ...]]:
    elements = joint_elements(found, frames)
    backwards = outwards(elements, frames.bodies)
    joints: list[Joint] = []
    coordinates: list[Coordinate] = []
    for element in elements:
        with naming(f"joint {element.name!r}"):
            joints.append(joint_of(element, backwards=element.path in backwards))
            coordinates += [coordinate_of(c) for c in element.coordinates]
    return tuple(joints), tuple(coordinates)


def _markers(found: list[Component], frames: FrameMap) -> tuple[BodyMarker, ...]:
    elements = [c.element for c in found if c.element.tag == "Marker"]
    return tuple(on_bodies([marker_element(e) for e in elements], frames))
