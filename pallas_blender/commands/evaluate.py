"""`pallas evaluate`: the published tables, from the motion library's test split."""

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...capture.output import new_file
from ...rig.errors import FileError, ModelError
from ..console import Console, plain
from ._shared import add_force, checked_output

if TYPE_CHECKING:
    from ...capture.virtual_imu import ImuErrors
    from ...neural.evaluation.clips import EvaluationClip
    from ...neural.evaluation.solvers import Solver
    from ...neural.evaluation.suite import Run

__all__ = ["EXAMPLE", "HELP", "add_arguments", "run"]

HELP = "Print the accuracy tables: networks over clips of people they never saw."
EXAMPLE = "pallas evaluate pallas --library work/library --beside work/lstm --write docs/pallas.md"

_TAKES = 8  # of generated legs
_WALKS = 4  # looped for the drift over minutes

Tables = tuple[str, dict[str, Any]]  # Markdown, and all the numbers


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("name", metavar="NAME", help=", ".join(_NAMES))
    parser.add_argument(
        "folder",
        type=Path,
        nargs="?",
        metavar="DIR",
        help="suite, augmenter: the folder of pallas train --suite; all: what holds such folders",
    )
    parser.add_argument("--library", type=Path, help="folder written by pallas library build")
    parser.add_argument(
        "--data",
        type=Path,
        help="folder with imu/ for real, with markers/ and augmenter/ for augmenter",
    )
    parser.add_argument(
        "--beside",
        type=Path,
        nargs="*",
        default=[],
        metavar="DIR",
        help="folders (or DIR/NAME) of pallas train with other networks for the same table "
        "(lifter: instead)",
    )
    parser.add_argument(
        "--split", choices=("validation", "test"), default="test", help="which clips (test)"
    )
    parser.add_argument(
        "--worn", action="store_true", help="only with the errors of sensors as people wear them"
    )
    parser.add_argument(
        "--every",
        type=int,
        default=1,
        metavar="N",
        help="only every Nth clip, for a first look (1)",
    )
    parser.add_argument(
        "--takes", type=int, metavar="K", help=f"of generated legs (legs: {_TAKES}, pallas: none)"
    )
    parser.add_argument(
        "--generator", type=Path, metavar="DIR", help="of pallas train generator (the embedded one)"
    )
    parser.add_argument(
        "--write", type=Path, metavar="PAGE", help="put the tables between their marks in a page"
    )
    parser.add_argument("--block", metavar="MARK", help="the marks' name, if not the usual one")
    parser.add_argument("-o", "--out", type=Path, metavar="FILE", help="all numbers as JSON")
    add_force(parser)


def run(arguments: argparse.Namespace, console: Console) -> dict[str, object]:
    """Evaluate, print the tables, and put them where they were asked for."""
    if arguments.name not in _NAMES:
        raise ModelError(
            f"nothing to evaluate is called {arguments.name!r}; there are: {', '.join(_NAMES)}"
        )
    if arguments.every < 1:
        raise ModelError(f"--every is {arguments.every}, expected one or more")
    if arguments.out is not None:
        checked_output(arguments.out, (".json",), force=arguments.force)
    result = {"name": arguments.name, "split": arguments.split}
    if arguments.name == "all":
        result |= _all(arguments, console)
    else:
        result |= _one(arguments, console, arguments.block or arguments.name)
    if arguments.out is not None:
        with new_file(arguments.out, force=arguments.force) as temporary:
            temporary.write_text(json.dumps(plain(result), indent=1) + "\n", encoding="utf-8")
    return result


def _one(arguments: argparse.Namespace, console: Console, mark: str) -> dict[str, Any]:
    """Evaluate what `arguments.name` says; its table is printed, and put between the marks."""
    text, numbers = _EVALUATIONS[arguments.name](arguments, console)
    console.say(text)
    if arguments.write is not None:
        from ...neural.evaluation.pages import fill

        fill(arguments.write, mark, f"{text}\n")
        console.note(f"{arguments.write}: {mark} written")
    return numbers


