"""`pallas solve`: an IMU recording in, full-body motion out."""

import argparse
import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...capture import formats
from ...capture.imu import PLACEMENTS
from ...capture.placements import read_map
from ...rig.errors import PallasError, ShapeError
from ...rig.motion import Motion
from ...rig.transfer import body_from_motion
from ..console import Console
from ._shared import add_force, checked_input, checked_output, tell_warnings

if TYPE_CHECKING:
    from ...neural.solve import SolveOptions

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
    parser.add_argument(
        "--remove-drift",
        action="store_true",
        help="take out how fast the sensors' headings drift apart (takes of minutes)",
    )
    _add_legs(parser)
    add_force(parser)


def _add_legs(parser: argparse.ArgumentParser) -> None:
    legs = parser.add_argument_group("legs")
    legs.add_argument(
        "--legs",
        choices=("deterministic", "generated", "seated"),
        help="as predicted, drawn, or sitting (deterministic; generated where several takes are asked for)",
    )
    legs.add_argument(
        "--takes", type=int, default=1, metavar="K", help="so many, written as NAME-1 to NAME-K"
    )
    legs.add_argument("--seed", type=int, default=0, metavar="N", help="same seed, same motion (0)")
    legs.add_argument(
        "--temperature", type=float, default=1.0, metavar="T", help="above 1 more varied (1)"
    )
    legs.add_argument(
        "--top-k", type=int, default=40, metavar="N", help="draw among the N likeliest, 0: all (40)"
    )
    legs.add_argument(
        "--seat-height", type=float, metavar="M", help="of a seated pelvis above the floor, metres"
    )


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
    outs = [
        checked_output(out, (".npz", ".bvh"), force=arguments.force) for out in _outputs(arguments)
    ]
    sensors = read_map(arguments.map) if arguments.map else None
    recording = formats.read_recording(take)
    from ...neural.solve import solve

    options = _options(arguments, sensors)
    started = time.perf_counter()
    solution = solve(recording, options)
    elapsed = time.perf_counter() - started
    for out, solved in zip(outs, solution.takes, strict=True):
        formats.write_motion(out, solved.motion, force=arguments.force)
    report: dict[str, Any] = {
        "out": str(outs[0]),
        "outs": [str(out) for out in outs],
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


def _outputs(arguments: argparse.Namespace) -> list[Path]:
    """OUT itself, or NAME-1 to NAME-K of several takes.

    Raises:
        ShapeError: no take at all is asked for.
    """
    out: Path = arguments.out
    if arguments.takes < 1:
        raise ShapeError(f"--takes is {arguments.takes}, expected one or more")
    if arguments.takes == 1:
        return [out]
    return [out.with_stem(f"{out.stem}-{take}") for take in range(1, arguments.takes + 1)]


def _options(arguments: argparse.Namespace, sensors: Mapping[str, str] | None) -> "SolveOptions":
    from ...neural.solve import LegOptions, SolveOptions

    given = {} if arguments.height is None else {"height": arguments.height}
    legs = LegOptions(
        mode=arguments.legs or ("generated" if arguments.takes > 1 else "deterministic"),
        takes=arguments.takes,
        seed=arguments.seed,
        temperature=arguments.temperature,
        top_k=arguments.top_k,
        seat_height=arguments.seat_height,
    )
    return SolveOptions(
        pose=arguments.pose,
        pose_at=arguments.pose_at,
        sensors=sensors,
        facing=None if arguments.facing is None else math.radians(arguments.facing),
        acceleration_unit=arguments.acceleration_unit,
        legs=legs,
        remove_drift=arguments.remove_drift,
        **given,
    )


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
    for other in report["outs"][1:]:
        console.say(f"{other}: another take")
    console.say(f"  calibrated on {report['calibration']}")
    for placement, rate in report["drift_removed"].items():
        if rate:
            console.say(f"  {placement} drifted by {rate:g} degrees a minute: taken out")
    for gap in report["gaps_held"]:
        console.say(
            f"  {gap['sensor']} silent from {gap['start']:g} to {gap['end']:g} s: held still"
        )
    tell_warnings(report, console)
    errors = report.get("against_the_files_own_pose", {})
    if errors:
        console.say("against the pose that the file holds (angles in degrees, distances in cm):")
        console.table({f"  {name}": f"{error:.1f}" for name, error in errors.items()})
