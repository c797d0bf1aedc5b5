"""The parameter section of a C3D file: groups of named arrays, as one chain of records.

Record of a group: length of its name, minus its number, name, offset to the next record, description. Of a
parameter: the same with the number of its group, and before the description a type (-1 text, 1 byte, 2 word,
4 float), its dimensions and its values. A negative length means locked. See the C3D file format user guide,
https://www.c3d.org.
"""

import math
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from ..rig.arrays import Array
from ..rig.errors import FormatError

__all__ = ["BLOCK", "INTEL", "Parameters", "Processor", "format_parameters", "parse_parameters"]

BLOCK: Final = 512  # bytes
_MOST_DIMENSIONS: Final = 7
_TEXT, _BYTE, _WORD, _FLOAT = -1, 1, 2, 4
_SIZES: Final = {_TEXT: 1, _BYTE: 1, _WORD: 2, _FLOAT: 4}


@dataclass(frozen=True)
class Processor:
    """How a machine writes numbers.

    Attributes:
        order: of bytes, as numpy writes it: "<" or ">".
        is_dec: whether floats are those of a VAX.
    """

    order: str
    is_dec: bool = False

    def words(self, content: bytes) -> Array:
        """16-bit words without sign, as float64."""
        return np.frombuffer(content, dtype=f"{self.order}u2").astype(np.float64)

    def floats(self, content: bytes) -> Array:
        """32-bit floats as float64."""
        if not self.is_dec:
            return np.frombuffer(content, dtype=f"{self.order}f4").astype(np.float64)
        # A VAX swaps the words of a float, and its exponent is two more than ours.
        swapped = np.frombuffer(content, dtype="<u2").reshape(-1, 2)[:, ::-1]
        ours: Array = np.ascontiguousarray(swapped).view("<f4")[:, 0].astype(np.float64)
        return ours / 4.0


INTEL: Final = Processor("<")
_PROCESSORS: Final = {84: INTEL, 85: Processor("<", is_dec=True), 86: Processor(">")}


@dataclass(frozen=True)
class _Record:
    kind: int
    dimensions: tuple[int, ...]
    content: bytes


@dataclass(frozen=True)
class Parameters:
    """The parameters of a file, by "GROUP:NAME" in capitals."""

    processor: Processor
    records: dict[str, _Record]

    def numbers(self, name: str) -> Array:
        """All values, flat; words have no sign; empty where the parameter is missing or is text."""
        record = self.records.get(name)
        if record is None or record.kind == _TEXT:
            return np.empty(0)
        if record.kind == _BYTE:
            return np.frombuffer(record.content, dtype="u1").astype(np.float64)
        read = self.processor.floats if record.kind == _FLOAT else self.processor.words
        return read(record.content)

    def number(self, name: str) -> float | None:
        """The first value; None where there is none."""
        values = self.numbers(name)
        return float(values[0]) if len(values) else None

    def texts(self, name: str) -> list[str]:
        """The lines of a text, without the blanks that fill them up; [] where it is missing."""
        record = self.records.get(name)
        if record is None or record.kind != _TEXT or not record.content:
            return []
        width = record.dimensions[0] if record.dimensions else 1
        cells = (record.content[i : i + width] for i in range(0, len(record.content), width))
        return [_decoded(cell) for cell in cells]

    def long_texts(self, name: str) -> list[str]:
        """`texts` of NAME, NAME2, NAME3 …: one parameter holds at most 255 lines."""
        found, number = self.texts(name), 2
        while f"{name}{number}" in self.records:
            found += self.texts(f"{name}{number}")
            number += 1
        return found


def _decoded(cell: bytes) -> str:
    cell = cell.partition(b"\0")[0]
    try:
        return cell.decode("utf-8").strip()
    except UnicodeDecodeError:
        return cell.decode("latin-1").strip()


