"""`pallas render`: a dataset of annotated people from a spec."""

import argparse
import json
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...rig.errors import OutputError, PallasError
from ..console import Console
from ..processors import load_blender

if TYPE_CHECKING:
    from ...render.dataset.plan import Task
    from ...render.dataset.run import Outcome
    from ...render.dataset.spec import Spec

__all__ = ["EXAMPLE", "HELP", "add_arguments", "run"]

HELP = "Render a dataset of annotated people."
EXAMPLE = "pallas render people.toml -o people --sheet"
EXAMPLES = ("people", "rig", "street")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "spec", type=Path, nargs="?", metavar="SPEC.toml", help="see docs/rendering.md"
    )
    parser.add_argument(
        "-o", "--out", type=Path, metavar="DIR", help="the dataset; what is there already is kept"
    )
    parser.add_argument(
        "--shard", metavar="I/N", default="1/1", help="render only the I-th of N shares, from 1"
    )
    parser.add_argument(
        "--ray",
        metavar="ADDRESS",
        help="hand the work to a Ray cluster, or `auto` for this machine",
    )
    parser.add_argument(
        "--threads",
        type=int,
        default=0,
        metavar="N",
        help="of the processor, for each process (all)",
    )
    parser.add_argument("--sheet", action="store_true", help="draw sheet.png from what is done")
    parser.add_argument(
        "--verify", type=Path, metavar="DIR", help="compare a dataset with its manifest"
    )
    parser.add_argument(
        "--example",
        choices=EXAMPLES,
        help="print a spec to begin with: pallas render --example people > people.toml",
    )
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)


def run(arguments: argparse.Namespace, console: Console) -> dict[str, object]:
    """Render what is missing; finish the dataset when nothing is.

    Raises:
        PallasError: the spec or the folder can't be used, or some clips failed.
    """
    if arguments.example is not None:
        return _example(arguments.example, console)
    if arguments.verify is not None:
        return _verify(arguments.verify, console)
    if arguments.spec is None or arguments.out is None:
        raise PallasError(
            "pallas render needs a spec and a folder: pallas render SPEC.toml -o DIR; "
            "pallas render --example people prints a spec"
        )
    if arguments.threads < 0:
        raise PallasError(
            f"--threads is {arguments.threads}; expected a number from 1, or 0 for all"
        )
    from ...render.dataset.plan import dealt, read_shard, tasks_of
    from ...render.dataset.spec import read_spec

    spec = read_spec(arguments.spec)
    tasks = dealt(tasks_of(spec), read_shard(arguments.shard))
    if arguments.serve:
        return _serve(arguments, spec)
    if arguments.ray is not None:
        outcome = _cluster(arguments, spec, tasks, console)
    else:
        outcome = _render(arguments, spec, tasks, console)
    return _end(arguments, spec, outcome, console)


def _example(name: str, console: Console) -> dict[str, object]:
    """Print one of the documented specs, which the package has."""
    from ...capture.textfile import read_text

    text = read_text(Path(__file__).parents[2] / "examples" / f"{name}.toml")
    console.say(text.rstrip("\n"))
    return {"name": name, "spec": text}


def _verify(folder: Path, console: Console) -> dict[str, object]:
    from ...render.dataset.finish import verify

    count = verify(folder)
    console.say(f"{folder}: {count} files, all as in the manifest")
    return {"folder": str(folder), "files": count}


def _render(
    arguments: argparse.Namespace, spec: "Spec", tasks: "Sequence[Task]", console: Console
) -> "Outcome":
    """In this process."""
    load_blender(arguments.threads)
    from ...render.dataset.passes import check_machine
    from ...render.dataset.run import open_store, render_tasks

    check_machine(spec.image)
    store, sources = open_store(spec, arguments.out)
    total = sum(task.stop - task.start for task in tasks)
    try:
        with console.quiet(), console.progress("rendering", total) as bar:
            return render_tasks(
                spec,
                tasks,
                store,
                sources,
                threads=arguments.threads,
                tell=lambda task, frame: bar.advance(),
            )
    finally:
        store.close()


