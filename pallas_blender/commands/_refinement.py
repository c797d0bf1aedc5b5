"""What `pallas triangulate` refines: where results go, and the body fitted to a person."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ...capture.cameras.refined import refined
from ...capture.formats import write_motion
from ...rig.errors import FormatError
from ..console import Console
from ._shared import checked_output, person_height

if TYPE_CHECKING:
    from ...capture.cameras.camera import Camera
    from ...capture.cameras.reconstruct import Person
    from ...capture.cameras.refined import Refined
    from ...capture.keypoints.layout import Layout
    from ...rig.trajectories import MarkerTrajectories

__all__ = ["POINTS", "Outputs", "add_refinement", "fitted", "outputs", "tell_refined"]

POINTS = (".trc", ".c3d")
_MOTIONS = (".npz", ".bvh")
_UNSURE = 3  # joints that are told
_CENTIMETRES = 50.0  # millimetres from which a joint is told


class Outputs(NamedTuple):
    """Files of one person."""

    points: Path | None
    motion: Path | None


def add_refinement(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of refinement."""
    group = parser.add_argument_group("refinement")
    group.add_argument(
        "--refine",
        action="store_true",
        help="fit a body with bones of one length to all frames: no gaps, smooth points",
    )
    group.add_argument(
        "--motion",
        type=Path,
        metavar="OUT",
        help="of the refined body beside its points: .npz or .bvh",
    )
    group.add_argument(
        "--height",
        type=person_height,
        metavar="M",
        help="of the person, metres (found from the cameras)",
    )


def outputs(arguments: argparse.Namespace) -> list[Outputs]:
    """Where each person goes, checked before the work starts.

    Raises:
        FormatError: a suffix is of neither points nor motions, or two outputs are motions.
        OutputError: a file is there already, or its folder is missing.
    """
    out, motion = arguments.out, arguments.motion
    is_motion = out.suffix.lower() in _MOTIONS
    if is_motion and motion is not None:
        raise FormatError(
            f"-o {out} and --motion {motion} are both motions; expected points with -o"
        )
    points = None if is_motion else out
    motion = out if is_motion else motion
    each = []
    for k in range(arguments.people):
        if points is not None:
            checked_output(_numbered(points, k), (*POINTS, *_MOTIONS), force=arguments.force)
        if motion is not None:
            checked_output(_numbered(motion, k), _MOTIONS, force=arguments.force)
        each.append(
            Outputs(
                None if points is None else _numbered(points, k),
                None if motion is None else _numbered(motion, k),
            )
        )
    return each


def _numbered(path: Path, place: int) -> Path:
    return path.with_name(f"{path.stem}-{place + 1}{path.suffix}") if place else path


def fitted(
    arguments: argparse.Namespace,
    person: "Person",
    before: "MarkerTrajectories",
    layout: "Layout",
    cameras: "Sequence[Camera]",
    to: Outputs,
) -> "Refined | None":
    """The person refined and its motion written; None where that is not asked for."""
    if not (arguments.refine or to.motion):
        return None
    from ...rig.solve.views import BodyOptions

    options = BodyOptions(height=arguments.height)
    found = refined(person, layout, cameras, options, before=before, longest_gap=arguments.gap)
    if to.motion is not None:
        write_motion(to.motion, found.body.motion, force=arguments.force)
    return found


def tell_refined(row: Mapping[str, Any], console: Console) -> None:
    """What refining changed, a line or two."""
    body = row["body"]
    before, after = body["triangulated"], body["refined"]
    console.say(
        f"  refined: a body of {body['height']:.2f} m, reprojection error {before['median_px']:.1f} to "
        f"{after['median_px']:.1f} px, of all that cameras saw {before['all_mean_px']:.1f} to "
        f"{after['all_mean_px']:.1f} px (mean), {body['missing']} points missing"
    )
    unsure = sorted(body["joints_mm"].items(), key=lambda item: -item[1])[:_UNSURE]
    if unsure[0][1] > _CENTIMETRES:
        told = ", ".join(f"{name} {mm:.0f} mm" for name, mm in unsure)
        console.say(f"  least sure: {told}")
