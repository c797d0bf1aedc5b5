"""Filters by their names, as a command line tells them: `butterworth:cutoff=5,order=4`."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

from ..errors import ShapeError
from .options import Butterworth, Filter, Hampel, KalmanSmoother, Median, OneEuro, SavitzkyGolay

__all__ = ["FILTERS", "filter_from_text"]

FILTERS: Final[Mapping[str, type[Filter]]] = {
    "butterworth": Butterworth,
    "kalman": KalmanSmoother,
    "one-euro": OneEuro,
    "savitzky-golay": SavitzkyGolay,
    "median": Median,
    "hampel": Hampel,
}


def filter_from_text(text: str) -> Filter:
    """The filter of a name and, after a colon, some of its options.

    Raises:
        ShapeError: an unknown name or option, or a value that does not fit; the message names the known ones.
    """
    name, _, rest = text.strip().partition(":")
    if name not in FILTERS:
        raise ShapeError(f"no filter {name!r}; expected one of: {', '.join(FILTERS)}")
    chosen = FILTERS[name]
    defaults = {field.name: field.default for field in fields(chosen)}
    values: dict[str, Any] = {}
    for part in filter(None, rest.split(",")):
        key, _, value = (word.strip() for word in part.partition("="))
        if key not in defaults:
            raise ShapeError(
                f"the filter {name} has no option {key!r}; expected some of: {', '.join(defaults)}"
            )
        values[key] = _value(f"{name}'s {key}", value, defaults[key])
    return chosen(**values)


def _value(name: str, text: str, default: object) -> float | str:
    if isinstance(default, str):
        return text
    try:
        return int(text) if isinstance(default, int) else float(text)
    except ValueError:
        kind = "a whole number" if isinstance(default, int) else "a number"
        raise ShapeError(f"{name} is {text!r}; expected {kind}") from None