def _cluster(
    arguments: argparse.Namespace, spec: "Spec", tasks: "Sequence[Task]", console: Console
) -> "Outcome":
    """By Ray's workers; the folder is settled here, so that one of another spec is refused at once."""
    from ...render.dataset.cluster import Cluster, render_on_cluster
    from ...render.dataset.run import open_store

    store, _ = open_store(spec, arguments.out)
    store.close()
    cluster = Cluster(arguments.ray, arguments.threads or 1, gpu=spec.image.device == "gpu")
    total = sum(task.stop - task.start for task in tasks)
    line = "\n" if sys.stderr.isatty() else ""  # the bar's
    with console.progress("rendering", total) as bar:
        return render_on_cluster(
            cluster,
            (arguments.spec.resolve(), arguments.out.resolve()),
            tasks,
            lambda task: bar.advance(task.stop - task.start),
            lambda text: console.note(f"{line}pallas: {text}"),
        )


def _serve(arguments: argparse.Namespace, spec: "Spec") -> dict[str, object]:
    """For a worker: tasks come as lines on stdin; marked lines on stdout say that it is up, and answer."""
    load_blender(arguments.threads)
    from ...render.dataset.plan import Task
    from ...render.dataset.run import open_store, render_tasks

    if not (arguments.out / "dataset.json").is_file():  # the one who began the run has written it
        raise OutputError(
            f"{socket.gethostname()} has no dataset in {arguments.out}; expected a folder that all machines "
            "of the cluster share under this name; without one, use --shard"
        )
    store, sources = open_store(spec, arguments.out)
    try:
        _answer({})
        for line in sys.stdin:
            try:
                task = Task(**json.loads(line))
                done = render_tasks(spec, [task], store, sources, threads=arguments.threads)
                _answer({"frames": done.frames, "failed": done.failed})
            except PallasError as error:
                _answer({"error": str(error)})
    finally:
        store.close()
    return {}


def _answer(answer: dict[str, object]) -> None:
    sys.stdout.write(f"\nPALLAS {json.dumps(answer)}\n")
    sys.stdout.flush()


def _end(
    arguments: argparse.Namespace, spec: "Spec", outcome: "Outcome", console: Console
) -> dict[str, object]:
    """Finish the dataset if nothing is missing but what can't be made; tell what was done."""
    from ...render.dataset.finish import finish, missing_frames
    from ...render.dataset.run import open_store
    from ...render.dataset.sheet import write_sheet

    store, _ = open_store(spec, arguments.out)
    try:
        with console.quiet(), console.progress("finishing"):
            missing = missing_frames(spec, store)
            broken = len(outcome.failed) * spec.dataset.frames
            if missing <= broken:
                finish(spec, store)
            if arguments.sheet:
                write_sheet(spec, store)
    finally:
        store.close()
    for clip, reason in sorted(outcome.failed.items()):
        console.note(f"pallas: clip {clip}: {reason}")
    console.say(
        f"{arguments.out}: {outcome.frames} frames rendered{_left(arguments, spec, missing)}"
    )
    if outcome.failed:
        first = min(outcome.failed)
        raise OutputError(
            f"{len(outcome.failed)} of {spec.dataset.clips} clips can't be made (clip {first}: "
            f"{outcome.failed[first]}); the others are done; mend that and run the same command again"
        )
    return {
        "folder": str(arguments.out),
        "rendered": outcome.frames,
        "missing": missing,
        "frames": spec.frames,
    }


def _left(arguments: argparse.Namespace, spec: "Spec", missing: int) -> str:
    """How the sentence on what was rendered ends."""
    if not missing:
        return ", complete"
    if arguments.shard.endswith("/1"):
        return f", {missing} of {spec.frames} missing"
    return (
        f"; {missing} of {spec.frames} are left to other shards than {arguments.shard}; the last one "
        "completes the folder (or copy the folders together, and run this without --shard)"
    )
