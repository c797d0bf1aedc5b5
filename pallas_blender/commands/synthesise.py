"""`pallas synthesise`: what four IMUs would have recorded of a motion."""

import argparse
from pathlib import Path

from ...capture import formats
from ...capture.virtual_imu import ImuErrors, virtual_recording
from ...rig.loop import looped
from ...rig.motion import Motion
from ...rig.transfer import body_from_motion
from ..console import Console
from ._shared import add_force, checked_input, checked_output

__all__ = ["EXAMPLE", "HELP", "add_arguments", "run"]

HELP = "Record a motion with four virtual IMUs."
EXAMPLE = "pallas synthesise walk.bvh -o walk.pallas --fps 60"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "motion", metavar="MOTION", help="a motion file, or with --library the name of a clip"
    )
    parser.add_argument("-o", "--out", required=True, type=Path, help="recording: .pallas or .csv")
    parser.add_argument("--library", type=Path, help="folder written by pallas library build")
    parser.add_argument("--fps", type=float, help="samples a second (the motion's own)")
    parser.add_argument(
        "--loop", type=float, metavar="SECONDS", help="repeat the best cycle until it is so long"
    )
    parser.add_argument(
        "--worn", action="store_true", help="with the errors of sensors as people wear them"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the errors (0)")
    add_force(parser)


def run(arguments: argparse.Namespace, console: Console) -> dict[str, object]:
    """Read, loop, record, write."""
    out = checked_output(arguments.out, formats.RECORDING_SUFFIXES, force=arguments.force)
    motion = _motion(arguments)
    if arguments.loop is not None:
        motion = looped(motion, arguments.loop)
    errors = None
    if arguments.worn:
        errors = ImuErrors.worn(arguments.seed)
    recording = virtual_recording(motion, fps=arguments.fps, errors=errors)
    formats.write_recording(out, recording, force=arguments.force)
    console.say(f"{out}: {len(recording)} samples of {', '.join(recording.placements)}")
    return {"out": str(out), "samples": len(recording), "rate": recording.fps}


def _motion(arguments: argparse.Namespace) -> Motion:
    if arguments.library is None:
        return body_from_motion(formats.read_motion(checked_input(Path(arguments.motion))))
    from ...neural.library import load_library

    return load_library(arguments.library)[arguments.motion].motion
