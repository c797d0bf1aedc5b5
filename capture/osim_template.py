"""A changed model put back into the OpenSim file that it was read from.

Joint frames, functions, coordinates, couplers and markers become the model's, and geometry is scaled;
muscles, masses, wrap objects and everything else stay as the template has them.
"""

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np

from ..rig.arrays import Array
from ..rig.errors import FormatError
from ..rig.model import Axis, Coupling, Frame, Function, Joint, KinematicModel
from .osim import parse_osim
from .osim_coordinates import coordinate_of, couplings_of, is_constraint
from .osim_elements import (
    coupler_element,
    fill_coordinate,
    fill_frame,
    fill_marker,
    offset_frame,
)
from .osim_frames import FrameMap, components, socket
from .osim_functions import function_element, held_function, same_function
from .osim_joints import JointElement, joint_of, transform_axes
from .osim_layout import joint_elements, outwards
from .osim_markers import marker_element, on_bodies
from .osim_xml import children, name_of, object_in, put, text, vector
from .textfile import naming
from .xmlfile import parse_xml

__all__ = ["filled_template"]

_SOCKETS: Final = ("parent_frame", "child_frame")
_ALONG: Final = 1e-9  # between the directions of the same axis
_MIND: Final = "use the file that the model was read from"


def filled_template(model: KinematicModel, content: str, scales: Mapping[str, Array]) -> str:
    """The text of a template with a model put into it.

    Args:
        model: with the template's bodies, joints and coordinates.
        content: of the template.
        scales: factors (3,) by body, for the geometry.

    Raises:
        FormatError: the template can't be read, or is of another model.
    """
    root = parse_xml(content, comments=True)
    element = object_in(root, ("Model",))
    element.set("name", model.name)
    template = _Template(element)
    template.put_joints(model)
    template.put_coordinates(model)
    template.put_couplings(model.couplings)
    template.put_markers(model)
    template.scale_geometry(scales)
    written = ET.tostring(root, encoding="unicode")
    _check(model, parse_osim(written))
    return f'<?xml version="1.0" encoding="UTF-8" ?>\n{written}\n'


