"""Pose networks as ONNX files (IR version 8, operators of version 13): no library is needed to write one."""

from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ...capture.output import new_file
from ...rig.errors import ModelError
from .backbones import Separable
from .context import Context
from .folded import folded
from .network import PafNetwork
from .onnx_format import Attribute, attribute, numbered, shaped, told, weights, whole_numbers

__all__ = ["write_onnx"]

_MEAN: Final = np.array([123.675, 116.28, 103.53])
_DEVIATION: Final = np.array([58.395, 57.12, 57.375])
_PLACES: Final = {
    "none": 0,
    "channels": 1,
    "down": 2,
    "across": 4,
}  # axes, and what is past the last


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
        parts = dict(stage.named_children())
        seen = graph.module(parts["context"], seen)
        maps = (graph.module(parts["pafs"], seen), graph.module(parts["confidence"], seen))
        seen = graph.node("Concat", [*maps, features], axis=1)
    points = copy.config.paf_layout.points
    graph.numbers.append(whole_numbers("points", [points]))
    graph.node("Slice", [maps[1], "none", "points", "channels"], "confidence")
    graph.node("Identity", [maps[0]], "pafs")
    sides: tuple[int | str, int | str] = ("height", "width") if size is None else size[::-1]
    cells = tuple(f"{s} / 8" if isinstance(s, str) else s // 8 for s in sides)
    outputs = {"confidence": points, "pafs": 2 * len(copy.config.paf_layout.limbs)}
    content = graph.model(
        shaped("crops", (1, 3, *sides)),
        [shaped(name, (1, count, *cells)) for name, count in outputs.items()],
    )
    with new_file(path, force=force) as temporary:
        temporary.write_bytes(content)


class _Graph:
    """Nodes and numbers, in the order in which they are computed."""

    def __init__(self) -> None:
        self.nodes: list[bytes] = []
        self.numbers = [whole_numbers(name, [place]) for name, place in _PLACES.items()]

    def node(self, kind: str, inputs: list[str], output: str = "", **attributes: Attribute) -> str:
        """Add a node with one output; its name."""
        output = output or f"{kind}_{len(self.nodes)}"
        content = b"".join(told(1, name) for name in inputs) + told(2, output) + told(4, kind)
        content += b"".join(told(5, attribute(*one)) for one in attributes.items())
        self.nodes.append(content)
        return output

    def module(self, module: nn.Module, seen: str) -> str:
        """Add a layer, or a sequence of them."""
        match module:
            case nn.Sequential():
                for layer in module:
                    seen = self.module(layer, seen)
            case Separable():
                found = self.module(module.channels, self.module(module.space, seen))
                seen = self.node("Add", [found, seen]) if module.added else found
                seen = self.node("Relu", [seen])
            case Context():
                lower = self.module(module.lower, seen)
                lowest = self.enlarged(self.module(module.lowest, lower), lower)
                joined = self.module(module.joined, self.node("Add", [lower, lowest]))
                more = self.enlarged(self.module(module.out, joined), seen)
                seen = self.node("Add", [seen, more])
            case nn.Conv2d():
                seen = self.convolution(seen, _array(module.weight), _bias(module), module)
            case nn.ReLU():
                seen = self.node("Relu", [seen])
            case nn.MaxPool2d():
                seen = self.node("MaxPool", [seen], "", **_window(module))
            case nn.Identity():
                pass
            case _:
                kind = type(module).__name__
                raise ModelError(f"a layer of the kind {kind} has no place in ONNX files")
        return seen

    def enlarged(self, small: str, like: str) -> str:
        """Add what makes maps as large as others: each place twice along each side."""
        sizes = [
            self.node("Slice", [self.node("Shape", [name]), first, last, "none"])
            for name, first, last in ((small, "none", "down"), (like, "down", "across"))
        ]
        size = self.node("Concat", sizes, axis=0)
        way = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        return self.node("Resize", [small, "", "", size], mode="nearest", **way)

    def convolution(
        self,
        seen: str,
        weight: npt.NDArray[np.float64],
        bias: npt.NDArray[np.float64],
        like: nn.Conv2d | None = None,
    ) -> str:
        """Add a convolution with the strides, pads and groups of another."""
        name = f"numbers_{len(self.nodes)}"
        self.numbers += [weights(f"{name}.weight", weight), weights(f"{name}.bias", bias)]
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

    def model(self, taken: bytes, given: list[bytes]) -> bytes:
        """The whole file."""
        graph = b"".join(told(1, node) for node in self.nodes) + told(2, "pose2d")
        graph += b"".join(told(5, numbers) for numbers in self.numbers) + told(11, taken)
        graph += b"".join(told(12, one) for one in given)
        operators = told(1, "") + numbered(2, 13)
        return numbered(1, 8) + told(2, "PALLAS") + told(7, graph) + told(8, operators)


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
