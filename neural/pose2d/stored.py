"""Pose networks on disk: ours (a config as JSON, half-precision weights), or OpenPose's published weights."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from ...rig.errors import FileError, FormatError, ModelError
from ..settings import settings_from
from ..weights import save_network
from .network import PafConfig, PafNetwork, with_stages
from .published import is_published, published_network, read_state

__all__ = ["load_paf", "save_paf"]


def save_paf(path: Path, network: PafNetwork, extra: Mapping[str, Any] | None = None) -> None:
    """Write `path`.safetensors (float16) and `path`.json (config, and what else is worth knowing)."""
    parameters = sum(tensor.numel() for tensor in network.parameters())
    save_network(path, "pose2d", network, {**(extra or {}), "parameters": parameters})


def load_paf(path: Path, stages: int | None = None) -> PafNetwork:
    """A pose network in float32, ready to look at pictures.

    Args:
        path: `.safetensors` with its `.json` beside, as `pallas train pose2d` writes; or OpenPose's weights
            as `.safetensors`, `.pt` or `.pth`.
        stages: how many to keep; None for all.

    Raises:
        FileError: the file, or what lies beside it, can't be read.
        ModelError: it holds another network; the message names the first tensors that differ.
    """
    state = read_state(path)
    if is_published(state):
        return published_network(state, path.name, stages)
    network = PafNetwork(_config(path.with_suffix(".json")))
    own = network.state_dict()
    lacking = [name for name in own if name not in state]
    strange = [name for name in state if name not in own]
    odd = [name for name in own if name in state and own[name].shape != state[name].shape]
    if lacking or strange or odd:
        told = ", ".join((*odd, *lacking, *strange)[:3])
        raise ModelError(
            f"{path} doesn't fit the config beside it, first in {told[:160]}; take a pair"
        )
    network.load_state_dict({name: _full(tensor) for name, tensor in state.items()})
    return with_stages(network, stages).eval() if stages else network.eval()


def _config(path: Path) -> PafConfig:
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(about, dict) or about.get("kind") != "pose2d":
            raise ModelError(
                f"{path} is not of a pose network; expected what pallas train pose2d wrote"
            )
        return settings_from(PafConfig, about["config"], path.name)
    except OSError as error:
        raise FileError(
            f"{path} can't be read: {error.strerror or error}; a network's .json lies beside its "
            ".safetensors"
        ) from error
    except (ValueError, KeyError, AttributeError) as error:
        if isinstance(error, FormatError):
            raise
        raise ModelError(f"{path} is damaged: {' '.join(str(error).split())[:120]}") from error


def _full(tensor: Tensor) -> Tensor:
    return tensor.float() if tensor.is_floating_point() else tensor
