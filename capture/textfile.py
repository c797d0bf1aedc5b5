"""Reading and writing files that people hand over: what goes wrong is told in one line.

Every reader goes through `read_bytes` or `read_text`, so a missing file, a folder, an empty file and a
text in another encoding are told the same way everywhere.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from ..rig.arrays import Array
from ..rig.errors import FileError, FormatError, RecordingError, ShapeError
from .output import new_file

__all__ = ["LARGEST", "FormatWarning", "naming", "numbers", "read_bytes", "read_text", "write_text"]

# No length, angle or time in a motion file comes near this; a larger number is damage, and would overflow.
LARGEST = 1e9


class FormatWarning(UserWarning):
    """A file was read, but something in it was guessed, repaired or left out."""


def read_bytes(path: Path | str) -> bytes:
    """The content of a file.

    Raises:
        FileError: it is missing, a folder, or can't be read.
        FormatError: it is empty.
    """
    path = Path(path)
    if path.is_dir():
        raise FileError(f"{path} is a folder, expected a file")
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise FileError(f"{path} does not exist; check the spelling of the path") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL character in the name
        raise FileError(f"{path} can't be read: {error}") from error
    if not content.strip():
        raise FormatError(f"{path} is empty ({len(content)} bytes); expected a recorded file")
    return content


def read_text(path: Path | str) -> str:
    """The content of a text file, UTF-8 with or without a byte order mark; any line ends.

    Raises:
        FileError: it is missing, a folder, or can't be read.
        FormatError: it is empty or not UTF-8.
    """
    content = read_bytes(path)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise FormatError(
            f"{path} is not UTF-8 text (byte 0x{content[error.start]:02x} in line {line}); "
            "save it as UTF-8, or check that it is the right file"
        ) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def write_text(path: Path | str, text: str, *, force: bool = False) -> None:
    """Write UTF-8 with line feeds, to a temporary name first.

    Raises:
        OutputError: see `new_file`.
    """
    with new_file(path, force=force) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


@contextmanager
def naming(path: Path | str) -> Iterator[None]:
    """Put the file's name before what is wrong in it, for parsers that see only its content."""
    try:
        yield
    except (FormatError, RecordingError, ShapeError) as error:
        raise type(error)(f"{path}: {error}") from error


def numbers(tokens: Sequence[str], *, missing: bool = False) -> Array:
    """The tokens as float64 (n,); with `missing`, "nan" is allowed.

    Raises:
        ValueError: one is no finite number below `LARGEST`; the message names the first such token.
    """
    try:
        values = np.array([float(token) for token in tokens], dtype=np.float64)
    except ValueError:
        bad = next(token for token in tokens if not _is_number(token))
        raise ValueError(f"found {bad[:40]!r}, expected a number") from None
    wrong = ~(np.abs(values) < LARGEST)  # NaN compares false
    if missing:
        wrong &= ~np.isnan(values)
    if wrong.any():
        bad = tokens[int(np.argmax(wrong))]
        raise ValueError(f"found {bad[:40]!r}, expected a number of sensible size")
    return values


def _is_number(token: str) -> bool:
    try:
        float(token)
    except ValueError:
        return False
    return True
