"""The generator on disk: weights in half precision as safetensors, its sizes as JSON beside them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...rig.errors import ModelError
from ..weights import read_tensors, save_network
from .network import Generator, GeneratorConfig
from .next_scale import NextScaleConfig
from .tokeniser import TokeniserConfig

__all__ = ["load_generator", "save_generator"]

_KIND = "generator"


def save_generator(path: Path, network: Generator, extra: Mapping[str, Any] | None = None) -> None:
    """Write `path`.safetensors and `path`.json."""
    save_network(path, _KIND, network, extra)


def load_generator(path: Path) -> Generator:
    """Rebuild a generator in float32, ready to draw.

    Raises:
        ModelError: a file is missing or damaged.
    """
    try:
        about = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        if about["kind"] != _KIND:
            raise ValueError(f"it holds a network {about['kind']!r}, not {_KIND!r}")
        config = about["config"]
        network = Generator(
            GeneratorConfig(
                TokeniserConfig(**config["tokeniser"]), NextScaleConfig(**config["next_scale"])
            )
        )
        tensors = read_tensors(path.with_suffix(".safetensors"))
        network.load_state_dict({n: t.float() for n, t in tensors.items()})
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelError(
            f"the weights {path}.safetensors can't be used ({reason}); install PALLAS again"
        ) from error
    return network.eval()
