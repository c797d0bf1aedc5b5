"""From the markers as a file has them to metres in our z-up world, and what had to be decided on the way."""

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

import numpy as np

from ..rig.arrays import Array
from ..rig.errors import FormatError
from ..rig.trajectories import MarkerTrajectories
from .axes import UNITS, metres_per
from .textfile import FormatWarning
from .up_axis import detect_up, to_world

__all__ = ["MarkerFile", "RawMarkers", "different_names", "file_unit", "in_our_world"]

# How programs write the units of lengths.
_WRITTEN: Final[Mapping[str, str]] = MappingProxyType(
    {
        "mm": "mm", "millimeter": "mm", "millimeters": "mm", "millimetre": "mm", "millimetres": "mm",
        "cm": "cm", "centimeter": "cm", "centimeters": "cm", "centimetre": "cm", "centimetres": "cm",
        "m": "m", "meter": "m", "meters": "m", "metre": "m", "metres": "m",
        "in": "inch", "inch": "inch", "inches": "inch",
    }
)  # fmt: skip
_PERSON: Final = (0.3, 2.5)  # metres: extent of the markers on a person, or on her legs
_POSSIBLE: Final = (0.05, 25.0)  # metres: from a hand's markers to a team's; else the unit is wrong
_DOUBTFUL: Final = (0.2, 6.0)
_USUAL_SIZE: Final = 1.5  # metres
_ENOUGH: Final = 500  # frames tell as well as thousands
_FEWEST: Final = 4  # markers whose extent tells of a body

HowUp = Literal["given", "stated", "detected", "assumed"]


@dataclass(frozen=True, eq=False)
class RawMarkers:
    """Markers in the unit and axes of their file.

    Attributes:
        names: M different names.
        positions: (T, M, 3), NaN where missing.
        fps: frames per second.
        start: seconds, time of the first frame.
        unit: as written in the file; "" where it says none.
        up: the axis that the file says is up, a key of `UP_AXES`; None where it says none.
        usual_up: the axis that is up by custom in such files.
    """

    names: tuple[str, ...]
    positions: Array
    fps: float
    start: float
    unit: str
    up: str | None
    usual_up: str


@dataclass(frozen=True, eq=False)
class MarkerFile:
    """Markers, and how they were read.

    Attributes:
        markers: metres, z up.
        unit: of the file's numbers, a key of `axes.UNITS`.
        up: the file's axis that points up, a key of `up_axis.UP_AXES`.
        how_up: "given" by the caller, "stated" in the file, "detected" in the data (see `detect_up`), or
            "assumed" where they don't tell.
    """

    markers: MarkerTrajectories
    unit: str
    up: str
    how_up: HowUp


def in_our_world(raw: RawMarkers, *, up: str | None = None, unit: str | None = None) -> MarkerFile:
    """Bring markers to metres and z up; a marker at exactly 0, 0, 0 is missing.

    Args:
        raw: as the file has them.
        up: the file's up axis ("y", "z", "-x" …); None takes what it says, else what the data show.
        unit: of the file's numbers ("mm", "m" …); None takes what it says.

    Raises:
        FormatError: the unit is not known, or makes of the markers no person; or `up` is no axis.
    """
    nowhere = (raw.positions == 0).all(axis=-1, keepdims=True)
    positions = np.where(nowhere, np.nan, raw.positions)
    unit = unit if unit is not None else _unit(raw.unit, _extent(positions))
    positions = positions * metres_per(unit)
    how: HowUp = "given"
    if up is None:
        up, how = _up(raw, positions)
    markers = MarkerTrajectories(raw.names, to_world(positions, up), raw.fps, raw.start)
    return MarkerFile(markers, unit, up, how)


