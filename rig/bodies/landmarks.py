"""Named places on a body: anatomical markers on the skin, joints and keypoints as detectors name them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from ..arrays import Array
from ..errors import ShapeError
from ..skeleton import BODY_JOINTS
from .body import Body
from .library import read_table
from .posing import BodyPose

__all__ = [
    "KEYPOINTS",
    "MARKERS",
    "Landmark",
    "landmark",
    "landmark_places",
    "landmarks",
    "marker_rules",
]


@dataclass(frozen=True)
class Landmark:
    """One place, the same on all bodies: the middle of vertices, or between the heads of two bones.

    Attributes:
        name: of the marker, joint or keypoint.
        vertices: of the skin; empty where it lies inside the body.
        bones: one or two bones at whose heads it lies, both empty where it is on the skin.
        fraction: of the way from the first bone's head to the second's.
    """

    name: str
    vertices: tuple[int, ...] = ()
    bones: tuple[str, ...] = ()
    fraction: float = 0.0


@cache
def landmarks() -> Mapping[str, Landmark]:
    """All landmarks by their names, from `landmarks.json`."""
    table = read_table("landmarks.json")
    found = {
        name: Landmark(name, vertices=tuple(entry["vertices"]))
        for name, entry in table["skin"].items()
    }
    for name, entry in table["joints"].items():
        fraction = float(entry.get("fraction", 0.0))
        found[name] = Landmark(name, bones=tuple(entry["bones"]), fraction=fraction)
    return MappingProxyType(found)


def marker_rules() -> dict[str, dict[str, Any]]:
    """Where markers lie on any skin in T-pose, as `landmarks.json` explains, said for the left side."""
    table = read_table("landmarks.json")
    entries = {**table["skin"], **table["joints"]}
    return {name: entry["rule"] for name, entry in entries.items() if "rule" in entry}


def landmark(name: str) -> Landmark:
    """One landmark.

    Raises:
        ShapeError: there is none of that name.
    """
    if name not in landmarks():
        raise ShapeError(f"there is no landmark {name!r}; there are: {', '.join(landmarks())}")
    return landmarks()[name]


def landmark_places(body: Body | BodyPose, names: Sequence[str] | None = None) -> Array:
    """Where landmarks are, metres: (K, 3) at rest for a `Body`, (T, K, 3) for a `BodyPose`.

    Args:
        body: at rest, or posed.
        names: of the landmarks, as in `MARKERS`, `KEYPOINTS` or our joints; all of them if None.

    Raises:
        ShapeError: there is no such landmark.
    """
    chosen = [landmark(name) for name in (landmarks() if names is None else names)]
    places = [_place(body, one) for one in chosen]
    return np.stack(places, axis=-2)


def _place(body: Body | BodyPose, one: Landmark) -> Array:
    if isinstance(body, Body):
        if one.vertices:
            return body.vertices[list(one.vertices)].mean(axis=0)
        heads = body.bone_heads[[body.bone(name) for name in one.bones]]
        return heads[0] + one.fraction * (heads[-1] - heads[0])
    if one.vertices:
        return body.skin(one.vertices).mean(axis=1)
    heads = body.heads[:, [body.body.bone(name) for name in one.bones]]
    return heads[:, 0] + one.fraction * (heads[:, -1] - heads[:, 0])


_BOTH: Final = ("left", "right")

# The order of COCO's 17 body keypoints and COCO-WholeBody's 6 of the feet.
KEYPOINTS: Final[tuple[str, ...]] = (
    "nose",
    *(f"{side}_{part}" for part in ("eye", "ear") for side in _BOTH),
    *(
        f"{side}_{part}"
        for part in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
        for side in _BOTH
    ),
    *(f"{side}_{part}" for side in _BOTH for part in ("big_toe", "small_toe", "heel")),
)

_PAIRED: Final = (
    *("ASIS", "PSIS", "knee", "mknee", "ankle", "mankle", "calc", "toe", "5meta"),
    *("thigh1", "thigh2", "thigh3", "sh1", "sh2", "sh3"),
)
_ARM: Final = ("lelbow", "melbow", "lwrist", "mwrist")


def _study(letter: str, part: str) -> str:
    return f"{letter}{'.' if part in ('ASIS', 'PSIS') else '_'}{part}_study"


# The 43 anatomical markers with OpenCap's names (Uhlrich et al. 2023): 35 of trunk and legs, 8 of the arms.
MARKERS: Final[tuple[str, ...]] = (
    "C7_study",
    *(f"{letter}_shoulder_study" for letter in "rL"),
    *(_study(letter, part) for part in _PAIRED[:9] for letter in "rL"),
    *(_study(letter, part) for letter in "rL" for part in _PAIRED[9:12]),
    *(_study(letter, part) for letter in "rL" for part in _PAIRED[12:]),
    *("RHJC_study", "LHJC_study"),
    *(_study(letter, part) for letter in "rL" for part in _ARM),
)

JOINTS: Final = BODY_JOINTS
