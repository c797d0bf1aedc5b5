"""People found in a clip, by MediaPipe or by a network that the user has."""

from collections.abc import Callable
from pathlib import Path

from ..capture.keypoints.keypoints import Keypoints

__all__ = ["detected"]


def detected(
    clip: Path, model: Path | None, people: int, told: list[str], tell: Callable[[float], None]
) -> Keypoints:
    """Find people in every frame of a clip.

    Args:
        clip: the video.
        model: ONNX file of a top-down network; None for MediaPipe.
        people: the most that are kept.
        told: gets what a user should know, a line each.
        tell: told the part done, 0 to 1; what it raises ends the work.

    Raises:
        ModelError: what the detector needs is not installed; it names what to install.
        PallasError: the clip can't be read, or shows nobody.
    """
    from ..capture.video.detection import detect_video
    from ..capture.video.detector import DetectorOptions, make_detector

    if model is None:
        detector = make_detector("mediapipe")
        people = 1  # it finds no more
    else:
        detector = make_detector("onnx", DetectorOptions(model, people=people))
    found = detect_video(
        clip, detector, people, lambda done, total: tell(min(done / total, 1.0) if total else 0.5)
    )
    told += found.warnings
    return found.keypoints
