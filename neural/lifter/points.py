"""The points that the lifter places: our 24 joints, and what detectors see on head and feet.

A point of head or feet sits at a fixed place of a joint's frame (`points.json`: the joint, and the place as
a fraction of the body's height). The keypoints that go in are some of these points, by the names that all
layouts share.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np

from ...rig import quaternion
from ...rig.arrays import Array
from ...rig.motion import Motion
from ...rig.skeleton import BODY_JOINTS, BODY_PARENTS, body_skeleton

__all__ = [
    "HEIGHT",
    "INPUTS",
    "MIRRORED",
    "PARENTS",
    "POINTS",
    "SUMS",
    "body_size",
    "point_vectors",
]

HEIGHT: Final = 1.70  # metres; of the body in whose size everything is predicted
_PLACES: Final[Mapping[str, tuple[str, list[float]]]] = json.loads(
    (Path(__file__).parent / "points.json").read_text(encoding="utf-8")
)
POINTS: tuple[str, ...] = (*BODY_JOINTS, *_PLACES)
PARENTS: tuple[int, ...] = (
    *BODY_PARENTS,
    *(BODY_JOINTS.index(joint) for joint, _ in _PLACES.values()),
)
_OF_JOINTS: Final[Mapping[str, str]] = {
    "Neck": "neck", "Hip": "pelvis",
    "LShoulder": "left_shoulder", "RShoulder": "right_shoulder",
    "LElbow": "left_elbow", "RElbow": "right_elbow",
    "LWrist": "left_wrist", "RWrist": "right_wrist",
    "LHip": "left_hip", "RHip": "right_hip",
    "LKnee": "left_knee", "RKnee": "right_knee",
    "LAnkle": "left_ankle", "RAnkle": "right_ankle",
}  # fmt: skip
# Names of the keypoints that go in, and which point each is.
INPUTS: Mapping[str, int] = {
    **{name: POINTS.index(joint) for name, joint in _OF_JOINTS.items()},
    **{name: POINTS.index(name) for name in _PLACES},
}


def _other_side(name: str) -> str:
    if name.startswith(("left_", "right_")):
        side, _, part = name.partition("_")
        return f"{'right' if side == 'left' else 'left'}_{part}"
    other = {"L": "R", "R": "L"}.get(name[0], "") + name[1:]
    return other if other in POINTS else name


def _sums() -> Array:
    """(P, P): row p has a one for p and every point between it and the pelvis, whose column is zero."""
    matrix = np.eye(len(POINTS))
    for point, parent in enumerate(PARENTS):
        if parent >= 0:
            matrix[point] += matrix[parent]
    matrix[:, 0] = 0.0
    return matrix


MIRRORED: tuple[int, ...] = tuple(POINTS.index(_other_side(name)) for name in POINTS)
SUMS: Array = _sums()


def body_size(offsets: Array) -> float:
    """Size of a body (24, 3) against the standard one, by its legs and its spine up to the head."""
    rows = [
        BODY_JOINTS.index(f"{side}_{part}")
        for side in ("left", "right")
        for part in ("knee", "ankle")
    ]
    spine = [BODY_JOINTS.index(part) for part in ("spine1", "spine2", "spine3", "neck", "head")]

    def length(of: Array) -> float:
        lengths = np.linalg.norm(of, axis=-1)
        return float(lengths[rows].sum() / 2 + lengths[spine].sum())

    return length(offsets) / length(body_skeleton(HEIGHT).offsets)


def point_vectors(motion: Motion) -> tuple[Array, Array]:
    """A motion in the size of a body of `HEIGHT`.

    Returns:
        The path of the pelvis (T, 3) in the world, metres, and the vectors (T, P, 3) from the point that
        each hangs on; `SUMS @ vectors` are the points relative to the pelvis. The pelvis' own is zero.
    """
    size = body_size(motion.skeleton.offsets)
    turns, origins = motion.world()
    vectors = np.zeros((len(motion), len(POINTS), 3))
    for point in range(1, len(BODY_JOINTS)):
        vectors[:, point] = (origins[:, point] - origins[:, PARENTS[point]]) / size
    for k, (_, place) in enumerate(_PLACES.values(), start=len(BODY_JOINTS)):
        vectors[:, k] = quaternion.rotate(turns[:, PARENTS[k]], HEIGHT * np.array(place))
    return origins[:, 0] / size, vectors
