"""`pallas demo`: the take in the package, solved, on the character, rendered."""

import argparse
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...capture import formats
from ...capture.output import new_file
from ...rig.errors import OutputError
from ...rig.motion import Motion
from ..console import Console, plain
from ._shared import add_force, tell_warnings

__all__ = ["EXAMPLE", "HELP", "OUTPUTS", "TAKE", "add_arguments", "run"]

HELP = "Solve the take in the package and put it on a character."
EXAMPLE = "pallas demo --out pallas-demo"

TAKE = Path(__file__).resolve().parents[2] / "neural" / "demo" / "demo.pallas"
OUTPUTS = ("motion.bvh", "take.blend", "sheet.png", "preview.mp4", "report.json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        default=Path("pallas-demo"),
        help="folder for the results (pallas-demo)",
    )
    add_force(parser)


def run(arguments: argparse.Namespace, console: Console) -> dict[str, object]:
    """Solve, animate, render, report; each step's time is in the report."""
    folder = _prepared(arguments.out, force=arguments.force)
    seconds: dict[str, float] = {}
    recording = formats.read_recording(TAKE)
    with _timed("solve", seconds), console.progress("solving"):
        from ...neural.solve import SolveOptions, solve

        solution = solve(recording, SolveOptions())
    tell_warnings(solution.report, console)
    formats.write_motion(folder / "motion.bvh", solution.motion, force=arguments.force)
    _animate(folder, solution.motion, console, seconds, force=arguments.force)
    report: dict[str, object] = {
        "outputs": {name: str(folder / name) for name in OUTPUTS},
        "frames": len(solution.motion),
        "fps": solution.motion.fps,
        "seconds": {name: round(value, 2) for name, value in seconds.items()},
        "solve": solution.report,
    }
    with new_file(folder / "report.json", force=arguments.force) as temporary:
        temporary.write_text(json.dumps(plain(report), indent=2) + "\n", encoding="utf-8")
    console.say(f"{len(solution.motion)} frames solved in {seconds['solve']:.1f} s; see {folder}:")
    console.table({f"  {name}": _size(folder / name) for name in OUTPUTS})
    return report


def _animate(
    folder: Path, motion: Motion, console: Console, seconds: dict[str, float], *, force: bool
) -> None:
    """On the character, saved and rendered."""
    import bpy

    from ...render.preview import render_preview, render_sheet
    from ...scene.apply import apply_motion
    from ...scene.character import add_character
    from ...scene.files import save_copy
    from ...scene.sensors import add_sensors

    with console.quiet():
        with _timed("character", seconds), console.progress("character"):
            bpy.ops.wm.read_homefile(use_empty=True)
            scene = bpy.context.scene
            scene.render.fps = max(round(motion.fps), 1)
            scene.render.fps_base = scene.render.fps / motion.fps
            character = add_character()
            action = apply_motion(character, motion, "demo")
            scene.frame_start, scene.frame_end = map(round, action.frame_range)
            add_sensors(character)
            save_copy(folder / "take.blend", force=force)
        with _timed("sheet", seconds), console.progress("sheet.png"):
            render_sheet(folder / "sheet.png", character, force=force)
        with _timed("preview", seconds), console.progress("preview.mp4") as bar:
            path = folder / "preview.mp4"
            render_preview(path, character, force=force, progress=bar.to)


def _prepared(folder: Path, *, force: bool) -> Path:
    """The folder, made if need be; what is there already is told before the work starts."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"the folder {folder} can't be made: {error.strerror}") from error
    there = [name for name in OUTPUTS if (folder / name).exists()]
    if there and not force:
        raise OutputError(
            f"{folder} holds {', '.join(there)} already; choose another folder or pass --force"
        )
    return folder


@contextmanager
def _timed(name: str, seconds: dict[str, float]) -> Iterator[None]:
    started = time.perf_counter()
    yield
    seconds[name] = time.perf_counter() - started


def _size(path: Path) -> str:
    return f"{path.stat().st_size / 1e3:,.0f} kB"