class _Template:
    """The parts of a template that are replaced."""

    def __init__(self, element: ET.Element) -> None:
        self.element = element
        self.found = components(element)
        self.frames = FrameMap(self.found)
        self.joints = joint_elements(self.found, self.frames)
        self.backwards = outwards(self.joints, self.frames.bodies)
        self.old = any(joint.places for joint in self.joints)
        # Found before any socket is changed: the offset frame at either side of every joint.
        self.offsets = {
            (joint.path, side): self.frames.offset(socket(joint.element, name), joint.path)
            for joint in self.joints
            for side, name in enumerate(_SOCKETS if joint.places is None else ())
        }

    def put_joints(self, model: KinematicModel) -> None:
        """Frames and functions of every joint."""
        new = {joint.name: joint for joint in model.joints}
        _same_names("joints", new, [joint.name for joint in self.joints])
        for joint in self.joints:
            with naming(f"joint {joint.name!r}"):
                self._put_joint(joint, new[joint.name])

    def _put_joint(self, held: JointElement, joint: Joint) -> None:
        backwards = held.path in self.backwards
        before = joint_of(held, backwards=backwards)
        if (before.parent, before.child) != (joint.parent, joint.child):
            raise FormatError(
                f"the template has it between {before.parent!r} and {before.child!r}, the model between "
                f"{joint.parent!r} and {joint.child!r}; {_MIND}"
            )
        new = (joint.parent_frame, joint.child_frame)
        sides = zip((0, 1), (held.parent, held.child), new[::-1] if backwards else new, strict=True)
        for side, (body, frame), wanted in sides:
            if frame != wanted:
                self._put_frame(held, side, body, wanted)
        _put_functions(held.element, before, joint, backwards=backwards)

    def _put_frame(self, held: JointElement, side: int, body: str, frame: Frame) -> None:
        if held.places is not None:
            fill_frame(held.element, *held.places[side], frame)
            return
        name, offset = _SOCKETS[side], self.offsets[held.path, side]
        if offset is not None and self._is_own(offset, held):
            fill_frame(offset, "translation", "orientation", frame)
            return
        frames = held.element.find("frames")
        if frames is None:
            frames = ET.SubElement(held.element, "frames")
        frames.append(offset_frame(f"{body}_{name}", body, frame))
        put(held.element, f"socket_{name}", f"{body}_{name}")

    def _is_own(self, offset: ET.Element, held: JointElement) -> bool:
        """Whether an offset frame is this joint's alone, and on a body itself."""
        users = sum(offset is other for other in self.offsets.values())
        if users > 1 or all(offset is not frame for frame in held.element.iterfind("frames/*")):
            return False
        path = f"{held.path}/{name_of(offset)}"
        return self.frames.offset(socket(offset, "parent"), path) is None

    def put_coordinates(self, model: KinematicModel) -> None:
        """Defaults, limits and locks that have changed."""
        wanted = {coordinate.name: coordinate for coordinate in model.coordinates}
        for joint in self.joints:
            for element in joint.coordinates:
                before = coordinate_of(element)
                after = wanted.get(before.name)
                if after is None:
                    raise FormatError(f"the model lacks coordinate {before.name!r}; {_MIND}")
                same = (before.default, before.limits) == (after.default, after.limits)
                if not same or (before.clamped, before.locked) != (after.clamped, after.locked):
                    fill_coordinate(element, after)
                    put(element, "prescribed", False)

    def put_couplings(self, couplings: Sequence[Coupling]) -> None:
        """Couplers that have changed, are new, or are gone."""
        constraints = [c.element for c in self.found if is_constraint(c)]
        held = {text(e, "dependent_coordinate_name"): e for e in constraints}
        before = {coupling.coordinate: coupling for coupling in couplings_of(self.found)}
        for coupling in couplings:
            old = before.pop(coupling.coordinate, None)
            if old is None:
                _objects(self.element, "ConstraintSet").append(coupler_element(coupling))
            elif not _same_coupling(old, coupling):
                held[coupling.coordinate][:] = list(coupler_element(coupling))
        for name in before:
            put(held[name], "isEnforced", False)
            put(held[name], "isDisabled", True)

    def put_markers(self, model: KinematicModel) -> None:
        """The model's markers, in its order."""
        inside = _objects(self.element, "MarkerSet")
        held = {name_of(element): element for element in inside.findall("Marker")}
        elements = []
        for marker in model.markers:
            element = held.get(marker.name)
            if element is None:
                element = ET.Element("Marker")
                fill_marker(element, marker, old=self.old)
            else:
                (before,) = on_bodies([marker_element(element)], self.frames)
                if before != marker:
                    fill_marker(element, marker, old=element.find("body") is not None)
            elements.append(element)
        inside[:] = elements

    def scale_geometry(self, scales: Mapping[str, Array]) -> None:
        """Multiply the sizes of what is shown of the bodies."""
        for component in self.found:
            element = component.element
            if element.tag == "PhysicalOffsetFrame":
                body, _ = self.frames.locate(component.path, component.path)
            else:
                body = name_of(element)
            factor = scales.get(body)
            if factor is not None and element.tag in ("Body", "PhysicalOffsetFrame"):
                shown = element.find("attached_geometry")
                for geometry in () if shown is None else children(shown):
                    _stretch(geometry, factor)
                for visible in element.findall("VisibleObject"):
                    _stretch(visible, factor)


def _stretch(element: ET.Element, factor: Array) -> None:
    before = np.array(vector(element, "scale_factors", 3, (1.0, 1.0, 1.0)))
    put(element, "scale_factors", *(before * factor))


def _objects(model: ET.Element, tag: str) -> ET.Element:
    """The list of objects of one of the model's sets, made where it is missing."""
    held = model.find(tag)
    if held is None:
        held = ET.SubElement(model, tag, {"name": tag.lower()})
    inside = held.find("objects")
    return ET.SubElement(held, "objects") if inside is None else inside


