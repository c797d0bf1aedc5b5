"""The files of a folder, or of a zip or tar archive, read alike; archives are bounded and touch no disk."""

import contextlib
import io
import lzma
import os
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple

from ...rig.errors import FileError, FormatError
from ..npz import DAMAGED_ZIP, checked_zip
from ..textfile import read_bytes

__all__ = ["Member", "is_archive", "members"]

_MOST_FILES: Final = 1_000_000
_MOST_BYTES: Final = 2 << 30  # of all files together
_LARGEST_FILE: Final = 256 << 20
_READING: Final = os.O_RDONLY | getattr(os, "O_BINARY", 0)
_MAGIC: Final = (b"PK\x03\x04", b"\xfd7zXZ\0", b"\x1f\x8b", b"BZh")
_SKIPPED: Final = ("__MACOSX",)


class Member(NamedTuple):
    """One file: its path below the folder or in the archive, parts joined by `/`, and its content."""

    path: str
    content: bytes

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def folder(self) -> str:
        """The path without the name; empty where there is none."""
        return self.path.rpartition("/")[0]

    @property
    def stem(self) -> str:
        """The name without its suffix."""
        name = self.path.rpartition("/")[2]
        return name.rpartition(".")[0] or name

    @property
    def suffix(self) -> str:
        """Of the name, in lower case, with its dot."""
        stem, dot, suffix = self.name.rpartition(".")
        return f"{dot}{suffix}".lower() if stem else ""


def is_archive(start: bytes) -> bool:
    """Whether a file that starts so is a zip or a tar, compressed or not."""
    return start.startswith(_MAGIC) or start[257:262] == b"ustar"


def members(path: Path, suffixes: tuple[str, ...]) -> list[Member]:
    """The files with these suffixes below a folder or in an archive, sorted by path.

    Raises:
        FileError: it can't be read.
        FormatError: the archive is damaged, or holds absurdly much.
    """
    found = _in_folder(path, suffixes) if path.is_dir() else _in_archive(path, suffixes)
    kept, total = [], 0
    for member in found:
        total += len(member.content)
        kept.append(member)
        if total > _MOST_BYTES or len(kept) > _MOST_FILES:
            raise FormatError(f"{path} holds over {_MOST_FILES} files or {_MOST_BYTES >> 30} GiB")
    return sorted(kept, key=lambda member: member.path.split("/"))


def _wanted(path: str, suffixes: tuple[str, ...]) -> bool:
    if not path.lower().endswith(suffixes):
        return False
    folder, _, name = path.rpartition("/")
    return name[0] != "." and not (folder and any(f in _SKIPPED for f in folder.split("/")))


def _in_folder(folder: Path, suffixes: tuple[str, ...]) -> Iterator[Member]:
    try:
        for path, file in _entries(folder):
            if _wanted(path, suffixes) and file.is_file():
                yield Member(path, _content(file))
    except OSError as error:
        raise FileError(f"{folder} can't be read: {error}") from error


def _entries(folder: Path) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """What is in a folder and in the folders there, with the paths from it."""
    with os.scandir(folder) as entries:
        for entry in entries:
            yield entry.name, entry
            if entry.is_dir():
                with contextlib.suppress(PermissionError), os.scandir(entry) as inside:
                    yield from ((f"{entry.name}/{inner.name}", inner) for inner in inside)


def _content(file: os.DirEntry[str]) -> bytes:
    """The content of one of thousands of small files: without buffers and objects about it."""
    handle = os.open(file.path, _READING)
    try:
        size = os.fstat(handle).st_size
        if size > _LARGEST_FILE:
            raise FormatError(f"{file.path} has over {_LARGEST_FILE >> 20} MiB; it is not read")
        content = os.read(handle, size + 1)
        while len(content) < size and (more := os.read(handle, size)):
            content += more
        return content
    finally:
        os.close(handle)


def _in_archive(path: Path, suffixes: tuple[str, ...]) -> Iterator[Member]:
    content = read_bytes(path)
    try:
        if content.startswith(b"PK"):
            yield from _in_zip(content, suffixes)
        else:
            yield from _in_tar(content, suffixes)
    except FormatError:
        raise
    except (
        *DAMAGED_ZIP,
        tarfile.TarError,
        lzma.LZMAError,
        zlib.error,
        zipfile.BadZipFile,
    ) as error:
        raise FormatError(
            f"{path} is no readable archive, it is cut or damaged: {str(error)[:100]}"
        ) from None


def _in_zip(content: bytes, suffixes: tuple[str, ...]) -> Iterator[Member]:
    with checked_zip(content) as archive:
        for info in archive.infolist():
            path = PurePosixPath(info.filename).as_posix()
            if _wanted(path, suffixes) and not info.is_dir():
                _check_size(path, info.file_size)
                yield Member(path, archive.read(info))


def _in_tar(content: bytes, suffixes: tuple[str, ...]) -> Iterator[Member]:
    """Read in one pass, as a stream: nothing is unpacked that is not asked for."""
    unpacked = 0
    with tarfile.open(fileobj=io.BytesIO(content), mode="r|*") as archive:
        for info in archive:
            path = PurePosixPath(info.name).as_posix()
            unpacked += max(info.size, 0)
            if unpacked > _MOST_BYTES:
                raise FormatError(f"the archive holds over {_MOST_BYTES >> 30} GiB; it is not read")
            if info.isreg() and _wanted(path, suffixes):
                _check_size(path, info.size)
                file = archive.extractfile(info)
                if file is not None:
                    yield Member(path, file.read())


def _check_size(path: str, size: int) -> None:
    if size > _LARGEST_FILE:
        raise FormatError(f"{path} has over {_LARGEST_FILE >> 20} MiB; it is not read")
