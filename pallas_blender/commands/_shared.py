"""What several commands take and check in the same way."""

import argparse
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...rig.errors import FileError, FormatError, OutputError
from ..console import Console

__all__ = [
    "above_zero",
    "add_force",
    "checked_input",
    "checked_output",
    "from_one",
    "not_below_zero",
    "person_height",
    "picture_size",
    "tell_warnings",
]


def add_force(parser: argparse.ArgumentParser) -> None:
    """Add `--force`."""
    parser.add_argument(
        "--force", action="store_true", help="replace outputs that are there already"
    )


def not_below_zero(text: str) -> float:
    """The number that an argument is."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0.0 <= number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r}: expected a number, not below zero")
    return number


def above_zero(text: str) -> float:
    """The number that an argument is."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0.0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r}: expected a number above zero")
    return number


def person_height(text: str) -> float:
    """Metres, of a person."""
    number = above_zero(text)
    if not 0.4 <= number <= 2.6:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a person's height in metres, as 1.78")
    return number


def from_one(text: str) -> int:
    """The whole number, from 1 to 999, that an argument is."""
    if not re.fullmatch(r"\d{1,3}", text, re.ASCII) or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a whole number from 1")
    return int(text)


def picture_size(text: str) -> tuple[int, int]:
    """Width and height, as 1920x1080."""
    match = re.fullmatch(r"(\d{1,5})[xX](\d{1,5})", text, re.ASCII)
    if match is None or 0 in (int(match[1]), int(match[2])):
        raise argparse.ArgumentTypeError(f"{text!r}: expected width and height, as 1920x1080")
    return int(match[1]), int(match[2])


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
