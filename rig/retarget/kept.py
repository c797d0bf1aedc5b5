"""Answers kept for questions that are the same bit by bit, so that a rig is matched and compared once."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import fields, is_dataclass, replace
from functools import lru_cache, wraps
from typing import Any, Final, ParamSpec, TypeVar

import numpy as np

__all__ = ["kept"]

_MOST: Final = 16  # answers of one function
_PLAIN: Final = frozenset((str, int, float, bool, tuple, type(None)))
_Asked = ParamSpec("_Asked")
_Answer = TypeVar("_Answer")


def kept(make: Callable[_Asked, _Answer]) -> Callable[_Asked, _Answer]:
    """The same function; asked again with arguments of the same values, it gives the answer it gave before.

    Nothing in Blender or in a file is an argument: whatever has changed there is another value. An answer is
    made of copies, so that nobody can change what it was made of; it is shared, so nobody may change it.

    Args:
        make: a function of nothing but its arguments: arrays, types made of such, and what can be hashed.
    """

    @lru_cache(_MOST)
    def answer(question: _Question) -> _Answer:
        return make(*map(_copied, question.args), **_copied(question.named))

    @wraps(make, updated=())
    def asked(*args: _Asked.args, **named: _Asked.kwargs) -> _Answer:
        return answer(_Question(args, named))

    return asked


class _Question:
    """Arguments, equal to others of the same values."""

    def __init__(self, args: tuple[Any, ...], named: Mapping[str, Any]) -> None:
        self.args, self.named = args, named
        self.values = (*(_value(arg) for arg in args), _value(named))

    def __hash__(self) -> int:
        return hash(self.values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Question) and self.values == other.values


def _value(item: object) -> Hashable:
    """What a question is compared by."""
    if type(item) in _PLAIN:
        return item
    if isinstance(item, np.ndarray):
        return item.shape, item.dtype.str, item.tobytes()
    if isinstance(item, Mapping):
        return tuple((key, _value(value)) for key, value in item.items())
    if is_dataclass(item):
        return type(item), *(_value(getattr(item, field.name)) for field in fields(item))
    return item


def _copied(item: Any) -> Any:  # noqa: ANN401  of what kind it was
    """The same, with arrays and mappings of its own."""
    if isinstance(item, np.ndarray):
        return item.copy()
    if isinstance(item, Mapping):
        return {key: _copied(value) for key, value in item.items()}
    if is_dataclass(item) and not isinstance(item, type):
        return replace(item, **{f.name: _copied(getattr(item, f.name)) for f in fields(item)})
    return item
