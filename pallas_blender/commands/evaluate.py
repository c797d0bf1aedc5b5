"""`pallas evaluate`: the published tables, from the motion library's test split."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...rig.errors import ModelError
from ..console import Console

if TYPE_CHECKING:
    from ...neural.evaluation.evaluate import Row

__all__ = ["EXAMPLE", "HELP", "add_arguments", "run"]

HELP = "Print the accuracy tables: networks over clips of people they never saw."
EXAMPLE = "pallas evaluate pallas --library work/library --beside work/lstm work/mean"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("name", metavar="NAME", help="pallas or facing")
    parser.add_argument(
        "--library", type=Path, required=True, help="folder written by pallas library build"
    )
    parser.add_argument(
        "--beside",
        type=Path,
        nargs="*",
        default=[],
        metavar="DIR",
        help="folders of pallas train with other networks for the same table",
    )
    parser.add_argument(
        "--split", choices=("validation", "test"), default="test", help="which clips (test)"
    )


def run(arguments: argparse.Namespace, console: Console) -> dict[str, object]:
    """Evaluate, and print a table per group of clips."""
    if arguments.name == "facing":
        return _facing(arguments, console)
    if arguments.name != "pallas":
        raise ModelError(
            f"nothing to evaluate is called {arguments.name!r}; there are: pallas, facing"
        )
    from ...neural.evaluation.evaluate import (
        evaluate_networks,
        library_clips,
        trained_networks,
    )

    networks = trained_networks(arguments.beside)
    clips = library_clips(arguments.library, arguments.split)
    with console.progress("evaluate pallas", len(clips)) as bar:
        rows = evaluate_networks(networks, clips, lambda done, total, _: bar.to(done, total))
    for group in sorted({row.group for row in rows}):
        _print_group(group, [row for row in rows if row.group == group], console)
    return {"split": arguments.split, "clips": len(clips), "rows": [vars(row) for row in rows]}


def _facing(arguments: argparse.Namespace, console: Console) -> dict[str, object]:
    from ...neural.evaluation.evaluate import library_clips
    from ...neural.evaluation.facing import evaluate_facing

    clips = library_clips(arguments.library, arguments.split)
    with console.progress("evaluate facing", len(clips)) as bar:
        found = evaluate_facing(clips, lambda done, total, _: bar.to(done, total))
    console.table({name: f"{value:.4g}" for name, value in found.items()})
    return {"split": arguments.split, **found}


def _print_group(group: str, rows: "Sequence[Row]", console: Console) -> None:
    from ...neural.evaluation.evaluate import markdown_table
    from ...neural.features import NETWORK_FPS

    minutes = rows[0].frames / NETWORK_FPS / 60.0
    console.say(f"\n{group}: {minutes:.1f} minutes\n\n{markdown_table(rows)}")
