"""What a key of a spec may hold, and how a wrong one is told."""

import difflib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ...rig.errors import FormatError

__all__ = [
    "Choice",
    "Choices",
    "Field",
    "Flag",
    "Number",
    "Span",
    "Texts",
    "Whole",
    "checked_table",
    "nearest",
]

_SHOWN: Final = 60  # characters of a wrong value


@dataclass(frozen=True)
class Field:
    """One key: what it is for, and what it is where nobody says.

    Attributes:
        default: the value where the spec has none.
        about: a few words.
    """

    default: Any
    about: str

    @property
    def wanted(self) -> str:
        """What may stand here, in words."""
        raise NotImplementedError

    def read(self, value: object) -> Any:  # noqa: ANN401  whatever the field holds
        """The value as the program keeps it; None where it is none."""
        raise NotImplementedError


def _number(value: object, low: float, high: float, *, whole: bool) -> bool:
    kinds = int if whole else (int, float)
    return (
        isinstance(value, kinds)
        and not isinstance(value, bool)
        and math.isfinite(value)
        and low <= value <= high
    )


@dataclass(frozen=True)
class Whole(Field):
    """A whole number between two."""

    low: int
    high: int

    @property
    def wanted(self) -> str:
        """See `Field`."""
        return f"a whole number from {self.low} to {self.high}"

    def read(self, value: object) -> int | None:
        """See `Field`."""
        return value if _number(value, self.low, self.high, whole=True) else None  # type: ignore[return-value]


@dataclass(frozen=True)
class Number(Field):
    """A number between two."""

    low: float
    high: float

    @property
    def wanted(self) -> str:
        """See `Field`."""
        return f"a number from {self.low:g} to {self.high:g}"

    def read(self, value: object) -> float | None:
        """See `Field`."""
        return float(value) if _number(value, self.low, self.high, whole=False) else None  # type: ignore[arg-type]


@dataclass(frozen=True)
class Span(Field):
    """A number, or two between which one is drawn; kept as (low, high)."""

    low: float
    high: float
    whole: bool = False

    @property
    def wanted(self) -> str:
        """See `Field`."""
        kind = "a whole number" if self.whole else "a number"
        return (
            f"{kind} from {self.low:g} to {self.high:g}, or two of them, smaller first, as [2, 5]"
        )

    def read(self, value: object) -> tuple[float, float] | None:
        """See `Field`."""
        ends = value if isinstance(value, list) else [value, value]
        if len(ends) != 2:
            return None
        if not all(_number(end, self.low, self.high, whole=self.whole) for end in ends):
            return None
        return (ends[0], ends[1]) if ends[0] <= ends[1] else None


@dataclass(frozen=True)
class Flag(Field):
    """True or false."""

    @property
    def wanted(self) -> str:
        """See `Field`."""
        return "true or false"

    def read(self, value: object) -> bool | None:
        """See `Field`."""
        return value if isinstance(value, bool) else None


@dataclass(frozen=True)
class Choice(Field):
    """One of some words."""

    words: tuple[str, ...]

    @property
    def wanted(self) -> str:
        """See `Field`."""
        return "one of " + ", ".join(f'"{word}"' for word in self.words)

    def read(self, value: object) -> str | None:
        """See `Field`."""
        return value if isinstance(value, str) and value in self.words else None


@dataclass(frozen=True)
class Choices(Field):
    """A list of some words, each at most once, in the order of the table."""

    words: tuple[str, ...]
    some: bool = False  # whether it may not be empty

    @property
    def wanted(self) -> str:
        """See `Field`."""
        return "a list of " + ", ".join(f'"{word}"' for word in self.words)

    def read(self, value: object) -> tuple[str, ...] | None:
        """See `Field`."""
        if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
            return None
        if not set(value) <= set(self.words) or (self.some and not value):
            return None
        return tuple(word for word in self.words if word in value)


@dataclass(frozen=True)
class Texts(Field):
    """A list of texts, or one."""

    @property
    def wanted(self) -> str:
        """See `Field`."""
        return 'a list of texts, as ["walks", "run.bvh"]'

    def read(self, value: object) -> tuple[str, ...] | None:
        """See `Field`."""
        texts = [value] if isinstance(value, str) else value
        if not isinstance(texts, list) or not all(isinstance(t, str) and t for t in texts):
            return None
        return tuple(texts)


def checked_table(name: str, table: object, fields: Mapping[str, Field]) -> dict[str, Any]:
    """Every field of one table of a spec, with defaults where it says nothing.

    Raises:
        FormatError: a key is unknown (the message has the nearest one), or a value is none of its field's.
    """
    if not isinstance(table, dict):
        raise FormatError(f"{name} is {_told(table)}; expected a table, [{name}]")
    for key in table:
        if key not in fields:
            raise FormatError(f"[{name}] has the unknown key {key!r}; {nearest(key, fields)}")
    found = {}
    for key, field in fields.items():
        value = field.read(table[key]) if key in table else field.default
        if value is None:
            raise FormatError(f"{key} in [{name}] is {_told(table[key])}; expected {field.wanted}")
        found[key] = value
    return found


def nearest(word: str, known: Iterable[str]) -> str:
    """What a misspelt word may have meant, in words; all there are where none is near."""
    known = list(known)
    close = difflib.get_close_matches(word.lower(), known, n=1, cutoff=0.55)
    return f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(known)}"


def _told(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
