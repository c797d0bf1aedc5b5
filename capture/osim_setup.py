"""OpenSim's scale setups: which markers measure which bodies, and how markers are placed after."""

import math
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ..rig.errors import FormatError
from .osim_tasks import IkTasks, beside, held_object, tasks_of, time_range
from .osim_xml import document_object, flag, name_of, number, objects, text, vector, words
from .textfile import naming, read_text

__all__ = [
    "BodyScale",
    "MarkerPlacer",
    "Measurement",
    "ModelScaler",
    "ScaleSetup",
    "read_scale_set",
    "read_scale_setup",
]

Axes = tuple[bool, bool, bool]
Factors = tuple[float, float, float]
_NO_TIME: Final = (-math.inf, math.inf)
_UNSCALED: Final = (1.0, 1.0, 1.0)
_STEPS: Final = ("measurements", "manualScale")


@dataclass(frozen=True)
class Measurement:
    """Bodies that are scaled by how far markers are apart.

    The factor is the mean over the pairs of: distance in the trial / distance on the model.

    Attributes:
        name: of the measurement.
        pairs: names of two markers each.
        bodies: which of a body's axes x, y, z it scales.
        apply: whether it counts.
    """

    name: str
    pairs: tuple[tuple[str, str], ...]
    bodies: dict[str, Axes]
    apply: bool = True


@dataclass(frozen=True)
class BodyScale:
    """A body's scale that is given by hand.

    Attributes:
        body: its name.
        factors: along its x, y and z, above 0.
        apply: whether it counts.
    """

    body: str
    factors: Factors
    apply: bool = True


