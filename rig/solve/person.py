"""What is usual of a person: which bones grow together, and how far joints stray from the T-pose."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from ..arrays import Array
from ..model.model import KinematicModel
from ..model.skeletons import turns_of
from ..skeleton import BODY_JOINTS

__all__ = ["PROPORTIONS", "SEGMENTS", "joint_stiffness", "moving_coordinates"]

# Nothing sees toes or fingers bend.
_LOCKED: Final = ("left_foot", "right_foot", "left_hand", "right_hand")
# Segments of one size each: what hangs on these joints grows together, bones and markers.
SEGMENTS: Final = (
    ("pelvis",),
    ("left_hip", "right_hip"),
    ("left_knee", "right_knee"),
    ("left_ankle", "right_ankle", "left_foot", "right_foot"),
    ("spine1", "spine2"),
    ("spine3",),
    ("neck",),
    ("left_collar", "right_collar"),
    ("left_shoulder", "right_shoulder"),
    ("left_elbow", "right_elbow"),
)
PROPORTIONS: Final = 0.08  # spread of a segment's size about that of a standard body of this height
# 1 / radians about x, y, z of how far a joint strays from the T-pose; knees and elbows are nearly hinges.
_STIFFNESS: Final[Mapping[str, tuple[float, float, float]]] = {
    "pelvis": (0.0, 0.0, 0.0),
    "spine1": (3.0, 3.0, 3.0),
    "spine2": (3.0, 3.0, 3.0),
    "spine3": (3.0, 3.0, 3.0),
    "neck": (1.5, 1.5, 1.5),
    "head": (1.5, 1.5, 1.5),
    "collar": (3.0, 3.0, 3.0),
    "shoulder": (0.2, 0.1, 0.1),
    "elbow": (0.5, 3.0, 0.1),
    "wrist": (2.0, 2.0, 2.0),
    "hip": (0.2, 0.1, 0.2),
    "knee": (0.1, 5.0, 3.0),
    "ankle": (0.3, 1.0, 1.0),
}


def joint_stiffness(model: KinematicModel) -> Array:
    """(D,) 1 / radians of the 24-joint body's coordinates, for a term that stays near the T-pose."""
    stiffness = np.zeros(len(model.coordinates))
    for name in BODY_JOINTS:
        places = [model.coordinate_index(turn) for turn in turns_of(name)]
        stiffness[places] = _STIFFNESS.get(name.split("_")[-1], 0.0)
    return stiffness


def moving_coordinates(model: KinematicModel) -> list[str]:
    """Names of the 24-joint body's coordinates, those of toes and fingers left out."""
    locked = {turn for name in _LOCKED for turn in turns_of(name)}
    return [name for name in model.coordinate_names if name not in locked]
