"""`pallas info`: what a file holds."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ...capture import formats
from ...capture.imu import ImuRecording
from ...capture.marker_file import MarkerFile
from ...capture.markers import MARKER_SUFFIXES, read_marker_file
from ...capture.orientation_table import OrientationTable, holds_quaternions, read_quaternions
from ...capture.osim import read_osim
from ...capture.session.raw_log import RawLog, read_raw_log
from ...capture.storage import CoordinateTable, read_storage
from ...capture.up_axis import UP_AXES
from ...capture.video import frames
from ...rig.errors import FileError, PallasError
from ...rig.model import KinematicModel
from ...rig.motion import Motion
from ..console import Console
from ._info_views import CALIBRATIONS, KEYPOINTS, describe_calibration, describe_keypoints
from ._shared import checked_input

__all__ = [
    "EXAMPLE",
    "HELP",
    "add_arguments",
    "describe_coordinates",
    "describe_markers",
    "describe_model",
    "describe_motion",
    "describe_orientations",
    "describe_recording",
    "describe_take",
    "describe_video",
    "run",
]

HELP = "Say what a file of a recording, a motion, markers, keypoints, cameras or a model holds."
EXAMPLE = "pallas info take.mvnx --json"

_HEADINGS = {
    "take": "a take of live trackers",
    "recording": "a recording",
    "motion": "a motion",
    "markers": "markers",
    "table": "a table over time",
    "model": "a kinematic model",
    "video": "a video",
    "keypoints": "keypoints",
    "calibration": "calibrated cameras",
}
_LISTED_GAPS = 20
_LISTED_MARKERS = 5
_HOW_UP = {
    "given": "given",
    "stated": "stated in the file",
    "detected": "seen in the data",
    "assumed": "assumed",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "file",
        metavar="FILE",
        type=Path,
        help="a recording, a motion, markers, coordinates, a model, keypoints (or a folder), cameras",
    )
    parser.add_argument(
        "--up", choices=list(UP_AXES), help="the axis of a marker file that points up"
    )
    parser.add_argument("--unit", help="of a marker file's numbers: mm, cm, m or inch")


def run(arguments: argparse.Namespace, console: Console) -> dict[str, object]:
    """Read the file as all that it may be; some formats hold a recording and a motion."""
    path = arguments.file if arguments.file.is_dir() else checked_input(arguments.file)
    kinds = _kinds(arguments)
    if path.is_dir():
        kinds = [("keypoints", ("",), describe_keypoints)]
    every_suffix = dict.fromkeys(s for _, suffixes, _ in kinds for s in suffixes)
    known = path.is_dir() or path.suffix.lower() in every_suffix
    found: dict[str, object] = {"file": str(path), "bytes": _size(path)}
    failures = []
    for kind, suffixes, describe in kinds:
        if known and not path.is_dir() and path.suffix.lower() not in suffixes:
            continue
        try:
            found[kind] = describe(path)
        except PallasError as error:
            failures.append(error)
    if len(found) == 2 and known:
        raise failures[0]
    if len(found) == 2:
        raise FileError(
            f"{path} holds nothing that can be read; expected one of: {', '.join(every_suffix)}"
        )
    for kind, facts in found.items():
        if isinstance(facts, dict):
            console.say(f"{path}: {_HEADINGS[kind]}")
            console.table({f"  {name}": _words(value) for name, value in facts.items()})
    return found


def _size(path: Path) -> int:
    """Bytes of a file, or of the files right in a folder."""
    files = [path] if path.is_file() else [file for file in path.iterdir() if file.is_file()]
    return sum(file.stat().st_size for file in files)


def _kinds(
    arguments: argparse.Namespace,
) -> list[tuple[str, tuple[str, ...], Callable[[Path], dict[str, Any]]]]:
    """What a file may be, the suffixes of such files, and who describes it."""
    return [
        ("take", (".pallas",), lambda file: describe_take(read_raw_log(file))),
        (
            "recording",
            formats.RECORDING_SUFFIXES,
            lambda file: describe_recording(formats.read_recording(file)),
        ),
        (
            "motion",
            formats.MOTION_SUFFIXES,
            lambda file: describe_motion(formats.read_motion(file)),
        ),
        (
            "markers",
            MARKER_SUFFIXES,
            lambda file: describe_markers(
                read_marker_file(file, up=arguments.up, unit=arguments.unit)
            ),
        ),
        ("table", (".mot", ".sto"), _describe_table),
        ("video", frames.VIDEO_SUFFIXES, describe_video),
        ("model", (".osim",), lambda file: describe_model(read_osim(file))),
        ("keypoints", KEYPOINTS, describe_keypoints),
        ("calibration", CALIBRATIONS, describe_calibration),
    ]


def describe_take(log: RawLog) -> dict[str, Any]:
    """The facts of a take as it came: when, who sent how much, what happened."""
    senders = log.readings["sender"]
    arrivals = log.readings["arrival"]
    return {
        "name": log.name or None,
        "notes": log.notes or None,
        "source": log.source,
        "started": log.started or None,
        "trackers": [
            {"tracker": name, "readings": int((senders == log.senders.index(name)).sum())}
            for name in log.trackers
        ],
        "poses": len(log.poses),
        "seconds": float(np.ptp(arrivals)) if len(arrivals) else 0.0,
        "performers": [name for name in log.performers if name],
        "events": [f"{event.kind} at {event.time - log.clock:.1f} s" for event in log.events],
    }


def describe_recording(recording: ImuRecording) -> dict[str, Any]:
    """The facts of a recording that tell whether it can be solved."""
    several = len(recording) > 1
    return {
        "samples": len(recording),
        "rate": recording.fps if several else None,
        "seconds": float(recording.times[-1] - recording.times[0]) if several else 0.0,
        "sensors": list(recording.placements),
        "calibration_poses": sorted(recording.poses),
        "mounting_known": recording.bone_from_sensor is not None,
        "missing_samples": int(recording.missing.sum()),
        "gaps": [
            {"sensor": gap.placement, "start": gap.start, "end": gap.end}
            for gap in recording.gaps[:_LISTED_GAPS]
        ],
    }


def describe_motion(motion: Motion) -> dict[str, Any]:
    """The facts of a motion."""
    return {
        "frames": len(motion),
        "fps": motion.fps,
        "seconds": motion.duration,
        "joints": list(motion.skeleton.names),
    }


def describe_markers(file: MarkerFile) -> dict[str, Any]:
    """The facts of a marker file, and how its unit and axes were understood."""
    markers = file.markers
    seen = dict(zip(markers.names, markers.seen.tolist(), strict=True))
    worst = sorted((share, name) for name, share in seen.items() if share < 1.0)
    return {
        "frames": len(markers),
        "fps": markers.fps,
        "seconds": (len(markers) - 1) / markers.fps,
        "start": markers.start,
        "unit": file.unit,
        "up": file.up,
        "up_is": _HOW_UP[file.how_up],
        "markers": list(markers.names),
        "missing_percent": 100.0 * (1.0 - float(markers.seen.mean())),
        "least_seen": [
            {"marker": name, "percent": 100.0 * share} for share, name in worst[:_LISTED_MARKERS]
        ],
    }


def describe_coordinates(table: CoordinateTable) -> dict[str, Any]:
    """The facts of a table of numbers."""
    return {
        "title": table.title,
        "rows": len(table),
        "start": float(table.times[0]),
        "end": float(table.times[-1]),
        "in_degrees": table.in_degrees,
        "columns": list(table.names),
    }


def describe_orientations(table: OrientationTable) -> dict[str, Any]:
    """The facts of a table of orientations."""
    return {
        "rows": len(table.times),
        "start": float(table.times[0]),
        "end": float(table.times[-1]),
        "sensors": list(table.names),
    }


def describe_model(model: KinematicModel) -> dict[str, Any]:
    """The facts of a kinematic model: what moves, what doesn't, and which markers it wears."""
    free = [model.coordinates[place].name for place in model.free_coordinates]
    coupled = [coupling.coordinate for coupling in model.couplings]
    return {
        "name": model.name,
        "bodies": list(model.bodies[1:]),
        "free_coordinates": free,
        "locked": [c.name for c in model.coordinates if c.locked],
        "clamped": [c.name for c in model.coordinates if c.clamped],
        "coupled": coupled,
        "markers": list(model.marker_names),
    }


def describe_video(path: Path) -> dict[str, Any]:
    """The facts of a video, as its header states them."""
    found = frames.facts(path)
    return {
        "width": found.size[0],
        "height": found.size[1],
        "turned_degrees": found.turned,
        "fps": found.fps,
        "frames": found.frames,
        "seconds": found.seconds,
        "codec": found.codec,
    }


def _describe_table(path: Path) -> dict[str, Any]:
    if holds_quaternions(path):
        return describe_orientations(read_quaternions(path))
    return describe_coordinates(read_storage(path))


def _words(value: object) -> str:
    """A fact as people read it."""
    if isinstance(value, list):
        return ", ".join(map(_words, value)) or "none"
    if isinstance(value, dict):
        return " ".join(map(_words, value.values()))
    if isinstance(value, float):
        return f"{value:.6g}"
    if value is None:
        return "not stated"
    return str(value)
