"""`pallas ik`: a model and measured markers in, joint coordinates out."""

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...capture.coordinates import COORDINATE_SUFFIXES, write_coordinates
from ...capture.formats import write_motion
from ...capture.osim_writer import write_osim
from ...rig.errors import FormatError
from ..console import Console
from ._shared import above_zero, add_force, checked_output, tell_warnings

if TYPE_CHECKING:
    from ...rig.solve.marker_ik import MarkerFit, MarkerOptions
    from ...rig.solve.swaps import Swap
    from ...rig.trajectories import MarkerTrajectories
    from ..ik_input import Given

__all__ = ["EXAMPLE", "HELP", "add_arguments", "run"]

HELP = "Fit an OpenSim model to optical markers: joint coordinates of every frame."
_MOTIONS = (".npz", ".bvh")
EXAMPLE = "pallas ik subject.osim walk.trc -o walk.mot --tasks IK_Setup.xml --report walk-report"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "model",
        metavar="MODEL.osim",
        type=Path,
        help="OpenSim model; or `pallas`: the anatomical one in the package",
    )
    parser.add_argument("recording", metavar="MARKERS", type=Path, help="recording: .trc or .c3d")
    parser.add_argument(
        "-o", "--out", required=True, type=Path, help="coordinates: .mot, .sto, .csv"
    )
    parser.add_argument(
        "--tasks", type=Path, metavar="SETUP.xml", help="OpenSim's IK setup or task set: weights"
    )
    parser.add_argument(
        "--markers", "--marker-set", type=Path, metavar="SET.xml", help="markers for the model"
    )
    parser.add_argument("--method", choices=("lm", "lbfgs"), default="lm", help="solver (lm)")
    parser.add_argument("--scale", action="store_true", help="the body's sizes are unknown too")
    parser.add_argument(
        "--fit-markers", action="store_true", help="the markers' places on the body are unknown too"
    )
    parser.add_argument("--start", type=float, metavar="S", help="first second to solve")
    parser.add_argument("--end", type=float, metavar="S", help="last second to solve")
    parser.add_argument("--up", metavar="AXIS", help="axis of the markers that points up: y, z, …")
    parser.add_argument("--unit", metavar="UNIT", help="of the markers: mm, cm, m (the file's)")
    parser.add_argument(
        "--robust", type=above_zero, metavar="MM", help="markers further off than this count less"
    )
    parser.add_argument(
        "--smooth",
        type=above_zero,
        default=0.0,
        metavar="W",
        help="weight of changes over time (0)",
    )
    parser.add_argument(
        "--fix-swaps", action="store_true", help="exchange names that were exchanged, and say which"
    )
    parser.add_argument(
        "--reference", type=Path, metavar="REF.mot", help="coordinates to compare with"
    )
    parser.add_argument("--report", type=Path, metavar="DIR", help="folder for tables and plots")
    parser.add_argument(
        "--model-out", type=Path, metavar="OUT.osim", help="the model as it was scaled and marked"
    )
    parser.add_argument(
        "--motion",
        type=Path,
        metavar="OUT.npz",
        help="of the model `pallas`: the body's motion for `pallas retarget`; .npz or .bvh",
    )
    add_force(parser)


def run(arguments: argparse.Namespace, console: Console) -> dict[str, object]:
    """Read, fit, write; report what was found."""
    from ...neural.threads import one_thread
    from ..ik_input import collected_warnings, options_of, read_given, with_likely_up

    _check_outputs(arguments)
    told: list[str] = []
    with collected_warnings(told):
        given = read_given(arguments)
    with one_thread():
        options = options_of(arguments, given)
        given = with_likely_up(given, options, told)
        started = time.perf_counter()
        with console.progress("solving", 100) as progress:
            fit = _fitted(given, given.recording, options, lambda d: progress.to(round(100 * d)))
        seconds = time.perf_counter() - started
        swaps, recording, fit = _without_swaps(arguments, given, options, fit, told)
    report = {
        "out": str(arguments.out),
        **_report(given, recording, fit, swaps),
        "warnings": told,
        "solve_seconds": seconds,
    }
    _warn(report, given, fit)
    _write(arguments, given, recording, fit, report)
    _tell(report, console)
    return report


def _check_outputs(arguments: argparse.Namespace) -> None:
    from ..ik_files import check_folder
    from ..ik_input import is_own

    checked_output(arguments.out, COORDINATE_SUFFIXES, force=arguments.force)
    if arguments.model_out:
        checked_output(arguments.model_out, (".osim",), force=arguments.force)
    if arguments.report:
        check_folder(arguments.report, force=arguments.force)
    if arguments.motion:
        if not is_own(arguments.model):
            raise FormatError(
                f"--motion is of the model `pallas`, and this is {arguments.model}; leave it out"
            )
        checked_output(arguments.motion, _MOTIONS, force=arguments.force)


