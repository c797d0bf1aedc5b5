"""OpenPose's published weights (COCO, 18 keypoints) from a user's file into the network with VGG-19.

The file is a PyTorch conversion that keeps the names of the layers (`conv1_1.weight` …
`Mconv7_stage6_L2.bias`), with or without the name of a model or block before. L1 are the fields, L2 the maps.
The published network takes blue, green, red; its first layer is turned round, so that ours takes red, green,
blue.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn

from ...rig.errors import FileError, ModelError
from ..weights import read_tensors
from .network import MOST_STAGES, PafConfig, PafNetwork

__all__ = ["is_published", "published_network", "read_state"]

_BACKBONE: Final = (
    "conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1", "conv3_2", "conv3_3", "conv3_4", "conv4_1",
    "conv4_2", "conv4_3_CPM", "conv4_4_CPM",
)  # fmt: skip
_BRANCHES: Final = {"pafs": "L1", "confidence": "L2"}
_SHOWN: Final = 3


def read_state(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file, or of what torch.save wrote; nothing in it is run.

    Raises:
        FileError: it can't be read.
        ModelError: it holds no tensors by name.
    """
    if not path.is_file():
        raise FileError(f"{path} does not exist; expected a network's weights (.safetensors, .pth)")
    try:
        if path.suffix.lower() == ".safetensors":
            return read_tensors(path)
        found: Any = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise FileError(f"{path} can't be read: {error.strerror or error}") from error
    except Exception as error:
        reason = " ".join(str(error).split())[:120]
        raise ModelError(f"{path} holds no weights that can be read ({reason})") from error
    if isinstance(found, Mapping) and isinstance(found.get("state_dict"), Mapping):
        found = found["state_dict"]
    if not isinstance(found, Mapping) or not all(isinstance(t, Tensor) for t in found.values()):
        raise ModelError(f"{path} is no state dict; expected tensors by the names of layers")
    return {str(name): tensor for name, tensor in found.items()}


def is_published(state: Mapping[str, Tensor]) -> bool:
    """Whether any tensor has the name of one of OpenPose's layers."""
    return any(_layer(name).startswith(("conv1_1.", "Mconv", "conv5_")) for name in state)


def published_network(
    state: Mapping[str, Tensor], where: str, stages: int | None = None
) -> PafNetwork:
    """The network of a published state dict.

    Args:
        state: tensors by name; those of layers that the network lacks must not be there.
        where: how messages call the file.
        stages: how many to keep; None for all that the file has.

    Raises:
        ModelError: names or shapes differ; the message names the first.
    """
    theirs = {_layer(name): tensor for name, tensor in state.items()}
    there = _stages_of(theirs)
    with torch.device("meta"):  # shapes and names; the numbers are the file's
        network = PafNetwork(PafConfig("vgg", "coco_18", min(stages or there, there)))
        wanted = dict(_names(PafNetwork(PafConfig("vgg", "coco_18", there))))
    own = network.state_dict()
    full = {their: tensor for their, tensor in theirs.items() if their in wanted.values()}
    lacking = [name for name in wanted.values() if name not in theirs]
    strange = [name for name in theirs if name not in full]
    if lacking or strange:
        raise ModelError(_differs(where, lacking, strange))
    loaded = {}
    for ours, tensor in own.items():
        their = full[wanted[ours]]
        if their.shape != tensor.shape:
            raise ModelError(
                f"{where}: {wanted[ours]} has shape {tuple(their.shape)}; expected {tuple(tensor.shape)}, "
                "as in OpenPose's COCO network"
            )
        loaded[ours] = their.float().contiguous()
    loaded["backbone.0.weight"] = loaded["backbone.0.weight"].flip(1)
    network.load_state_dict(loaded, assign=True)
    return network.eval()


def _layer(name: str) -> str:
    """`conv1_1.weight` of `module.model0.conv1_1.weight`."""
    return ".".join(name.split(".")[-2:])


def _stages_of(theirs: Mapping[str, Tensor]) -> int:
    stages = [
        number
        for number in range(2, MOST_STAGES + 1)
        if any(f"_stage{number}_" in name for name in theirs)
    ]
    return max(stages, default=1)


def _names(network: PafNetwork) -> Iterator[tuple[str, str]]:
    """(our name, theirs) of every tensor."""
    yield from _paired("backbone", network.backbone, _BACKBONE)
    for number, stage in enumerate(network.stages):
        for branch, letter in _BRANCHES.items():
            start = (
                f"Mconv{{}}_stage{number + 1}_{letter}" if number else f"conv5_{{}}_CPM_{letter}"
            )
            layers = tuple(start.format(layer) for layer in range(1, 8))
            yield from _paired(f"stages.{number}.{branch}", getattr(stage, branch), layers)


def _paired(prefix: str, part: nn.Module, layers: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    convolutions = [name for name, one in part.named_children() if isinstance(one, nn.Conv2d)]
    for ours, theirs in zip(convolutions, layers, strict=False):
        for kind in ("weight", "bias"):
            yield f"{prefix}.{ours}.{kind}", f"{theirs}.{kind}"


def _differs(where: str, lacking: list[str], strange: list[str]) -> str:
    parts = []
    for words, names in (("lacks", lacking), ("has, and the network lacks,", strange)):
        if names:
            more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
            parts.append(f"{words} {', '.join(names[:_SHOWN])[:160]}{more}")
    return f"{where} {'; it '.join(parts)}: expected the layers of OpenPose's COCO network"
