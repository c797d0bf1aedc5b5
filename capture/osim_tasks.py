"""OpenSim's inverse kinematics tasks: how much each marker and coordinate counts, and their setup files."""

import math
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args

from ..rig.errors import FormatError
from .osim_xml import children, document_object, flag, name_of, number, text, vector
from .textfile import naming, read_text

__all__ = [
    "CoordinateTask",
    "IkSetup",
    "IkTasks",
    "MarkerTask",
    "beside",
    "held_object",
    "read_ik_setup",
    "read_ik_tasks",
    "tasks_of",
    "time_range",
    "weight_of",
]

Source = Literal["default_value", "manual_value", "from_file"]
Range = tuple[float, float]
_NO_FILE: Final = ("", "unassigned")
_ALWAYS: Final = (-math.inf, math.inf)


@dataclass(frozen=True)
class MarkerTask:
    """How much a marker counts.

    Attributes:
        name: of the marker.
        weight: of its squared distance, at least 0.
        apply: whether it counts at all.
    """

    name: str
    weight: float
    apply: bool = True


@dataclass(frozen=True)
class CoordinateTask:
    """A value that a coordinate should keep.

    Attributes:
        name: of the coordinate.
        weight: of its squared difference, at least 0.
        apply: whether it counts at all.
        source: where the value comes from: the model's default, `value`, or the setup's coordinate file.
        value: radians or metres.
    """

    name: str
    weight: float
    apply: bool = True
    source: Source = "default_value"
    value: float = 0.0


@dataclass(frozen=True)
class IkTasks:
    """The tasks of an inverse kinematics problem."""

    markers: tuple[MarkerTask, ...] = ()
    coordinates: tuple[CoordinateTask, ...] = ()

    @property
    def marker_weights(self) -> dict[str, float]:
        """Weights of the markers that count; OpenSim leaves all others out."""
        return {task.name: task.weight for task in self.markers if task.apply}

    @property
    def coordinate_tasks(self) -> tuple[CoordinateTask, ...]:
        """Those that count."""
        return tuple(task for task in self.coordinates if task.apply and task.weight > 0.0)


@dataclass(frozen=True)
class IkSetup:
    """What a setup file of OpenSim's InverseKinematicsTool says.

    Paths are those of the file, from the setup file's own folder; None where it names none.

    Attributes:
        name: of the tool.
        tasks: weights of markers and coordinates.
        model: an .osim file.
        markers: a .trc file.
        coordinates: a .mot file for tasks "from_file".
        time_range: first and last second, infinite for all.
        constraint_weight: of the couplers; infinite where they hold exactly.
        accuracy: of OpenSim's optimiser.
        output: the .mot file to write.
    """

    name: str
    tasks: IkTasks
    model: Path | None = None
    markers: Path | None = None
    coordinates: Path | None = None
    time_range: Range = _ALWAYS
    constraint_weight: float = math.inf
    accuracy: float = 1e-5
    output: Path | None = None


def read_ik_setup(path: Path | str) -> IkSetup:
    """Read a setup file of the InverseKinematicsTool.

    Raises:
        FileError: it, or a task set that it names, can't be read.
        FormatError: it is no such setup, or a number in it can't be used.
    """
    content = read_text(path)
    with naming(path):
        tool = document_object(content, ("InverseKinematicsTool",))
        return IkSetup(
            name_of(tool),
            tasks_of(held_object(tool, "IKTaskSet", path)),
            beside(path, tool, "model_file"),
            beside(path, tool, "marker_file"),
            beside(path, tool, "coordinate_file"),
            time_range(tool),
            vector(tool, "constraint_weight", 1, (math.inf,), infinite=True)[0],
            number(tool, "accuracy", 1e-5),
            beside(path, tool, "output_motion_file"),
        )


def read_ik_tasks(path: Path | str) -> IkTasks:
    """Read the tasks of an <IKTaskSet>'s file, or of a setup file of the InverseKinematicsTool.

    Raises:
        FileError: the file can't be read.
        FormatError: it holds no tasks, or a number in it can't be used.
    """
    content = read_text(path)
    with naming(path):
        held = document_object(content, ("IKTaskSet", "InverseKinematicsTool"))
        return tasks_of(held if held.tag == "IKTaskSet" else held_object(held, "IKTaskSet", path))


def tasks_of(held: ET.Element | None) -> IkTasks:
    """The tasks of an <IKTaskSet>; none where it is not there.

    Raises:
        FormatError: one can't be used.
    """
    markers: list[MarkerTask] = []
    coordinates: list[CoordinateTask] = []
    inner = None if held is None else held.find("objects")
    for element in () if inner is None else children(inner):
        name = name_of(element)
        with naming(f"task {name!r}"):
            weight, apply = weight_of(element), flag(element, "apply", default=True)
            if element.tag == "IKMarkerTask":
                markers.append(MarkerTask(name, weight, apply))
            elif element.tag == "IKCoordinateTask":
                value = number(element, "value", 0.0)
                coordinates.append(CoordinateTask(name, weight, apply, _source(element), value))
            else:
                raise FormatError(
                    f"found <{element.tag[:40]}>, expected IKMarkerTask or IKCoordinateTask"
                )
    return IkTasks(tuple(markers), tuple(coordinates))


def weight_of(element: ET.Element) -> float:
    """A task's weight, 0 where it says none, as in OpenSim."""
    weight = number(element, "weight", 0.0)
    if weight < 0.0:
        raise FormatError(f"the weight is {weight:g}, expected at least 0")
    return weight


def _source(element: ET.Element) -> Source:
    found = text(element, "value_type", "default_value")
    for known in get_args(Source):
        if found == known:
            return known
    expected = ", ".join(get_args(Source))
    raise FormatError(f"<value_type> is {found[:40]!r}, expected {expected}")


def time_range(element: ET.Element) -> Range:
    """First and last second of a tool; infinite where it says none."""
    first, last = vector(element, "time_range", 2, _ALWAYS, infinite=True)
    if first > last:
        raise FormatError(f"<time_range> is from {first:g} to {last:g}, expected the earlier first")
    return first, last


def beside(path: Path | str, element: ET.Element, tag: str) -> Path | None:
    """A file that a setup file names, from its own folder; None where it names none."""
    name = text(element, tag)
    if name.lower() in _NO_FILE:
        return None
    return Path(path).parent / name.replace("\\", "/")


def held_object(element: ET.Element, tag: str, path: Path | str) -> ET.Element | None:
    """An object inside another, or in the file that its attribute "file" names."""
    held = element.find(tag)
    if held is None or not held.get("file"):
        return held
    other = Path(path).parent / held.get("file", "").replace("\\", "/")
    content = read_text(other)
    with naming(other):
        return document_object(content, (tag,))
