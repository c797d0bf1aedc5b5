"""The files of a folder, or of a zip or tar archive, read alike; archives are bounded and touch no disk."""

import io
import lzma
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
_MAGIC: Final = (b"PK\x03\x04", b"\xfd7zXZ\0", b"\x1f\x8b", b"BZh")
_SKIPPED: Final = ("__MACOSX",)


class Member(NamedTuple):
    """One file: its path below the folder or in the archive, and its content."""

    path: PurePosixPath
    content: bytes


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
    return sorted(kept, key=lambda member: member.path)


def _wanted(path: PurePosixPath, suffixes: tuple[str, ...]) -> bool:
    hidden = any(part in _SKIPPED for part in path.parts) or path.name.startswith(".")
    return path.suffix.lower() in suffixes and not hidden


def _in_folder(folder: Path, suffixes: tuple[str, ...]) -> Iterator[Member]:
    try:
        for file in (*folder.iterdir(), *folder.glob("*/*")):
            below = PurePosixPath(file.relative_to(folder).as_posix())
            if _wanted(below, suffixes) and file.is_file():
                if file.stat().st_size > _LARGEST_FILE:
                    raise FormatError(f"{file} has over {_LARGEST_FILE >> 20} MiB; it is not read")
                yield Member(below, file.read_bytes())
    except OSError as error:
        raise FileError(f"{folder} can't be read: {error}") from error


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
            path = PurePosixPath(info.filename)
            if _wanted(path, suffixes) and not info.is_dir():
                _check_size(path, info.file_size)
                yield Member(path, archive.read(info))


def _in_tar(content: bytes, suffixes: tuple[str, ...]) -> Iterator[Member]:
    """Read in one pass, as a stream: nothing is unpacked that is not asked for."""
    unpacked = 0
    with tarfile.open(fileobj=io.BytesIO(content), mode="r|*") as archive:
        for info in archive:
            path = PurePosixPath(info.name)
            unpacked += max(info.size, 0)
            if unpacked > _MOST_BYTES:
                raise FormatError(f"the archive holds over {_MOST_BYTES >> 30} GiB; it is not read")
            if info.isreg() and _wanted(path, suffixes):
                _check_size(path, info.size)
                file = archive.extractfile(info)
                if file is not None:
                    yield Member(path, file.read())


def _check_size(path: PurePosixPath, size: int) -> None:
    if size > _LARGEST_FILE:
        raise FormatError(f"{path} has over {_LARGEST_FILE >> 20} MiB; it is not read")
