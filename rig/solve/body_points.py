"""Where the keypoints of detectors sit on the 24-joint body, as data.

`body_points.json` has for each name the joint that carries it, its place in that joint's frame as a part of
the body's height, and how far it may sit from there, metres. Of pairs it names the left one.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from ..model.model import BodyMarker
from ..skeleton import BODY_JOINTS

__all__ = ["BodyPoint", "body_markers", "body_point"]

_JOINT_SPREAD: Final = 0.01  # metres, of what is called like a joint
_SAME: Final = MappingProxyType({"midHip": "Hip", "MidHip": "Hip", "CHip": "Hip"})


@dataclass(frozen=True)
class BodyPoint:
    """A point on the body.

    Attributes:
        joint: that carries it.
        place: (3,) in the joint's frame, of the body's height.
        spread: metres, of persons and detectors about that place.
    """

    joint: str
    place: tuple[float, float, float]
    spread: float


def _table() -> dict[str, BodyPoint]:
    rows = json.loads(Path(__file__).with_name("body_points.json").read_text(encoding="utf-8"))
    found = {}
    for name, (joint, (x, y, z), spread) in rows.items():
        found[name] = BodyPoint(joint, (x, y, z), spread)
        if x or joint.startswith("left_"):
            mirrored = BodyPoint(joint.replace("left_", "right_"), (-x, y, z), spread)
            found["R" + name[1:]] = mirrored
    return found


_POINTS: Final = MappingProxyType(_table())


def body_point(name: str) -> BodyPoint | None:
    """The point that keypoints of this name show, or a joint itself; None where it is no part of the body."""
    if name in BODY_JOINTS:
        return BodyPoint(name, (0.0, 0.0, 0.0), _JOINT_SPREAD)
    return _POINTS.get(_SAME.get(name, name))


def body_markers(names: Sequence[str], height: float) -> tuple[BodyMarker, ...]:
    """Markers of the body for those of the names that are points on it, in their order.

    Args:
        names: of keypoints (`LKnee`) or of joints (`left_knee`).
        height: of the body, metres.
    """
    known = [(name, point) for name in names if (point := body_point(name)) is not None]
    return tuple(
        BodyMarker(
            name,
            point.joint,
            (height * point.place[0], height * point.place[1], height * point.place[2]),
        )
        for name, point in known
    )
