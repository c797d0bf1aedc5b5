"""`pallas augment`: keypoints in space in, anatomical markers out."""

import argparse
import time
from pathlib import Path

from ...capture.markers import read_markers, write_markers
from ..console import Console
from ._shared import add_force, checked_input, checked_output, tell_warnings

__all__ = ["EXAMPLE", "HELP", "add_arguments", "run"]

HELP = "Predict 43 anatomical markers from a person's keypoints in space."
EXAMPLE = "pallas augment keypoints.trc --height 1.75 --mass 68 -o markers.trc"

_SUFFIXES = (".trc", ".c3d")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "keypoints", metavar="KEYPOINTS", type=Path, help="points of pallas triangulate: .trc, .c3d"
    )
    parser.add_argument("--height", required=True, type=float, metavar="M", help="of the person")
    parser.add_argument("--mass", required=True, type=float, metavar="KG", help="of the person")
    parser.add_argument("-o", "--out", required=True, type=Path, help="markers: .trc or .c3d")
    parser.add_argument(
        "--network",
        type=Path,
        metavar="DIR",
        help="DIR or DIR/NAME of pallas train augmenter (the embedded one)",
    )
    parser.add_argument(
        "--attention",
        type=Path,
        metavar="PNG",
        help="draw how much each keypoint counts; with a --network that has attention",
    )
    parser.add_argument(
        "--up", metavar="AXIS", help="axis of the keypoints that points up: y, z, …"
    )
    parser.add_argument("--unit", metavar="UNIT", help="of the keypoints: mm, cm, m (the file's)")
    add_force(parser)


def run(arguments: argparse.Namespace, console: Console) -> dict[str, object]:
    """Read, predict, write; report what was found."""
    from ...neural.augmenter.predict import augment
    from ...neural.augmenter.stored import EMBEDDED_AUGMENTER, load_augmenter, stored_in

    out = checked_output(arguments.out, _SUFFIXES, force=arguments.force)
    keypoints = read_markers(
        checked_input(arguments.keypoints), up=arguments.up, unit=arguments.unit
    )
    place = arguments.network
    network, _ = load_augmenter(EMBEDDED_AUGMENTER if place is None else stored_in(place))
    heat = arguments.attention
    if heat is not None:
        checked_output(heat, (".png",), force=arguments.force)
    started = time.perf_counter()
    found = augment(keypoints, arguments.height, arguments.mass, network)
    seconds = time.perf_counter() - started
    write_markers(out, found.markers, force=arguments.force)
    if heat is not None:
        from ...neural.augmenter.predict import attention
        from ..augment_plots import draw_attention

        weights = attention(keypoints, arguments.height, arguments.mass, network)
        draw_attention(heat, *weights, force=arguments.force)
    told = []
    if found.placed:
        named = ", ".join(found.placed)
        told.append(f"not among the keypoints, so placed as bodies usually have them: {named}")
    if found.filled:
        told.append(f"{found.filled} missing keypoints were filled in by straight lines")
    if found.gaps:
        told.append(f"{found.gaps} frames have no markers: a keypoint was missing for too long")
    report: dict[str, object] = {
        "out": str(out),
        "frames": len(found.markers),
        "fps": found.markers.fps,
        "markers": len(found.markers.names),
        "filled": found.filled,
        "gaps": found.gaps,
        "warnings": told,
        "seconds": seconds,
    }
    if heat is not None:
        report["attention"] = str(heat)
    console.say(
        f"{out}: {len(found.markers)} frames, {len(found.markers.names)} markers, {seconds:.2f} s"
    )
    tell_warnings(report, console)
    return report
