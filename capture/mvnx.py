"""MVNX in: the XML export of Xsens MVN (Movella), with the suit's own pose and its sensors.

Found in the format and confirmed on a recording, frame by frame:

- The world has z up, and so stays as it is. Quaternions are (w, x, y, z), lengths metres.
- A segment's frame has x forward, y left, z up. All are identities in the frame of type "identity": a T-pose
  that faces +X. The house's bone frames are aligned with the world in the T-pose that faces -Y, so
  `world_from_bone = world_from_segment * quarter turn about z`.
- `sensorFreeAcceleration` has gravity removed and is in the world frame.
- `time` is rounded to whole milliseconds; `index` / `frameRate` is exact and is used where it is present.
"""

import warnings
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np

from ..rig import quaternion
from ..rig.arrays import Array
from ..rig.errors import FormatError
from ..rig.motion import Motion
from ..rig.skeleton import Skeleton
from .imu import ImuRecording
from .textfile import FormatWarning, naming, numbers, read_text
from .xmlfile import parse_xml

__all__ = ["MvnxFile", "parse_mvnx", "read_mvnx"]

# The quarter turn about z that takes the house's x (left) to y and its y (back) to -x.
_SEGMENT_FROM_BONE = quaternion.from_axis_angle(np.array([0.0, 0.0, 1.0]), np.pi / 2)
# The point at the far end of each leaf segment.
_TIPS: Mapping[str, str] = MappingProxyType(
    {
        "Head": "pTopOfHead",
        "RightHand": "pRightTopOfHand",
        "LeftHand": "pLeftTopOfHand",
        "RightToe": "pRightToe",
        "LeftToe": "pLeftToe",
    }
)
_POSES = ("npose", "tpose")
_CLOCK_JITTER = 1e-3  # seconds, what rounding to milliseconds may add up to


@dataclass(frozen=True)
class MvnxFile:
    """What an MVNX file holds.

    Attributes:
        motion: Xsens' own pose, joints named as its segments, or None where the file has none.
        recording: the sensors, placements named as the file's labels, or None where it has none. Its
            `bone_from_sensor` is the vendor's calibration: the mean rotation between bone and sensor.
        subject: label of the performer or system.
        configuration: the sensors worn, such as "FullBody" or "UpperBody".
    """

    motion: Motion | None
    recording: ImuRecording | None
    subject: str
    configuration: str


def read_mvnx(path: Path | str) -> MvnxFile:
    """Read an MVNX file.

    Raises:
        FileError: the file can't be read.
        FormatError: it is no MVNX, or is cut.
        RecordingError: its clock does not move forward.
    """
    content = read_text(path)
    with naming(path):
        return parse_mvnx(content)


def parse_mvnx(text: str) -> MvnxFile:
    """Parse the text of an MVNX file. See `read_mvnx`."""
    subject = _subject(text)
    frames = _Frames(subject)
    motion = _motion(subject, frames)
    recording = _recording(subject, frames, motion)
    if motion is None and recording is None:
        raise FormatError("found neither segment nor sensor orientations in any frame")
    return MvnxFile(motion, recording, subject.get("label", ""), subject.get("configuration", ""))


def _subject(text: str) -> ET.Element:
    tree = parse_xml(text)
    if tree.tag.rpartition("}")[2] != "mvnx":
        raise FormatError(f"the XML is {tree.tag.rpartition('}')[2][:40]!r}, expected 'mvnx'")
    subject = tree.find("{*}subject")
    if subject is None:
        raise FormatError("the MVNX has no <subject>; expected one")
    return subject


