"""`pallas triangulate`: what several calibrated cameras saw in, people in space out."""

import argparse
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...capture.c3d_writer import write_c3d
from ...capture.cameras.agreement_told import told_agreement
from ...capture.cameras.checks import agreement
from ...capture.cameras.files import read_calibration
from ...capture.cameras.matching import matched
from ...capture.cameras.reconstruct import Person, ReconstructionOptions, reconstruct, threshold_of
from ...capture.cameras.reconstruction_report import report_of
from ...capture.cameras.synchronise import synchronised
from ...capture.keypoints.files import read_views
from ...capture.keypoints.layout import LAYOUTS
from ...capture.keypoints.rates import neighbouring_rate
from ...capture.trc_writer import write_trc
from ...capture.up_axis import UP_AXES
from ...rig.errors import RecordingError
from ...rig.filters import filter_from_text, filtered
from ..console import Console
from ._refinement import Outputs, add_refinement, fitted, outputs, tell_refined
from ._shared import (
    above_zero,
    add_force,
    from_one,
    not_below_zero,
    picture_size,
    tell_warnings,
)

if TYPE_CHECKING:
    from ...capture.cameras.camera import Camera
    from ...capture.keypoints.keypoints import Keypoints
    from ...rig.filters import Filter
    from ...rig.trajectories import MarkerTrajectories

__all__ = ["EXAMPLE", "HELP", "add_arguments", "run"]

HELP = "Triangulate keypoints of several calibrated cameras: points in space."
EXAMPLE = "pallas triangulate cam1_json cam2_json cam3_json --calib Calib.toml --fps 60 -o walk.trc"

_CUTOFF = 6.0
_FILTER = f"butterworth:cutoff={_CUTOFF:g}"
_NONE = "none"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "keypoints",
        metavar="KEYPOINTS",
        nargs="+",
        type=Path,
        help="a file, folder or archive for each camera, or one folder that holds them all",
    )
    parser.add_argument(
        "--calib",
        required=True,
        type=Path,
        metavar="CALIB",
        help="Pose2Sim's toml or Qualisys' .qca.txt",
    )
    parser.add_argument(
        "-o",
        "--out",
        required=True,
        type=Path,
        help="points: .trc or .c3d; or the motion of the refined body: .npz or .bvh",
    )
    parser.add_argument(
        "--fps",
        type=_rates,
        default=(),
        metavar="N",
        help="frames per second (as a video beside the keypoints has); of each camera: 60,30,60",
    )
    parser.add_argument(
        "--image-size",
        type=picture_size,
        metavar="WxH",
        help="of pictures whose keypoints are fractions",
    )
    parser.add_argument(
        "--layout", choices=list(LAYOUTS), help="of the keypoints (found by itself)"
    )
    parser.add_argument(
        "--people", type=from_one, default=1, metavar="N", help="how many people (1)"
    )
    parser.add_argument(
        "--threshold",
        type=above_zero,
        metavar="PX",
        help="error that leaves a camera out (half a degree)",
    )
    parser.add_argument(
        "--min-cameras", type=from_one, default=2, metavar="N", help="that agree (2)"
    )
    parser.add_argument(
        "--confidence",
        type=not_below_zero,
        default=0.2,
        metavar="C",
        help="least of a keypoint (0.2)",
    )
    parser.add_argument(
        "--gap",
        type=not_below_zero,
        default=0.25,
        metavar="S",
        help="longest gap that is closed (0.25)",
    )
    parser.add_argument(
        "--filter",
        default=_FILTER,
        metavar="F",
        help=f"of points that are not refined, or none ({_FILTER})",
    )
    parser.add_argument(
        "--sync", action="store_true", help="find when each camera started, by motion"
    )
    parser.add_argument(
        "--reorder", action="store_true", help="if cameras are exchanged, go on in the right order"
    )
    parser.add_argument(
        "--keep-sides", action="store_true", help="leave left and right as the detector has them"
    )
    parser.add_argument(
        "--up",
        choices=list(UP_AXES),
        default="z",
        help="axis of the calibration that points up (z)",
    )
    add_refinement(parser)
    add_force(parser)


