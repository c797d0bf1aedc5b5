"""`pallas solve`: an IMU recording in, full-body motion out."""

import argparse
import math
import time
from pathlib import Path
from typing import Any

from ...capture import formats
from ...capture.imu import PLACEMENTS
from ...capture.placements import read_map
from ...rig.errors import PallasError
from ...rig.motion import Motion
from ...rig.transfer import body_from_motion
from ..console import Console
from ._shared import add_force, checked_input, checked_output, tell_warnings

__all__ = ["EXAMPLE", "HELP", "add_arguments", "metres", "run", "seconds"]

HELP = "Turn an IMU recording into full-body motion."
EXAMPLE = "pallas solve take.pallas -o take.bvh --pose npose --pose-at 0:2"

_SHORTEST, _TALLEST = 0.5, 2.5  # metres; what is outside was meant in another unit


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("take", metavar="TAKE", type=Path, help="recording: .pallas, .mvnx, .csv")
    parser.add_argument("-o", "--out", required=True, type=Path, help="motion: .npz or .bvh")
    parser.add_argument(
        "--pose", choices=("npose", "tpose"), default="npose", help="calibration pose (npose)"
    )
    parser.add_argument(
        "--pose-at", metavar="START:END", type=seconds, help="seconds in which it is held still"
    )
    parser.add_argument(
        "--map",
        metavar="MAP.json",
        type=Path,
        help=f'which sensor sits where, such as {{"waist": "Pelvis"}}: {", ".join(PLACEMENTS)}',
    )
    parser.add_argument(
        "--facing",
        type=float,
        metavar="DEGREES",
        help="where the performer faces in the pose: 0 is -Y, 90 is +X (found from the motion)",
    )
    parser.add_argument(
        "--acceleration-unit", choices=("m/s^2", "g"), default="m/s^2", help="of the take (m/s^2)"
    )
    parser.add_argument("--height", type=metres, metavar="M", help="of the performer, metres")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="same seed, same motion")
    add_force(parser)


def seconds(text: str) -> tuple[float, float]:
    """A stretch of time as it is written on the command line, `START:END` in seconds."""
    try:
        start, end = (float(part) for part in text.split(":"))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r}: expected START:END in seconds, as 0:2"
        ) from None
    if not 0 <= start < end:
        raise argparse.ArgumentTypeError(f"{text!r}: expected 0 <= START < END")
    return start, end


def metres(text: str) -> float:
    """A person's height as it is written on the command line."""
    try:
        height = float(text)
    except ValueError:
        height = math.nan
    if not _SHORTEST <= height <= _TALLEST:
        raise argparse.ArgumentTypeError(
            f"{text!r}: expected {_SHORTEST:g} to {_TALLEST:g} metres, as 1.75"
        )
    return height


def run(arguments: argparse.Namespace, console: Console) -> dict[str, object]:
    """Read, solve, write; report what was done."""
    take = checked_input(arguments.take)
    out = checked_output(arguments.out, (".npz", ".bvh"), force=arguments.force)
    sensors = read_map(arguments.map) if arguments.map else None
    recording = formats.read_recording(take)
    from ...neural.solve import SolveOptions, solve

    given = {} if arguments.height is None else {"height": arguments.height}
    options = SolveOptions(
        pose=arguments.pose,
        pose_at=arguments.pose_at,
        sensors=sensors,
        facing=None if arguments.facing is None else math.radians(arguments.facing),
        acceleration_unit=arguments.acceleration_unit,
        seed=arguments.seed,
        **given,
    )
    started = time.perf_counter()
    solution = solve(recording, options)
    elapsed = time.perf_counter() - started
    formats.write_motion(out, solution.motion, force=arguments.force)
    report: dict[str, Any] = {
        "out": str(out),
        "frames": len(solution.motion),
        "fps": solution.motion.fps,
        "seconds": solution.motion.duration,
        "solve_seconds": elapsed,
        **solution.report,
    }
    reference = _reference(take)
    if reference is not None:
        from ...neural.evaluation.reference import compare_with_reference

        report["against_the_files_own_pose"] = dict(
            compare_with_reference(solution.motion, reference)
        )
    _tell(report, console)
    return report


def _reference(take: Path) -> Motion | None:
    """The pose that the recording program's own software computed, where the file holds one."""
    if take.suffix.lower() not in formats.MOTION_SUFFIXES:
        return None
    try:
        return body_from_motion(formats.read_motion(take))
    except PallasError:
        return None  # nothing to compare with; the take itself was read and solved


def _tell(report: dict[str, Any], console: Console) -> None:
    console.say(
        f"{report['out']}: {report['frames']} frames at {report['fps']:.6g} a second, "
        f"solved in {report['solve_seconds']:.1f} s"
    )
    console.say(f"  calibrated on {report['calibration']}")
    for gap in report["gaps_held"]:
        console.say(
            f"  {gap['sensor']} silent from {gap['start']:g} to {gap['end']:g} s: held still"
        )
    tell_warnings(report, console)
    errors = report.get("against_the_files_own_pose", {})
    if errors:
        console.say("against the pose that the file holds (angles in degrees, distances in cm):")
        console.table({f"  {name}": f"{error:.1f}" for name, error in errors.items()})