class _Frames:
    """The frames of a subject, and the arrays in them."""

    def __init__(self, subject: ET.Element) -> None:
        frames = subject.findall("{*}frames/{*}frame")
        self.normal = [frame for frame in frames if frame.get("type", "normal") == "normal"]
        self.posed = {frame.get("type", ""): frame for frame in frames}
        if not self.normal:
            raise FormatError("found no frames of type 'normal'; expected a recording")
        self.rate = _positive(subject.get("frameRate", ""), "frameRate")
        self.times = self._times()

    def table(self, tag: str, rows: int, width: int) -> Array | None:
        """(T, rows, width) from an element of every normal frame; None where the first lacks it."""
        if self.normal[0].find(f"{{*}}{tag}") is None:
            return None
        values = [_row(frame, tag, rows * width) for frame in self.normal]
        return np.stack(values).reshape(len(values), rows, width)

    def quaternions(self, tag: str, rows: int) -> Array | None:
        """(T, rows, 4) of unit length, continuous, NaN where missing."""
        values = self.table(tag, rows, 4)
        return None if values is None else quaternion.continuous(quaternion.normalised(values))

    def _times(self) -> Array:
        if all(frame.get("index") is not None for frame in self.normal):
            return self._attribute("index") / self.rate
        return self._attribute("time") / 1000.0

    def _attribute(self, name: str) -> Array:
        try:
            return numbers([frame.get(name, "none") for frame in self.normal])
        except ValueError as error:
            raise FormatError(f"attribute {name!r} of a frame: {error}") from None


def _positive(text: str, name: str) -> float:
    try:
        value = float(numbers([text])[0])
    except ValueError:
        value = 0.0
    if not value > 0:
        raise FormatError(f"{name} is {text[:40]!r}, expected a positive number")
    return value


def _row(frame: ET.Element, tag: str, width: int) -> Array:
    where = f"<{tag}> of frame {frame.get('index', frame.get('time', '?'))[:20]}"
    words = (frame.findtext(f"{{*}}{tag}") or "").split()
    if len(words) != width:
        raise FormatError(f"{where} has {len(words)} values, expected {width}")
    try:
        return numbers(words, missing=True)
    except ValueError as error:
        raise FormatError(f"{where}: {error}") from None


def _labels(subject: ET.Element, path: str) -> list[str]:
    labels = [element.get("label", "") for element in subject.findall(path)]
    if len(set(labels)) != len(labels):
        raise FormatError(
            f"two {path.rpartition('}')[2]}s have the same label; expected different ones"
        )
    return labels


def _motion(subject: ET.Element, frames: _Frames) -> Motion | None:
    segments = _labels(subject, "{*}segments/{*}segment")
    if not segments:
        return None
    world_from_segment = frames.quaternions("orientation", len(segments))
    positions = frames.table("position", len(segments), 3)
    if world_from_segment is None or positions is None:
        return None
    skeleton = _skeleton(subject, segments, frames.posed.get("identity"))
    order = [segments.index(name) for name in skeleton.names]
    world_from_bone = quaternion.multiply(world_from_segment[:, order], _SEGMENT_FROM_BONE)
    late = np.diff(frames.times) > 1.0 / frames.rate + _CLOCK_JITTER
    if late.any():
        warnings.warn(
            f"frames are missing at {late.sum()} places; the pose is read as if they followed one "
            "another, the sensors keep their times",
            FormatWarning,
            stacklevel=2,
        )
    return Motion.from_world(skeleton, positions[:, order[0]], world_from_bone, frames.rate)


def _skeleton(subject: ET.Element, segments: list[str], identity: ET.Element | None) -> Skeleton:
    """Segments as joints; offsets from the points of the parent that each joint connects to."""
    points = _points(subject)
    parents: dict[str, str] = {}
    offsets = {name: np.zeros(3) for name in segments}
    for joint in subject.findall("{*}joints/{*}joint"):
        parent, _, point = (joint.findtext("{*}connector1") or "").partition("/")
        child = (joint.findtext("{*}connector2") or "").partition("/")[0]
        if child not in offsets or (parent, point) not in points or child in parents:
            label = joint.get("label", "")
            raise FormatError(f"joint {label[:40]!r} connects no known segment and point")
        parents[child], offsets[child] = parent, points[parent, point]
    names = _parents_first(segments, parents)
    if identity is not None and identity.find("{*}position") is not None:
        stands = _row(identity, "position", 3 * len(segments)).reshape(-1, 3)
        offsets[names[0]] = stands[segments.index(names[0])]
    nowhere = np.full(3, np.nan)
    tips = [points.get((name, _TIPS.get(name, "")), nowhere) for name in names]
    bone_from_segment = quaternion.conjugate(_SEGMENT_FROM_BONE)
    return Skeleton(
        tuple(names),
        tuple(names.index(parents[name]) if name in parents else -1 for name in names),
        quaternion.rotate(bone_from_segment, np.array([offsets[name] for name in names])),
        quaternion.rotate(bone_from_segment, np.array(tips)),
    )


