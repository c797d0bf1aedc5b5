"""The command line: `pallas …`, and the same as `blender --command pallas …`.

Exit codes: 0 done; 1 something the user can mend, told in one line; 2 wrong usage; 130 stopped.
"""

import argparse
import os
import sys
import tomllib
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import NoReturn

from ..capture.textfile import FormatWarning
from ..rig.errors import ModelError, PallasError
from . import commands
from .console import Console

__all__ = ["main", "program", "version"]

_STOPPED = 130  # 128 + SIGINT, as shells count
# What may be absent on a user's machine, and what to do about it.
_OPTIONAL = {
    "torch": "torch is not installed; run `pip install torch==2.13.0`, or see the add-on's preferences",
    "bpy": "Blender's module is not installed; run `pip install bpy`, or `blender --command pallas …`",
    "av": "PyAV is not installed; run `pip install av`",
}


def version() -> str:
    """The version that the extension's manifest states."""
    manifest = Path(__file__).resolve().parent.parent / "blender_manifest.toml"
    return str(tomllib.loads(manifest.read_text(encoding="utf-8"))["version"])


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; `argv` without the program's name. Returns the exit code."""
    try:
        arguments = _parser().parse_args(argv)
    except (
        SystemExit
    ) as stop:  # argparse ends the program, but inside Blender that is not ours to do
        return int(stop.code or 0)
    console = Console(as_json=arguments.json)
    try:
        with console.only_result_on_stdout(), _told_warnings(console):
            result = _run(arguments, console)
    except PallasError as error:
        return _fail(console, str(error))
    except KeyboardInterrupt:
        console.note("pallas: stopped")
        return _STOPPED
    except BrokenPipeError:
        # The reader went away, as `pallas … | head` does. What is still buffered goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0
    console.result(result)
    return 0


def _run(arguments: argparse.Namespace, console: Console) -> dict[str, object]:
    try:
        result: dict[str, object] = arguments.command_module.run(arguments, console)
    except ModuleNotFoundError as error:
        if error.name not in _OPTIONAL:
            raise
        raise ModelError(_OPTIONAL[error.name]) from error
    return result


@contextmanager
def _told_warnings(console: Console) -> Iterator[None]:
    """Tell a damaged file's warnings in one line each, without the source lines Python adds."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", FormatWarning)
        warnings.showwarning = lambda message, *_, **__: console.note(f"pallas: warning: {message}")
        yield


def _fail(console: Console, message: str) -> int:
    line = " ".join(message.split())
    console.note(f"pallas: {line}")
    console.result({"error": line})
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pallas",
        description="Full-body animation from four motion sensors.",
        epilog="example: pallas demo --out pallas-demo\n\n`pallas COMMAND --help` tells more.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"pallas {version()}")
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, module in _commands().items():
        sub = subparsers.add_parser(
            name,
            help=module.HELP,
            description=module.HELP,
            epilog=f"example: {module.EXAMPLE}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(sub)
        sub.add_argument("--json", action="store_true", help="print one JSON object on stdout")
        sub.set_defaults(command_module=module)
    return parser


def _commands() -> dict[str, ModuleType]:
    """Every module of `commands/`, by name: a new command is a new file."""
    names = [found.name for found in iter_modules(commands.__path__) if found.name[0] != "_"]
    return {name: import_module(f".{name}", commands.__name__) for name in names}


def program() -> NoReturn:
    """`pallas` in a shell: run one command and leave.

    Blender 4.5's module may wait for itself for ever when Python ends as usual; once it was loaded, and all
    is written, the process ends at once.
    """
    status = main()
    if "bpy" in sys.modules:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    sys.exit(status)


if __name__ == "__main__":
    program()
