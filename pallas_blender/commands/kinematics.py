"""`pallas kinematics`: joint angles, velocities and accelerations of a recording, and a page about them."""

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..console import Console
from ..detectors import add_detector_arguments
from ._shared import above_zero, add_force, person_height, tell_warnings

if TYPE_CHECKING:
    from ...rig.solve.marker_ik import MarkerFit
    from ..kinematics_input import Chain

__all__ = ["EXAMPLE", "HELP", "add_arguments", "run"]

HELP = "Joint angles, velocities and accelerations of markers, keypoints or videos; gait; a report."
EXAMPLE = "pallas kinematics walk.trc -o walk --height 1.72"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "input",
        metavar="INPUT",
        nargs="+",
        type=Path,
        help="markers (.trc, .c3d); keypoints, of several cameras with --calib; or videos",
    )
    parser.add_argument(
        "-o", "--out", required=True, type=Path, metavar="DIR", help="folder, made if need be"
    )
    parser.add_argument(
        "--model",
        default="pallas",
        metavar="MODEL.osim",
        help="OpenSim model (the anatomical one in the package, with sizes found)",
    )
    parser.add_argument("--height", type=person_height, metavar="M", help="of the person, metres")
    parser.add_argument("--mass", type=above_zero, metavar="KG", help="of the person, kilograms")
    parser.add_argument(
        "--cutoff", type=above_zero, default=6.0, metavar="HZ", help="of the smoothing spline (6)"
    )
    parser.add_argument(
        "--no-augment", action="store_true", help="fit keypoints themselves, without the augmenter"
    )
    parser.add_argument("--calib", type=Path, metavar="CALIB", help="cameras of the keypoints")
    parser.add_argument("--fps", metavar="N", help="frames per second of the keypoints")
    parser.add_argument("--sync", action="store_true", help="find when each camera started")
    parser.add_argument(
        "--focal", metavar="PX", help="of one camera's lens, where there is no calibration"
    )
    parser.add_argument(
        "--person", type=int, default=1, metavar="N", help="who of one camera, the surest is 1 (1)"
    )
    add_detector_arguments(parser, "--detector-model")
    parser.add_argument(
        "--tasks", type=Path, metavar="SETUP.xml", help="OpenSim's IK setup: weights"
    )
    parser.add_argument("--markers", type=Path, metavar="SET.xml", help="markers for the model")
    parser.add_argument("--scale", action="store_true", help="find the sizes of MODEL.osim too")
    parser.add_argument(
        "--fit-markers", action="store_true", help="find the places of MODEL.osim's markers too"
    )
    parser.add_argument("--start", type=float, metavar="S", help="first second")
    parser.add_argument("--end", type=float, metavar="S", help="last second")
    parser.add_argument("--up", metavar="AXIS", help="axis of the markers that points up: y, z, …")
    parser.add_argument("--unit", metavar="UNIT", help="of the markers: mm, cm, m (the file's)")
    add_force(parser)


def run(arguments: argparse.Namespace, console: Console) -> dict[str, object]:
    """Read, fit, differentiate, write; report what was found."""
    from ...neural.threads import one_thread
    from ..ik_input import collected_warnings
    from ..kinematics_files import check_outputs, write_outputs
    from ..kinematics_input import read_chain
    from ..kinematics_results import results_of

    check_outputs(arguments.out, force=arguments.force)
    told: list[str] = []
    started = time.perf_counter()
    with (
        write_outputs(arguments.out, force=arguments.force) as outputs,
        console.progress("kinematics", 100) as progress,
    ):
        with collected_warnings(told):
            chain = read_chain(arguments, outputs.folder, console, told)
        read = time.perf_counter()
        progress.to(20)
        with one_thread():
            fit, chain = _fitted(arguments, chain, told, lambda d: progress.to(20 + round(50 * d)))
        fitted = time.perf_counter()
        results = results_of(arguments.cutoff, chain, fit, told)
        progress.to(75)
        report = results.report
        report["seconds"] = {"reading": read - started, "solving": fitted - read}
        solved = time.perf_counter()
        made = outputs.write(results, lambda d: progress.to(75 + round(25 * d)))
    report["out"] = str(arguments.out)
    report["files"] = [str(arguments.out / name) for name in made]
    ended = time.perf_counter()
    report["seconds"] |= {"writing": ended - solved, "all": ended - started}
    report["real_time"] = report["frames"] / report["fps"] / (ended - started)
    _tell(report, console)
    return report


def _fitted(
    arguments: argparse.Namespace,
    chain: "Chain",
    told: list[str],
    progress: Any,  # noqa: ANN401  a callable
) -> "tuple[MarkerFit, Chain]":
    from dataclasses import replace

    from ...rig.anatomy.fit import fit_anatomy
    from ...rig.solve.marker_ik import fit_markers
    from ..ik_input import options_of, with_likely_up

    given = chain.given
    arguments.method, arguments.robust, arguments.smooth = "lm", None, 0.0
    options = options_of(arguments, given)
    given = with_likely_up(given, options, told)
    chain = replace(chain, given=given)
    if given.own:
        return fit_anatomy(given.recording, height=arguments.height, progress=progress), chain
    return fit_markers(given.model, given.recording, options, progress), chain


def _tell(report: dict[str, Any], console: Console) -> None:
    console.say(
        f"{report['out']}: {report['frames']} frames at {report['fps']:g} Hz, {report['markers']} markers, "
        f"RMS {report['rms_mm']:.1f} mm, {report['seconds']['all']:.2f} s, {report['real_time']:.2g} times "
        "real time"
    )
    for clip in report["points"].get("keypoints", {}).get("clips", []):
        console.say(
            f"  {Path(clip['video']).name}: {clip['frames']} frames, somebody in {clip['with_somebody']}, "
            f"detected at {clip['real_time']:.2g} times real time"
        )
    gait = report["gait"]
    if gait is None:
        console.say(f"  no gait cycles: {report['gait_is']}")
    else:
        speed = gait["speed_m_per_s"]
        console.say(f"  {gait['cadence_steps_per_minute']:.0f} steps/min, {speed:.2f} m/s")
        for side in ("left", "right"):
            console.say(f"  {side}: {', '.join(_side_words(gait[side], side[0]))}")
    console.say(f"  {Path(report['out']) / 'report.html'}")
    tell_warnings(report, console)


def _side_words(row: dict[str, Any], letter: str) -> list[str]:
    words = [f"{row['strides']} strides"]
    for angle in ("knee_angle", "hip_flexion"):
        value = row["range_deg"].get(f"{angle}_{letter}")
        if value and value["mean"] is not None:
            words.append(f"{angle.partition('_')[0]} range {value['mean']:.0f}°")
    return words
