"""Any file with a motion that needs no Blender, as a source for retargeting, one person of it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Final

from ..rig.errors import FormatError
from ..rig.motion import Motion
from ..rig.retarget.source import SourceMotion
from .body_files import AMASS_NAMES, read_amass, read_results
from .bvh import read_all_bvh
from .formats import MOTION_SUFFIXES, format_of, read_motion
from .npz import names_in_npz
from .session.raw_log import is_raw_log, read_raw_log
from .session.raw_motion import seen_longest_first
from .smpl_poses import BodyModel, SmplPoses, motion_of_poses
from .textfile import naming, read_bytes

__all__ = ["SOURCE_SUFFIXES", "people_in", "read_source"]

_RESULTS: Final = (".pt", ".pth", ".pkl", ".pickle", ".joblib", ".npy")
SOURCE_SUFFIXES: Final = (*MOTION_SUFFIXES, ".pallas", *_RESULTS)

_People = Mapping[str, Callable[[], Motion | SourceMotion]]


def read_source(
    path: Path | str,
    *,
    fps: float | None = None,
    person: str | None = None,
    model: BodyModel | None = None,
) -> SourceMotion:
    """Read a motion in any format that needs no Blender: `SOURCE_SUFFIXES`.

    Args:
        path: BVH, AMC (with its ASF), MVNX, our own npz and CSV; AMASS npz; results of GVHMR, WHAM, TRAM;
            a take of poses that another program solved live.
        fps: frames per second instead of what the file says.
        person: one of `people_in`; the one seen longest if None.
        model: for AMASS and results, the body model whose bones the person has; a standard body if None.

    Returns:
        The motion, z up, metres, named after the file and, of several, the person.

    Raises:
        FileError: the file can't be read, or its format is not known.
        FormatError: it is damaged, holds no motion or not that person.
    """
    path = Path(path)
    people = _people(path, fps, model)
    if person is None:
        chosen = next(iter(people))
    elif person in people:
        chosen = person
    else:
        raise FormatError(
            f"{path}: found no person {person[:40]!r}; there are: {', '.join(people)}"
        )
    with naming(path):
        motion = people[chosen]()
    name = f"{path.stem} {chosen}" if len(people) > 1 else path.stem
    if isinstance(motion, SourceMotion):
        return replace(motion, name=name)
    return SourceMotion.of_motion(motion, name)


def people_in(path: Path | str, *, fps: float | None = None) -> tuple[str, ...]:
    """Names of the people in a file, the one seen longest first; "0" where they have none.

    Raises:
        FileError, FormatError: see `read_source`.
    """
    return tuple(_people(Path(path), fps, None))


def _people(path: Path, fps: float | None, model: BodyModel | None) -> _People:
    """How to get each person's motion, the one seen longest first."""
    suffix = path.suffix.lower()
    if suffix in _RESULTS:
        return _of_poses(read_results(path, fps=fps), model)
    kind = format_of(path)
    if kind == ".npz" and _is_amass(path):
        return _of_poses((read_amass(path, fps=fps),), model)
    if kind == ".bvh":
        figures = sorted(read_all_bvh(path, fps=fps), key=len, reverse=True)
        return {figure.skeleton.names[0]: _given(figure) for figure in figures}
    if kind == ".pallas" and is_raw_log(read_bytes(path)):
        return _performed(path, fps)
    motion = read_motion(path)
    return {"0": _given(motion if fps is None else replace(motion, fps=fps))}


def _performed(path: Path, fps: float | None) -> _People:
    log = read_raw_log(path)
    with naming(path):
        log.motion(fps=fps)  # says what is in the way, where there are no poses
    return {name: partial(log.motion, name, fps) for name in seen_longest_first(log.poses)}


def _is_amass(path: Path) -> bool:
    content = read_bytes(path)
    with naming(path):
        return bool(AMASS_NAMES & names_in_npz(content))


def _of_poses(people: tuple[SmplPoses, ...], model: BodyModel | None) -> _People:
    longest_first = sorted(people, key=len, reverse=True)
    return MappingProxyType({p.person: _posed(p, model) for p in longest_first})


def _posed(poses: SmplPoses, model: BodyModel | None) -> Callable[[], Motion]:
    return lambda: motion_of_poses(poses, model)


def _given(motion: Motion) -> Callable[[], Motion]:
    return lambda: motion
