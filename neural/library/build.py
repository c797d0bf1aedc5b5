"""Building the library: every set of motion data under one folder, in one go."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

from ...rig.errors import FileError, OutputError
from ...rig.motion import Motion
from .checks import on_floor, problem_of, steady_parts
from .cmu import cmu_takes
from .store import Entry, load_splits, save_clip, save_index, save_table
from .take import Take, Takes
from .ui_prmd import ui_prmd_takes

__all__ = ["BuildReport", "build_library"]

_REJECTED = ("name", "subject", "minutes", "reason")
# Every set: a function of its folder and of the names that are wanted (all if none is given).
SETS: tuple[Callable[[Path, Collection[str]], Takes], ...] = (cmu_takes, ui_prmd_takes)


@dataclass(frozen=True)
class BuildReport:
    """What was built.

    Attributes:
        entries: the clips of the library.
        rejected: the clips that are not in it: name, subject, minutes, reason.
        mended: frames that were repaired.
    """

    entries: tuple[Entry, ...]
    rejected: tuple[dict[str, object], ...]
    mended: int


def build_library(
    data: Path | str,
    out: Path | str,
    *,
    only: Collection[str] = (),
    force: bool = False,
    progress: Callable[[str, int], None] | None = None,
) -> BuildReport:
    """Turn the sets of motion data into 24-joint motions at their own rate, checked and split by subject.

    Args:
        data: the folder that holds the sets (`cmu.tar.xz`, `cmu_index.csv`, `ui_prmd/`).
        out: the library's folder: `index.csv`, `rejected.csv` and `clips/`.
        only: names such as "cmu/02_01" to build a small library; all if empty.
        force: build over a library that is there already.
        progress: called with a subject's name and the number of clips so far.

    Raises:
        FileError: there is no motion data, or it is damaged.
        OutputError: `out` holds a library already.
    """
    data, out = Path(data), Path(out)
    if (out / "index.csv").exists() and not force:
        raise OutputError(f"{out} holds a library already; choose another name or pass --force")
    splits = load_splits()
    entries: list[Entry] = []
    rejected: list[dict[str, object]] = []
    mended = 0
    for motion_set in SETS:
        takes = motion_set(data, only)
        for subject, group in groupby(takes, key=lambda take: take.subject):
            kept, refused = _subject(list(group))
            for take in kept:
                save_clip(out, take.name, _motion(take))
                entries.append(_entry(take, splits))
                mended += take.mended
            rejected += refused
            if progress is not None:
                progress(subject, len(entries))
    if not entries and not rejected:
        raise FileError(f"{data} holds no motion data; expected cmu.tar.xz and ui_prmd/ in it")
    out.mkdir(parents=True, exist_ok=True)
    save_table(out / "rejected.csv", list(_REJECTED), rejected)
    save_index(out, entries)
    return BuildReport(tuple(entries), tuple(rejected), mended)


def _subject(takes: list[Take]) -> tuple[list[Take], list[dict[str, object]]]:
    """The takes of one subject on their floor, and what fails a check with the reason."""
    usable = [take for take in takes if take.motion is not None and not take.problem]
    refused = [_refused(take, take.problem) for take in takes if take not in usable]
    steady: list[Take] = []
    for take in usable:
        parts, jump = _parts(take)
        steady += parts
        refused += [_refused(take, jump, parts)] if jump else []
    kept = []
    grounded = on_floor([_motion(take) for take in steady])
    for take, motion in zip(steady, grounded, strict=True):
        problem = problem_of(motion)
        if problem:
            refused.append(_refused(take, problem))
        else:
            kept.append(replace(take, motion=motion))
    return kept, refused


def _parts(take: Take) -> tuple[list[Take], str]:
    """The take cut where something jumps: "name.1", "name.2"; and what jumped."""
    motion = _motion(take)
    spans, jump = steady_parts(motion)
    if not jump:
        return [take], ""
    parts = [
        replace(take, name=f"{take.name}.{number}", motion=motion.clipped(*span))
        for number, span in enumerate(spans, start=1)
    ]
    return parts, jump


def _motion(take: Take) -> Motion:
    assert take.motion is not None  # takes without one are refused first
    return take.motion


def _refused(take: Take, reason: str, parts: Sequence[Take] = ()) -> dict[str, object]:
    """A row of the report; of a take that was cut into parts, only what lies between them."""
    motion = take.motion
    row = {"name": take.name, "subject": take.subject, "minutes": "", "reason": reason}
    if motion is not None:
        lost = len(motion) - sum(len(_motion(part)) for part in parts)
        row["minutes"] = f"{lost / motion.fps / 60.0:.4f}"
    if parts:
        row["reason"] += f"; kept in {len(parts)} parts"
    return dict(row)


def _entry(take: Take, splits: dict[str, str]) -> Entry:
    motion = _motion(take)
    return Entry(
        take.name, take.subject, take.source, take.licence,
        # A subject that no one has assigned is seen in training only: tests stay what they were.
        splits.get(take.subject, "train"),
        take.weight, take.retargeted, motion.fps, len(motion), take.residual,
    )  # fmt: skip
