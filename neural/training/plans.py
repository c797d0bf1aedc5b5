"""Plans from TOML files: one run, or a suite of named runs that share what they have in common."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ...rig.errors import FileError, FormatError
from ..settings import settings_from
from .options import Plan

__all__ = ["SUITES", "RunFile", "read_run", "read_suite", "with_training"]

SUITES = Path(__file__).resolve().parent / "suites"


@dataclass(frozen=True)
class RunFile:
    """A file of one run: a plan and, if it names them, the folders."""

    plan: Plan
    library: Path | None
    out: Path | None


def read_run(path: Path) -> RunFile:
    """Read a run's TOML: the fields of `Plan`, and `library` and `out` relative to the working folder.

    Raises:
        FileError: it can't be read.
        FormatError: it is no TOML, or a key or value is wrong; the message names it.
    """
    table = _read(path)
    folders = {}
    for name in ("library", "out"):
        value = table.pop(name, None)
        if value is not None and not isinstance(value, str):
            raise FormatError(f"{path}: {name} is {value!r}; expected a folder's name in quotes")
        folders[name] = None if value is None else Path(value)
    table.setdefault("name", table.get("kind", "pallas"))
    return RunFile(settings_from(Plan, table, f"{path}:"), **folders)


def read_suite(name: str) -> list[Plan]:
    """The plans of a suite: the name of one in the package, or a TOML file.

    A suite has a table `common` with fields of `Plan`, and tables `runs.NAME` with what differs.

    Raises:
        FileError: there is no such suite.
        FormatError: a key or value is wrong; the message names it.
    """
    path = Path(name) if name.endswith(".toml") else SUITES / f"{name}.toml"
    if not path.is_file():
        known = ", ".join(sorted(found.stem for found in SUITES.glob("*.toml")))
        raise FileError(f"there is no suite {name}; there are: {known}, or give a TOML file")
    table = _read(path)
    unknown = set(table) - {"common", "runs"}
    if unknown or not isinstance(table.get("runs"), Mapping):
        raise FormatError(
            f"{path}: expected the tables common and runs.NAME, found {', '.join(table) or 'none'}"
        )
    plans = []
    for run, own in table["runs"].items():
        merged = _merged(_merged({}, table.get("common", {})), own) | {"name": run}
        plans.append(settings_from(Plan, merged, f"{path}: [runs.{run}]"))
    return plans


def with_training(plan: Plan, **changes: Any) -> Plan:  # noqa: ANN401 - fields of TrainingOptions
    """The plan with another schedule; changes that are None are none, and steps end a plan's minutes.

    Raises:
        FormatError: a value is out of its range.
    """
    chosen = {name: value for name, value in changes.items() if value is not None}
    if "steps" in chosen:
        chosen.setdefault("minutes", 0.0)
    try:
        return replace(plan, training=replace(plan.training, **chosen))
    except ValueError as error:
        raise FormatError(f"the training options don't fit: {error}") from error


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FileError(f"{path} can't be read: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FormatError(f"{path} is not TOML: {error}") from error


def _merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Tables within tables are merged, everything else is replaced."""
    result = dict(base)
    for name, value in changes.items():
        old = result.get(name)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        result[name] = _merged(old, value) if both else value  # type: ignore[arg-type]
    return result
