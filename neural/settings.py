"""Frozen settings from plain tables (TOML, JSON), with errors that name the wrong key."""

import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from ..rig.errors import FormatError

__all__ = ["settings_from"]

Settings = TypeVar("Settings")
_WORDS: Mapping[type, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text in quotes",
}


def settings_from(kind: type[Settings], table: Mapping[str, Any], where: str) -> Settings:
    """Build a frozen dataclass, nested ones included; what is not named keeps its default.

    Args:
        kind: the dataclass.
        table: plain values by field name.
        where: how messages call the table, such as "run.toml: [training]".

    Raises:
        FormatError: a key is unknown, or a value of the wrong type or out of its range.
    """
    known = {f.name for f in fields(kind)}  # type: ignore[arg-type]
    hints = get_type_hints(kind)
    arguments = {}
    for name, value in table.items():
        if name not in known:
            raise FormatError(
                f"{where} has no setting {name!r}; there are: {', '.join(sorted(known))}"
            )
        arguments[name] = _value(hints[name], value, f"{where} {name}")
    try:
        return kind(**arguments)
    except (TypeError, ValueError) as error:
        raise FormatError(f"{where}: {error}") from error


def _value(hint: Any, value: Any, where: str) -> Any:  # noqa: ANN401 - whatever a table holds
    if isinstance(hint, type) and is_dataclass(hint):
        if not isinstance(value, Mapping):
            raise FormatError(f"{where} is {value!r}; expected a table")
        return settings_from(hint, value, where)
    if get_origin(hint) in (Union, types.UnionType):
        if value is None and type(None) in get_args(hint):
            return None
        return _value(next(part for part in get_args(hint) if part is not type(None)), value, where)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if hint in _WORDS and (
        not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool)
    ):
        raise FormatError(f"{where} is {value!r}; expected {_WORDS[hint]}")
    if get_origin(hint) is tuple and isinstance(value, list):
        return tuple(value)
    return value