def _points(subject: ET.Element) -> dict[tuple[str, str], Array]:
    """Every point of every segment, in the segment's frame, by (segment, point)."""
    points = {}
    for segment in subject.findall("{*}segments/{*}segment"):
        for point in segment.findall("{*}points/{*}point"):
            key = (segment.get("label", ""), point.get("label", ""))
            words = (point.findtext("{*}pos_b") or "").split()
            if len(words) != 3:
                raise FormatError(f"point {'/'.join(key)[:60]} has {len(words)} values, expected 3")
            try:
                points[key] = numbers(words)
            except ValueError as error:
                raise FormatError(f"point {'/'.join(key)[:60]}: {error}") from None
    return points


def _parents_first(segments: list[str], parents: Mapping[str, str]) -> list[str]:
    children: dict[str, list[str]] = {}
    for name in segments:
        children.setdefault(parents.get(name, ""), []).append(name)
    ordered = children.get("", [])[:1]
    for name in ordered:  # grows while it is read: breadth first
        ordered += children.get(name, [])
    if len(ordered) != len(segments):
        raise FormatError(
            f"the joints connect {len(ordered)} of {len(segments)} segments to one tree"
        )
    return ordered


def _recording(subject: ET.Element, frames: _Frames, motion: Motion | None) -> ImuRecording | None:
    sensors = _labels(subject, "{*}sensors/{*}sensor")
    if not sensors:
        return None
    world_from_sensor = frames.quaternions("sensorOrientation", len(sensors))
    if world_from_sensor is None:
        return None
    acceleration = frames.table("sensorFreeAcceleration", len(sensors), 3)
    if acceleration is None:
        message = "the file has no sensorFreeAcceleration; export it, a solve needs it"
        warnings.warn(message, FormatWarning, stacklevel=2)
        acceleration = np.full((len(frames.times), len(sensors), 3), np.nan)
    return ImuRecording(
        frames.times,
        world_from_sensor,
        acceleration,
        tuple(sensors),
        None if motion is None else _mounting(motion, world_from_sensor, sensors),
        _poses(frames, len(sensors)),
    )


def _mounting(motion: Motion, world_from_sensor: Array, sensors: list[str]) -> Array | None:
    """(S, 4) bone_from_sensor, NaN for a sensor that is named after no segment."""
    world_from_bone, _ = motion.world()
    mounting = np.full((len(sensors), 4), np.nan)
    for index, sensor in enumerate(sensors):
        if sensor in motion.skeleton.names:
            bone_from_world = quaternion.conjugate(
                world_from_bone[:, motion.skeleton.index(sensor)]
            )
            each = quaternion.multiply(bone_from_world, world_from_sensor[:, index])
            if np.isfinite(each).all(axis=1).any():
                mounting[index] = quaternion.mean(each)
    return mounting if np.isfinite(mounting).any() else None


def _poses(frames: _Frames, sensors: int) -> dict[str, Array]:
    """Sensor orientations in the calibration poses; most files hold only the segments' there."""
    return {
        name: quaternion.normalised(
            _row(frames.posed[name], "sensorOrientation", sensors * 4).reshape(sensors, 4)
        )
        for name in _POSES
        if name in frames.posed and frames.posed[name].find("{*}sensorOrientation") is not None
    }
