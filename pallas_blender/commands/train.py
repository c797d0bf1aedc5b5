"""`pallas train`: train a network, or a suite of them, on the motion library."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ...rig.errors import PallasError
from ..console import Console

if TYPE_CHECKING:
    from ...neural.training.options import Plan

__all__ = ["EXAMPLE", "HELP", "add_arguments", "run"]

HELP = "Train a network on the motion library; goes on where it was stopped."
EXAMPLE = "pallas train pallas --library work/library -o work/pallas --steps 6000"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "name",
        metavar="NAME|CONFIG.toml",
        nargs="?",
        help="pallas, lstm, lstm_transformer, transformer, generator, motion_encoder, lifter, augmenter, "
        "pose2d, mean, facing, or a file with it all",
    )
    parser.add_argument("--config", type=Path, help="TOML file with any of the options there are")
    parser.add_argument(
        "--suite", help="train all runs of a suite: ablations, baselines, augmenter, or a TOML file"
    )
    parser.add_argument(
        "--library",
        type=Path,
        help="folder written by pallas library build; of pose2d: by pallas render, or COCO",
    )
    parser.add_argument("-o", "--out", type=Path, help="folder for checkpoints, log and weights")
    parser.add_argument("--steps", type=int, help="optimiser steps in all (6000)")
    parser.add_argument("--minutes", type=float, help="a budget of time instead of steps")
    parser.add_argument("--clock", help="what minutes count: wall or processor (wall)")
    parser.add_argument("--batch", type=int, help="windows per step, over all processes (8)")
    parser.add_argument("--seed", type=int, help="of weights and windows (0)")
    parser.add_argument("--start", help="finished weights to start from")
    parser.add_argument("--device", help="cpu or cuda (cpu)")
    parser.add_argument("--threads", type=int, help="on the CPU (1)")
    parser.add_argument(
        "--compile",
        action="store_true",
        default=None,
        dest="compiled",
        help="fuse operations; needs a C++ compiler",
    )


_TRAINING = ("steps", "minutes", "clock", "batch", "seed", "start", "device", "threads", "compiled")


def run(arguments: argparse.Namespace, console: Console) -> dict[str, object]:
    """Train, and say where the weights are."""
    from ...neural.training.plans import with_training
    from ...neural.training.train import train_all

    runs, library = _runs(arguments)
    changes = {name: getattr(arguments, name) for name in _TRAINING}
    runs = [(with_training(plan, **changes), out) for plan, out in runs]
    with console.progress("train") as bar:

        def progress(done: int, total: int, line: str) -> None:
            bar.to(done, total)
            if "s/step" in line and done % 100 == 0:
                console.note(f"step {done}/{total}: {line}")

        paths = train_all(runs, library, progress)
    for path in paths:
        console.say(f"{path}: written")
    return {"out": [str(path) for path in paths]}


def _runs(arguments: argparse.Namespace) -> tuple[list[tuple["Plan", Path]], Path]:
    """What to train into which folder, and from which library."""
    from ...neural.training.options import Plan
    from ...neural.training.plans import read_run, read_suite

    library, out = arguments.library, arguments.out
    if arguments.suite is not None:
        if arguments.name or arguments.config:
            raise PallasError("give a network, a config or a suite, not several of them")
        folder = _needed(out, "-o")
        plans = read_suite(arguments.suite)
        return [(plan, folder / plan.name) for plan in plans], _needed(library, "--library")
    config, name = arguments.config, arguments.name
    if name is not None and name.endswith(".toml"):
        config, name = Path(name), None
    if config is not None:
        file = read_run(config)
        library, out = library or file.library, out or file.out
        plan = file.plan
        if name not in (None, plan.kind):
            raise PallasError(f"{config} is for {plan.kind}, not {name}; leave {name} out")
    elif name is not None:
        plan = Plan(name=name, kind=name)
    else:
        raise PallasError("nothing to train; name a network, a config file or a suite")
    return [(plan, _needed(out, "-o"))], _needed(library, "--library")


def _needed(folder: Path | None, option: str) -> Path:
    if folder is None:
        raise PallasError(f"a folder is missing; give {option}")
    return folder
