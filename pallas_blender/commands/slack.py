"""`pallas slack`: what the free numbers of the invertible solver carry."""

import argparse
from dataclasses import asdict
from pathlib import Path

from ..console import Console

__all__ = ["EXAMPLE", "HELP", "add_arguments", "run"]

HELP = "Tell what the slack u of the invertible solver carries, over a library's test clips."
EXAMPLE = "pallas slack --library work/library"
_HEADS = ("joint", "u by twist", "u by bones", "bone turns", "about bone")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "--library", type=Path, required=True, help="folder written by pallas library build"
    )
    parser.add_argument("--split", default="test", help="train, validation or test (test)")
    parser.add_argument(
        "--weights", type=Path, help="weights of another network than the embedded one"
    )


def run(arguments: argparse.Namespace, console: Console) -> dict[str, object]:
    """Print a line per joint: shares of u's variance, and degrees that another pose's u turns it by."""
    from ...neural.slack import poses_of_library, slack_of_weights

    poses = poses_of_library(arguments.library, arguments.split)
    rows = slack_of_weights(poses, arguments.weights)
    console.say("| " + " | ".join(_HEADS) + " |")
    console.say("|---" * len(_HEADS) + "|")
    for row in rows:
        console.say(
            f"| {row.joint} | {row.by_twist:.2f} | {row.by_bones:.2f} "
            f"| {row.turns_bone:.1f}° | {row.turns_about_bone:.1f}° |"
        )
    return {"poses": len(poses), "joints": [asdict(row) for row in rows]}
