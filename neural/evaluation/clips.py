"""What is evaluated: motions of people whom no training has seen, and the sensors they wear."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ...capture.virtual_imu import ImuErrors
from ...rig.motion import Motion
from ..library import load_library

__all__ = ["ALL", "CONDITIONS", "EvaluationClip", "Progress", "library_clips"]

# Perfect sensors, and sensors as people wear them after a calibration by pose.
CONDITIONS: Mapping[str, ImuErrors | None] = {"perfect": None, "worn": ImuErrors.worn()}
ALL = "all"  # the group that every clip is in
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class EvaluationClip:
    """A motion to be found again, the set it counts for, and who moves."""

    name: str
    group: str  # the source data set
    motion: Motion
    subject: str = ""


def library_clips(library: Path, split: str = "test", every: int = 1) -> list[EvaluationClip]:
    """The clips of a built library's split, or every nth of them, each in its data set's group."""
    found = load_library(library, split)
    return [
        EvaluationClip(clip.name, clip.name.split("/")[0], clip.motion, clip.subject)
        for clip in (found[number] for number in range(0, len(found), every))
    ]
