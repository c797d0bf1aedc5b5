"""A built library on disk: `index.csv` and one small npz per clip.

Rotations and root positions are stored in 32-bit floats (errors below a micrometre and 0.0001 degrees).
Clips are loaded one by one when they are asked for, so a library may be larger than memory.
"""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from ...capture.output import new_file
from ...rig import quaternion
from ...rig.errors import FileError, FormatError, PallasError
from ...rig.motion import Motion
from ...rig.skeleton import BODY_JOINTS, BODY_PARENTS, Skeleton

__all__ = [
    "SPLITS",
    "Clip",
    "Entry",
    "Library",
    "load_library",
    "load_splits",
    "save_clip",
    "save_index",
    "save_table",
]

SPLITS: tuple[str, ...] = ("train", "validation", "test")
_INDEX = "index.csv"


@dataclass(frozen=True)
class Entry:
    """What the index says about one clip.

    Attributes:
        name: unique, such as "cmu/02_01".
        subject: who moves, such as "cmu/02"; one subject is in one split only.
        source: where the data came from.
        licence: under which it is used.
        split: "train", "validation" or "test".
        weight: how much to trust the clip, 1 for optical motion capture of the person itself.
        retargeted: moved to another figure by others: proportions and limb turns are not the person's.
        fps: frames per second.
        frames: how many.
        residual: metres, root mean square distance of the markers from the body; NaN without markers.
    """

    name: str
    subject: str
    source: str
    licence: str
    split: str
    weight: float
    retargeted: bool
    fps: float
    frames: int
    residual: float = float("nan")

    @property
    def minutes(self) -> float:
        """Length of the clip."""
        return self.frames / self.fps / 60.0


@dataclass(frozen=True, eq=False)
class Clip:
    """One motion with where it comes from; the fields are those of `Entry`."""

    name: str
    motion: Motion
    subject: str
    source: str
    licence: str
    split: str
    weight: float
    retargeted: bool


@dataclass(frozen=True)
class Library:
    """Clips of a built library; iterating loads them one after the other."""

    folder: Path
    entries: tuple[Entry, ...]

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[Clip]:
        return (self._load(entry) for entry in self.entries)

    def __getitem__(self, name: str | int) -> Clip:
        """The clip at a place or of a name.

        Raises:
            FileError: there is no clip of that name.
        """
        if isinstance(name, int):
            return self._load(self.entries[name])
        for entry in self.entries:
            if entry.name == name:
                return self._load(entry)
        raise FileError(f"no clip {name!r} in {self.folder}; it has {len(self)}, see {_INDEX}")

    @property
    def minutes(self) -> float:
        """Length of all clips."""
        return sum(entry.minutes for entry in self.entries)

    def _load(self, entry: Entry) -> Clip:
        motion = _load_motion(_clip_path(self.folder, entry.name))
        values = {f.name: getattr(entry, f.name) for f in fields(Clip) if f.name != "motion"}
        return Clip(motion=motion, **values)


def load_library(folder: Path | str, split: str | None = None) -> Library:
    """Open a library that `build_library` wrote.

    Args:
        folder: of the library.
        split: "train", "validation" or "test" to see only these clips.

    Raises:
        FileError: there is no library.
        FormatError: the index is damaged, or the split unknown.
    """
    folder = Path(folder)
    if split is not None and split not in SPLITS:
        raise FormatError(f"no split {split!r}; there are: {', '.join(SPLITS)}")
    index = folder / _INDEX
    if not index.is_file():
        raise FileError(
            f"{folder} holds no motion library (no {_INDEX}); build one: pallas library build"
        )
    with index.open(newline="", encoding="utf-8") as file:
        entries = tuple(_entry(row, index) for row in csv.DictReader(file))
    return Library(folder, tuple(e for e in entries if split in (None, e.split)))


def _entry(row: dict[str, Any], index: Path) -> Entry:
    try:
        return Entry(
            row["name"], row["subject"], row["source"], row["licence"], row["split"],
            float(row["weight"]), row["retargeted"] == "True", float(row["fps"]),
            int(row["frames"]), float(row["residual"]),
        )  # fmt: skip
    except (KeyError, ValueError, TypeError) as error:
        raise FormatError(f"{index} has a row that can't be read ({error}): build again") from error


def load_splits(path: Path | None = None) -> dict[str, str]:
    """Subject to split, from `splits.json` beside this file unless told otherwise.

    Raises:
        FormatError: a subject is in two splits.
    """
    path = Path(__file__).parent / "splits.json" if path is None else path
    table = json.loads(path.read_text(encoding="utf-8"))
    found: dict[str, str] = {}
    for split in SPLITS:
        for subject in table[split]:
            if subject in found:
                raise FormatError(f"{path}: {subject} is in {found[subject]} and in {split}")
            found[subject] = split
    return found


def save_clip(folder: Path, name: str, motion: Motion) -> None:
    """Write the motion of one clip."""
    path = _clip_path(folder, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    with new_file(path, force=True) as temporary:
        np.savez(
            temporary,
            offsets=motion.skeleton.offsets,
            tips=motion.skeleton.tips,
            root_position=motion.root_position.astype(np.float32),
            rotations=motion.rotations.astype(np.float32),
            fps=motion.fps,
        )


def save_index(folder: Path, entries: list[Entry]) -> None:
    """Write the index; a library without one is not complete."""
    save_table(folder / _INDEX, [f.name for f in fields(Entry)], [vars(e) for e in entries])


def save_table(path: Path, columns: list[str], rows: list[dict[str, Any]]) -> None:
    """Write rows as CSV."""
    with new_file(path, force=True) as temporary, temporary.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)


def _clip_path(folder: Path, name: str) -> Path:
    return folder / "clips" / f"{name}.npz"


def _load_motion(path: Path) -> Motion:
    try:
        with np.load(path, allow_pickle=False) as data:
            skeleton = Skeleton(BODY_JOINTS, BODY_PARENTS, data["offsets"], data["tips"])
            rotations = quaternion.normalised(data["rotations"].astype(np.float64))
            return Motion(skeleton, data["root_position"], rotations, float(data["fps"]))
    except PallasError:
        raise
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise FormatError(f"{path} can't be read ({error}): build the library again") from error
