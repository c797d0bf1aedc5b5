"""Numpy's npz and npy: arrays of numbers and text, and whether more than that is in them.

Nothing is unpickled, and no array is made before its size is known to be in the file.
"""

import io
import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Collection
from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt

from ..rig.errors import FormatError

__all__ = ["DAMAGED_ZIP", "checked_zip", "names_in_npz", "parse_npy", "parse_npz", "split_npy"]

_MOST_BYTES = 4 << 30  # of all arrays together
_DEFLATE = 1032  # the most that deflate can shrink anything
# What zipfile and numpy's header reader raise on damaged bytes.
DAMAGED_ZIP: Final = (
    zipfile.BadZipFile, zlib.error, EOFError, LookupError, MemoryError, NotImplementedError, OSError,
    OverflowError, RuntimeError, SyntaxError, TypeError, ValueError, tokenize.TokenError,
)  # fmt: skip


def parse_npz(content: bytes, names: Collection[str] | None = None) -> dict[str, npt.NDArray[Any]]:
    """The arrays of an npz.

    Args:
        content: its bytes.
        names: read only those of these that are there; all if None.

    Raises:
        FormatError: it is no npz, is cut or damaged, or one that is read holds neither numbers nor text.
    """
    try:
        with checked_zip(content) as archive:
            members = {n.removesuffix(".npy"): n for n in archive.namelist() if n.endswith(".npy")}
            return {
                name: parse_npy(archive.read(member))
                for name, member in members.items()
                if names is None or name in names
            }
    except FormatError:
        raise
    except DAMAGED_ZIP as error:
        raise FormatError(f"no readable npz, the file is cut or damaged: {error}") from error


def names_in_npz(content: bytes) -> frozenset[str]:
    """Names of the arrays of an npz, without reading them.

    Raises:
        FormatError: it is no npz.
    """
    try:
        with checked_zip(content) as archive:
            return frozenset(n.removesuffix(".npy") for n in archive.namelist())
    except FormatError:
        raise
    except DAMAGED_ZIP as error:
        raise FormatError(f"no readable npz, the file is cut or damaged: {error}") from error


def checked_zip(content: bytes) -> zipfile.ZipFile:
    """A zip archive that holds no more than its size allows.

    Raises:
        FormatError: it claims more.
    """
    archive = zipfile.ZipFile(io.BytesIO(content))
    total = sum(info.file_size for info in archive.infolist())
    if total > min(_MOST_BYTES, _DEFLATE * len(content)):
        archive.close()
        raise FormatError(f"the file claims to hold {total} bytes, more than it can")
    return archive


def parse_npy(content: bytes) -> npt.NDArray[Any]:
    """One npy, its size compared with its header before any memory is taken.

    Raises:
        FormatError: it is damaged, or holds neither numbers nor text.
    """
    shape, by_columns, kind, data = split_npy(content)
    if kind.hasobject or kind.itemsize == 0:
        raise FormatError(f"an array holds {kind}, expected numbers or text")
    count = 1
    for length in shape:  # Python integers: no overflow
        count *= length
    if count * kind.itemsize != len(data) or min(shape, default=0) < 0:
        raise FormatError(f"an array of {len(data)} bytes claims shape {str(shape)[:60]}")
    return np.frombuffer(data, kind).reshape(shape, order="F" if by_columns else "C")


def split_npy(content: bytes) -> tuple[tuple[int, ...], bool, "np.dtype[Any]", bytes]:
    """An npy's shape, whether columns come first, its kind of number, and the bytes after the header.

    Raises:
        FormatError: it has no readable header.
    """
    stream, npy = io.BytesIO(content), cast(Any, np.lib.format)  # it has no types
    try:
        version = npy.read_magic(stream)
        if version not in ((1, 0), (2, 0)):
            raise FormatError(f"an array has npy version {version}, expected (1, 0) or (2, 0)")
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        with warnings.catch_warnings():  # numpy tells of odd but legal headers
            warnings.simplefilter("ignore")
            shape, by_columns, kind = read(stream)
    except DAMAGED_ZIP as error:
        raise FormatError(f"no readable npy, the file is cut or damaged: {error}") from error
    return shape, by_columns, kind, content[stream.tell() :]
