"""People found in a clip, by the detector that the panel names."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from ..capture.keypoints.keypoints import Keypoints
from ..rig.errors import ModelError

__all__ = ["Detecting", "detected"]


class Detecting(NamedTuple):
    """Which detector looks.

    Attributes:
        name: of those that can be chosen.
        model: file of its network; None for its own.
        layout: of that network's keypoints; None where their number tells.
    """

    name: str = "mediapipe"
    model: Path | None = None
    layout: str | None = None


def detected(
    clip: Path, by: Detecting, people: int, told: list[str], tell: Callable[[float], None]
) -> Keypoints:
    """Find people in every frame of a clip.

    Args:
        clip: the video.
        by: the detector.
        people: the most that are kept; one, where the detector finds no more.
        told: gets what a user should know, a line each.
        tell: told the part done, 0 to 1; what it raises ends the work.

    Raises:
        ModelError: what the detector needs is not installed; it names what to install.
        PallasError: the clip can't be read, or shows nobody.
    """
    from ..capture.video.detection import detect_video
    from ..capture.video.detector import DETECTORS, DetectorOptions, lacks, make_detector

    kind = DETECTORS.get(by.name)
    missing = "" if kind is None else lacks(kind)
    if missing:
        raise ModelError(
            f"the detector {by.name} needs {missing} in Blender's Python: `pip install {missing}`, or run "
            "`pallas keypoints` beside Blender and give the row its keypoints"
        )
    people = people if kind is not None and kind.several else 1
    model = by.model if kind is not None and kind.takes_model else None
    detector = make_detector(by.name, DetectorOptions(model, by.layout, people))
    found = detect_video(
        clip, detector, people, lambda done, total: tell(min(done / total, 1.0) if total else 0.5)
    )
    told += found.warnings
    return found.keypoints
