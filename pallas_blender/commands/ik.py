"""`pallas ik`: a model and measured markers in, joint coordinates out."""

import argparse
import math
import time
from pathlib import Path
from typing import Any

import numpy as np

from ...capture.coordinates import COORDINATE_SUFFIXES, pose_from_table, write_coordinates
from ...capture.markers import read_marker_file
from ...capture.osim import read_osim
from ...capture.osim_pins import Goals, goals_of_tasks
from ...capture.osim_tasks import read_ik_setup, read_ik_tasks
from ...capture.osim_writer import write_osim
from ...capture.storage import read_storage
from ...capture.xmlfile import parse_xml
from ...rig.errors import RecordingError
from ...rig.model import KinematicModel
from ...rig.trajectories import MarkerTrajectories
from ..console import Console
from ._shared import add_force, checked_input, checked_output, tell_warnings

__all__ = ["EXAMPLE", "HELP", "add_arguments", "run"]

HELP = "Fit an OpenSim model to optical markers: joint coordinates of every frame."
EXAMPLE = "pallas ik subject.osim walk.trc -o walk.mot --tasks IK_Setup.xml --report walk-report"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("model", metavar="MODEL.osim", type=Path, help="OpenSim model")
    parser.add_argument("markers", metavar="MARKERS", type=Path, help="recording: .trc or .c3d")
    parser.add_argument(
        "-o", "--out", required=True, type=Path, help="coordinates: .mot, .sto, .csv"
    )
    parser.add_argument(
        "--tasks", type=Path, metavar="SETUP.xml", help="OpenSim's IK setup or task set: weights"
    )
    parser.add_argument("--marker-set", type=Path, metavar="SET.xml", help="markers for the model")
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
        "--robust", type=float, metavar="MM", help="markers further off than this count less"
    )
    parser.add_argument(
        "--smooth", type=float, default=0.0, metavar="W", help="weight of changes over time (0)"
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
    add_force(parser)


def run(arguments: argparse.Namespace, console: Console) -> dict[str, object]:
    """Read, fit, write; report what was found."""
    _check_outputs(arguments)
    model = read_osim(checked_input(arguments.model), arguments.marker_set)
    file = read_marker_file(checked_input(arguments.markers), up=arguments.up, unit=arguments.unit)
    goals, span = _goals(arguments, model)
    recording = _cut(file.markers, *span)
    from ...rig.solve.marker_ik import fit_markers
    from ...rig.solve.marker_report import report_of
    from ...rig.solve.swaps import find_swaps, without_swaps

    options = _options(arguments, model, recording, goals)
    started = time.perf_counter()
    with console.progress("solving", 100) as progress:
        fit = fit_markers(model, recording, options, lambda done: progress.to(round(100 * done)))
        seconds = time.perf_counter() - started
        swaps = find_swaps(model, recording, fit)
        if swaps and arguments.fix_swaps:
            fit = fit_markers(model, without_swaps(recording, swaps), options)
    report: dict[str, Any] = {"out": str(arguments.out), **report_of(fit), "solve_seconds": seconds}
    report["markers_left_out"] = [n for n in recording.names if n not in fit.names]
    report["up"], report["unit"] = f"{file.up} ({file.how_up})", file.unit
    report["swaps"] = [
        {"kind": s.kind, "names": s.names, "from": fit.times[s.first], "to": fit.times[s.stop - 1]}
        for s in swaps
    ]
    report["warnings"] = _warnings(report, goals, fixed=arguments.fix_swaps)
    reference = _reference(arguments.reference, fit.model, fit.times)
    _write(arguments, fit, report, reference)
    _tell(report, console)
    return report


def _check_outputs(arguments: argparse.Namespace) -> None:
    checked_output(arguments.out, COORDINATE_SUFFIXES, force=arguments.force)
    if arguments.model_out:
        checked_output(arguments.model_out, (".osim",), force=arguments.force)
    for path in (arguments.tasks, arguments.marker_set, arguments.reference):
        if path:
            checked_input(path)


def _goals(
    arguments: argparse.Namespace, model: KinematicModel
) -> tuple[Goals | None, tuple[float, float]]:
    """Weights and pins of the task file, and the seconds to solve."""
    goals, span = None, (-math.inf, math.inf)
    if arguments.tasks:
        text = arguments.tasks.read_text(encoding="utf-8", errors="replace")
        if any(e.tag == "InverseKinematicsTool" for e in parse_xml(text).iter()):
            setup = read_ik_setup(arguments.tasks)
            tasks, span = setup.tasks, setup.time_range
        else:
            tasks = read_ik_tasks(arguments.tasks)
        goals = goals_of_tasks(tasks, model)
    start = span[0] if arguments.start is None else arguments.start
    end = span[1] if arguments.end is None else arguments.end
    return goals, (start, end)


def _cut(markers: MarkerTrajectories, start: float, end: float) -> MarkerTrajectories:
    half = 0.5 / markers.fps
    inside = np.flatnonzero((markers.times >= start - half) & (markers.times <= end + half))
    if not len(inside):
        raise RecordingError(
            f"the markers were recorded from {markers.start:g} to {markers.times[-1]:g} s and "
            f"{start:g} to {end:g} s is wanted; expected some of it"
            if len(markers)
            else "the recording has no frames, expected at least one"
        )
    return markers.clipped(int(inside[0]), int(inside[-1]) + 1)


def _options(
    arguments: argparse.Namespace,
    model: KinematicModel,
    recording: MarkerTrajectories,
    goals: Goals | None,
) -> Any:  # noqa: ANN401  its module needs torch, which is not imported before it is needed
    from ...rig.solve.marker_ik import MarkerOptions
    from ...rig.solve.usual_shape import usual_shape

    shape = usual_shape(
        model, recording.names, scale=arguments.scale, markers=arguments.fit_markers
    )
    return MarkerOptions(
        weights=goals.weights if goals else None,
        other_weight=0.0 if goals else 1.0,
        pins=goals.pins if goals else None,
        method=arguments.method,
        robust=None if arguments.robust is None else arguments.robust / 1000.0,
        smoothness=arguments.smooth,
        shape=shape,
    )


def _warnings(report: dict[str, Any], goals: Goals | None, *, fixed: bool) -> list[str]:
    found = []
    if report["weak_frames"]:
        found.append(
            f"{report['weak_frames']} frames show too few markers; their poses are carried over "
            "from their neighbours"
        )
    for name, share in report["coordinates_at_limits"].items():
        found.append(f"{name} is at a limit in {100 * share:.0f} % of the frames")
    for swap in report["swaps"]:
        names = " and ".join(swap["names"])
        what = "were exchanged, and put right" if fixed else "look exchanged; see --fix-swaps"
        found.append(f"{names} {what} ({swap['from']:.2f} to {swap['to']:.2f} s)")
    if report["up"].endswith("(assumed)"):
        found.append(
            f"the markers do not tell which axis points up, {report['up'][0]} is assumed; see --up"
        )
    if goals and goals.left_out:
        found.append(f"tasks of {', '.join(goals.left_out)} are left out")
    return found


def _reference(path: Path | None, model: KinematicModel, times: np.ndarray) -> np.ndarray | None:
    """Coordinates of a file at other times (T, D), NaN where it has none."""
    if path is None:
        return None
    table = read_storage(path)
    pose = pose_from_table(table, model)
    resampled = [np.interp(times, table.times, c, left=np.nan, right=np.nan) for c in pose.T]
    return np.stack(resampled, axis=1)


def _write(
    arguments: argparse.Namespace,
    fit: Any,  # noqa: ANN401  its module needs torch
    report: dict[str, Any],
    reference: np.ndarray | None,
) -> None:
    from ..ik_files import reference_errors, write_report

    if reference is not None:
        report["against_the_reference"] = reference_errors(fit, reference)
    write_coordinates(arguments.out, fit.model, fit.pose, fit.times, force=arguments.force)
    if arguments.model_out:
        scales = {b: fit.scales[k] for k, b in enumerate(fit.model.bodies) if k}
        write_osim(
            arguments.model_out, fit.model, arguments.model, scales=scales, force=arguments.force
        )
    if arguments.report:
        made = write_report(arguments.report, fit, report, reference, force=arguments.force)
        report["report"] = [str(arguments.report / name) for name in made]
        if not any(name.endswith(".png") for name in made):
            report["warnings"].append("no plots: run `pip install matplotlib` to have them")


def _tell(report: dict[str, Any], console: Console) -> None:
    worst = report["worst_markers"][0]
    rate = report["frames"] / max(report["solve_seconds"], 1e-9)
    console.say(
        f"{report['out']}: {report['frames']} frames, {report['markers']} markers, "
        f"{report['weighted_rms_mm']:.1f} mm weighted RMS (worst: {worst['marker']}, "
        f"{worst['rms_mm']:.0f} mm), {report['solve_seconds']:.2f} s ({rate:.0f} frames a second)"
    )
    if report["markers_left_out"]:
        console.say(f"  left out: {', '.join(report['markers_left_out'])}")
    tell_warnings(report, console)
    errors = report.get("against_the_reference", {})
    if errors:
        console.say("RMS difference from the reference (degrees, metres):")
        console.table({f"  {name}": f"{error:.3f}" for name, error in errors.items()})
