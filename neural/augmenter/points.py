"""Names and order of the points that go in and come out, and the segments that carry them."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

__all__ = [
    "ARMS",
    "BODY",
    "KEYPOINTS",
    "MARKERS",
    "MID_HIP",
    "SEGMENTS",
    "Part",
    "Segment",
    "mirrored",
]

MID_HIP: Final = "midHip"
_MIDDLE: Final = ("Neck", MID_HIP, "C7_study")


@dataclass(frozen=True)
class Part:
    """A network's points.

    Attributes:
        inputs: K keypoints.
        outputs: M markers.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True)
class Segment:
    """A frame made of keypoints.

    Attributes:
        at: its origin.
        start: where its third axis starts,
        end: and where that points.
        one: from here
        other: to there its first axis leans.
        markers: that move with it.
    """

    at: str
    start: str
    end: str
    one: str
    other: str
    markers: tuple[str, ...]

    def mirrored(self) -> "Segment":
        """The same on the other side."""
        names = ("at", "start", "end", "one", "other")
        changes = {name: mirrored(getattr(self, name)) for name in names}
        return replace(self, **changes, markers=tuple(mirrored(name) for name in self.markers))


def mirrored(name: str) -> str:
    """The point on the other side; a point of the middle is its own."""
    if name in _MIDDLE:
        return name
    lower = name.endswith("_study") and not name.endswith("HJC_study")
    return {"r": "L", "R": "L", "L": "r" if lower else "R"}[name[0]] + name[1:]


def _part(table: dict[str, list[str]]) -> Part:
    return Part(tuple(table["inputs"]), tuple(table["outputs"]))


def _segment(table: dict[str, Any]) -> Segment:
    (start, end), (one, other) = table["along"], table["towards"]
    return Segment(table["at"], start, end, one, other, tuple(table["markers"]))


_TABLE = json.loads((Path(__file__).parent / "points.json").read_text(encoding="utf-8"))
KEYPOINTS: Final[tuple[str, ...]] = tuple(_TABLE["keypoints"])
BODY: Final = _part(_TABLE["body"])
ARMS: Final = _part(_TABLE["arms"])
MARKERS: Final[tuple[str, ...]] = BODY.outputs + ARMS.outputs
SEGMENTS: Final = tuple(_segment(table) for table in _TABLE["segments"].values())
