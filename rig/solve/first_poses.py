"""Poses to start from, for a body whose keypoints are known in space: every bone points where they are."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np

from .. import quaternion
from ..arrays import Array
from ..motion import Motion
from ..skeleton import Skeleton
from .aiming import known, turned, twisted

__all__ = ["body_height", "first_motion"]

_STANDARD_HEIGHT: Final = 1.70
# Limb bones: joint, what it hangs from, its child, and the keypoints, or joints, at its ends and beyond.
_LIMBS: Final = (
    (
        "shoulder",
        "chest",
        "elbow",
        ("Shoulder", "shoulder"),
        ("Elbow", "elbow"),
        ("Wrist", "wrist"),
    ),
    ("elbow", "shoulder", "wrist", ("Elbow", "elbow"), ("Wrist", "wrist"), ()),
    ("hip", "pelvis", "knee", ("Hip", "hip"), ("Knee", "knee"), ("Ankle", "ankle")),
    ("knee", "hip", "ankle", ("Knee", "knee"), ("Ankle", "ankle"), ("BigToe", "foot")),
    ("ankle", "knee", "foot", ("Ankle", "ankle"), ("BigToe", "foot"), ()),
)
# Distances that tell the height: keypoints or joints, and how far they are apart, of the height.
_LENGTHS: Final = (
    (("LHip", "left_hip"), ("LKnee", "left_knee"), 0.245),
    (("RHip", "right_hip"), ("RKnee", "right_knee"), 0.245),
    (("LKnee", "left_knee"), ("LAnkle", "left_ankle"), 0.230),
    (("RKnee", "right_knee"), ("RAnkle", "right_ankle"), 0.230),
    (("LShoulder", "left_shoulder"), ("LElbow", "left_elbow"), 0.172),
    (("RShoulder", "right_shoulder"), ("RElbow", "right_elbow"), 0.172),
    (("LElbow", "left_elbow"), ("LWrist", "left_wrist"), 0.146),
    (("RElbow", "right_elbow"), ("RWrist", "right_wrist"), 0.146),
    (("LHip", "left_hip"), ("LShoulder", "left_shoulder"), 0.302),
    (("RHip", "right_hip"), ("RShoulder", "right_shoulder"), 0.302),
)


class _Seen:
    """Points by name (T, 3), NaN where there is none."""

    def __init__(self, names: Sequence[str], points: Array) -> None:
        self._columns = {name: points[:, k] for k, name in enumerate(names)}
        self._missing = np.full((len(points), 3), np.nan)

    def first(self, names: Sequence[str]) -> Array:
        """Of the first of these names that is there."""
        return next((self._columns[n] for n in names if n in self._columns), self._missing)

    def side(self, side: str, names: tuple[str, ...]) -> Array:
        """Of a keypoint or joint of one side."""
        if not names:
            return self._missing
        return self.first((side[0].upper() + names[0], f"{side}_{names[1]}"))


def body_height(names: Sequence[str], points: Array) -> float | None:
    """Metres, the height of a person whose limbs are as long as the keypoints are apart; None if unseen.

    Args:
        names: P keypoints or joints.
        points: (T, P, 3) metres.
    """
    seen, whole, part = _Seen(names, points), 0.0, 0.0
    for one, other, length in _LENGTHS:
        apart = np.linalg.norm(seen.first(one) - seen.first(other), axis=-1)
        apart = apart[np.isfinite(apart)]
        if len(apart):
            whole, part = whole + float(np.median(apart)), part + length
    return whole / part if part else None


def first_motion(skeleton: Skeleton, names: Sequence[str], points: Array, fps: float) -> Motion:
    """A motion that points every bone where its keypoints are; frames that show too little follow others.

    Args:
        skeleton: the 24-joint body.
        names: P keypoints (`LKnee`) or joints (`left_knee`).
        points: (T, P, 3) metres, NaN where missing.
        fps: frames per second.
    """
    seen = _Seen(names, points)
    world = np.tile(quaternion.IDENTITY, (len(points), len(skeleton), 1))

    def put(joints: Sequence[str], rotation: Array) -> None:
        world[:, [skeleton.index(name) for name in joints]] = rotation[:, None]

    pelvis, chest = _trunk(seen)
    put(("pelvis",), pelvis)
    put(("spine1",), quaternion.slerp(pelvis, chest, 1.0 / 3.0))
    put(("spine2",), quaternion.slerp(pelvis, chest, 2.0 / 3.0))
    put(("spine3", "left_collar", "right_collar"), chest)
    head = known(_head(seen, chest), chest)
    put(("neck",), quaternion.slerp(chest, head, 0.5))
    put(("head",), head)
    for side in ("left", "right"):
        _limbs(skeleton, seen, side, {"pelvis": pelvis, "chest": chest}, put)
    return Motion.from_world(skeleton, _root(skeleton, seen, pelvis), world, fps)


def _trunk(seen: _Seen) -> tuple[Array, Array]:
    """World rotations (T, 4) of pelvis and chest."""
    hips = [seen.side(side, ("Hip", "hip")) for side in ("left", "right")]
    shoulders = [seen.side(side, ("Shoulder", "shoulder")) for side in ("left", "right")]
    up = 0.5 * (shoulders[0] + shoulders[1] - hips[0] - hips[1])
    up = np.where(np.isfinite(up).all(axis=-1, keepdims=True), up, (0.0, 0.0, 1.0))
    across, above = hips[0] - hips[1], shoulders[0] - shoulders[1]
    pelvis = quaternion.from_frames(across, np.cross(up, across))
    chest = quaternion.from_frames(above, np.cross(up, above))
    pelvis = known(known(pelvis, chest)) if np.isfinite(chest).any() else known(pelvis)
    return pelvis, known(chest, pelvis)


def _head(seen: _Seen, chest: Array) -> Array:
    """(T, 4), NaN where neither both ears nor both eyes are seen with the nose."""
    left = seen.first(("LEar", "LEye")) - seen.first(("REar", "REye"))
    middle = 0.5 * (seen.first(("LEar",)) + seen.first(("REar",)))
    back = middle - seen.first(("Nose",))
    otherwise = quaternion.rotate(chest, np.array([0.0, 1.0, 0.0]))
    back = np.where(np.isfinite(back).all(axis=-1, keepdims=True), back, otherwise)
    return quaternion.from_frames(left, back)


def _limbs(
    skeleton: Skeleton,
    seen: _Seen,
    side: str,
    frames: dict[str, Array],
    put: Callable[[Sequence[str], Array], None],
) -> None:
    for joint, hung, child, start, end, beyond in _LIMBS:
        offset = skeleton.offsets[skeleton.index(f"{side}_{child}")]
        along = seen.side(side, end) - seen.side(side, start)
        aimed = turned(frames[hung], offset, along)
        ahead = seen.side(side, beyond) - seen.side(side, end)
        ahead = ahead / np.linalg.norm(ahead, axis=-1, keepdims=True)
        # Elbows bend to the front, knees to the back, and toes point ahead.
        direction = np.array([0.0, 1.0 if joint == "hip" else -1.0, 0.0])
        frames[joint] = twisted(aimed, offset, direction, ahead)
        put((f"{side}_{joint}",), frames[joint])
    put((f"{side}_wrist", f"{side}_hand"), frames["elbow"])
    put((f"{side}_foot",), frames["ankle"])


def _root(skeleton: Skeleton, seen: _Seen, pelvis: Array) -> Array:
    """(T, 3) of the pelvis joint, interpolated where no hip is seen."""
    found: list[Array] = []
    rest = skeleton.rest_positions - skeleton.rest_positions[0]
    places: Mapping[str, Array] = {
        "left": rest[skeleton.index("left_hip")],
        "right": rest[skeleton.index("right_hip")],
    }
    for side, place in places.items():
        found.append(seen.side(side, ("Hip", "hip")) - quaternion.rotate(pelvis, place))
    found.append(
        seen.first(("Hip", "midHip"))
        - quaternion.rotate(pelvis, 0.5 * (places["left"] + places["right"]))
    )
    found.append(seen.first(("pelvis",)))
    stacked = np.stack(found)
    good = np.isfinite(stacked).all(axis=-1, keepdims=True)
    count = good.sum(axis=0)
    mean = np.where(good, stacked, 0.0).sum(axis=0) / np.maximum(count, 1)
    frames, here = np.arange(len(mean)), np.flatnonzero(count[:, 0])
    if not len(here):
        return np.zeros_like(mean)
    return np.stack([np.interp(frames, here, axis[here]) for axis in mean.T], axis=-1)
