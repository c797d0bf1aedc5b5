"""The lifter on disk, as the other networks: a config as JSON and half-precision weights."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ...capture.output import new_file
from ...rig.errors import ModelError
from ..settings import settings_from
from ..weights import EMBEDDED, read_tensors, write_tensors
from .network import Lifter, LifterConfig

__all__ = ["load_lifter", "save_lifter"]


def save_lifter(path: Path, network: Lifter, extra: Mapping[str, Any]) -> None:
    """Write `path`.safetensors (float16) and `path`.json (config, and what else is worth knowing)."""
    state = {name: tensor.half() for name, tensor in network.state_dict().items()}
    write_tensors(path.with_suffix(".safetensors"), state)
    about = {"kind": "lifter", "config": asdict(network.config), **extra}
    about["parameters"] = sum(tensor.numel() for tensor in network.parameters())
    with new_file(path.with_suffix(".json"), force=True) as temporary:
        temporary.write_text(json.dumps(about, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def load_lifter(path: Path | None = None) -> Lifter:
    """A lifter in float32, ready to lift: the embedded one, or `path` without suffix.

    Raises:
        ModelError: a file is missing or damaged.
    """
    path = path or EMBEDDED / "lifter"
    try:
        about = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        network = Lifter(settings_from(LifterConfig, about["config"], "the lifter"))
        tensors = read_tensors(path.with_suffix(".safetensors"))
        network.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelError(
            f"the weights {path}.safetensors can't be used ({reason}); install PALLAS again"
        ) from error
    return network.eval()
