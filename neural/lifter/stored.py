"""The lifter on disk, as the other networks: a config as JSON and half-precision weights."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..settings import settings_from
from ..weights import EMBEDDED, read_network, save_network
from .network import Lifter, LifterConfig

__all__ = ["load_lifter", "save_lifter"]


_KIND = "lifter"


def save_lifter(path: Path, network: Lifter, extra: Mapping[str, Any]) -> None:
    """Write `path`.safetensors (float16) and `path`.json (config, and what else is worth knowing)."""
    parameters = sum(tensor.numel() for tensor in network.parameters())
    save_network(path, _KIND, network, {**extra, "parameters": parameters})


def load_lifter(path: Path | None = None) -> Lifter:
    """A lifter in float32, ready to lift: the embedded one, or `path` without suffix.

    Raises:
        ModelError: a file is missing or damaged.
    """

    def made(about: dict[str, Any]) -> Lifter:
        return Lifter(settings_from(LifterConfig, about["config"], "the lifter"))

    return read_network(path or EMBEDDED / _KIND, made, _KIND)[0]
