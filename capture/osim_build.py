"""A kinematic model as an OpenSim model of its own.

Ground has y up: the joints on the ground are turned, so that every body stays where it is in the world. Every
body has a mass of 1 kg, which OpenSim needs and kinematics does not. Joints become WeldJoints and
CustomJoints; those that turn by a rotation vector become BallJoints or FreeJoints, whose coordinates in
OpenSim are body-fixed X-Y-Z angles instead, without limits.
"""

import math
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from ..rig import quaternion
from ..rig.arrays import Array
from ..rig.errors import FormatError
from ..rig.model import (
    GROUND,
    IDENTITY,
    Axis,
    BodyMarker,
    Constant,
    Coordinate,
    Frame,
    Joint,
    KinematicModel,
)
from .osim import WORLD_FROM_GROUND
from .osim_elements import (
    axis_element,
    coupler_element,
    fill_coordinate,
    fill_marker,
    offset_frame,
)
from .osim_frames import orientation_of, transform
from .osim_joints import AXES
from .osim_xml import put
from .textfile import naming

__all__ = ["format_osim"]

_VERSION: Final = "40000"
_COLLINEAR: Final = 1e-6  # sine between two axes
_NO_LIMITS: Final = (-math.inf, math.inf)
_MOST: Final = 3  # rotation axes, or translation axes, of a CustomJoint


def format_osim(model: KinematicModel) -> str:
    """The text of an .osim file.

    Raises:
        FormatError: OpenSim has no such joint; the message names it.
    """
    _check_shared(model)
    root = ET.Element("OpenSimDocument", {"Version": _VERSION})
    held = ET.SubElement(root, "Model", {"name": model.name})
    ET.SubElement(held, "Ground", {"name": GROUND})
    put(held, "gravity", 0.0, -9.80665, 0.0)
    put(held, "length_units", "meters")
    turn = WORLD_FROM_GROUND.T @ model.world_from_ground
    coordinates = {coordinate.name: coordinate for coordinate in model.coordinates}
    _set(held, "BodySet", [_body(name) for name in model.bodies[1:]])
    _set(held, "JointSet", [_joint(_turned(j, turn), coordinates) for j in model.joints])
    _set(held, "ConstraintSet", [coupler_element(coupling) for coupling in model.couplings])
    _set(held, "MarkerSet", [_marker(marker, turn) for marker in model.markers])
    ET.indent(root, "\t")
    return f'<?xml version="1.0" encoding="UTF-8" ?>\n{ET.tostring(root, encoding="unicode")}\n'


def _check_shared(model: KinematicModel) -> None:
    """OpenSim's coordinates belong to one joint each."""
    owners: dict[str, str] = {}
    for joint in model.joints:
        for name in joint.coordinates:
            if owners.setdefault(name, joint.name) != joint.name:
                raise FormatError(
                    f"coordinate {name!r} moves the joints {owners[name]!r} and {joint.name!r}; in OpenSim "
                    "it can move one: couple a second coordinate to it"
                )
    for coupling in model.couplings:
        for name in (coupling.coordinate, coupling.driver):
            if name not in owners:
                raise FormatError(
                    f"coordinate {name!r} of a coupling moves no joint, which OpenSim needs"
                )


def _set(model: ET.Element, tag: str, elements: list[ET.Element]) -> None:
    held = ET.SubElement(ET.SubElement(model, tag, {"name": tag.lower()}), "objects")
    held.extend(elements)


def _body(name: str) -> ET.Element:
    element = ET.Element("Body", {"name": name})
    put(element, "mass", 1.0)
    put(element, "mass_center", 0.0, 0.0, 0.0)
    put(element, "inertia", 1.0, 1.0, 1.0, 0.0, 0.0, 0.0)
    return element


def _turned(joint: Joint, turn: Array) -> Joint:
    """A joint on the ground in OpenSim's ground; any other as it is."""
    if joint.parent != GROUND or np.array_equal(turn, np.eye(3)):
        return joint
    x, y, z = (float(value) for value in turn @ joint.parent_frame.translation)
    return replace(
        joint, parent_frame=Frame((x, y, z), orientation_of(turn @ joint.parent_frame.rotation))
    )


def _marker(marker: BodyMarker, turn: Array) -> ET.Element:
    element = ET.Element("Marker", {"name": marker.name})
    if marker.body == GROUND:
        x, y, z = (float(value) for value in turn @ marker.position)
        marker = replace(marker, position=(x, y, z))
    fill_marker(element, marker, old=False)
    return element