def _fitted(
    given: "Given",
    recording: "MarkerTrajectories",
    options: "MarkerOptions",
    progress: Any = lambda done: None,  # noqa: ANN401  a callable
) -> "MarkerFit":
    from dataclasses import replace

    from ...rig.anatomy.turns import plain_turns
    from ...rig.solve.marker_ik import fit_markers

    fit = fit_markers(given.model, recording, options, progress)
    return replace(fit, pose=plain_turns(fit.model, fit.pose)) if given.own else fit


def _without_swaps(
    arguments: argparse.Namespace,
    given: "Given",
    options: "MarkerOptions",
    fit: "MarkerFit",
    told: list[str],
) -> tuple[tuple["Swap", ...], "MarkerTrajectories", "MarkerFit"]:
    """What names were exchanged, the recording that counts, and its fit."""
    from ...rig.solve.swaps import find_swaps, without_swaps
    from ..ik_told import told_swaps

    recording = given.recording
    swaps = find_swaps(given.model, recording, fit)
    told += told_swaps(swaps, fit.times, fixed=arguments.fix_swaps)
    if swaps and arguments.fix_swaps:
        recording = without_swaps(recording, swaps)
        fit = _fitted(given, recording, options)
    return swaps, recording, fit


def _report(
    given: "Given",
    recording: "MarkerTrajectories",
    fit: "MarkerFit",
    swaps: tuple["Swap", ...],
) -> dict[str, Any]:
    from ...rig.solve.marker_report import report_of

    weights = given.goals.weights if given.goals else dict.fromkeys(given.model.marker_names, 1.0)
    # The package's own model carries more markers and keypoints than any recording has.
    wanted = () if given.own else [name for name, weight in weights.items() if weight > 0.0]
    return {
        **report_of(fit, recording),
        "unit": given.file.unit,
        "up": given.file.up,
        "up_is": given.file.how_up,
        "markers_left_out": [name for name in recording.names if name not in fit.names],
        "markers_missing": [name for name in wanted if name not in recording.names],
        "swaps": [
            {
                "kind": swap.kind,
                "names": list(swap.names),
                "frames": [swap.first, swap.stop],
                "seconds": [float(fit.times[swap.first]), float(fit.times[swap.stop - 1])],
                "rms_mm": [1000.0 * swap.before, 1000.0 * swap.after],
            }
            for swap in swaps
        ],
    }


def _warn(report: dict[str, Any], given: "Given", fit: "MarkerFit") -> None:
    from ...rig.solve.upright import uprightness
    from ..ik_told import told_of

    ground = given.model.bodies[0]
    root = {n for j in given.model.joints if j.parent == ground for n in j.coordinates}
    report["warnings"] += told_of(report, given.goals.left_out if given.goals else (), root)
    if not fit.weak.all() and uprightness(fit) < 0.0:
        report["warnings"].append(
            f"the model is upside down in most frames with {report['up']} up; if nobody was, give --up"
        )


def _write(
    arguments: argparse.Namespace,
    given: "Given",
    recording: "MarkerTrajectories",
    fit: "MarkerFit",
    report: dict[str, Any],
) -> None:
    from ...rig.anatomy import motion_of_anatomy
    from ..ik_files import reference_errors, write_report

    if given.reference is not None:
        report["against_the_reference"] = reference_errors(fit, given.reference)
    if arguments.report:
        made = write_report(
            arguments.report, fit, recording, report, given.reference, force=arguments.force
        )
        report["report"] = [str(arguments.report / name) for name in made]
        if not any(name.endswith(".png") for name in made):
            report["warnings"].append("no plots: run `pip install matplotlib` to have them")
    if arguments.model_out:
        scales = {b: fit.scales[k] for k, b in enumerate(fit.model.bodies) if k}
        template = None if given.own else arguments.model
        write_osim(arguments.model_out, fit.model, template, scales=scales, force=arguments.force)
        report["model_out"] = str(arguments.model_out)
    if arguments.motion:
        motion = motion_of_anatomy(fit.model, fit.pose, fit.fps)
        write_motion(arguments.motion, motion, force=arguments.force)
        report["motion"] = str(arguments.motion)
    write_coordinates(arguments.out, fit.model, fit.pose, fit.times, force=arguments.force)


def _tell(report: dict[str, Any], console: Console) -> None:
    from ..ik_told import told_reference

    worst = report["marker_errors"][0]
    rate = report["frames"] / max(report["solve_seconds"], 1e-9)
    console.say(
        f"{report['out']}: {report['frames']} frames, {report['markers']} markers, "
        f"weighted RMS {report['weighted_rms_mm']:.1f} mm (worst {worst['marker']}, "
        f"{worst['rms_mm']:.0f} mm), {report['solve_seconds']:.2f} s, {rate:.0f} frames/s"
    )
    tell_warnings(report, console)
    if "against_the_reference" in report:
        console.say("RMS difference from the reference:")
        console.table(told_reference(report["against_the_reference"]))