def parse_parameters(content: bytes, block: int) -> Parameters:
    """Parse the section that begins at a block, counted from 1, of a file's content.

    Raises:
        FormatError: it is not there, or is damaged.
    """
    start = (block - 1) * BLOCK
    if block < 2 or start + 4 > len(content):
        raise FormatError(
            f"the parameters should be in block {block}, which the file lacks: it is cut"
        )
    processor = _PROCESSORS.get(content[start + 3])
    if processor is None:
        raise FormatError(
            f"the processor type is {content[start + 3]}, expected 84 (Intel), 85 (DEC) or 86 (MIPS): the "
            "file is damaged"
        )
    groups: dict[int, str] = {}
    found: list[tuple[int, str, _Record]] = []
    place = start + 4
    while place + 2 <= len(content):
        length, group = struct.unpack_from("bb", content, place)
        if length == 0:
            break
        name = content[place + 2 : place + 2 + abs(length)].decode("latin-1").strip().upper()
        place += 2 + abs(length)
        _need(content, place, 2, name)
        offset = struct.unpack_from(f"{processor.order}H", content, place)[0]
        if group < 0:
            groups[-group] = name
        else:
            found.append((group, name, _record(content, place + 2, name)))
        if offset == 0:
            break
        if offset < 2:
            raise FormatError(
                f"parameter {name[:40]!r} points to itself as the next: the file is damaged"
            )
        place += offset
    records = {f"{groups.get(group, '')}:{name}": record for group, name, record in found}
    return Parameters(processor, records)


def _record(content: bytes, place: int, name: str) -> _Record:
    _need(content, place, 2, name)
    kind, count = struct.unpack_from("bB", content, place)
    if kind not in _SIZES or count > _MOST_DIMENSIONS:
        raise FormatError(
            f"parameter {name[:40]!r} has type {kind} and {count} dimensions, expected type -1, 1, 2 or 4 "
            "and at most 7: the file is damaged"
        )
    _need(content, place, 2 + count, name)
    dimensions = tuple(content[place + 2 : place + 2 + count])
    size = math.prod(dimensions) * _SIZES[kind]
    place += 2 + count
    _need(content, place, size, name)
    return _Record(kind, dimensions, content[place : place + size])


def _need(content: bytes, place: int, size: int, name: str) -> None:
    if place + size > len(content):
        raise FormatError(
            f"parameter {name[:40]!r} goes beyond the end of the file: it is cut or damaged"
        )


Value = float | int | list[int] | list[float] | list[str] | str


def format_parameters(groups: Iterable[tuple[str, Iterable[tuple[str, Value]]]]) -> bytes:
    """The bytes of a section in Intel's order, filled up to whole blocks.

    Whole numbers become words, other numbers floats, and texts are filled up to the longest.
    """
    chain = b""
    for number, (group, values) in enumerate(groups, start=1):
        chain += _link(group, -number, b"\0")
        for name, value in values:
            chain += _link(name, number, _value(value) + b"\0")
    blocks = -(-(4 + len(chain) + 1) // BLOCK)
    return (bytes([1, 0x50, min(blocks, 255), 84]) + chain).ljust(blocks * BLOCK, b"\0")


def _link(name: str, number: int, rest: bytes) -> bytes:
    head = struct.pack("bb", len(name), number) + name.encode("ascii")
    return head + struct.pack("<H", 2 + len(rest)) + rest


def _value(value: Value) -> bytes:
    if isinstance(value, str):
        return struct.pack("bBB", _TEXT, 1, len(value.encode())) + value.encode()
    if isinstance(value, list) and value and isinstance(value[0], str):
        cells = [str(cell).encode() for cell in value]
        width = max(len(cell) for cell in cells)
        filled = b"".join(cell.ljust(width) for cell in cells)
        return struct.pack("bBBB", _TEXT, 2, width, len(cells)) + filled
    values = value if isinstance(value, list) else [value]
    dimensions = bytes([1, len(values)]) if isinstance(value, list) else bytes([0])
    if any(isinstance(v, float) for v in values):
        return struct.pack("b", _FLOAT) + dimensions + struct.pack(f"<{len(values)}f", *values)
    return struct.pack("b", _WORD) + dimensions + struct.pack(f"<{len(values)}H", *values)
