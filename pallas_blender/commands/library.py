"""`pallas library`: the motion that networks are trained and judged on."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ...rig.errors import FileError
from ..console import Console
from ._shared import add_force

if TYPE_CHECKING:
    from ...neural.library.store import Entry

__all__ = ["EXAMPLE", "HELP", "add_arguments", "run"]

HELP = "Build the motion library from downloaded sets, or say what one holds."
EXAMPLE = "pallas library build --data motion --out library"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("action", choices=("build", "info"), help="what to do")
    parser.add_argument("--data", type=Path, help="folder with cmu.tar.xz, cmu_index.csv, ui_prmd/")
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder of the library")
    parser.add_argument(
        "--only", nargs="*", default=[], metavar="CLIP", help="clips to build, such as cmu/02_01"
    )
    add_force(parser)


def run(arguments: argparse.Namespace, console: Console) -> dict[str, object]:
    """Build the library or read its index; then say what it holds."""
    from ...neural.library import SPLITS, build_library, load_library

    rejected = None
    if arguments.action == "build":
        if arguments.data is None:
            raise FileError("no --data; name the folder that holds cmu.tar.xz and ui_prmd/")
        with console.progress("clips") as progress:
            report = build_library(
                arguments.data,
                arguments.out,
                only=arguments.only,
                force=arguments.force,
                progress=lambda _, clips: progress.to(clips),
            )
        rejected = len(report.rejected)
    library = load_library(arguments.out)
    found: dict[str, object] = {split: _summary(library.entries, split) for split in SPLITS}
    console.table({split: _words(library.entries, split) for split in SPLITS})
    sets = _minutes_by_set(library.entries)
    console.table({name: f"{minutes} minutes" for name, minutes in sets.items()})
    found["minutes_by_set"] = sets
    if rejected is not None:
        console.say(f"{rejected} rejected in whole or part: {arguments.out / 'rejected.csv'}")
        found["rejected"] = rejected
    return found


def _summary(entries: "tuple[Entry, ...]", split: str) -> dict[str, float]:
    chosen = [entry for entry in entries if entry.split == split]
    return {"clips": len(chosen), "minutes": round(sum(entry.minutes for entry in chosen), 2)}


def _minutes_by_set(entries: "tuple[Entry, ...]") -> dict[str, float]:
    """Minutes of every data set in every split; what others retargeted to one figure stands apart."""
    found: dict[str, float] = {}
    for entry in entries:
        kind = " retargeted" if entry.retargeted else ""
        name = f"{entry.split} {entry.name.split('/')[0]}{kind}"
        found[name] = found.get(name, 0.0) + entry.minutes
    return {name: round(minutes, 2) for name, minutes in sorted(found.items())}


def _words(entries: "tuple[Entry, ...]", split: str) -> str:
    summary = _summary(entries, split)
    subjects = len({entry.subject for entry in entries if entry.split == split})
    return f"{summary['clips']} clips, {summary['minutes']} minutes, {subjects} subjects"
