"""The detectors of every route that takes video, those included that need more than `capture` may know of."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from ..capture.keypoints.layout import LAYOUTS
from ..capture.video.detector import (
    DETECTORS,
    Detector,
    DetectorKind,
    DetectorOptions,
    add_detector,
)

__all__ = ["add_detector_arguments", "add_detectors", "all_detectors"]

_MOST: Final = 16  # people


def _paf(options: DetectorOptions) -> Detector:
    from ..neural.pose2d.detector import paf_detector

    return paf_detector(options)


_OWN: Final = {
    "paf": DetectorKind(
        "part affinity fields, several people: a network taught by rendered people alone, two "
        "thirds right on real ones; or one of pallas train pose2d, or OpenPose's published weights",
        _paf,
        takes_model=True,
        label="PALLAS",
        several=True,
        packages=("torch",),
        own=Path(__file__).parents[1] / "neural" / "trained" / "pose2d.safetensors",
        mirrors=True,
    )
}


def all_detectors() -> Mapping[str, DetectorKind]:
    """All that can be chosen; nothing is loaded for it."""
    return {**DETECTORS, **_OWN}


def add_detectors() -> None:
    """Let `make_detector` make them all; doing it twice does no harm."""
    for name, kind in _OWN.items():
        if name not in DETECTORS:
            add_detector(name, kind)


def add_detector_arguments(parser: argparse.ArgumentParser, model: str = "--model") -> None:
    """Let a command's user choose the detector, its network's file, and how many people it finds.

    Args:
        parser: of the command.
        model: how the option of the network's file is called.
    """
    add_detectors()
    told = "; ".join(f"{name}: {kind.title}" for name, kind in DETECTORS.items())
    parser.add_argument(
        "--detector", choices=list(DETECTORS), default="mediapipe", help=f"{told} (mediapipe)"
    )
    files = " or ".join(name for name, kind in DETECTORS.items() if kind.takes_model)
    parser.add_argument(
        model, dest="detector_model", type=Path, metavar="FILE", help=f"network of {files}"
    )
    parser.add_argument(
        "--layout", choices=list(LAYOUTS), help="of that network's keypoints, if unclear"
    )
    parser.add_argument(
        "--people", type=_people, default=1, metavar="N", help="to find at most (1)"
    )
    parser.add_argument(
        "--mirrored",
        action="store_true",
        help="look at mirror images, too: more exact, in more time (paf)",
    )


def _people(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= _MOST:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a whole number from 1 to {_MOST}")
    return int(text)
