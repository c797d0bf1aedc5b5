"""The two layouts of an OpenSim model, and the tree that its joints make.

Since version 4 joints are in a <JointSet> and connect frames by sockets; before, every body holds its joint,
which names its parent body and says where its frames are.
"""

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from typing import Final

from ..rig.errors import FormatError
from ..rig.model import GROUND
from .osim_frames import Component, FrameMap, frame_of, socket
from .osim_joints import JointElement
from .osim_xml import children, flag, name_of, objects, text
from .textfile import naming

__all__ = ["inner_joint", "joint_elements", "outwards"]

_IN_PARENT: Final = ("location_in_parent", "orientation_in_parent")
_IN_CHILD: Final = ("location", "orientation")
_SEVERAL: Final = 5  # names in a message


def inner_joint(body: ET.Element) -> ET.Element | None:
    """The joint inside a body of the old layout."""
    held = body.find("Joint")
    return None if held is None else next(children(held), None)


def joint_elements(found: Sequence[Component], frames: FrameMap) -> list[JointElement]:
    """The joints of a model of either layout, in the order of the file.

    Raises:
        FormatError: a joint is connected to what is not there.
    """
    joints = []
    for component in found:
        element = component.element
        if element.tag.endswith("Joint"):
            with naming(f"joint {name_of(element)!r}"):
                joints.append(_connected(component, frames))
        elif element.tag == "Body":
            inside = inner_joint(element)
            if inside is not None:
                with naming(f"joint {name_of(inside)!r}"):
                    joints.append(_inside(component, inside, frames))
    return joints


def _connected(component: Component, frames: FrameMap) -> JointElement:
    element, path = component.element, component.path
    parent, child = (
        frames.locate(socket(element, name), path) for name in ("parent_frame", "child_frame")
    )
    return JointElement(element, path, parent, child, tuple(objects(element, "coordinates")))


def _inside(body: Component, element: ET.Element, frames: FrameMap) -> JointElement:
    above, _ = frames.locate(text(element, "parent_body"), body.path)
    sides = [(above, _IN_PARENT), (name_of(body.element), _IN_CHILD)]
    if flag(element, "reverse", default=False):
        sides.reverse()
    parent, child = ((name, frame_of(element, *place)) for name, place in sides)
    path = f"/jointset/{name_of(element)}"
    coordinates = tuple(objects(element, "CoordinateSet"))
    return JointElement(element, path, parent, child, coordinates, (sides[0][1], sides[1][1]))


def outwards(joints: Sequence[JointElement], bodies: Sequence[str]) -> set[str]:
    """Paths of the joints whose parent is the one farther from the ground.

    Raises:
        FormatError: the joints do not connect all bodies to the ground in one tree.
    """
    near: dict[str, list[JointElement]] = {}
    for joint in joints:
        for body in {joint.parent[0], joint.child[0]}:
            near.setdefault(body, []).append(joint)
    reached, backwards, used = [GROUND], set(), set()
    for body in reached:  # grows while it is read: breadth first
        for joint in near.get(body, ()):
            if id(joint) in used:
                continue
            used.add(id(joint))
            forwards = joint.parent[0] == body
            other = joint.child[0] if forwards else joint.parent[0]
            if other in reached:
                raise FormatError(
                    f"joint {joint.name!r} connects {body!r} to {other!r}, which other joints connect "
                    "already; a loop of joints can't be read, expected a tree"
                )
            reached.append(other)
            if not forwards:
                backwards.add(joint.path)
    loose = [body for body in bodies if body not in reached]
    if loose:
        named = ", ".join(loose[:_SEVERAL])
        raise FormatError(
            f"no joints connect {len(loose)} of the bodies to the ground ({named}); expected a tree"
        )
    return backwards
