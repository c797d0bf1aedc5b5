"""`pallas train`: train a network on the motion library."""

import argparse
from pathlib import Path

from ..console import Console

__all__ = ["EXAMPLE", "HELP", "add_arguments", "run"]

HELP = "Train a network on the motion library; goes on where it was stopped."
EXAMPLE = "pallas train pallas --library work/library -o work/pallas --steps 6000"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("name", metavar="NAME", help="pallas, lstm, mean or facing")
    parser.add_argument(
        "--library", type=Path, required=True, help="folder written by pallas library build"
    )
    parser.add_argument(
        "-o", "--out", type=Path, required=True, help="folder for checkpoints, log and weights"
    )
    parser.add_argument("--steps", type=int, default=6000, help="optimiser steps in all (6000)")
    parser.add_argument("--batch", type=int, default=8, help="windows per step (8)")
    parser.add_argument("--seed", type=int, default=0, help="of weights and windows (0)")
    parser.add_argument("--device", default="cpu", help="cpu or cuda (cpu)")
    parser.add_argument("--threads", type=int, default=1, help="on the CPU (1)")
    parser.add_argument(
        "--compile", action="store_true", help="fuse operations; needs a C++ compiler"
    )


def run(arguments: argparse.Namespace, console: Console) -> dict[str, object]:
    """Train, and say where the weights are."""
    from ...neural.training.loop import TrainingOptions
    from ...neural.training.train import train

    options = TrainingOptions(
        steps=arguments.steps,
        batch=arguments.batch,
        seed=arguments.seed,
        device=arguments.device,
        threads=arguments.threads,
        compiled=arguments.compile,
    )
    with console.progress(f"train {arguments.name}") as bar:

        def progress(done: int, total: int, line: str) -> None:
            bar.to(done, total)
            if "s/step" in line and done % 100 == 0:
                console.note(f"step {done}/{total}: {line}")

        path = train(arguments.name, arguments.library, arguments.out, options, progress)
    console.say(f"{path}: written")
    return {"out": str(path), "steps": options.steps}
