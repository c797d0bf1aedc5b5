"""What several commands take and check in the same way."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...rig.errors import FileError, FormatError, OutputError
from ..console import Console

__all__ = ["add_force", "checked_input", "checked_output", "tell_warnings"]


def add_force(parser: argparse.ArgumentParser) -> None:
    """Add `--force`."""
    parser.add_argument(
        "--force", action="store_true", help="replace outputs that are there already"
    )


def checked_input(path: Path) -> Path:
    """`path`, if it is a file that is there.

    Raises:
        FileError: it isn't.
    """
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise FileError(f"{path} {what}; expected a file to read")
    return path


def checked_output(path: Path, suffixes: tuple[str, ...], *, force: bool) -> Path:
    """`path`, if it may be written; told before the work starts, not after it.

    Raises:
        FormatError: its suffix is none of `suffixes`.
        OutputError: it is there already and `force` is off, or its folder is missing.
    """
    if path.suffix.lower() not in suffixes:
        raise FormatError(
            f"{path} ends in {path.suffix or 'no suffix'}; expected {' or '.join(suffixes)}"
        )
    if path.exists() and not force:
        raise OutputError(f"{path} is there already; choose another name or pass --force")
    if not path.parent.is_dir():
        raise OutputError(f"the folder {path.parent} does not exist; create it first")
    return path


def tell_warnings(report: Mapping[str, Any], console: Console) -> None:
    """What the solve found that a user should look at, a line each."""
    for warning in report["warnings"]:
        console.note(f"pallas: warning: {warning}")