def _rates(text: str) -> tuple[float, ...]:
    return tuple(above_zero(part) for part in text.split(","))


def run(arguments: argparse.Namespace, console: Console) -> dict[str, object]:
    """Read, triangulate, write; report what was found."""
    to = outputs(arguments)
    smoothing = None if arguments.filter == _NONE else filter_from_text(arguments.filter)
    started = time.perf_counter()
    told: list[str] = []
    with console.progress("triangulating", 100) as progress:
        cameras = read_calibration(arguments.calib, up=arguments.up)
        views, fps = _read(arguments, told)
        if arguments.filter == _FILTER and fps <= 2 * _CUTOFF:
            told.append(
                f"at {fps:g} frames per second nothing moves above {_CUTOFF:g} Hz: not filtered"
            )
            smoothing = None
        order = matched([view.name for view in views], [camera.name for camera in cameras])
        cameras = tuple(cameras[k] for k in order)
        progress.to(20)
        if arguments.sync:
            views = synchronised(views, cameras, told)
        lengths = sorted({len(view) for view in views})
        if len(lengths) > 1:
            told.append(
                f"views have {lengths[0]} to {lengths[-1]} frames; used as far as two of them go"
            )
        cameras = _checked(arguments, views, cameras, told)
        progress.to(30)
        options = _options(arguments)
        found = reconstruct(views, cameras, fps, options, lambda d: progress.to(30 + round(20 * d)))
        if not found:
            raise RecordingError(
                "no two cameras agree on anybody; check the calibration, the order of the cameras and, with "
                "--sync, when they started"
            )
        rows = []
        for person, files in zip(found, to, strict=False):
            row = {**_named(files), **report_of(person, views, cameras)}
            rows.append(row | _written(arguments, person, views, cameras, files, smoothing))
            progress.to(50 + round(50 * len(rows) / len(found)))
    report: dict[str, Any] = {
        "out": str(arguments.out),
        "layout": views[0].layout.key,
        "fps": fps,
        "frames": len(found[0].markers),
        "filter": arguments.filter,
        "threshold_px": threshold_of(cameras, options),
        "people": rows,
        "warnings": told,
        "seconds": time.perf_counter() - started,
    }
    _tell(report, found, console)
    return report


def _named(files: Outputs) -> dict[str, Any]:
    named = {"out": str(files.points or files.motion)}
    return named | ({"motion": str(files.motion)} if files.motion else {})


def _written(
    arguments: argparse.Namespace,
    person: Person,
    views: "tuple[Keypoints, ...]",
    cameras: "tuple[Camera, ...]",
    files: Outputs,
    smoothing: "Filter | None",
) -> dict[str, Any]:
    """Write a person; what refining found, if that was asked for."""
    markers = _filtered(person.markers, smoothing)
    fit = fitted(arguments, person, markers, views[0].layout, cameras, files)
    if fit is not None:
        ours = [k for k, name in enumerate(markers.names) if name in fit.body.names]
        positions = np.array(markers.positions)
        positions[:, ours] = fit.markers.positions[:, ours]
        markers = replace(markers, positions=positions)
    if files.points is not None:
        _write(files.points, markers, force=arguments.force)
    return {} if fit is None else {"body": fit.report}


def _read(arguments: argparse.Namespace, told: list[str]) -> "tuple[tuple[Keypoints, ...], float]":
    """The views with their frame rates, and the rate of the result."""
    views = read_views(
        arguments.keypoints, layout=arguments.layout, image_size=arguments.image_size
    )
    rates = arguments.fps
    if len(rates) not in (0, 1, len(views)):
        raise RecordingError(
            f"--fps tells {len(rates)} frame rates for {len(views)} views; expected one, or one for each"
        )
    if rates:
        each = rates * len(views) if len(rates) == 1 else rates
        views = tuple(replace(view, fps=fps) for view, fps in zip(views, each, strict=True))
    else:
        views = _with_rates(arguments.keypoints, views, told)
    rates = [view.fps for view in views if view.fps is not None]
    if max(rates) > min(rates) and not arguments.sync:
        raise RecordingError(
            f"the views have {min(rates):g} and {max(rates):g} frames per second; give --sync to "
            "bring them together"
        )
    return views, max(rates)


