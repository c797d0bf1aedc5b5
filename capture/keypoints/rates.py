"""How many frames per second keypoints have, where their file does not say: what lies beside them may.

A video of the same name, in the same folder or in `videos` (Pose2Sim's folders), or the `frame_rate` of
Pose2Sim's `Config.toml`.
"""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from ...rig.errors import PallasError
from ..textfile import read_text
from ..video.frames import facts

__all__ = ["NeighbourRate", "neighbouring_rate"]

_VIDEOS: Final = (".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v", ".mts", ".mpg", ".mpeg")
_MOST: Final = 16  # videos that are looked into
_FASTEST: Final = 10_000.0
_AROUND: Final = re.compile(r"^pose_|[-_]?(json|keypoints|pose|openpose|results|detections)$", re.I)


class NeighbourRate(NamedTuple):
    """Frames per second, and the file that says so."""

    fps: float
    path: Path


def neighbouring_rate(path: Path | str) -> NeighbourRate | None:
    """The rate that a file beside keypoints tells; None where none does.

    Args:
        path: of the keypoints: a file, an archive or a folder.
    """
    path = Path(path).absolute()
    for folder in dict.fromkeys(_folders(path)):
        found = _of_videos(folder, _core(path.name.partition(".")[0])) or _of_project(folder)
        if found is not None:
            return found
    return None


def _folders(path: Path) -> Iterator[Path]:
    above = [path] if path.is_dir() else []
    for folder in (*above, path.parent, path.parent.parent):
        yield folder
        yield folder / "videos"


def _core(name: str) -> str:
    """A name without what programs put around it: `pose_cam1_json` is of `cam1`."""
    before = ""
    while name != before:
        before, name = name, _AROUND.sub("", name)
    return name.lower()


def _of_videos(folder: Path, name: str) -> NeighbourRate | None:
    """Of the video of that name; else of all, if they have the same rate."""
    try:
        videos = sorted(p for p in folder.iterdir() if p.suffix.lower() in _VIDEOS)[:_MOST]
    except OSError:
        return None
    own = [video for video in videos if _core(video.stem) == name]
    rates = [rate for video in own or videos if (rate := _rate(video)) is not None]
    if not rates or len({round(rate.fps, 2) for rate in rates}) > 1:
        return None
    return rates[0]


def _rate(video: Path) -> NeighbourRate | None:
    try:
        return NeighbourRate(facts(video).fps, video)
    except (PallasError, ImportError):  # damaged, or nothing here decodes videos: it tells nothing
        return None


def _of_project(folder: Path) -> NeighbourRate | None:
    config = folder / "Config.toml"
    if not config.is_file():
        return None
    try:
        project = tomllib.loads(read_text(config)).get("project")
    except (PallasError, tomllib.TOMLDecodeError):
        return None
    rate = project.get("frame_rate") if isinstance(project, dict) else None
    if not isinstance(rate, int | float) or isinstance(rate, bool) or not 0 < rate < _FASTEST:
        return None
    return NeighbourRate(float(rate), config)
