"""Bodies with markers: skin, joints and weights in T-pose, and where markers and keypoints are on them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from ...rig import quaternion
from ...rig.arrays import Array
from ...rig.bodies import Body
from ...rig.bodies.landmarks import marker_rules
from ...rig.skeleton import BODY_JOINTS, BODY_PARENTS
from .points import KEYPOINTS, MARKERS, mirrored

__all__ = ["MarkedBody", "Skin", "marked_body", "skin_of"]

PLACEMENT: Final[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "placement.json").read_text(encoding="utf-8")
)
_RULES: Final = {"markers": marker_rules(), "keypoints": PLACEMENT["keypoints"]}
_HEIGHT, _FOOT = 1.70, 0.265  # metres, of the body that the shifts are told for
_SIDES: Final = ("left", "right")
_DOWN, _OUT = np.array([0.0, 0.0, -1.0]), np.array([1.0, 0.0, 0.0])
_INFLUENCES: Final = 4
_NEAR: Final = (
    0.006  # metres from the ray, beyond the nearest vertex, of those that may be the outermost
)
# Bones that are straight in T-pose: (joint, the joint at its end, where it points on the left side).
_STRAIGHT: Final = (
    ("hip", "knee", _DOWN),
    ("knee", "ankle", _DOWN),
    ("shoulder", "elbow", _OUT),
    ("elbow", "wrist", _OUT),
    ("wrist", "hand", _OUT),
)


@dataclass(frozen=True, eq=False)
class Skin:
    """A rigged mesh at rest, z up, facing -y, metres.

    Attributes:
        vertices: (V, 3).
        joints: (24, 3) origins of `BODY_JOINTS`.
        weights: (V, 24), rows that sum to 1.
        thumbs: (2, 3) from the little finger's knuckle to the index finger's, left and right.
        mass: kilograms.
    """

    vertices: Array
    joints: Array
    weights: Array
    thumbs: Array
    mass: float


@dataclass(frozen=True, eq=False)
class MarkedBody:
    """A body in T-pose with its points; P = 43 markers, then 19 keypoints.

    Attributes:
        height: metres.
        mass: kilograms.
        joints: (24, 3) origins of `BODY_JOINTS`.
        points: (P, 3) metres.
        influences: (P, 4) joints that carry each point.
        weights: (P, 4) of them.
        video: (19, 3) metres from the joint centres to where detectors of video put the keypoints.
    """

    height: float
    mass: float
    joints: Array
    points: Array
    influences: Array
    weights: Array
    video: Array


def skin_of(body: Body) -> Skin:
    """A body of the package, its bones' names and weights as those of our 24 joints."""
    names = dict(PLACEMENT["bones"])
    for bone, joint in PLACEMENT["bones"].items():
        names[bone.replace("Left", "Right")] = joint.replace("left", "right")
    carrier: list[
        int
    ] = []  # joint of every bone; fingers move with the wrist, the crown with the head
    for bone, parent in zip(body.bone_names, body.bone_parents, strict=True):
        joint = names.get(bone.rpartition(":")[2])
        carrier.append(carrier[parent] if joint is None else _index(joint))
    weights = np.zeros((len(body.vertices), len(BODY_JOINTS)))
    rows = np.arange(len(weights))[:, None]
    np.add.at(weights, (rows, np.array(carrier)[body.weight_bones]), body.weights)
    joints = np.zeros((len(BODY_JOINTS), 3))
    for bone, joint in names.items():
        joints[_index(joint)] = body.bone_heads[body.bone(bone)]

    def hand(finger: str) -> Array:
        return np.stack(
            [body.bone_heads[body.bone(f"{s}Hand{finger}1")] for s in ("Left", "Right")]
        )

    joints[[_index("left_hand"), _index("right_hand")]] = hand("Middle")
    return Skin(body.vertices, joints, weights, hand("Index") - hand("Pinky"), body.mass)


def marked_body(skin: Skin) -> MarkedBody:
    """Put a body into T-pose, and the markers and keypoints on it."""
    height = float(np.ptp(skin.vertices[:, 2]))
    joints = np.array(skin.joints)
    for side, sign in zip(_SIDES, (1.0, -1.0), strict=True):
        joints[_index(f"{side}_hip"), 0] = sign * PLACEMENT["half_hip_width"] * height
        foot = skin.vertices[_of_foot(skin.weights.argmax(1), side), 1]
        # Rigs put this joint where they deform best; markers need it where ankles turn.
        joints[_index(f"{side}_ankle"), 1] = foot.max() - PLACEMENT["heel"] * np.ptp(foot)
    turns = _to_t_pose(joints)
    origins = _origins(joints, turns)
    moved = np.zeros_like(skin.vertices)
    for joint in range(len(joints)):
        local = quaternion.rotate(turns[joint], skin.vertices - joints[joint])
        moved += skin.weights[:, joint, None] * (local + origins[joint])
    thumbs = np.stack(
        [
            quaternion.rotate(turns[_index(f"{side}_wrist")], thumb)
            for side, thumb in zip(_SIDES, skin.thumbs, strict=True)
        ]
    )
    placed = _Placing(moved, skin.weights, origins, thumbs, height)
    rows = [placed.marker(name) for name in MARKERS] + [placed.keypoint(n) for n in KEYPOINTS]
    points, influences, weights = (np.stack(column) for column in zip(*rows, strict=True))
    video = np.stack([placed.video(name) for name in KEYPOINTS])
    return MarkedBody(height, skin.mass, origins, points, influences, weights, video)