def _same_names(what: str, model: Iterable[str], template: Iterable[str]) -> None:
    for names, others, where in (
        (set(model) - set(template), "template", "model"),
        (set(template) - set(model), "model", "template"),
    ):
        if names:
            raise FormatError(
                f"the {others} lacks {len(names)} {what} of the {where} ({min(names)}); {_MIND}"
            )


def _same_axes(some: Sequence[Axis], others: Sequence[Axis]) -> bool:
    """Whether axes have the same directions and coordinates, whatever their functions."""
    return len(some) == len(others) and all(
        a.coordinate == b.coordinate and np.abs(a.direction - b.direction).max() < _ALONG
        for a, b in zip(some, others, strict=True)
    )


def _same_functions(some: Sequence[Axis], others: Sequence[Axis]) -> bool:
    return all(same_function(a.function, b.function) for a, b in zip(some, others, strict=True))


def _same_coupling(a: Coupling, b: Coupling) -> bool:
    return a.driver == b.driver and same_function(a.function, b.function)


def _put_functions(element: ET.Element, before: Joint, after: Joint, *, backwards: bool) -> None:
    """The functions of a joint's axes that have changed.

    Raises:
        FormatError: the axes are others, or the joint has no functions.
    """
    old, new = before.rotations + before.translations, after.rotations + after.translations
    turns = _same_axes(before.rotations, after.rotations) and after.ball is None
    if not turns or not _same_axes(before.translations, after.translations):
        raise FormatError(f"its axes are not those of the template; {_MIND}")
    if _same_functions(old, new):
        return
    if element.tag != "CustomJoint":
        raise FormatError(f"its functions were changed, but a {element.tag} has none")
    held = transform_axes(element)
    for turning, count in ((True, len(before.rotations)), (False, len(before.translations))):
        chain = [a.element for a in held if a.rotation == turning and a.axis is not None]
        start = 0 if turning else len(before.rotations)
        part = slice(start, start + count)
        ordered = chain[::-1] if backwards else chain
        for inside, was, becomes in zip(ordered, old[part], new[part], strict=True):
            if not same_function(was.function, becomes.function):
                _replace_function(inside, becomes.function)


def _replace_function(element: ET.Element, function: Function) -> None:
    """Another function for a TransformAxis, where it had one."""
    held = held_function(element)
    wrapper = element.find("function")
    if wrapper is not None and held is not None and held in list(wrapper):
        wrapper[:] = [function_element(function)]
        return
    if held is not None:
        element.remove(held)
    element.append(function_element(function, "function"))


def _check(model: KinematicModel, written: KinematicModel) -> None:
    """Whether what was written is the model, whatever the template has that this module does not know."""
    read = {joint.name: joint for joint in written.joints}
    for joint in model.joints:
        other = read[joint.name]
        frames = (joint.parent_frame, joint.child_frame) == (other.parent_frame, other.child_frame)
        axes, others = joint.rotations + joint.translations, other.rotations + other.translations
        if not frames or not _same_axes(axes, others) or not _same_functions(axes, others):
            raise FormatError(f"joint {joint.name!r} can't be put into this template; {_MIND}")
    for what, same in (
        ("coordinates", set(model.coordinates) == set(written.coordinates)),
        ("markers", _places(model) == _places(written)),
        ("couplings", _couples(model) == _couples(written)),
    ):
        if not same:
            raise FormatError(f"the {what} can't all be put into this template; {_MIND}")
    if not np.allclose(model.world_from_ground, written.world_from_ground):
        raise FormatError(f"the model's ground is turned otherwise than an OpenSim file's; {_MIND}")


def _places(model: KinematicModel) -> set[tuple[object, ...]]:
    return {(marker.name, marker.body, marker.position) for marker in model.markers}


def _couples(model: KinematicModel) -> set[tuple[str, str]]:
    return {(coupling.coordinate, coupling.driver) for coupling in model.couplings}
