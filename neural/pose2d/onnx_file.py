"""Pose networks as ONNX files, byte by byte: no library is needed to write one.

The format is ONNX's protocol buffers (onnx.proto, IR version 8, operators of version 13).
"""

from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ...capture.output import new_file
from ...rig.errors import ModelError
from .backbones import Separable
from .folded import folded
from .network import PafNetwork

__all__ = ["write_onnx"]

_MEAN: Final = np.array([123.675, 116.28, 103.53])
_DEVIATION: Final = np.array([58.395, 57.12, 57.375])
_FLOAT, _INTEGER, _INT64 = 1, 2, 7  # TensorProto's types, AttributeProto's


def write_onnx(
    path: Path, network: PafNetwork, size: tuple[int, int] | None = None, *, force: bool = False
) -> None:
    """Write a network as other top-down networks come: what `--detector onnx` and onnxruntime read.

    In goes `crops` (1, 3, H, W): red, green, blue from 0 to 255, less ImageNet's mean and divided by its
    deviation. Out come the last stage's maps: `confidence` (1, K, H / 8, W / 8) and `pafs`
    (1, 2L, H / 8, W / 8).

    Args:
        path: `.onnx`.
        network: stays as it is.
        size: width and height, multiples of 8; None leaves them open.
        force: replace what is there.

    Raises:
        OutputError: the file is there, or can't be written.
    """
    graph = _Graph()
    copy = folded(network)
    scale = np.diag(_DEVIATION / 256.0).reshape(3, 3, 1, 1)
    features = graph.convolution("crops", scale, _MEAN / 256.0 - 0.5)
    features = graph.module(copy.backbone, features)
    seen, maps = features, ("", "")
    for stage in copy.stages:
        branches = dict(stage.named_children())
        maps = (graph.module(branches["pafs"], seen), graph.module(branches["confidence"], seen))
        seen = graph.node("Concat", [*maps, features], axis=1)
    points = copy.config.paf_layout.points
    graph.whole_numbers("none", [0])
    graph.whole_numbers("points", [points])
    graph.whole_numbers("channels", [1])
    graph.node("Slice", [maps[1], "none", "points", "channels"], "confidence")
    graph.node("Identity", [maps[0]], "pafs")
    sides: tuple[int | str, int | str] = ("height", "width") if size is None else size[::-1]
    cells = tuple(f"{s} / 8" if isinstance(s, str) else s // 8 for s in sides)
    outputs = {"confidence": points, "pafs": 2 * len(copy.config.paf_layout.limbs)}
    content = graph.model(
        _value("crops", (1, 3, *sides)),
        [_value(name, (1, count, *cells)) for name, count in outputs.items()],
    )
    with new_file(path, force=force) as temporary:
        temporary.write_bytes(content)


class _Graph:
    """Nodes and numbers, in the order in which they are computed."""

    def __init__(self) -> None:
        self.nodes: list[bytes] = []
        self.numbers: list[bytes] = []

    def node(
        self, kind: str, inputs: list[str], output: str = "", **attributes: int | list[int]
    ) -> str:
        """Add a node with one output; its name."""
        output = output or f"{kind}_{len(self.nodes)}"
        told = b"".join(_field(1, name.encode()) for name in inputs)
        told += _field(2, output.encode()) + _field(4, kind.encode())
        told += b"".join(_field(5, _attribute(*one)) for one in attributes.items())
        self.nodes.append(told)
        return output

    def module(self, module: nn.Module, seen: str) -> str:
        """Add a layer, or a sequence of them."""
        match module:
            case nn.Sequential():
                for layer in module:
                    seen = self.module(layer, seen)
                return seen
            case Separable():
                found = self.module(module.channels, self.module(module.space, seen))
                found = self.node("Add", [found, seen]) if module.added else found
                return self.node("Relu", [found])
            case nn.Conv2d():
                return self.convolution(seen, _array(module.weight), _bias(module), module)
            case nn.ReLU():
                return self.node("Relu", [seen])
            case nn.MaxPool2d():
                return self.node("MaxPool", [seen], "", **_window(module))
            case nn.Identity():
                return seen
        raise ModelError(f"a layer of the kind {type(module).__name__} has no place in ONNX files")

    def convolution(
        self,
        seen: str,
        weight: npt.NDArray[np.float64],
        bias: npt.NDArray[np.float64],
        like: nn.Conv2d | None = None,
    ) -> str:
        """Add a convolution with the strides, pads and groups of another."""
        name = f"numbers_{len(self.nodes)}"
        self.numbers += [_tensor(f"{name}.weight", weight), _tensor(f"{name}.bias", bias)]
        stride, pad, groups = (
            (like.stride[0], int(like.padding[0]), like.groups) if like else (1, 0, 1)
        )
        return self.node(
            "Conv",
            [seen, f"{name}.weight", f"{name}.bias"],
            kernel_shape=list(weight.shape[2:]),
            strides=[stride] * 2,
            pads=[pad] * 4,
            group=groups,
        )

    def whole_numbers(self, name: str, values: list[int]) -> None:
        """Add numbers that nodes refer to."""
        raw = np.array(values, dtype="<i8").tobytes()
        told = _number(1, len(values)) + _number(2, _INT64)
        self.numbers.append(told + _field(8, name.encode()) + _field(9, raw))

    def model(self, taken: bytes, given: list[bytes]) -> bytes:
        """The whole file."""
        graph = b"".join(_field(1, node) for node in self.nodes) + _field(2, b"pose2d")
        graph += b"".join(_field(5, tensor) for tensor in self.numbers) + _field(11, taken)
        graph += b"".join(_field(12, one) for one in given)
        operators = _field(1, b"") + _number(2, 13)
        return _number(1, 8) + _field(2, b"PALLAS") + _field(7, graph) + _field(8, operators)


def _window(layer: nn.MaxPool2d) -> dict[str, list[int]]:
    """ONNX's attributes of a layer whose window is square."""
    told = {"kernel_shape": layer.kernel_size, "strides": layer.stride, "pads": layer.padding}
    counts = {"kernel_shape": 2, "strides": 2, "pads": 4}
    return {
        name: [side] * counts[name] if isinstance(side, int) else list(side) * (counts[name] // 2)
        for name, side in told.items()
    }


def _array(tensor: Tensor) -> npt.NDArray[np.float64]:
    return tensor.detach().cpu().numpy().astype(np.float64)


def _bias(layer: nn.Conv2d) -> npt.NDArray[np.float64]:
    return _array(torch.zeros(layer.out_channels) if layer.bias is None else layer.bias)


def _varint(value: int) -> bytes:
    told = b""
    while value > 127:
        told, value = told + bytes([value & 127 | 128]), value >> 7
    return told + bytes([value])


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _field(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _attribute(name: str, value: int | list[int]) -> bytes:
    told = _field(1, name.encode())
    if isinstance(value, list):
        return told + b"".join(_number(8, one) for one in value) + _number(20, 7)
    return told + _number(3, value) + _number(20, _INTEGER)


def _tensor(name: str, values: npt.NDArray[np.float64]) -> bytes:
    sides = b"".join(_number(1, side) for side in values.shape)
    raw = values.astype("<f4").tobytes()
    return sides + _number(2, _FLOAT) + _field(8, name.encode()) + _field(9, raw)


def _value(name: str, shape: tuple[int | str, ...]) -> bytes:
    sides = b"".join(
        _field(1, _field(2, side.encode()) if isinstance(side, str) else _number(1, side))
        for side in shape
    )
    tensor = _number(1, _FLOAT) + _field(2, sides)
    return _field(1, name.encode()) + _field(2, _field(1, tensor))
