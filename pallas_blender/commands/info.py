"""`pallas info`: what a file holds."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...capture import formats
from ...capture.imu import ImuRecording
from ...rig.errors import FileError, PallasError
from ...rig.motion import Motion
from ..console import Console
from ._shared import checked_input

__all__ = ["EXAMPLE", "HELP", "add_arguments", "describe_motion", "describe_recording", "run"]

HELP = "Say what a recording or motion file holds."
EXAMPLE = "pallas info take.mvnx --json"

_LISTED_GAPS = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "file", metavar="FILE", type=Path, help="a recording or a motion, in any known format"
    )


def run(arguments: argparse.Namespace, console: Console) -> dict[str, object]:
    """Read the file as all that it may be; some formats hold a recording and a motion."""
    path = checked_input(arguments.file)
    suffix = path.suffix.lower()
    kinds: list[tuple[str, tuple[str, ...], Callable[[Path], dict[str, Any]]]] = [
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
    ]
    known = suffix in formats.RECORDING_SUFFIXES + formats.MOTION_SUFFIXES
    found: dict[str, object] = {"file": str(path), "bytes": path.stat().st_size}
    failures = []
    for kind, suffixes, describe in kinds:
        if known and suffix not in suffixes:
            continue
        try:
            found[kind] = describe(path)
        except PallasError as error:
            failures.append(error)
    if len(found) == 2 and known:
        raise failures[0]
    if len(found) == 2:
        suffixes = dict.fromkeys(formats.RECORDING_SUFFIXES + formats.MOTION_SUFFIXES)
        raise FileError(
            f"{path} holds neither a recording nor a motion that can be read; "
            f"expected one of: {', '.join(suffixes)}"
        )
    for kind, facts in found.items():
        if isinstance(facts, dict):
            console.say(f"{path}: a {kind}")
            console.table({f"  {name}": _words(value) for name, value in facts.items()})
    return found


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


def _words(value: object) -> str:
    """A fact as people read it."""
    if isinstance(value, list):
        return ", ".join(map(_words, value)) or "none"
    if isinstance(value, dict):
        return " ".join(map(_words, value.values()))
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value)
