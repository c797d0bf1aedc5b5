"""OpenSense's setups: where sensors sit on a model, and inverse kinematics from their orientations."""

import math
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from ..rig.arrays import Array
from ..rig.errors import FormatError
from .osim_tasks import beside, time_range, weight_of
from .osim_xml import children, document_object, name_of, number, objects, text, vector
from .textfile import naming, read_text

__all__ = [
    "ImuIkSetup",
    "ImuPlacerSetup",
    "SensorMap",
    "opensim_from_sensor_world",
    "read_imu_ik_setup",
    "read_imu_placer",
    "read_sensor_map",
]

_HEADINGS: Final = ("", "x", "-x", "y", "-y", "z", "-z")
_READERS: Final = ("XsensDataReaderSettings", "APDMDataReaderSettings", "DataReaderSettings")
Angles = tuple[float, float, float]


@dataclass(frozen=True)
class ImuPlacerSetup:
    """What a setup file of OpenSense's IMUPlacer says.

    Attributes:
        model: the .osim file to calibrate.
        orientations: the .sto file whose first row is the calibration pose.
        base_sensor: the sensor whose heading is the model's forward; empty for none.
        base_heading: its axis that points forward: "x", "-x", … or empty.
        rotations: radians about the fixed x, then y, then z, from the sensors' world to OpenSim's ground.
        output_model: the .osim file to write.
    """

    model: Path | None
    orientations: Path | None
    base_sensor: str
    base_heading: str
    rotations: Angles
    output_model: Path | None


@dataclass(frozen=True)
class ImuIkSetup:
    """What a setup file of OpenSense's IMUInverseKinematicsTool says.

    Attributes:
        model: the calibrated .osim file.
        orientations: the .sto file.
        rotations: as in `ImuPlacerSetup`.
        time_range: first and last second, infinite for all.
        weights: of sensors; the others count 1.
        constraint_weight: of the couplers; infinite where they hold exactly.
        accuracy: of OpenSim's optimiser.
        results: the folder to write to.
    """

    model: Path | None
    orientations: Path | None
    rotations: Angles
    time_range: tuple[float, float] = (-math.inf, math.inf)
    weights: Mapping[str, float] = field(default_factory=dict)
    constraint_weight: float = math.inf
    accuracy: float = 1e-5
    results: Path | None = None


@dataclass(frozen=True)
class SensorMap:
    """Which sensor is which frame of a model, for a folder of a sensor maker's files.

    Attributes:
        prefix: common beginning of the files' names.
        frames: by a sensor's name in the files, the model's frame, such as "pelvis_imu".
    """

    prefix: str
    frames: Mapping[str, str]


def opensim_from_sensor_world(rotations: Angles) -> Array:
    """The rotation (3, 3) from the sensors' world to OpenSim's ground, of angles about fixed axes."""
    cx, cy, cz = np.cos(rotations)
    sx, sy, sz = np.sin(rotations)
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return np.asarray(about_z @ about_y @ about_x)


def read_imu_placer(path: Path | str) -> ImuPlacerSetup:
    """Read a setup file of the IMUPlacer.

    Raises:
        FileError: the file can't be read.
        FormatError: it is no such setup, or something in it can't be used.
    """
    content = read_text(path)
    with naming(path):
        tool = document_object(content, ("IMUPlacer",))
        heading = text(tool, "base_heading_axis").lower()
        if heading not in _HEADINGS:
            raise FormatError(
                f"<base_heading_axis> is {heading[:40]!r}, expected {', '.join(_HEADINGS[1:])}"
            )
        return ImuPlacerSetup(
            beside(path, tool, "model_file"),
            beside(path, tool, "orientation_file_for_calibration"),
            text(tool, "base_imu_label"),
            heading,
            _rotations(tool),
            beside(path, tool, "output_model_file"),
        )


def read_imu_ik_setup(path: Path | str) -> ImuIkSetup:
    """Read a setup file of the IMUInverseKinematicsTool.

    Raises:
        FileError: the file can't be read.
        FormatError: it is no such setup, or something in it can't be used.
    """
    content = read_text(path)
    with naming(path):
        tool = document_object(content, ("IMUInverseKinematicsTool",))
        return ImuIkSetup(
            beside(path, tool, "model_file"),
            beside(path, tool, "orientations_file"),
            _rotations(tool),
            time_range(tool),
            _weights(tool),
            vector(tool, "constraint_weight", 1, (math.inf,), infinite=True)[0],
            number(tool, "accuracy", 1e-5),
            beside(path, tool, "results_directory"),
        )


def read_sensor_map(path: Path | str) -> SensorMap:
    """Read which sensor is which frame, from a reader's settings such as XsensDataReaderSettings.

    Raises:
        FileError: the file can't be read.
        FormatError: it holds no such settings, or two sensors are the same.
    """
    content = read_text(path)
    with naming(path):
        settings = document_object(content, _READERS)
        frames: dict[str, str] = {}
        for sensor in objects(settings, "ExperimentalSensors"):
            name, frame = name_of(sensor), text(sensor, "name_in_model")
            if not name or not frame or name in frames or frame in frames.values():
                raise FormatError(
                    f"sensor {name[:40]!r} is frame {frame[:40]!r}; expected one frame for each sensor"
                )
            frames[name] = frame
        return SensorMap(text(settings, "trial_prefix"), frames)


def _rotations(tool: ET.Element) -> Angles:
    x, y, z = vector(tool, "sensor_to_opensim_rotations", 3, (0.0, 0.0, 0.0))
    return x, y, z


def _weights(tool: ET.Element) -> dict[str, float]:
    weights = {}
    for held in (*tool.findall("OrientationWeightSet"), *tool.findall("orientation_weights")):
        for element in children(held if (inner := held.find("objects")) is None else inner):
            with naming(f"weight of {name_of(element)!r}"):
                if element.tag == "OrientationWeight":
                    weights[name_of(element)] = weight_of(element)
    return weights
