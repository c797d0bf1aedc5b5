"""Networks on disk: a config as JSON and a state as safetensors, never a pickle."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from ..capture.output import new_file
from ..rig.errors import ModelError
from .baselines import (
    LstmConfig,
    LstmPoser,
    LstmTransformer,
    LstmTransformerConfig,
    MeanPose,
    PlainTransformer,
    PlainTransformerConfig,
)
from .network import Pallas, PallasConfig
from .settings import settings_from

__all__ = [
    "EMBEDDED",
    "NETWORKS",
    "build",
    "load_network",
    "read_network",
    "read_tensors",
    "save_network",
    "write_tensors",
]

Network = TypeVar("Network", bound=nn.Module)
EMBEDDED = Path(__file__).resolve().parent / "trained"

_KINDS: dict[str, tuple[type[Any], type[nn.Module]]] = {
    "pallas": (PallasConfig, Pallas),
    "lstm": (LstmConfig, LstmPoser),
    "lstm_transformer": (LstmTransformerConfig, LstmTransformer),
    "transformer": (PlainTransformerConfig, PlainTransformer),
}
NETWORKS: tuple[str, ...] = tuple(_KINDS)
_DTYPES: dict[str, tuple[np.dtype[Any], torch.dtype]] = {
    "F64": (np.dtype("<f8"), torch.float64),
    "F32": (np.dtype("<f4"), torch.float32),
    "F16": (np.dtype("<f2"), torch.float16),
    "I64": (np.dtype("<i8"), torch.int64),
}


def build(kind: str, config: Mapping[str, Any] | None = None) -> nn.Module:
    """A network of the named kind, untrained; an empty config gives the default sizes."""
    if kind not in _KINDS:
        raise ModelError(f"no network {kind!r}; there are: {', '.join(_KINDS)}")
    config_class, network_class = _KINDS[kind]
    return network_class(settings_from(config_class, config or {}, f"the {kind} network"))


def save_network(
    path: Path, kind: str, network: nn.Module, extra: Mapping[str, Any] | None = None
) -> None:
    """Write `path`.safetensors (float16) and `path`.json (kind, config, what else is worth knowing)."""
    config = getattr(network, "config", None)
    about = {
        "kind": kind,
        "config": asdict(config) if is_dataclass(config) else {},  # type: ignore[arg-type]
        **(extra or {}),
    }
    half = {n: t.half() if t.is_floating_point() else t for n, t in network.state_dict().items()}
    write_tensors(path.with_suffix(".safetensors"), half)
    with new_file(path.with_suffix(".json"), force=True) as temporary:
        temporary.write_text(json.dumps(about, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def load_network(path: Path) -> tuple[nn.Module, dict[str, Any]]:
    """Rebuild a network saved by `save_network`, in float32, ready to predict.

    Raises:
        ModelError: a file is missing or damaged.
    """

    def made(about: dict[str, Any]) -> nn.Module:
        if about["kind"] == "mean":
            return MeanPose(read_tensors(path.with_suffix(".safetensors"))["outputs"].float())
        return build(about["kind"], about["config"])

    return read_network(path, made)


def read_network(
    path: Path, made: Callable[[dict[str, Any]], Network], kind: str | None = None
) -> tuple[Network, dict[str, Any]]:
    """Rebuild any network that `save_network` wrote, in float32, ready to predict.

    Args:
        path: without suffix.
        made: makes it, untrained, of what its JSON says.
        kind: of the network; None for all that `made` knows.

    Returns:
        The network, and what its JSON says.

    Raises:
        ModelError: a file is missing or damaged, or holds a network of another kind.
    """
    try:
        about = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        if kind is not None and about["kind"] != kind:
            raise ValueError(f"it holds a network {about['kind']!r}, not {kind!r}")
        network = made(about)
        tensors = read_tensors(path.with_suffix(".safetensors"))
        state = {n: t.float() if t.is_floating_point() else t for n, t in tensors.items()}
        network.load_state_dict(state)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelError(
            f"the weights {path}.safetensors can't be used ({reason}); install PALLAS again"
        ) from error
    network.eval()
    return network, about


def write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write a safetensors file: a length, a JSON header, the raw tensors."""
    header: dict[str, Any] = {}
    blobs, offset = [], 0
    codes = {torch_type: code for code, (_, torch_type) in _DTYPES.items()}
    for name, tensor in sorted(tensors.items()):
        blob = tensor.detach().cpu().contiguous().numpy().tobytes()
        header[name] = {
            "dtype": codes[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [offset, offset + len(blob)],
        }
        blobs.append(blob)
        offset += len(blob)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with new_file(path, force=True) as temporary:
        temporary.write_bytes(len(text).to_bytes(8, "little") + text + b"".join(blobs))


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read a safetensors file with numpy alone, so that Blender needs no further library.

    Raises:
        ValueError, KeyError: the bytes are not a safetensors file.
        OSError: it can't be read.
    """
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    if not 2 <= size <= len(data) - 8:
        raise ValueError(f"{path.name} is cut or not a safetensors file")
    header = json.loads(data[8 : 8 + size])
    body = memoryview(data)[8 + size :]
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        numpy_type, _ = _DTYPES[entry["dtype"]]
        start, end = entry["data_offsets"]
        array = np.frombuffer(body[start:end], dtype=numpy_type).reshape(entry["shape"])
        tensors[name] = torch.from_numpy(array.copy())
    return tensors