def _joint(joint: Joint, coordinates: dict[str, Coordinate]) -> ET.Element:
    joint = joint if joint.coordinates else _stiff(joint)
    with naming(f"joint {joint.name!r}"):
        kind, names, defaults = _kind(joint, coordinates)
    element = ET.Element(kind, {"name": joint.name})
    sides = (
        ("parent", joint.parent, joint.parent_frame),
        ("child", joint.child, joint.child_frame),
    )
    frames = []
    for side, body, frame in sides:
        put(element, f"socket_{side}_frame", f"{body}_offset")
        frames.append(offset_frame(f"{body}_offset", body, frame))
    if names:
        listed = ET.SubElement(element, "coordinates")
        for name, default in zip(names, defaults, strict=True):
            inner = ET.SubElement(listed, "Coordinate", {"name": name})
            coordinate = replace(coordinates[name], default=default)
            if name in (joint.ball or ()):  # limits of a rotation vector are none of angles
                coordinate = replace(coordinate, limits=_NO_LIMITS, clamped=False)
            fill_coordinate(inner, coordinate)
    ET.SubElement(element, "frames").extend(frames)
    if kind == "CustomJoint":
        _spatial(ET.SubElement(element, "SpatialTransform"), joint)
    return element


def _stiff(joint: Joint) -> Joint:
    """A joint that no coordinate moves, as a weld; OpenSim crashes on a CustomJoint without coordinates."""
    matrix = transform(joint.parent_frame)
    for axis in joint.translations:
        matrix[:3, 3] += matrix[:3, :3] @ axis.direction * axis.function(0.0)
    for axis in joint.rotations:
        turn = quaternion.from_axis_angle(axis.direction, float(axis.function(0.0)))
        matrix[:3, :3] = matrix[:3, :3] @ quaternion.to_matrix(turn)
    x, y, z = (float(value) for value in matrix[:3, 3])
    frame = Frame((x, y, z), orientation_of(matrix[:3, :3]))
    return replace(joint, parent_frame=frame, translations=(), rotations=())


def _kind(
    joint: Joint, coordinates: dict[str, Coordinate]
) -> tuple[str, tuple[str, ...], list[float]]:
    """OpenSim's kind of joint, its coordinates in their order, and their defaults."""
    if joint.ball is None:
        names = joint.coordinates
        kind = "CustomJoint" if joint.rotations or joint.translations else "WeldJoint"
        return kind, names, [coordinates[name].default for name in names]
    held = [coordinates[name] for name in joint.ball]
    if len({coordinate.locked for coordinate in held}) > 1:
        raise FormatError(
            "some of its ball's three coordinates are locked, which has no meaning for OpenSim's angles; "
            "lock all of them or none"
        )
    vector = np.array([coordinate.default for coordinate in held])
    angles = orientation_of(quaternion.to_matrix(quaternion.from_rotation_vector(vector)))
    if not joint.translations:
        return "BallJoint", joint.ball, list(angles)
    shifts = [axis.coordinate for axis in joint.translations if axis.coordinate]
    directions = np.array([axis.direction for axis in joint.translations])
    plain = all(axis.function == IDENTITY for axis in joint.translations)
    if len(set(shifts)) != 3 or not plain or not np.array_equal(directions, np.eye(3)):
        raise FormatError(
            "it is a ball that shifts, but not along x, y and z by a coordinate each; OpenSim has no such "
            "joint: use rotation axes instead of the ball"
        )
    names = (*joint.ball, *shifts)
    return "FreeJoint", names, [*angles, *(coordinates[name].default for name in shifts)]


def _spatial(element: ET.Element, joint: Joint) -> None:
    with naming(f"joint {joint.name!r}"):
        axes = (*_three(joint.rotations, "turns"), *_three(joint.translations, "shifts"))
    for name, axis in zip(AXES, axes, strict=True):
        element.append(axis_element(name, axis))


def _three(axes: Sequence[Axis], what: str) -> list[Axis]:
    """The axes, and still ones up to three, of which no two are in line."""
    if len(axes) > _MOST:
        raise FormatError(f"it {what} along {len(axes)} axes, but OpenSim's joints have three")
    found: list[Axis] = []
    for axis in (*axes, *(Axis(direction, None, Constant(0.0)) for direction in np.eye(3))):
        inline = any(
            np.linalg.norm(np.cross(axis.direction, other.direction)) < _COLLINEAR
            for other in found
        )
        if inline and axis.function != Constant(0.0):
            raise FormatError(f"it {what} along the same line twice, which OpenSim refuses")
        if not inline and len(found) < _MOST:
            found.append(axis)
    return found
