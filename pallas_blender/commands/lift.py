"""`pallas lift`: what one camera saw in, a person in space out."""

import argparse
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...capture.cameras.files import read_calibration
from ...capture.cameras.matching import matched
from ...capture.formats import write_motion
from ...capture.keypoints.files import read_keypoints
from ...capture.keypoints.layout import LAYOUTS
from ...capture.keypoints.sides import with_steady_sides
from ...capture.keypoints.tracks import tracked
from ...capture.trc_writer import write_trc
from ...capture.up_axis import UP_AXES
from ...rig.errors import RecordingError
from ..console import Console
from ._shared import (
    above_zero,
    add_force,
    checked_output,
    from_one,
    person_height,
    picture_size,
    tell_warnings,
)

if TYPE_CHECKING:
    from ...capture.cameras.camera import Camera
    from ...capture.keypoints.keypoints import Keypoints
    from ...neural.lifter.solve import SolvedLift
    from ...rig.trajectories import MarkerTrajectories

__all__ = ["EXAMPLE", "HELP", "add_arguments", "run"]

HELP = "Lift keypoints of one camera: a person in space."
EXAMPLE = "pallas lift cam1.json --focal 1600 --height 1.78 -o walk.trc"

_SUFFIXES = (".trc", ".npz", ".bvh", ".csv")
_USUAL_FPS = 30.0
_USUAL_HEIGHT = 1.70
_USUAL_FOCAL = 1.2  # of the longer side of the picture, as phones and webcams have it
_LONGEST = 0.25  # seconds without the person that points in space are carried over


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "keypoints", metavar="KEYPOINTS", type=Path, help="of one camera: a file, folder or archive"
    )
    parser.add_argument(
        "-o",
        "--out",
        required=True,
        type=Path,
        help="20 keypoints: .trc; the 24-joint motion: .npz, .bvh or .csv",
    )
    parser.add_argument(
        "--height", type=person_height, metavar="M", help=f"of the person ({_USUAL_HEIGHT:.2f})"
    )
    camera = parser.add_mutually_exclusive_group()
    camera.add_argument("--calib", type=Path, metavar="CALIB", help="Pose2Sim's toml or Qualisys'")
    camera.add_argument(
        "--focal", type=above_zero, metavar="PX", help="focal length, where there is no calibration"
    )
    parser.add_argument("--camera", metavar="NAME", help="of the calibration (by the file's name)")
    parser.add_argument(
        "--floor", type=float, metavar="M", help="its height in the calibration's world"
    )
    parser.add_argument("--up", choices=list(UP_AXES), default="z", help="of the calibration (z)")
    parser.add_argument("--fps", type=above_zero, metavar="N", help="frames per second")
    parser.add_argument(
        "--image-size", type=picture_size, metavar="WxH", help="where the file does not say"
    )
    parser.add_argument(
        "--layout", choices=list(LAYOUTS), help="of the keypoints (found by itself)"
    )
    parser.add_argument(
        "--person", type=from_one, default=1, metavar="N", help="who, the surest is 1 (1)"
    )
    parser.add_argument(
        "--weights", type=Path, metavar="DIR", help="of pallas train lifter (embedded)"
    )
    add_force(parser)


def run(arguments: argparse.Namespace, console: Console) -> dict[str, object]:
    """Read, lift, solve, write; report how sure it is."""
    from ...neural.lifter.solve import solve_lift
    from ...neural.lifter.stored import load_lifter

    out = checked_output(arguments.out, _SUFFIXES, force=arguments.force)
    started = time.perf_counter()
    told: list[str] = []
    keypoints = _person(arguments, told)
    keypoints, flips = with_steady_sides(keypoints)
    camera, calibrated = _camera(arguments, keypoints, told)
    if arguments.height is None:
        told.append(
            f"the person's height is not given; {_USUAL_HEIGHT:.2f} m is taken: --height 1.78"
        )
    network = load_lifter(None if arguments.weights is None else arguments.weights / "lifter")
    with console.progress("lifting", 100) as bar:
        found = solve_lift(
            keypoints,
            camera,
            network,
            height=arguments.height or _USUAL_HEIGHT,
            calibrated=calibrated,
            floor=arguments.floor,
            progress=lambda done: bar.to(round(100 * done)),
        )
    if out.suffix.lower() == ".trc":
        write_trc(out, _seen_markers(found), force=arguments.force)
    else:
        write_motion(out, found.body.motion, force=arguments.force)
    report = _report(out, found, keypoints, told)
    report["sides_exchanged"] = int(flips.any(axis=(1, 2)).sum())
    report["seconds"] = time.perf_counter() - started
    _tell(report, console)
    return report


