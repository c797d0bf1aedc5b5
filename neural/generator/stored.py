"""The generator on disk: weights in half precision as safetensors, its sizes as JSON beside them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..weights import read_network, save_network
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

    def made(about: dict[str, Any]) -> Generator:
        config = about["config"]
        return Generator(
            GeneratorConfig(
                TokeniserConfig(**config["tokeniser"]), NextScaleConfig(**config["next_scale"])
            )
        )

    return read_network(path, made, _KIND)[0]
