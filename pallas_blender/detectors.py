"""The detectors that need more than `capture` may know of, added to its list; nothing is loaded for it."""

from ..capture.video.detector import (
    DETECTORS,
    Detector,
    DetectorKind,
    DetectorOptions,
    add_detector,
)

__all__ = ["add_detectors"]


def _paf(options: DetectorOptions) -> Detector:
    from ..neural.pose2d.detector import paf_detector

    return paf_detector(options)


_PAF = DetectorKind(
    "part affinity fields, of pallas train pose2d or OpenPose's published weights; several people",
    _paf,
    takes_model=True,
)


def add_detectors() -> None:
    """Let `--detector paf` be chosen; doing it twice does no harm."""
    if "paf" not in DETECTORS:
        add_detector("paf", _PAF)