@dataclass(frozen=True)
class ModelScaler:
    """The scaling step.

    Attributes:
        order: of "measurements" and "manualScale"; later ones overrule.
        measurements: by pairs of markers.
        manual: given by hand.
        markers: the .trc file to measure.
        time_range: seconds of it to average.
        preserve_mass: whether the bodies keep their share of the mass.
        apply: whether the step is done.
    """

    order: tuple[str, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    manual: tuple[BodyScale, ...] = ()
    markers: Path | None = None
    time_range: tuple[float, float] = _NO_TIME
    preserve_mass: bool = False
    apply: bool = True


@dataclass(frozen=True)
class MarkerPlacer:
    """The step that poses the scaled model in a static trial and moves its free markers there.

    Attributes:
        tasks: weights of that pose.
        markers: the .trc file.
        coordinates: a .mot file for tasks "from_file".
        time_range: seconds to average.
        most_movement: metres that a marker may move within that time; below 0 for any.
        output_model: the .osim file to write.
        apply: whether the step is done.
    """

    tasks: IkTasks = field(default_factory=IkTasks)
    markers: Path | None = None
    coordinates: Path | None = None
    time_range: tuple[float, float] = _NO_TIME
    most_movement: float = -1.0
    output_model: Path | None = None
    apply: bool = True


@dataclass(frozen=True)
class ScaleSetup:
    """What a setup file of OpenSim's ScaleTool says; None where it does not.

    Attributes:
        name: of the subject.
        mass: kilograms.
        height: as the file has it, most often millimetres; OpenSim does not use it.
        age: years.
        model: the generic .osim file.
        marker_set: markers that are put on it first.
        scaler: the scaling step.
        placer: the marker step.
    """

    name: str
    mass: float | None
    height: float | None
    age: float | None
    model: Path | None
    marker_set: Path | None
    scaler: ModelScaler
    placer: MarkerPlacer


def read_scale_setup(path: Path | str) -> ScaleSetup:
    """Read a setup file of the ScaleTool.

    Raises:
        FileError: it, or a set that it names, can't be read.
        FormatError: it is no such setup, or something in it can't be used; the message names it.
    """
    content = read_text(path)
    with naming(path):
        tool = document_object(content, ("ScaleTool",))
        maker = _part(tool, "GenericModelMaker")
        return ScaleSetup(
            name_of(tool),
            _known(tool, "mass"),
            _known(tool, "height"),
            _known(tool, "age"),
            beside(path, maker, "model_file"),
            beside(path, maker, "marker_set_file"),
            _scaler(_part(tool, "ModelScaler"), path),
            _placer(_part(tool, "MarkerPlacer"), path),
        )


def read_scale_set(path: Path | str) -> dict[str, Factors]:
    """Read a <ScaleSet> file, as the ScaleTool writes it: factors by body, for `scaled`.

    Without those of one; among them OpenSim lists frames that are no bodies.

    Raises:
        FileError: the file can't be read.
        FormatError: it holds no scale set, or a factor that is not above zero.
    """
    content = read_text(path)
    with naming(path):
        scales = _manual(document_object(content, ("ScaleSet",)))
        return {s.body: s.factors for s in scales if s.apply and s.factors != _UNSCALED}


def _part(tool: ET.Element, tag: str) -> ET.Element:
    found = tool.find(tag)
    return ET.Element(tag) if found is None else found


def _known(tool: ET.Element, tag: str) -> float | None:
    """A property that is zero or below where it is not known."""
    value = number(tool, tag, -1.0)
    return value if value > 0.0 else None


def _scaler(element: ET.Element, path: Path | str) -> ModelScaler:
    order = words(element, "scaling_order")
    if not set(order) <= set(_STEPS) or len(set(order)) != len(order):
        raise FormatError(
            f"<scaling_order> is {' '.join(order)[:60]!r}, expected {' and '.join(_STEPS)} in any order"
        )
    measurements = held_object(element, "MeasurementSet", path)
    held = () if measurements is None else _inside(measurements, "Measurement")
    manual = held_object(element, "ScaleSet", path)
    return ModelScaler(
        tuple(order),
        tuple(_measurement(each) for each in held),
        () if manual is None else _manual(manual),
        beside(path, element, "marker_file"),
        time_range(element),
        flag(element, "preserve_mass_distribution", default=False),
        flag(element, "apply", default=True),
    )


def _placer(element: ET.Element, path: Path | str) -> MarkerPlacer:
    return MarkerPlacer(
        tasks_of(held_object(element, "IKTaskSet", path)),
        beside(path, element, "marker_file"),
        beside(path, element, "coordinate_file"),
        time_range(element),
        number(element, "max_marker_movement", -1.0),
        beside(path, element, "output_model_file"),
        flag(element, "apply", default=True),
    )


def _inside(element: ET.Element, tag: str) -> Sequence[ET.Element]:
    inner = element.find("objects")
    return () if inner is None else inner.findall(tag)


def _measurement(element: ET.Element) -> Measurement:
    name = name_of(element)
    with naming(f"measurement {name!r}"):
        pairs = tuple(_pair(pair) for pair in objects(element, "MarkerPairSet"))
        bodies = {name_of(body): _axes(body) for body in objects(element, "BodyScaleSet")}
        return Measurement(name, pairs, bodies, flag(element, "apply", default=True))


def _pair(element: ET.Element) -> tuple[str, str]:
    names = words(element, "markers")
    if len(names) != 2:
        raise FormatError(f"a marker pair is {' '.join(names)[:60]!r}, expected two names")
    return names[0], names[1]


def _axes(element: ET.Element) -> Axes:
    found = [word.upper() for word in words(element, "axes")]
    if not set(found) <= set("XYZ"):
        raise FormatError(f"the axes of {name_of(element)!r} are {found}, expected some of X Y Z")
    return "X" in found, "Y" in found, "Z" in found


def _manual(element: ET.Element) -> tuple[BodyScale, ...]:
    scales = []
    for each in _inside(element, "Scale"):
        body = text(each, "segment")
        with naming(f"scale of {body!r}"):
            x, y, z = vector(each, "scales", 3, _UNSCALED)
            if min(x, y, z) <= 0.0:
                raise FormatError(f"the factors are {x:g} {y:g} {z:g}, expected all above zero")
            scales.append(BodyScale(body, (x, y, z), flag(each, "apply", default=True)))
    return tuple(scales)
