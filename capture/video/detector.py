"""What every detector is: frames in, people's keypoints out; and which detectors there are."""

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
    "make_detector",
]


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
    """

    model: Path | None = None
    layout: str | None = None
    people: int = 1


@dataclass(frozen=True)
class DetectorKind:
    """A detector that can be chosen.

    Attributes:
        title: for people.
        make: a new one; imports what it needs.
        takes_model: whether `--model` names a file for it.
    """

    title: str
    make: Callable[[DetectorOptions], Detector]
    takes_model: bool = False


def _mediapipe(options: DetectorOptions) -> Detector:
    from .mediapipe_pose import MediaPipePose  # noqa: PLC0415  optional

    return MediaPipePose(options)


def _onnx(options: DetectorOptions) -> Detector:
    from .onnx_pose import onnx_detector  # noqa: PLC0415  optional

    return onnx_detector(options)


# A detector more is one entry more.
DETECTORS: Final[dict[str, DetectorKind]] = {
    "mediapipe": DetectorKind("MediaPipe 0.10.21, its full model; one person", _mediapipe),
    "onnx": DetectorKind("a top-down ONNX file (RTMPose, ViTPose …)", _onnx, takes_model=True),
}


def add_detector(name: str, kind: DetectorKind) -> None:
    """Let a detector be chosen that rooms above this one have."""
    DETECTORS[name] = kind


def make_detector(name: str, options: DetectorOptions | None = None) -> Detector:
    """A new detector.

    Raises:
        FormatError: there is none of that name, or it takes no model.
        ModelError: what it needs is not installed, or its model can't be used.
    """
    options = options or DetectorOptions()
    if name not in DETECTORS:
        raise FormatError(f"no detector {name[:40]!r}; there are: {', '.join(DETECTORS)}")
    if options.model is not None and not DETECTORS[name].takes_model:
        raise FormatError(f"the detector {name} has its own model; leave --model out")
    return DETECTORS[name].make(options)
