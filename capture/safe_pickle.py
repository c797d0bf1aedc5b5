"""Files that other programs pickled, read without running anything that is in them."""

import io
from pathlib import Path

from ..rig.errors import FormatError
from .npz import parse_npy, split_npy
from .pickle_machine import Machine
from .pickled import Pickled, plain
from .pickled_tensors import TENSORS, parse_torch
from .textfile import naming, read_bytes

__all__ = ["parse_object_npy", "parse_pickle", "parse_torch", "read_pickled"]


def parse_pickle(content: bytes) -> Pickled:
    """The value that a pickle, or joblib's uncompressed file, holds.

    Returns:
        dict, list, tuple, set, text, bytes, numbers, None, and numpy arrays of numbers or text.

    Raises:
        FormatError: it is cut or damaged, or names anything but arrays and plain values; nothing is run.
    """
    return plain(Machine(io.BytesIO(content), TENSORS).run())


def parse_object_npy(content: bytes) -> Pickled:
    """The value in an npy that may hold a pickled object, as `numpy.save` writes a dictionary.

    Raises:
        FormatError: see `parse_pickle`.
    """
    _, _, kind, data = split_npy(content)
    return parse_pickle(data) if kind.hasobject else parse_npy(content)


def read_pickled(path: Path | str) -> Pickled:
    """What a pickle, a joblib file, a `torch.save` or an npy holds, told by its first bytes.

    Raises:
        FileError: the file can't be read.
        FormatError: see `parse_pickle`.
    """
    content = read_bytes(path)
    with naming(path):
        if content.startswith(b"\x93NUMPY"):
            return parse_object_npy(content)
        if content.startswith(b"PK") or content.startswith(_OLD_TORCH):
            return parse_torch(content)
        if content.startswith(_PACKED):
            raise FormatError("the file is compressed; save it again without compression")
        return parse_pickle(content)


_OLD_TORCH = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
_PACKED = (
    b"\x1f\x8b",
    b"x\x01",
    b"x\x5e",
    b"x\x9c",
    b"x\xda",
    b"BZh",
    b"\xfd7zXZ",
    b"\x04\x22\x4d\x18",
)
