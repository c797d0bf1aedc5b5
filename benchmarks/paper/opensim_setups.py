"""Setup files for OpenSim's ScaleTool and InverseKinematicsTool, as text."""

from collections.abc import Iterable, Mapping, Sequence
from xml.etree import ElementTree

__all__ = ["ik_setup", "scale_setup"]

Pairs = Sequence[tuple[str, str]]


def ik_setup(markers: Iterable[str], accuracy: float = 1e-5) -> str:
    """All markers with the same weight; the caller sets the files and the times.

    Args:
        markers: names.
        accuracy: OpenSim's default.
    """
    root, tool = _document("InverseKinematicsTool")
    _leaf(tool, "constraint_weight", "Inf")
    _leaf(tool, "accuracy", f"{accuracy:g}")
    _tasks(tool, markers)
    return _text(root)


def scale_setup(
    measurements: Mapping[str, Pairs], markers: Iterable[str], seconds: tuple[float, float]
) -> str:
    """Bodies scaled by distances between markers, then markers placed in a static pose.

    Args:
        measurements: per body, pairs of markers; the mean ratio of their distances, measured to modelled,
            scales the body along all its axes.
        markers: names, all with the same weight in the static pose.
        seconds: first and last time of the static trial that are averaged.
    """
    root, tool = _document("ScaleTool")
    _leaf(tool, "mass", "-1")
    ElementTree.SubElement(tool, "GenericModelMaker")
    scaler = ElementTree.SubElement(tool, "ModelScaler")
    _leaf(scaler, "apply", "true")
    _leaf(scaler, "scaling_order", "measurements")
    listed = _set(scaler, "MeasurementSet")
    for body, pairs in measurements.items():
        measurement = ElementTree.SubElement(listed, "Measurement", name=body)
        _leaf(measurement, "apply", "true")
        chosen = _set(measurement, "MarkerPairSet")
        for pair in pairs:
            _leaf(ElementTree.SubElement(chosen, "MarkerPair"), "markers", " ".join(pair))
        scaled = ElementTree.SubElement(_set(measurement, "BodyScaleSet"), "BodyScale", name=body)
        _leaf(scaled, "axes", "X Y Z")
    _leaf(scaler, "time_range", " ".join(f"{time:g}" for time in seconds))
    _leaf(scaler, "preserve_mass_distribution", "true")
    placer = ElementTree.SubElement(tool, "MarkerPlacer")
    _leaf(placer, "apply", "true")
    _tasks(placer, markers)
    _leaf(placer, "time_range", " ".join(f"{time:g}" for time in seconds))
    _leaf(placer, "max_marker_movement", "-1")
    return _text(root)


def _document(tool: str) -> tuple[ElementTree.Element, ElementTree.Element]:
    root = ElementTree.Element("OpenSimDocument", Version="40000")
    return root, ElementTree.SubElement(root, tool, name="benchmark")


def _leaf(parent: ElementTree.Element, tag: str, text: str) -> None:
    ElementTree.SubElement(parent, tag).text = text


def _set(parent: ElementTree.Element, tag: str) -> ElementTree.Element:
    return ElementTree.SubElement(ElementTree.SubElement(parent, tag), "objects")


def _tasks(parent: ElementTree.Element, markers: Iterable[str]) -> None:
    tasks = _set(parent, "IKTaskSet")
    for name in markers:
        task = ElementTree.SubElement(tasks, "IKMarkerTask", name=name)
        _leaf(task, "apply", "true")
        _leaf(task, "weight", "1")


def _text(root: ElementTree.Element) -> str:
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True)
