"""The ASF half of Acclaim's ASF/AMC pair: bones, their axes and degrees of freedom, in the file's units.

Format: Acclaim's "ASF/AMC", as described by M. Schafer (1994) and written by Vicon BodyBuilder for the
CMU library. A bone is a direction and a length in the world of the rest pose, and an `axis`: the
rotation of the frame in which its angles are given.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from ..rig import quaternion
from ..rig.arrays import Array
from ..rig.errors import FormatError
from .textfile import numbers

__all__ = ["AsfBone", "AsfFigure", "fixed_axes_rotation", "parse_asf"]

_DOFS = ("rx", "ry", "rz", "tx", "ty", "tz", "l")
_DIMENSIONS = 3


@dataclass
class AsfBone:
    """One bone. Vectors are in the file's axes and units, angles in the file's unit.

    Attributes:
        direction: unit vector along the bone in the world at rest.
        length: of the bone.
        axis: three angles about the fixed axes of `axis_order`, world from the bone's own frame.
        axis_order: such as "XYZ": turn about X first.
        dofs: the bone's values in a frame of the AMC, lower case, in their order.
    """

    name: str
    direction: Array = field(default_factory=lambda: np.zeros(3))
    length: float = 0.0
    axis: Array = field(default_factory=lambda: np.zeros(3))
    axis_order: str = "XYZ"
    dofs: tuple[str, ...] = ()


@dataclass
class AsfFigure:
    """What an ASF file says.

    Attributes:
        bones: by name, parents first; the first is "root", which has no length.
        parents: name of each bone's parent, "" for the root.
        length_unit: the file's `length`; one unit is 1 / length_unit inches.
        degrees: whether angles are in degrees.
        position: of the root at rest.
    """

    bones: dict[str, AsfBone]
    parents: dict[str, str]
    length_unit: float
    degrees: bool
    position: Array


def fixed_axes_rotation(angles: Array, order: str) -> Array:
    """Quaternions (..., 4) of turns by angles (..., n), radians, about fixed axes, the first one first."""
    return quaternion.from_euler(angles[..., ::-1], order[::-1])


def parse_asf(text: str) -> AsfFigure:
    """Parse the text of an ASF file.

    Raises:
        FormatError: it is no ASF; the message names the line.
    """
    sections = _sections(text)
    for name in ("root", "bonedata", "hierarchy"):
        if name not in sections:
            raise FormatError(f"found no :{name} section; expected an ASF file, or the file is cut")
    root, position = _root(sections["root"])
    bones = {"root": root, **{bone.name: bone for bone in _bones(sections["bonedata"])}}
    parents = _parents(sections["hierarchy"], bones)
    units = {words[0].lower(): words[1] for _, words in sections.get("units", []) if len(words) > 1}
    try:
        length = float(numbers([units.get("length", "1")])[0])
    except ValueError as error:
        raise FormatError(f"units, length: {error}") from None
    if not 1e-6 <= length <= 1e6:
        raise FormatError(f"the length unit is {length}, expected a positive number such as 0.45")
    ordered = {name: bones[name] for name in parents}
    degrees = not units.get("angle", "deg").lower().startswith("rad")
    return AsfFigure(ordered, parents, length, degrees, position)


_Lines = list[tuple[int, list[str]]]  # line number, words


def _sections(text: str) -> dict[str, _Lines]:
    """Lines by the keyword that they follow; comments and blank lines left out."""
    sections: dict[str, _Lines] = {}
    current: _Lines = []
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.partition("#")[0].split()
        if words and words[0].startswith(":"):
            current = sections.setdefault(words[0][1:].lower(), [])
        elif words:
            current.append((number, words))
    return sections


def _root(lines: _Lines) -> tuple[AsfBone, Array]:
    root, position = AsfBone("root"), np.zeros(3)
    for number, (key, *values) in lines:
        match key.lower():
            case "order":
                root.dofs = _dofs(number, values)
            case "axis":
                root.axis_order = _order(number, values)
            case "orientation":
                root.axis = _numbers(number, values, _DIMENSIONS)
            case "position":
                position = _numbers(number, values, _DIMENSIONS)
    return root, position


def _bones(lines: _Lines) -> Iterator[AsfBone]:
    bone: AsfBone | None = None
    names = {"root"}
    for number, (key, *values) in lines:
        if key.lower() == "begin":
            bone = AsfBone("")
        elif bone is None:
            raise FormatError(f"line {number}: found {key[:40]!r} between bones, expected 'begin'")
        elif key.lower() == "end":
            if not bone.name or bone.name in names:
                raise FormatError(f"line {number}: the bone has no name of its own")
            names.add(bone.name)
            yield bone
            bone = None
        else:
            _set(bone, number, key.lower(), values)
    if bone is not None:
        raise FormatError(f"bone {bone.name!r} has no 'end': the file is cut")


def _set(bone: AsfBone, number: int, key: str, values: list[str]) -> None:
    match key:
        case "name":
            bone.name = " ".join(values)
        case "direction":
            bone.direction = _unit(_numbers(number, values, _DIMENSIONS))
        case "length":
            bone.length = float(_numbers(number, values, 1)[0])
        case "axis":
            bone.axis = _numbers(number, values[:_DIMENSIONS], _DIMENSIONS)
            bone.axis_order = _order(number, values[_DIMENSIONS:])
        case "dof":
            bone.dofs = _dofs(number, values)


def _parents(lines: _Lines, bones: dict[str, AsfBone]) -> dict[str, str]:
    """Each bone's parent, parents first; every bone must hang from the root."""
    children: dict[str, list[str]] = {}
    for number, (parent, *below) in lines:
        if parent.lower() in ("begin", "end") and not below:
            continue
        for name in (parent, *below):
            if name not in bones:
                raise FormatError(f"line {number}: no bone {name[:40]!r} in :bonedata")
        children.setdefault(parent, []).extend(below)
    parents = {"root": ""}
    waiting = ["root"]
    while waiting:
        parent = waiting.pop()
        for child in reversed(children.pop(parent, [])):
            if child in parents:
                raise FormatError(f"bone {child!r} has two parents in :hierarchy")
            parents[child] = parent
            waiting.append(child)
    loose = [name for name in bones if name not in parents]
    if loose:
        raise FormatError(f"bone {loose[0]!r} hangs from nothing in :hierarchy")
    return parents


def _numbers(line: int, words: list[str], count: int) -> Array:
    if len(words) != count:
        raise FormatError(f"line {line}: found {len(words)} values, expected {count}")
    try:
        return numbers(words)
    except ValueError as error:
        raise FormatError(f"line {line}: {error}") from None


def _unit(vector: Array) -> Array:
    length = float(np.linalg.norm(vector))
    return vector / length if length > 0 else vector


def _order(line: int, words: list[str]) -> str:
    order = "".join(words).upper() or "XYZ"
    if sorted(order) != ["X", "Y", "Z"]:
        raise FormatError(f"line {line}: found axis order {order[:40]!r}, expected such as XYZ")
    return order


def _dofs(line: int, words: list[str]) -> tuple[str, ...]:
    dofs = tuple(word.lower() for word in words)
    if len(set(dofs)) != len(dofs) or not set(dofs) <= set(_DOFS):
        raise FormatError(
            f"line {line}: found {' '.join(words)[:40]!r}, expected some of {' '.join(_DOFS)}"
        )
    return dofs
