"""The bytes of ONNX files: protocol buffers (onnx.proto), field by field."""

from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = ["Attribute", "attribute", "numbered", "shaped", "told", "weights", "whole_numbers"]

_FLOAT, _INT64 = 1, 7  # kinds of numbers, of TensorProto
_INTEGER, _TEXT, _INTEGERS = 2, 3, 7  # kinds of attributes, of AttributeProto
Attribute = int | str | list[int]
_LAST: Final = 127  # of what a byte of a number holds; the eighth bit says that more follow


def numbered(field: int, value: int) -> bytes:
    """A field that is a whole number."""
    return _varint(field << 3) + _varint(value)


def told(field: int, content: bytes | str) -> bytes:
    """A field that is text, or a message of its own."""
    content = content.encode() if isinstance(content, str) else content
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def attribute(name: str, value: Attribute) -> bytes:
    """An AttributeProto."""
    match value:
        case int():
            content = numbered(3, value) + numbered(20, _INTEGER)
        case str():
            content = told(4, value) + numbered(20, _TEXT)
        case _:
            content = b"".join(numbered(8, one) for one in value) + numbered(20, _INTEGERS)
    return told(1, name) + content


def weights(name: str, values: npt.NDArray[np.float64]) -> bytes:
    """A TensorProto of single precision."""
    return _tensor(name, values.shape, _FLOAT, values.astype("<f4").tobytes())


def whole_numbers(name: str, values: list[int]) -> bytes:
    """A TensorProto of whole numbers, one-dimensional."""
    return _tensor(name, (len(values),), _INT64, np.array(values, dtype="<i8").tobytes())


def shaped(name: str, shape: tuple[int | str, ...]) -> bytes:
    """A ValueInfoProto of single precision; a side may be a name, then it is open."""
    sides = b"".join(
        told(1, told(2, side) if isinstance(side, str) else numbered(1, side)) for side in shape
    )
    return told(1, name) + told(2, told(1, numbered(1, _FLOAT) + told(2, sides)))


def _tensor(name: str, shape: tuple[int, ...], kind: int, raw: bytes) -> bytes:
    sides = b"".join(numbered(1, side) for side in shape)
    return sides + numbered(2, kind) + told(8, name) + told(9, raw)


def _varint(value: int) -> bytes:
    content = b""
    while value > _LAST:
        content, value = content + bytes([value & _LAST | 128]), value >> 7
    return content + bytes([value])