def _all(arguments: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Every table, one after the other; the suites and the recordings where they are named."""
    chosen = [{"name": name, "every": 1} for name in ("pallas", "drift", "facing")]
    chosen.append({"name": "legs"})
    if arguments.data is not None:
        chosen.append({"name": "real"})
    if arguments.folder is not None:
        places = [arguments.folder / name for name in _SUITES]
        chosen += [{"name": "suite", "folder": place} for place in places if place.is_dir()]
    found = {}
    for changes in chosen:
        mark = changes["folder"].name if "folder" in changes else changes["name"]
        console.say(f"\n{mark}\n")
        found[mark] = _one(argparse.Namespace(**{**vars(arguments), **changes}), console, mark)
    return found


def _pallas(arguments: argparse.Namespace, console: Console) -> Tables:
    from ...neural.evaluation.solvers import legs_solver, network_solver
    from ...neural.evaluation.suite import read_generator, read_runs
    from ...neural.evaluation.tables import accuracy_tables, budget_table

    runs = read_runs(arguments.beside)
    solvers = {run.name: network_solver(run.network) for run in runs}
    takes = _TAKES if arguments.name == "legs" and arguments.takes is None else arguments.takes
    if takes:
        generator, cost = read_generator(arguments.generator)
        runs.append(cost)
        name = f"generated legs, {takes} takes"
        solvers[name] = legs_solver(runs[0].network, generator, takes)
    rows = _rows(solvers, arguments, console)
    text = f"{budget_table(runs)}\n{accuracy_tables(rows)}"
    return text, {"runs": _told(runs), "rows": [vars(row) for row in rows]}


def _suite(arguments: argparse.Namespace, console: Console) -> Tables:
    from ...neural.evaluation.solvers import network_solver
    from ...neural.evaluation.suite import read_suite
    from ...neural.evaluation.tables import suite_tables

    if arguments.folder is None:
        raise FileError(
            "no folder was named; expected: pallas evaluate suite DIR --library LIBRARY"
        )
    runs = read_suite(arguments.folder)
    solvers = {run.name: network_solver(run.network) for run in runs}
    rows = _rows(solvers, arguments, console)
    numbers = {"runs": _told(runs), "rows": [vars(row) for row in rows]}
    return suite_tables(runs, rows), numbers


def _told(runs: "Sequence[Run]") -> list[dict[str, Any]]:
    return [
        {"name": run.name, "parameters": run.parameters, "steps": run.steps, "minutes": run.minutes}
        for run in runs
    ]


def _drift(arguments: argparse.Namespace, console: Console) -> Tables:
    from ...neural.evaluation.drift import evaluate_drift, walks
    from ...neural.evaluation.suite import read_runs
    from ...neural.evaluation.tables import drift_table

    clips = walks(_clips(arguments), _WALKS)
    with console.progress("evaluate drift", len(clips)) as bar:
        networks = {run.name: run.network for run in read_runs(arguments.beside)}
        rows = evaluate_drift(
            networks,
            clips,
            lambda done, total, _: bar.to(done, total),
            conditions=_conditions(arguments),
        )
    return drift_table(rows), {"rows": [vars(row) for row in rows]}


def _facing(arguments: argparse.Namespace, console: Console) -> Tables:
    from ...neural.evaluation.facing import evaluate_facing
    from ...neural.evaluation.pages import block

    clips = _clips(arguments)
    with console.progress("evaluate facing", len(clips)) as bar:
        found = evaluate_facing(clips, lambda done, total, _: bar.to(done, total))
    lines = [[name.replace("_", " "), f"{value:.4g}"] for name, value in found.items()]
    return block(["what", "value"], lines), dict(found)


def _real(arguments: argparse.Namespace, console: Console) -> Tables:
    from ...neural.evaluation.real import evaluate_real, real_takes
    from ...neural.evaluation.real_table import real_tables

    if arguments.data is None:
        raise FileError(
            "no recordings were named; pass --data, a folder with recordings under imu/"
        )
    takes, lacking = real_takes(arguments.data)
    with console.progress("evaluate real") as bar:
        trials = evaluate_real(takes, lambda done, total, _: bar.to(done, total))
    numbers = {"trials": [vars(trial) for trial in trials], "lacking": lacking}
    return real_tables(trials, lacking), numbers


def _lifter(arguments: argparse.Namespace, console: Console) -> Tables:
    from ...neural.lifter.evaluate import evaluate_lifter, lifter_table
    from ...neural.lifter.stored import load_lifter

    if arguments.library is None:
        raise FileError("no motion library was named; pass --library, see pallas library build")
    network = load_lifter(arguments.beside[0] / "lifter" if arguments.beside else None)
    with console.progress("evaluate lifter") as bar:
        found = evaluate_lifter(
            network,
            arguments.library,
            arguments.split,
            lambda done, total, _: bar.to(done, total),
            arguments.every,
        )
    numbers = {c: {who: vars(s) for who, s in each.items()} for c, each in found.items()}
    return lifter_table(found), {"lifter": numbers}


def _rows(
    solvers: "Mapping[str, Solver]", arguments: argparse.Namespace, console: Console
) -> list[Any]:
    from ...neural.evaluation.evaluate import evaluate_solvers
    from ...neural.evaluation.motion_encoder import load_motion_encoder

    clips = _clips(arguments)
    with console.progress(f"evaluate {arguments.name}", len(clips)) as bar:
        return evaluate_solvers(
            solvers,
            clips,
            lambda done, total, _: bar.to(done, total),
            conditions=_conditions(arguments),
            encoder=load_motion_encoder(),
        )


def _conditions(arguments: argparse.Namespace) -> "dict[str, ImuErrors | None]":
    from ...neural.evaluation.clips import CONDITIONS

    return {n: e for n, e in CONDITIONS.items() if n == "worn" or not arguments.worn}


def _clips(arguments: argparse.Namespace) -> "list[EvaluationClip]":
    from ...neural.evaluation.clips import library_clips

    if arguments.library is None:
        raise FileError("no motion library was named; pass --library, see pallas library build")
    return library_clips(arguments.library, arguments.split, arguments.every)


def _augmenter(arguments: argparse.Namespace, console: Console) -> Tables:
    """Ours beside OpenCap's, on synthetic people and on real trials; and the runs of a suite."""
    from ...neural.augmenter.evaluate import augmenter_tables

    if arguments.library is None:
        raise FileError("no motion library was named; pass --library, see pallas library build")
    with console.progress("evaluating", 100) as bar:
        return augmenter_tables(arguments.library, arguments.data, arguments.folder, bar.to)


_EVALUATIONS: Mapping[str, Callable[[argparse.Namespace, Console], Tables]] = {
    "pallas": _pallas,
    "legs": _pallas,
    "suite": _suite,
    "drift": _drift,
    "facing": _facing,
    "real": _real,
    "augmenter": _augmenter,
    "lifter": _lifter,
}
_NAMES = (*_EVALUATIONS, "all")
_SUITES = (
    "baselines",
    "baselines_steps",
    "ablations",
)  # folders of suites, and their marks in a page
