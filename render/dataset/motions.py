"""What people do: motions of files, the one in the package, and poses drawn at random."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from ...capture.motion_npz import read_motion_npz
from ...capture.sources import SOURCE_SUFFIXES, read_source
from ...rig import quaternion
from ...rig.arrays import Array
from ...rig.errors import FileError, FormatError, SceneError
from ...rig.retarget.source import SourceMotion
from .poses import random_poses
from .spec import Spec

__all__ = ["MARGIN", "Source", "find_motions", "read_window", "turned"]

MARGIN: Final = 0.25  # seconds before and after a clip, for what is measured over time
_DEMO: Final = Path(__file__).parent / "demo.npz"
_SLOWEST: Final = 120.0  # frames a second that suffice for any motion


@dataclass(frozen=True)
class Source:
    """One motion that a clip may draw; `path` is None for drawn poses."""

    name: str
    path: Path | None


def find_motions(spec: Spec) -> tuple[Source, ...]:
    """Every motion that the spec names, folders looked through, in the order of their names.

    Raises:
        FileError: a file or folder isn't there, or a folder holds no motion.
    """
    found: list[Source] = []
    for text in spec.people.motions:
        if text == "demo":
            found.append(Source("demo", _DEMO))
        elif text == "poses":
            found.append(Source("poses", None))
        else:
            found.extend(_under(spec.path(text), text))
    return tuple(found)


def _under(path: Path, text: str) -> list[Source]:
    if path.is_file():
        return [Source(text, path)]
    if not path.is_dir():
        raise FileError(
            f"{path} in motions of [people] does not exist; expected a motion, a folder of them, "
            '"demo" or "poses"'
        )
    files = sorted(
        (file for file in path.rglob("*") if file.suffix.lower() in SOURCE_SUFFIXES),
        key=lambda file: file.relative_to(path).as_posix(),
    )
    if not files:
        raise FileError(
            f"the folder {path} holds no motion; expected files ending in {', '.join(SOURCE_SUFFIXES)}"
        )
    return [Source(f"{text}/{file.relative_to(path).as_posix()}", file) for file in files]


def read_window(
    source: Source, random: np.random.Generator, frames: int, fps: float
) -> tuple[SourceMotion, float]:
    """Draw a stretch of a motion as long as a clip, with `MARGIN` before and after it.

    A motion shorter than that is played back and forth.

    Returns:
        The stretch, and the seconds from its first frame to the clip's.

    Raises:
        FileError, FormatError: the motion can't be read.
        SceneError: it has no frames, or gaps in all of them.
    """
    length = (frames - 1) / fps + 1.0 / fps
    if source.path is None:
        whole = random_poses(random, length + 2.0 * MARGIN)
    elif source.path == _DEMO:
        whole = SourceMotion.of_motion(read_motion_npz(_DEMO), "demo")
    else:
        whole = read_source(source.path)
    if len(whole) == 0:
        raise SceneError(f"{source.name} has no frames; expected at least 1")
    if not (np.isfinite(whole.rotations).all() and np.isfinite(whole.heads).all()):
        raise FormatError(f"{source.name} has frames with missing values; fill its gaps first")
    if whole.fps > _SLOWEST:
        whole = whole.clipped(0, len(whole), max(int(whole.fps / _SLOWEST), 1))
    wanted = int(np.ceil((length + 2.0 * MARGIN) * whole.fps)) + 2
    spare = max(len(whole) - wanted, 0)
    start = int(random.integers(0, spare + 1))
    rows = _back_and_forth(start + np.arange(wanted), len(whole))
    taken = replace(whole, rotations=whole.rotations[rows], heads=whole.heads[rows])
    return taken, MARGIN


def _back_and_forth(rows: Array, count: int) -> Array:
    """Rows within `count`, reflected at both ends."""
    if count == 1:
        return np.zeros_like(rows)
    phase = rows % (2 * (count - 1))
    return np.where(phase < count, phase, 2 * (count - 1) - phase)


def turned(motion: SourceMotion, radians: float, place: Sequence[float]) -> SourceMotion:
    """The motion turned about the vertical through where its root begins, and moved there over the floor."""
    turn = quaternion.from_axis_angle(np.array([0.0, 0.0, 1.0]), radians)
    centre = np.array([*np.mean(motion.heads[:, 0, :2], axis=0), 0.0])
    heads = quaternion.rotate(turn, motion.heads - centre) + np.array([*place, 0.0])
    return replace(motion, rotations=quaternion.multiply(turn, motion.rotations), heads=heads)
