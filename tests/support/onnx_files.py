"""ONNX networks with known answers, written byte by byte: tests need no library that makes them.

`colour_network` finds coloured spots: keypoint k is where the picture is most like colour k.
"""

import struct
from pathlib import Path

import numpy as np

_MEAN = np.array([123.675, 116.28, 103.53])
_DEVIATION = np.array([58.395, 57.12, 57.375])


def colours(count: int) -> np.ndarray:
    """(count, 3) red, green and blue, all of length 255, well apart in direction."""
    k = np.arange(count) + 0.5
    height = k / count
    around = (k * 0.618034 % 1.0) * np.pi / 2
    across = np.sqrt(1.0 - height**2)
    unit = np.stack([across * np.cos(around), across * np.sin(around), height], axis=-1)
    return np.round(255.0 * unit)


def spots(places: np.ndarray, size: tuple[int, int], radius: int = 5) -> np.ndarray:
    """A black picture of `size` (width, height) with a spot of colour k at place k (K, 2)."""
    picture = np.zeros((size[1], size[0], 3), np.uint8)
    for place, colour in zip(places, colours(len(places)), strict=True):
        x, y = (round(float(value)) for value in place)
        picture[max(y - radius, 0) : y + radius + 1, max(x - radius, 0) : x + radius + 1] = colour
    return picture


def colour_network(
    path: Path, count: int, *, simcc: bool, size: tuple[int, int] = (96, 128)
) -> Path:
    """Write the network: SimCC with two bins a pixel, or heat maps of a quarter of the size."""
    unit = colours(count) / np.linalg.norm(colours(count), axis=-1, keepdims=True)
    weights = unit * _DEVIATION / 255.0
    bias = unit @ _MEAN / 255.0
    width, height = size
    nodes = [_node("Conv", ["in", "w", "b"], ["like"], kernel_shape=[1, 1])]
    if simcc:
        nodes += [
            _node("AveragePool", ["like"], ["soft"], kernel_shape=[9, 9], pads=[4, 4, 4, 4],
                  strides=[1, 1], count_include_pad=1),
            _node("Resize", ["soft", "", "scales"], ["fine"], mode="linear"),
            _node("ReduceMax", ["fine"], ["x"], axes=[2], keepdims=0),
            _node("ReduceMax", ["fine"], ["y"], axes=[3], keepdims=0),
        ]  # fmt: skip
        outputs = [("x", [1, count, 2 * width]), ("y", [1, count, 2 * height])]
    else:
        nodes.append(_node("AveragePool", ["like"], ["maps"], kernel_shape=[4, 4], strides=[4, 4]))
        outputs = [("maps", [1, count, height // 4, width // 4])]
    graph = b"".join(_bytes(1, node) for node in nodes) + _bytes(2, b"g")
    graph += _bytes(5, _tensor("w", weights.reshape(count, 3, 1, 1))) + _bytes(
        5, _tensor("b", bias)
    )
    graph += _bytes(5, _tensor("scales", np.array([1.0, 1.0, 2.0, 2.0])))
    graph += _bytes(11, _value("in", [1, 3, height, width]))
    graph += b"".join(_bytes(12, _value(name, shape)) for name, shape in outputs)
    opset = _bytes(1, b"") + _number(2, 13)
    path.write_bytes(_number(1, 8) + _bytes(7, graph) + _bytes(8, opset))
    return path


def _varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _node(kind: str, inputs: list[str], outputs: list[str], **attributes: object) -> bytes:
    node = b"".join(_bytes(1, name.encode()) for name in inputs)
    node += b"".join(_bytes(2, name.encode()) for name in outputs) + _bytes(4, kind.encode())
    for name, value in attributes.items():
        attribute = _bytes(1, name.encode())
        if isinstance(value, list):
            attribute += b"".join(_number(8, v) for v in value) + _number(20, 7)
        elif isinstance(value, str):
            attribute += _bytes(4, value.encode()) + _number(20, 3)
        else:
            attribute += _number(3, int(value)) + _number(20, 2)
        node += _bytes(5, attribute)
    return node


def _tensor(name: str, values: np.ndarray) -> bytes:
    dims = b"".join(_number(1, side) for side in values.shape)
    raw = b"".join(struct.pack("<f", v) for v in values.ravel())
    return dims + _number(2, 1) + _bytes(8, name.encode()) + _bytes(9, raw)


def _value(name: str, shape: list[int]) -> bytes:
    dims = b"".join(_bytes(1, _number(1, side)) for side in shape)
    tensor = _number(1, 1) + _bytes(2, dims)
    return _bytes(1, name.encode()) + _bytes(2, _bytes(1, tensor))
