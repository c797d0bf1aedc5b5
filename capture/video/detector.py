"""What every detector is: frames in, people's keypoints out; and which detectors there are."""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from ...rig.arrays import Array
from ...rig.errors import FormatError
from ..keypoints.layout import Layout
from .frames import Picture

__all__ = [
    "DETECTORS",
    "Detector",
    "DetectorKind",
    "DetectorOptions",
    "Found",
    "add_detector",
    "lacks",
    "make_detector",
]

_READER: Final = ("av",)  # reads the frames


class Found(NamedTuple):
    """People in a picture: (P, K, 2) pixels, NaN where missing, and (P, K) confidence from 0 to 1."""

    positions: Array
    confidence: Array


class Detector(Protocol):
    """Finds people's keypoints.

    It may remember the frames before (where a person was); a new clip needs a new detector.
    """

    name: str
    layout: Layout

    def detect(self, picture: Picture) -> Found:
        """The people in a picture (H, W, 3), red, green, blue; a pixel's centre is at whole numbers."""
        ...

    def close(self) -> None:
        """Give back what it holds."""
        ...


@dataclass(frozen=True)
class DetectorOptions:
    """What a user may choose.

    Attributes:
        model: a file with a network; None for the detector's own.
        layout: key of the model's layout, where the number of keypoints does not tell.
        people: the most that are looked for.
        mirrored: whether mirror images are looked at, too, where a detector can (paf).
    """

    model: Path | None = None
    layout: str | None = None
    people: int = 1
    mirrored: bool = False


@dataclass(frozen=True)
class DetectorKind:
    """A detector that can be chosen.

    Attributes:
        title: what it is.
        make: a new one; imports what it needs.
        takes_model: whether a file may be named for it.
        label: on a button.
        several: whether it finds more than one person.
        packages: what pip installs for it, under the names that are imported; versions may follow.
        own: the network in this package, which is used where no file is named.
        mirrors: whether it can look at mirror images, too.
    """

    title: str
    make: Callable[[DetectorOptions], Detector]
    takes_model: bool = False
    label: str = ""
    several: bool = False
    packages: tuple[str, ...] = ()
    own: Path | None = None
    mirrors: bool = False

    @property
    def needs_model(self) -> bool:
        """Whether a file must be named."""
        return self.takes_model and (self.own is None or not self.own.is_file())


def _mediapipe(options: DetectorOptions) -> Detector:
    from .mediapipe_pose import MediaPipePose  # noqa: PLC0415  optional

    return MediaPipePose(options)


def _onnx(options: DetectorOptions) -> Detector:
    from .onnx_pose import onnx_detector  # noqa: PLC0415  optional

    return onnx_detector(options)


# A detector more is one entry more.
DETECTORS: Final[dict[str, DetectorKind]] = {
    "mediapipe": DetectorKind(
        "MediaPipe 0.10.21, its full model, one person",
        _mediapipe,
        label="MediaPipe",
        packages=("mediapipe==0.10.21",),
    ),
    "onnx": DetectorKind(
        "a top-down ONNX file (RTMPose, ViTPose …), several people",
        _onnx,
        takes_model=True,
        label="ONNX File",
        several=True,
        packages=("onnxruntime",),
    ),
}


def add_detector(name: str, kind: DetectorKind) -> None:
    """Let a detector be chosen that rooms above this one have."""
    DETECTORS[name] = kind


def lacks(kind: DetectorKind, folder: Path | None = None) -> str:
    """The packages that a detector lacks, as pip takes them; empty if all are there. Nothing is imported.

    Args:
        kind: of detector.
        folder: where packages are looked for too.
    """
    wanted = (*_READER, *kind.packages)
    return " ".join(one for one in wanted if not _installed(one.partition("==")[0], folder))


def _installed(package: str, folder: Path | None) -> bool:
    there = folder is not None and (folder / package).is_dir()
    return there or importlib.util.find_spec(package) is not None


def make_detector(name: str, options: DetectorOptions | None = None) -> Detector:
    """A new detector.

    Raises:
        FormatError: there is none of that name, it takes no model, or looks at no mirror images.
        ModelError: what it needs is not installed, or its model can't be used.
    """
    options = options or DetectorOptions()
    if name not in DETECTORS:
        raise FormatError(f"no detector {name[:40]!r}; there are: {', '.join(DETECTORS)}")
    if options.model is not None and not DETECTORS[name].takes_model:
        raise FormatError(f"the detector {name} has its own model; leave the model out")
    if options.mirrored and not DETECTORS[name].mirrors:
        able = " or ".join(n for n, kind in DETECTORS.items() if kind.mirrors) or "no detector here"
        raise FormatError(f"the detector {name} looks at no mirror images; {able} does")
    return DETECTORS[name].make(options)