def _with_rates(
    paths: list[Path], views: "tuple[Keypoints, ...]", told: list[str]
) -> "tuple[Keypoints, ...]":
    """The views with the rates that files beside them tell, where their own don't.

    Raises:
        RecordingError: nothing tells one.
    """
    unknown = [k for k, view in enumerate(views) if view.fps is None]
    if not unknown:
        return views
    beside = paths if len(paths) == len(views) else paths * len(views)
    for k in unknown:
        rate = neighbouring_rate(beside[k])
        if rate is None:
            raise RecordingError(
                f"the keypoints of {views[k].name} don't say their frame rate and no video beside them does; "
                "give it, as --fps 60"
            )
        if k == unknown[0]:
            told.append(
                f"{rate.fps:g} frames per second, as {rate.path.name} has; --fps says otherwise"
            )
        views = tuple(replace(v, fps=rate.fps) if j == k else v for j, v in enumerate(views))
    return views


def _options(arguments: argparse.Namespace) -> ReconstructionOptions:
    return ReconstructionOptions(
        threshold=arguments.threshold,
        min_cameras=max(arguments.min_cameras, 2),
        min_confidence=arguments.confidence,
        repair_sides=not arguments.keep_sides,
        longest_gap=arguments.gap,
        people=arguments.people,
    )


def _checked(
    arguments: argparse.Namespace,
    views: "tuple[Keypoints, ...]",
    cameras: "tuple[Camera, ...]",
    told: list[str],
) -> "tuple[Camera, ...]":
    """The cameras in the order of the views; said where they don't fit each other."""
    if len(views) < 2:
        raise RecordingError("there are keypoints of one view; triangulation needs at least two")
    if arguments.min_cameras > len(views):
        raise RecordingError(
            f"--min-cameras is {arguments.min_cameras}, and there are {len(views)} views"
        )
    found = agreement(views, cameras)
    message = told_agreement(found, views, cameras)
    if found.order == tuple(range(len(cameras))):
        told += [message] if message else []
        return cameras
    if not arguments.reorder:
        raise RecordingError(f"{message}; name them so, or give --reorder")
    told.append(f"{message}; taken so")
    return tuple(cameras[k] for k in found.order)


def _filtered(markers: "MarkerTrajectories", smoothing: "Filter | None") -> "MarkerTrajectories":
    if smoothing is None:
        return markers
    return replace(markers, positions=filtered(markers.positions, markers.fps, smoothing))


def _write(path: Path, markers: "MarkerTrajectories", *, force: bool) -> None:
    if path.suffix.lower() == ".c3d":
        write_c3d(path, markers, force=force)
    else:
        write_trc(path, markers, force=force)


def _tell(report: dict[str, Any], found: list[Person], console: Console) -> None:
    for person in report["people"]:
        console.say(
            f"{person['out']}: {report['frames']} frames, {len(person['markers'])} points, "
            f"{100 * person['found']:.1f} % found, {person['closed']} in gaps closed, "
            f"{person['missing']} missing; "
            f"reprojection error {person['median_px']:.1f} px (median)"
        )
        if "body" in person:
            tell_refined(person, console)
        for row in person["cameras"]:
            if not row["seen"]:
                console.say(f"  {row['camera']} ({row['keypoints']}): did not see this person")
                continue
            sides = (
                f", sides exchanged in {row['sides_exchanged']} frames"
                if row["sides_exchanged"]
                else ""
            )
            console.say(
                f"  {row['camera']} ({row['keypoints']}): {row['median_px']:.1f} px, left out of "
                f"{100 * row['left_out']:.1f} % of what it saw{sides}"
            )
    console.say(f"{report['seconds']:.2f} s")
    tell_warnings(report, console)
