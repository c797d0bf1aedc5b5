"""Trained networks and what their training cost: the embedded one, single ones, whole suites."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from ...rig.errors import ModelError
from ..generator.network import Generator
from ..generator.stored import load_generator
from ..weights import EMBEDDED, load_network
from .pages import UNKNOWN
from .solvers import find_weights

__all__ = ["Run", "read_generator", "read_runs", "read_suite"]


@dataclass(frozen=True, eq=False)
class Run:
    """A trained network and what its training cost.

    Attributes:
        name: of its folder.
        network: ready to predict.
        parameters: how many numbers were trained.
        steps: of the optimiser; None where nobody wrote it down.
        minutes: of training, on the machine that the page names; None where nobody wrote it down.
    """

    name: str
    network: nn.Module
    parameters: int
    steps: int | None
    minutes: float | None

    @property
    def budget(self) -> list[str]:
        """Name, millions of parameters, steps and minutes as a table's cells."""
        steps = UNKNOWN if self.steps is None else str(self.steps)
        minutes = UNKNOWN if self.minutes is None else f"{self.minutes:.1f}"
        return [self.name, f"{self.parameters / 1e6:.2f} M", steps, minutes]


def read_suite(folder: Path) -> list[Run]:
    """The finished networks that `pallas train --suite` left under `folder`, in the order of their names.

    Raises:
        ModelError: there is none.
    """
    runs = []
    for place in sorted(path for path in folder.glob("*") if path.is_dir()):
        try:
            found = find_weights(place)
        except ModelError:
            continue  # still training
        runs += [_run(place.name if len(found) == 1 else path.name, path) for path in found]
    if not runs:
        raise ModelError(
            f"{folder} holds no finished network; expected folders that pallas train --suite wrote"
        )
    return runs


def read_runs(places: Sequence[Path]) -> list[Run]:
    """The embedded network as "pallas", and those that `pallas train` left in `places`.

    Raises:
        ModelError: a place holds no finished network.
    """
    runs = {"pallas": _run("pallas", EMBEDDED / "pallas")}
    for path in (path for place in places for path in find_weights(place)):
        name = path.name if path.name not in runs else f"{path.parent.name}/{path.name}"
        runs[name] = _run(name, path)
    return list(runs.values())


def read_generator(place: Path | None) -> tuple[Generator, Run]:
    """The generator of legs in a folder, or the embedded one, and what its training cost.

    Raises:
        ModelError: there is none.
    """
    path = EMBEDDED / "generator" if place is None else place / "generator"
    network = load_generator(path)
    about = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    return network, _described("generator of legs", network, about)


def _run(name: str, path: Path) -> Run:
    return _described(name, *load_network(path))


def _described(name: str, network: nn.Module, about: dict[str, Any]) -> Run:
    about = {**about, **about.get("extra", {})}
    parameters = sum(tensor.numel() for tensor in network.parameters())
    return Run(
        name, network, parameters, _known(about, "steps", int), _known(about, "minutes", float)
    )


def _known(about: dict[str, Any], name: str, kind: type) -> Any:  # noqa: ANN401 (int or float, as asked for)
    value = about.get(name)
    if isinstance(value, list):  # of networks trained one after the other
        value = sum(value)
    return None if value is None else kind(value)
