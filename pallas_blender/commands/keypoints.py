"""`pallas keypoints`: videos in, people's keypoints in their pictures out."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...capture.video.detection import detect_video
from ...capture.video.detector import DetectorOptions, make_detector
from ...capture.video.keypoint_file import write_keypoints
from ...rig.errors import OutputError
from ..console import Console
from ..detectors import add_detector_arguments
from ._shared import add_force, checked_input, checked_output, tell_warnings

if TYPE_CHECKING:
    from ...capture.video.detection import Detection

__all__ = ["EXAMPLE", "HELP", "add_arguments", "run"]

HELP = "Find people's keypoints in videos."
EXAMPLE = "pallas keypoints cam1.mp4 cam2.mp4 -o keypoints"

_SUFFIX = ".json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("video", metavar="VIDEO", nargs="+", type=Path, help="clips, one a camera")
    parser.add_argument(
        "-o",
        "--out",
        required=True,
        type=Path,
        metavar="OUT.json|DIR",
        help="keypoints: a file for one clip; a folder, made if it isn't there, for several",
    )
    add_detector_arguments(parser)
    add_force(parser)


def run(arguments: argparse.Namespace, console: Console) -> dict[str, object]:
    """Detect clip by clip; each file is written when its clip is done."""
    options = DetectorOptions(
        arguments.detector_model, arguments.layout, arguments.people, arguments.mirrored
    )
    videos = [checked_input(path) for path in arguments.video]
    outs = _outs(videos, arguments)
    make_detector(
        arguments.detector, options
    ).close()  # what it lacks is told before the first frame
    clips: list[dict[str, Any]] = []
    for video, out in zip(videos, outs, strict=True):
        with console.progress(video.name) as bar:
            found = detect_video(
                video, make_detector(arguments.detector, options), arguments.people, bar.to
            )
        about = {"detector": arguments.detector, "video": video.name}
        if not out.parent.is_dir():
            out.parent.mkdir()
        write_keypoints(out, found.keypoints, about, force=arguments.force)
        clips.append(_report(video, out, found))
        _tell(clips[-1], console)
    return {"detector": arguments.detector, "clips": clips}


def _outs(videos: list[Path], arguments: argparse.Namespace) -> list[Path]:
    """A file for each clip, checked before the work starts."""
    out: Path = arguments.out
    if out.suffix.lower() == _SUFFIX and not out.is_dir():
        if len(videos) > 1:
            raise OutputError(f"{out} is one file for {len(videos)} clips; name a folder instead")
        return [checked_output(out, (_SUFFIX,), force=arguments.force)]
    if out.is_file():
        raise OutputError(f"{out} is a file; expected a folder, or a name that ends in {_SUFFIX}")
    if not out.is_dir():
        if not out.parent.is_dir():
            raise OutputError(f"the folder {out.parent} does not exist; create it first")
        return _named(videos, out)
    return [checked_output(path, (_SUFFIX,), force=arguments.force) for path in _named(videos, out)]


def _named(videos: list[Path], folder: Path) -> list[Path]:
    names = [video.stem for video in videos]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise OutputError(
            f"two clips are called {twice}; their keypoints would be one file: rename one"
        )
    return [folder / f"{name}{_SUFFIX}" for name in names]


def _report(video: Path, out: Path, found: "Detection") -> dict[str, Any]:
    keypoints = found.keypoints
    return {
        "video": str(video),
        "out": str(out),
        "layout": keypoints.layout.key,
        "fps": keypoints.fps,
        "image_size": keypoints.image_size,
        "frames": found.frames,
        "with_somebody": found.with_somebody,
        "people": keypoints.people,
        "seconds": found.seconds,
        "real_time": found.real_time,
        "warnings": list(found.warnings),
    }


def _tell(clip: dict[str, Any], console: Console) -> None:
    console.say(
        f"{clip['out']}: {clip['frames']} frames at {clip['fps']:.6g} per second, somebody in "
        f"{clip['with_somebody']}, {clip['people']} people ({clip['layout']}); "
        f"{clip['seconds']:.1f} s, {clip['real_time']:.2g} times real time"
    )
    tell_warnings(clip, console)