def _of_foot(heaviest: Any, side: str) -> Any:  # noqa: ANN401 - whole numbers in, truths out
    return np.isin(heaviest, [_index(f"{side}_ankle"), _index(f"{side}_foot")])


def _index(joint: str) -> int:
    return BODY_JOINTS.index(joint)


def _to_t_pose(joints: Array) -> Array:
    """(24, 4) world rotation of every joint from rest to T-pose."""
    turns = np.tile([1.0, 0.0, 0.0, 0.0], (len(joints), 1))
    for side, sign in zip(_SIDES, (1.0, -1.0), strict=True):
        for start, end, direction in _STRAIGHT:
            joint, tip = _index(f"{side}_{start}"), _index(f"{side}_{end}")
            above = {"knee": "hip", "elbow": "shoulder", "wrist": "elbow"}.get(start)
            before = turns[_index(f"{side}_{above}")] if above else turns[joint]
            along = quaternion.rotate(before, joints[tip] - joints[joint])
            target = direction * [sign, 1.0, 1.0]
            turns[joint] = quaternion.multiply(quaternion.shortest_arc(along, target), before)
        turns[_index(f"{side}_hand")] = turns[_index(f"{side}_wrist")]
    return turns


def _origins(joints: Array, turns: Array) -> Array:
    origins = np.array(joints)
    for joint, parent in enumerate(BODY_PARENTS[1:], start=1):
        offset = joints[joint] - joints[parent]
        origins[joint] = origins[parent] + quaternion.rotate(turns[parent], offset)
    return origins


class _Placing:
    """Finds places on one body in T-pose."""

    def __init__(
        self, vertices: Array, weights: Array, joints: Array, thumbs: Array, height: float
    ) -> None:
        self.vertices, self.weights, self.joints, self.thumbs = vertices, weights, joints, thumbs
        self.heaviest = weights.argmax(1)
        self.scale = height / _HEIGHT
        foot = vertices[_of_foot(self.heaviest, "left"), 1]
        self.foot_scale = float(np.ptp(foot)) / _FOOT

    def marker(self, name: str) -> tuple[Array, Any, Array]:
        """Position (3,), joints (4,) and weights (4,) of a marker."""
        rule, side = self._rule("markers", name)
        if "joint" in rule:
            return self._inside(rule["at"][0], self.joints[_index(rule["joint"])])
        start = self._start(rule, side)
        if isinstance(rule["toward"], str):
            toward = self.thumbs[_SIDES.index(side)] * [0.0, 1.0, 1.0]
            toward = toward if rule["toward"] == "thumb" else -toward
        else:
            toward = np.array(rule["toward"]) * [_sign(side), 1.0, 1.0]
        toward = toward / np.linalg.norm(toward)
        over = [_index(joint) for joint in rule["over"]]
        vertex = self._on_skin(start, toward, over)
        joints = np.argsort(-self.weights[vertex], kind="stable")[:_INFLUENCES]
        weights = self.weights[vertex, joints]
        position = self.vertices[vertex] + PLACEMENT["above_skin"] * toward
        return position, joints, weights / weights.sum()

    def keypoint(self, name: str) -> tuple[Array, Any, Array]:
        """As `marker`, of a keypoint at its joint's centre."""
        rule, side = self._rule("keypoints", name)
        if "joint" in rule:
            position = self.joints[_index(rule["joint"])]
        elif "between" in rule:
            position = self.joints[[_index(joint) for joint in rule["between"]]].mean(0)
        else:
            position = self._start({**rule, "at": [rule.get("from", rule["at"][0])]}, side)
        return self._inside(rule["at"][0], position)

    def video(self, name: str) -> Array:
        """Metres from the joint's centre to where detectors put the keypoint (3,)."""
        rule, side = self._rule("keypoints", name)
        return np.array(rule["video"]) * self.scale * [_sign(side), 1.0, 1.0]

    def _rule(self, table: str, name: str) -> tuple[dict[str, Any], str]:
        """The rule with the joints of the point's side, and the side."""
        rules = _RULES[table]
        if name in rules:
            return rules[name], "left"
        text = json.dumps(rules[mirrored(name)])
        return json.loads(text.replace('"left_', '"right_')), "right"

    def _start(self, rule: dict[str, Any], side: str) -> Array:
        first, *rest = rule["at"]
        start = self.joints[_index(first)]
        if rest:
            start = start + rest[1] * (self.joints[_index(rest[0])] - start)
        scale = self.foot_scale if rule.get("foot") else self.scale
        return start + scale * np.array(rule.get("shift", [0, 0, 0])) * [_sign(side), 1.0, 1.0]

    def _on_skin(self, start: Array, toward: Array, over: list[int]) -> int:
        """The vertex of those joints' skin that is nearest to the ray, and outermost."""
        candidates = np.flatnonzero(np.isin(self.heaviest, over))
        away = self.vertices[candidates] - start
        along = away @ toward
        beside = np.linalg.norm(away - along[:, None] * toward, axis=1)
        beside = np.where(along > 0.0, beside, np.inf)
        near = np.flatnonzero(beside <= beside.min() + _NEAR)
        return int(candidates[near[np.argmax(along[near])]])

    def _inside(self, joint: str, position: Array) -> tuple[Array, Any, Array]:
        joints = np.full(_INFLUENCES, _index(joint))
        return position, joints, np.array([1.0, 0.0, 0.0, 0.0])


def _sign(side: str) -> float:
    return 1.0 if side == "left" else -1.0