def _person(arguments: argparse.Namespace, told: list[str]) -> "Keypoints":
    """One person of the file, with a frame rate."""
    keypoints = read_keypoints(
        arguments.keypoints,
        layout=arguments.layout,
        fps=arguments.fps,
        image_size=arguments.image_size,
    )
    if keypoints.spatial:
        raise RecordingError(f"{arguments.keypoints} holds points in space already")
    if keypoints.fps is None:
        told.append(
            f"the keypoints don't say their frame rate; {_USUAL_FPS:g} is taken: give it, as --fps 60"
        )
        keypoints = replace(keypoints, fps=_USUAL_FPS)
    if keypoints.people > 1 or arguments.person > 1:
        keypoints = tracked(keypoints)
    if arguments.person > keypoints.people:
        raise RecordingError(
            f"--person is {arguments.person}, and {keypoints.people} people are in the keypoints"
        )
    return keypoints.person(arguments.person - 1)


def _camera(
    arguments: argparse.Namespace, keypoints: "Keypoints", told: list[str]
) -> "tuple[Camera, bool]":
    """The camera, and whether its place is known."""
    from ...neural.lifter.solve import camera_of_focal

    if arguments.calib is not None:
        cameras = read_calibration(arguments.calib, up=arguments.up)
        names = [camera.name for camera in cameras]
        if arguments.camera is not None and arguments.camera not in names:
            raise RecordingError(
                f"no camera {arguments.camera!r} in {arguments.calib}; there are: {', '.join(names)}"
            )
        wanted = arguments.camera or keypoints.name
        return cameras[matched([wanted], names)[0]], True
    size = keypoints.image_size
    if size is None:
        extent = np.nanmax(keypoints.positions.reshape(-1, 2), axis=0)
        size = (int(extent[0]) + 1, int(extent[1]) + 1)
        told.append(
            f"the picture's size is not given; {size[0]}x{size[1]} is taken: give --image-size 1920x1080"
        )
    focal = arguments.focal
    if focal is None:
        focal = _USUAL_FOCAL * max(size)
        told.append(f"no focal length is given; {focal:.0f} px is taken: --focal, or --calib")
    return camera_of_focal(focal, size), False


def _seen_markers(found: "SolvedLift") -> "MarkerTrajectories":
    """The keypoints in space; missing where the person wasn't seen for long."""
    markers, unseen = found.markers, found.body.interpolated
    edges = np.flatnonzero(np.diff(unseen, prepend=False, append=False)).reshape(-1, 2)
    positions = np.array(markers.positions)
    for first, stop in edges:
        if stop - first > _LONGEST * markers.fps:
            positions[first:stop] = np.nan
    return replace(markers, positions=positions)


def _report(
    out: Path, found: "SolvedLift", keypoints: "Keypoints", told: list[str]
) -> dict[str, Any]:
    body, names = found.body, found.body.motion.skeleton.names
    unsure = np.nanmean(found.lifted.spread, axis=0)
    place = found.camera.position
    return {
        "out": str(out),
        "layout": keypoints.layout.key,
        "fps": keypoints.fps,
        "frames": len(body.motion),
        "height": body.height,
        "reprojection_px": float(np.nanmedian(body.errors_px)),
        "frames_without_person": int(body.interpolated.sum()),
        "expected_error_m": dict(zip(names, unsure[: len(names)].tolist(), strict=True)),
        "camera_height_m": float(place[2]),
        "distance_m": float(np.median(np.linalg.norm(body.motion.root_position - place, axis=-1))),
        "stands": found.lifted.standing.mean(axis=0).tolist(),
        "warnings": told,
    }


def _tell(report: dict[str, Any], console: Console) -> None:
    expected = report["expected_error_m"]
    worst = max(expected, key=lambda name: expected[name])
    console.say(
        f"{report['out']}: {report['frames']} frames at {report['fps']:.6g} per second; "
        f"{report['distance_m']:.1f} m from a camera {report['camera_height_m']:.2f} m high; "
        f"reprojection error {report['reprojection_px']:.1f} px (median); expected error of a joint "
        f"{100 * float(np.mean(list(expected.values()))):.0f} cm (mean), {100 * expected[worst]:.0f} cm "
        f"({worst})"
    )
    if report["sides_exchanged"]:
        console.say(f"left and right were exchanged back in {report['sides_exchanged']} frames")
    if report["frames_without_person"]:
        console.say(f"{report['frames_without_person']} frames show too little of the person")
    console.say(f"{report['seconds']:.2f} s")
    tell_warnings(report, console)
