"""What `pallas kinematics` is given, as markers: videos and keypoints go through the commands before it."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Final

from ..capture.keypoints.files import read_views
from ..capture.markers import MARKER_SUFFIXES, read_markers
from ..rig.errors import FileError, FormatError, RecordingError
from .commands import ik
from .console import Console
from .ik_input import Given, is_own, read_given

__all__ = ["VIDEO_SUFFIXES", "Chain", "read_chain"]

VIDEO_SUFFIXES: Final = (".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv")
_SHORTEST: Final = 3  # frames, of which there are velocities
_STUDY: Final = "_study"  # the end of the augmenter's markers


class _Silent(Console):
    """For commands that run within another: warnings are told, results are not."""

    def say(self, text: str) -> None:
        """Say nothing."""


@dataclass(frozen=True, eq=False)
class Chain:
    """How the markers came to be.

    Attributes:
        given: what is fitted to what.
        steps: what was done, a few words each.
        files: made on the way.
        reports: of the commands on the way, by their name.
    """

    given: Given
    steps: tuple[str, ...]
    files: tuple[Path, ...] = ()
    reports: dict[str, object] = field(default_factory=dict)


def read_chain(
    arguments: argparse.Namespace, work: Path, console: Console, told: list[str]
) -> Chain:
    """Take the input as far as markers.

    Args:
        arguments: the command's.
        work: a folder for files on the way.
        console: where warnings of the steps go.
        told: warnings; more are added.

    Raises:
        FileError: an input is not there.
        FormatError: inputs of several kinds, or several recordings of markers.
        RecordingError: too few frames, or keypoints without a calibration.
    """
    for each in arguments.input:
        if not each.exists():
            raise FileError(f"{each} does not exist; expected markers, keypoints or a video")
    path = arguments.input[0]
    steps: list[str] = []
    files: list[Path] = []
    reports: dict[str, object] = {}
    suffixes = {each.suffix.lower() for each in arguments.input}
    if suffixes <= set(MARKER_SUFFIXES):
        if len(arguments.input) > 1:
            raise FormatError(
                f"{len(arguments.input)} recordings of markers; expected one: run the command for each"
            )
    else:
        inputs = list(arguments.input)
        if suffixes & set(VIDEO_SUFFIXES):
            inputs, reports["keypoints"] = _keypoints(arguments, suffixes, work, console)
            steps.append(f"keypoints found in the pictures by the detector {arguments.detector}")
        path, word, report = _points(arguments, inputs, work, console)
        steps.append(word)
        files.append(path)
        reports["points"] = report
    augmented = _augmented(arguments, path, work, console, told)
    if augmented is not None:
        path, reports["augment"] = augmented
        steps.append("anatomical markers by the augmenter")
        files.append(path)
    given = _given(arguments, path)
    if len(given.recording) < _SHORTEST:
        raise RecordingError(
            f"the recording has {len(given.recording)} frames, too few for velocities; expected {_SHORTEST} "
            "or more: `pallas ik` gives the angles of one"
        )
    return Chain(given, tuple(steps), tuple(files), reports)


def _ran(
    command: ModuleType, words: Sequence[object], console: Console
) -> tuple[argparse.Namespace, dict[str, object]]:
    """A command run as its own program would."""
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    told = parser.parse_args([str(word) for word in words])
    return told, command.run(told, _Silent(as_json=console.as_json))


def _keypoints(
    arguments: argparse.Namespace, suffixes: set[str], work: Path, console: Console
) -> tuple[list[Path], dict[str, object]]:
    """Keypoint files, one for each video, and what there is to say of them."""
    from .commands import keypoints

    if not suffixes <= set(VIDEO_SUFFIXES):
        raise FormatError("videos and other files together; expected one kind of input")
    _check_calibrated(arguments, arguments.input)  # before the long work
    several = len(arguments.input) > 1
    out = work / ("keypoints" if several else "keypoints.json")
    words = [*arguments.input, "-o", out, "--detector", arguments.detector]
    words += ["--model", arguments.detector_model] if arguments.detector_model else []
    words += ["--layout", arguments.layout] if arguments.layout else []
    words += ["--mirrored"] if arguments.mirrored else []
    words += ["--people", max(arguments.people, arguments.person)]
    _, report = _ran(keypoints, words, console)
    return (sorted(out.iterdir()) if several else [out]), report


def _points(
    arguments: argparse.Namespace, inputs: list[Path], work: Path, console: Console
) -> tuple[Path, str, dict[str, object]]:
    """Points in space, of several cameras or lifted from one."""
    out = work / "points.trc"
    words = ["-o", out, *(["--fps", arguments.fps] if arguments.fps else [])]
    _check_calibrated(arguments, inputs)
    if len(inputs) == 1 and (arguments.calib is None or not _several_views(inputs[0])):
        from .commands import lift

        words += ["--person", arguments.person]
        for name in ("height", "focal", "calib"):
            value = getattr(arguments, name)
            words += [f"--{name}", value] if value is not None else []
        _, report = _ran(lift, [inputs[0], *words], console)
        return out, "points lifted from one camera", report
    from .commands import triangulate

    words += ["--sync"] if arguments.sync else []
    _, report = _ran(triangulate, [*inputs, "--calib", arguments.calib, *words], console)
    return out, "points triangulated from several cameras", report


def _check_calibrated(arguments: argparse.Namespace, inputs: Sequence[Path]) -> None:
    if arguments.calib is None and len(inputs) > 1:
        raise RecordingError(
            f"{len(inputs)} inputs that are neither .trc nor .c3d: keypoints of several cameras need "
            "--calib Calib.toml"
        )


def _several_views(path: Path) -> bool:
    """Whether a folder or an archive holds the keypoints of several cameras."""
    return path.suffix.lower() != ".json" and len(read_views([path])) > 1


def _augmented(
    arguments: argparse.Namespace, path: Path, work: Path, console: Console, told: list[str]
) -> tuple[Path, dict[str, object]] | None:
    """Anatomical markers of keypoints; None where there are markers already, or they are not wanted."""
    from ..neural.augmenter.completed import PLACED
    from ..neural.augmenter.points import KEYPOINTS
    from ..neural.augmenter.stored import EMBEDDED_AUGMENTER

    up = arguments.up if path == arguments.input[0] else None
    names = read_markers(path, up=up).names
    if (
        not is_own(Path(arguments.model))
        or arguments.no_augment
        or not set(KEYPOINTS) - set(PLACED) <= set(names)
    ):
        return None
    if any(name.endswith(_STUDY) for name in names):
        return None
    if arguments.height is None or arguments.mass is None:
        told.append(
            "angles are fitted to the keypoints themselves, which hardly tell pelvic tilt and hip rotation: "
            "give --height and --mass for the augmenter's markers, or --no-augment"
        )
        return None
    if not EMBEDDED_AUGMENTER.with_suffix(".safetensors").exists():
        told.append(
            "the augmenter's network is not in this package: angles are fitted to the keypoints"
        )
        return None
    from .commands import augment

    out = work / "markers.trc"
    words: list[object] = [path, "-o", out, "--height", arguments.height, "--mass", arguments.mass]
    words += ["--up", up] if up else []
    _, report = _ran(augment, words, console)
    return out, report


def _given(arguments: argparse.Namespace, path: Path) -> Given:
    words: list[object] = [arguments.model, path, "-o", "angles.mot"]
    for name in ("tasks", "markers", "start", "end", "up", "unit"):
        value = getattr(arguments, name)
        if value is not None and (path == arguments.input[0] or name not in ("up", "unit")):
            words += [f"--{name}", value]
    words += [
        f"--{name}"
        for name in ("scale", "fit-markers")
        if getattr(arguments, name.replace("-", "_"))
    ]
    parser = argparse.ArgumentParser()
    ik.add_arguments(parser)
    return read_given(parser.parse_args([str(word) for word in words]))
