"""Where sensors may sit, and what they feel as a sum of parts that grow with the body's segments.

A joint's path is the root's path plus one turning bone vector after the other, so the acceleration of a
sensor is the sum of the root's, of every bone's between the two, and of its own lever arm. A track keeps
these parts; a body with longer arms or a sensor on the hand is then a weighted sum.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np

from ...capture.virtual_imu import SMOOTHING, STANDARD_SENSORS, VirtualSensor, second_derivative
from ...rig import quaternion
from ...rig.arrays import Array
from ...rig.motion import Motion
from ...rig.skeleton import BODY_JOINTS, BODY_PARENTS

__all__ = [
    "FLIPPED_X",
    "GROUPS",
    "JOINT_GROUPS",
    "MIRRORED_JOINTS",
    "MIRRORED_PARTS",
    "PARTS",
    "PART_GROUPS",
    "SITES",
    "SITE_JOINTS",
    "SITE_PARTS",
    "acceleration_parts",
    "site",
]

# The four standard places, and those where people wear a sensor instead.
SITES: Final[Mapping[str, VirtualSensor]] = {
    **STANDARD_SENSORS,
    "left_hand": VirtualSensor("left_wrist", (0.08, 0.0, 0.02)),
    "right_hand": VirtualSensor("right_wrist", (-0.08, 0.0, 0.02)),
    "head": VirtualSensor("head", (0.0, 0.09, 0.10)),
    "upper_back": VirtualSensor("spine3", (0.0, 0.10, 0.10)),
}
_BONES: tuple[str, ...] = (
    "spine1", "spine2", "spine3", "neck", "head", "left_collar", "right_collar", "left_shoulder",
    "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
)  # fmt: skip
PARTS: tuple[str, ...] = ("root", *_BONES, *(f"{name} lever" for name in SITES))
SITE_JOINTS = np.array([BODY_JOINTS.index(sensor.joint) for sensor in SITES.values()])
FLIPPED_X = np.array([-1, 1, 1], dtype=np.float32)  # a mirror across the plane x = 0

# Segments that are longer or shorter together, on both sides. The root's path is as long as the legs.
GROUPS: tuple[str, ...] = ("legs", "trunk", "shoulders", "upper arms", "forearms", "levers")
_GROUP_OF: Final[Mapping[str, str]] = {
    "root": "legs",
    **dict.fromkeys(("hip", "knee", "ankle", "foot", "pelvis"), "legs"),
    **dict.fromkeys(("spine1", "spine2", "spine3", "neck", "head", "collar"), "trunk"),
    "shoulder": "shoulders",
    "elbow": "upper arms",
    **dict.fromkeys(("wrist", "hand"), "forearms"),
}


def site(name: str) -> int:
    """The row of a place in `SITES`."""
    return list(SITES).index(name)


def _other_side(name: str) -> str:
    return name.replace("left", "L").replace("right", "left").replace("L", "right")


def _group(name: str) -> int:
    if name.endswith("lever"):
        return GROUPS.index("levers")
    return GROUPS.index(_GROUP_OF[name.removeprefix("left_").removeprefix("right_")])


def _ancestors(joint: str) -> set[str]:
    row, names = BODY_JOINTS.index(joint), {"root"}
    while row > 0:
        names.add(BODY_JOINTS[row])
        row = BODY_PARENTS[row]
    return names


JOINT_GROUPS = np.array([_group(name) for name in BODY_JOINTS])
PART_GROUPS = np.array([_group(name) for name in PARTS])
MIRRORED_JOINTS = [BODY_JOINTS.index(_other_side(name)) for name in BODY_JOINTS]
MIRRORED_PARTS = [PARTS.index(_other_side(name)) for name in PARTS]
# (8, P) ones where a part belongs to a place.
SITE_PARTS = np.array(
    [
        [part in _ancestors(sensor.joint) | {f"{name} lever"} for part in PARTS]
        for name, sensor in SITES.items()
    ],
    dtype=np.float32,
)


def acceleration_parts(motion: Motion) -> Array:
    """(T, P, 3) second derivatives of every part's vector in the world, m/s^2, as virtual sensors see it."""
    rotations, positions = motion.world()
    rows = [BODY_JOINTS.index(name) for name in _BONES]
    bones = positions[:, rows] - positions[:, [BODY_PARENTS[row] for row in rows]]
    offsets = np.array([sensor.offset for sensor in SITES.values()])
    levers = quaternion.rotate(rotations[:, SITE_JOINTS], offsets)
    paths = np.concatenate([positions[:, :1], bones, levers], axis=1)
    return second_derivative(paths, motion.fps, SMOOTHING)
