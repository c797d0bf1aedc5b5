"""torch's files without torch: tensors of a `torch.save`, new (a zip) or old (pickles, then bytes).

Only tensors on plain storages and plain containers are read, as with `torch.load(weights_only=True)`.
"""

import io
import math
import struct
import zipfile
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ..rig.errors import FormatError
from .npz import DAMAGED_ZIP, checked_zip
from .pickle_machine import Machine
from .pickled import ARRAYS, Known, Pickled, Plain, StandIn, bounded, plain

__all__ = ["TENSORS", "parse_torch"]

_MOST = 1 << 24  # numbers of a tensor that takes more room than its bytes in the file
_MAGIC, _PROTOCOL = 0x1950A86A20F9469CFC6C, 1001  # of old files
_KINDS: Final = {
    "Float": "f4", "Double": "f8", "Half": "f2", "Long": "i8", "Int": "i4", "Short": "i2", "Char": "i1",
    "Byte": "u1", "Bool": "?",
}  # fmt: skip


def parse_torch(content: bytes) -> Pickled:
    """The value that a `torch.save` wrote; tensors become numpy arrays.

    Raises:
        FormatError: it is cut or damaged, or names anything but tensors, arrays and plain values.
    """
    return plain(_from_zip(content) if content.startswith(b"PK") else _from_pickles(content))


class _Storage(StandIn):
    """The numbers that tensors look at."""

    def __init__(self, kind: str) -> None:
        self.kind = np.dtype(kind).newbyteorder("<")
        self.content = b""

    def finish(self, plain: Plain) -> npt.NDArray[Any]:
        return np.frombuffer(self.content, self.kind)


class _Tensor(StandIn):
    def __init__(
        self, storage: Pickled, offset: Pickled, size: Pickled, stride: Pickled, *_: Pickled
    ) -> None:
        self._parts = storage, offset, size, stride

    def finish(self, plain: Plain) -> npt.NDArray[Any]:
        source, offset, size, stride = self._parts
        numbers = plain(source)
        if not (isinstance(source, _Storage | _Stored) and isinstance(numbers, np.ndarray)):
            raise ValueError("a tensor without a storage")
        shape = bounded(size, max(_MOST, numbers.size))
        steps = bounded(stride, 1 << 300)
        last = offset + sum((n - 1) * s for n, s in zip(shape, steps, strict=True))
        if math.prod(shape) == 0:
            return np.zeros(shape, numbers.dtype)
        if not 0 <= offset <= last < len(numbers):
            raise ValueError("a tensor that reaches beyond its storage")
        width = numbers.itemsize
        return np.lib.stride_tricks.as_strided(
            numbers[offset:], shape, [step * width for step in steps], writeable=False
        )


class _Stored(StandIn):
    """A storage that a plain pickle holds as the bytes of an old file."""

    def __init__(self, content: Pickled) -> None:
        if not isinstance(content, bytes):
            raise ValueError(f"a storage of {type(content).__name__}")
        self._content = content

    def finish(self, plain: Plain) -> npt.NDArray[Any]:
        storage = _from_pickles(self._content)
        if not isinstance(storage, _Storage):
            raise ValueError("a tensor without a storage")
        return storage.finish(plain)


def _from_zip(content: bytes) -> Pickled:
    try:
        with checked_zip(content) as archive:
            return _from_archive(archive)
    except FormatError:
        raise
    except DAMAGED_ZIP as error:
        raise FormatError(f"the file is cut or damaged: {error}") from error


def _from_archive(archive: zipfile.ZipFile) -> Pickled:
    pickles = [name for name in archive.namelist() if name.endswith("/data.pkl")]
    if len(pickles) != 1:
        raise FormatError(f"the zip holds {len(pickles)} data.pkl, expected a file of torch.save")
    folder = pickles[0].removesuffix("data.pkl")
    if f"{folder}byteorder" in archive.namelist():
        order = archive.read(f"{folder}byteorder")
        if order != b"little":
            raise FormatError("the tensors' bytes are in big-endian order, expected little-endian")
    storages: dict[str, _Storage] = {}

    def storage(named: Pickled) -> _Storage:
        kind, key, _ = _storage_name(named)
        if key not in storages:
            storages[key] = _Storage(kind)
            storages[key].content = archive.read(f"{folder}data/{key}")
        return storages[key]

    return Machine(io.BytesIO(archive.read(pickles[0])), TENSORS, storage).run()


def _from_pickles(content: bytes) -> Pickled:
    stream = io.BytesIO(content)
    storages: dict[str, _Storage] = {}

    def storage(named: Pickled) -> _Storage:
        kind, key, view = _storage_name(named)
        if view is not None:
            raise FormatError("the file is of a torch before 0.4; save it again with a newer one")
        return storages.setdefault(key, _Storage(kind))

    machine = Machine(stream, TENSORS, storage)
    if machine.run() != _MAGIC or machine.run() != _PROTOCOL:
        raise FormatError(
            "the file doesn't begin as one of torch.save does; expected a .pt or .pth"
        )
    machine.run()  # of the machine that wrote it
    value, keys = machine.run(), machine.run()
    for key in keys if isinstance(keys, list) else ():
        if not isinstance(key, str) or key not in storages:
            raise FormatError("the file holds numbers that belong to no tensor; it is damaged")
        _fill(storages[key], stream)
    return value


def _fill(storage: _Storage, stream: io.BytesIO) -> None:
    head = stream.read(8)
    count = struct.unpack("<q", head)[0] if len(head) == struct.calcsize("<q") else -1
    size = count * storage.kind.itemsize
    if 0 <= size <= stream.getbuffer().nbytes:
        storage.content = stream.read(size)
    if len(storage.content) != size:
        raise FormatError("the file is cut in the numbers of a tensor; copy it again")


def _storage_name(named: Pickled) -> tuple[str, str, Any]:
    """Kind of number, key, and what an old file says of a view."""
    if not (isinstance(named, tuple) and len(named) in (5, 6) and named[0] == "storage"):
        raise ValueError("a storage without a name")
    _, kind, key, _, _, *view = named
    if not (isinstance(kind, Known) and isinstance(kind.about, _Kind) and isinstance(key, str)):
        raise ValueError("a storage of unknown numbers")
    return kind.about.code, key, view[0] if view else None


class _Kind:
    """What a class of torch's storages holds."""

    def __init__(self, code: str) -> None:
        self.code = code


def _no_call(*_: Pickled) -> Pickled:
    raise ValueError("a storage made without its numbers")


TENSORS: Final[Mapping[str, Known]] = {
    **ARRAYS,
    **{f"torch.{name}Storage": Known(_no_call, _Kind(code)) for name, code in _KINDS.items()},
    "torch._utils._rebuild_tensor_v2": Known(_Tensor),
    "torch._utils._rebuild_parameter": Known(lambda tensor, *_: tensor),
    "torch.storage._load_from_bytes": Known(_Stored),
    "torch.Size": Known(lambda sizes=(): tuple(sizes) if isinstance(sizes, list | tuple) else ()),
}