def different_names(names: Sequence[str], places: Sequence[str]) -> tuple[str, ...]:
    """The names, if each is there once and none is empty.

    Args:
        names: of the markers.
        places: where in the file each stands, for messages.

    Raises:
        FormatError: one is empty, or there twice.
    """
    first: dict[str, str] = {}
    for name, place in zip(names, places, strict=True):
        if not name:
            raise FormatError(f"the marker in {place} has no name; give it one")
        if name in first:
            raise FormatError(
                f"two markers are called {name[:60]!r}, in {first[name]} and in {place}; rename one"
            )
        first[name] = place
    return tuple(names)


def file_unit(unit: str) -> str:
    """How marker files write the unit, a key of `axes.UNITS` or any length's name.

    Raises:
        FormatError: there is no such unit, or no way to write it.
    """
    known = _WRITTEN.get(unit.lower())
    if known is None:
        raise FormatError(f"no unit {unit!r} in marker files; expected one of: mm, cm, m, inch")
    return "in" if known == "inch" else known


def _extent(positions: Array) -> float:
    """Largest extent of the markers along an axis, the median over the frames that show most; NaN if few."""
    seen = np.isfinite(positions).all(axis=-1)
    count = seen.sum(axis=1)
    shown = positions[count >= max(_FEWEST, count.max(initial=0) / 2)]
    if not len(shown):
        return math.nan
    shown = shown[:: -(-len(shown) // _ENOUGH)]
    shown = np.where(np.isfinite(shown).all(axis=-1, keepdims=True), shown, np.nan)
    return float(np.median((np.nanmax(shown, axis=1) - np.nanmin(shown, axis=1)).max(axis=-1)))


def _unit(written: str, extent: float) -> str:
    """The unit, checked against the size of a person."""
    fitting = _fitting(extent)
    better = (
        f"; as {fitting[0]} they are one of {extent * UNITS[fitting[0]]:.2g} m" if fitting else ""
    )
    advice = f"give the unit of the numbers, as --unit {fitting[0] if fitting else 'mm'}"
    if not written:
        if not fitting:
            raise FormatError(f"the file says no unit of length; {advice}")
        _warn(f"the file says no unit; taken as {fitting[0]}, in which it is person-sized")
        return fitting[0]
    unit = _WRITTEN.get(written.lower())
    if unit is None:
        raise FormatError(f"unknown unit {written[:20]!r}, expected mm, cm, m or in; {advice}")
    size = extent * UNITS[unit]
    told = (
        f"the file says its unit is {unit}, which makes the markers a body of {size:.2g} m{better}"
    )
    if not (math.isnan(size) or _POSSIBLE[0] <= size <= _POSSIBLE[1]):
        raise FormatError(f"{told}; {advice}")
    if fitting and unit not in fitting and not _DOUBTFUL[0] <= size <= _DOUBTFUL[1]:
        _warn(f"{told}; if that is right, {advice}")
    return unit


def _fitting(extent: float) -> list[str]:
    """The units in which the markers are person-sized, the likeliest first."""
    fitting = [u for u in set(_WRITTEN.values()) if _PERSON[0] <= extent * UNITS[u] <= _PERSON[1]]
    return sorted(fitting, key=lambda u: (abs(math.log(extent * UNITS[u] / _USUAL_SIZE)), u))


def _up(raw: RawMarkers, positions: Array) -> tuple[str, HowUp]:
    """What the file says, unless it hangs the body by its feet; else what the data show."""
    seen = detect_up(positions)
    if raw.up is None:
        return (raw.usual_up, "assumed") if seen is None else (seen, "detected")
    if seen is None or seen == raw.up:
        return raw.up, "stated"
    if seen[-1] == raw.up[-1]:
        _warn(
            f"the file says that {raw.up} is up, but the body stands along {seen}; taken is the latter"
        )
        return seen, "detected"
    _warn(
        f"the file says that {raw.up} is up, but the body is longest along {seen}; taken is the former. If "
        f"nobody lies on the floor, give the up axis, as --up={seen}"
    )
    return raw.up, "stated"


def _warn(message: str) -> None:
    warnings.warn(message, FormatWarning, stacklevel=4)
