"""The augmenter on disk: weights in half precision as safetensors, its sizes as JSON beside them."""

from pathlib import Path
from typing import Any

from ...rig.errors import ModelError
from ..settings import settings_from
from ..weights import EMBEDDED, read_network, save_network
from .networks import Augmenter, AugmenterConfig

__all__ = ["EMBEDDED_AUGMENTER", "load_augmenter", "save_augmenter", "stored_in"]

_KIND = "augmenter"
EMBEDDED_AUGMENTER = EMBEDDED / _KIND


def save_augmenter(path: Path, network: Augmenter, extra: dict[str, Any]) -> None:
    """Write `path`.safetensors and `path`.json."""
    save_network(path, _KIND, network, extra)


def load_augmenter(path: Path = EMBEDDED_AUGMENTER) -> tuple[Augmenter, dict[str, Any]]:
    """Rebuild an augmenter in float32, ready to predict, and what is known of it.

    Raises:
        ModelError: a file is missing or damaged.
    """

    def made(about: dict[str, Any]) -> Augmenter:
        return Augmenter(settings_from(AugmenterConfig, about["config"], str(path)))

    return read_network(path, made, _KIND)


def stored_in(place: Path) -> Path:
    """Where a run's weights are, without suffix: `place` is its folder, or names them in it."""
    if place.is_dir():
        found = sorted(
            path for path in place.glob("*.json") if path.with_suffix(".safetensors").is_file()
        )
        if len(found) == 1:
            return found[0].with_suffix("")
        raise ModelError(
            f"{place} holds {len(found)} trained networks; expected one, or name it: {place / _KIND}"
        )
    return place
