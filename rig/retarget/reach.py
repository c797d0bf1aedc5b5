"""Arms and legs of the target as two bones each: where they are, and what their IK controls need."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from .. import quaternion
from ..arrays import Array
from ..planting import LegBones
from .bone_map import SIDES
from .drives import Drive
from .posed import Posed
from .rests import Rest
from .result import LimbTarget

__all__ = ["LimbBones", "LimbPair", "LimbTable", "limb_pair", "limbs_of"]

_PARTS: Final = {"arm": ("upper_arm", "forearm", "hand"), "leg": ("thigh", "shin", "foot")}
_FOOT = 0.16  # of the leg's length, from ankle to ball where the rig doesn't say
_BENT = (
    0.05  # of the limb's length off its line; straighter, the hinge at rest says where the pole is
)


@dataclass(frozen=True, eq=False)
class LimbBones:
    """One arm or leg at rest.

    Attributes:
        name: "left_arm", and so on.
        rows: places of its upper bone, lower bone and hand or foot among the bones that move; that of the
            lower bone again where the hand or foot doesn't move.
        upper: (3,) metres, from the first joint to the second.
        lower: (3,) from the second to the wrist or ankle.
        last: (3,) from there to the ball of the foot, or along the hand.
        hinge: (3,) unit axis about which the limb bends further.
        ends: whether the hand or foot moves by itself.
        ball: whether the rig says where the ball of the foot is.
    """

    name: str
    rows: tuple[int, int, int]
    upper: Array
    lower: Array
    last: Array
    hinge: Array
    ends: bool
    ball: bool

    @property
    def length(self) -> float:
        """Metres of both bones."""
        return float(np.linalg.norm(self.upper) + np.linalg.norm(self.lower))


def limbs_of(target: Rest, found: Sequence[Drive]) -> dict[str, LimbBones]:
    """By name, the limbs whose two bones move."""
    places = {drive.role: place for place, drive in enumerate(found)}
    limbs = {}
    for name in (f"{side}_{kind}" for kind in _PARTS for side in SIDES):
        limb = _limb(target, name, places)
        if limb is not None:
            limbs[name] = limb
    return limbs


def _limb(target: Rest, name: str, places: dict[str, int]) -> LimbBones | None:
    side, _, kind = name.partition("_")
    roles = [f"{side}_{part}" for part in _PARTS[kind]]
    joints = [target.head(roles[0]), target.head(roles[1]), target.end(roles[1])]
    known = [joint for joint in joints if joint is not None]
    if len(known) < 3 or roles[0] not in places or roles[1] not in places:
        return None
    upper, lower = known[1] - known[0], known[2] - known[1]
    if min(np.linalg.norm(upper), np.linalg.norm(lower)) < 1e-4 * target.leg:
        return None
    end = target.end(roles[2])
    ball = end is not None and target.direction(roles[2]) is not None
    last = end - known[2] if end is not None and ball else _made_up(target, kind, lower)
    rows = (places[roles[0]], places[roles[1]], places.get(roles[2], places[roles[1]]))
    hinge = _hinge(target, kind, upper + lower)
    return LimbBones(name, rows, upper, lower, last, hinge, roles[2] in places, ball)


def _made_up(target: Rest, kind: str, lower: Array) -> Array:
    """(3,) metres: a foot as people have it, or a hand straight on."""
    if kind == "arm":
        return 0.3 * lower
    drop = float(target.soles[0] - target.soles[2])
    return quaternion.rotate(target.frame, np.array([0.0, -_FOOT * target.leg, -drop]))


def _hinge(target: Rest, kind: str, along: Array) -> Array:
    """(3,) unit: knees bend so that they come forward, elbows so that hands do."""
    left, forward, up = quaternion.rotate(
        target.frame, np.array([[1.0, 0.0, 0.0], [0.0, -1.0, 0.0], [0.0, 0.0, 1.0]])
    )
    along = along / np.linalg.norm(along)
    if kind == "leg":
        axis = left - along * (left @ along)
        return axis / np.linalg.norm(axis) if np.linalg.norm(axis) > 0.1 else forward
    towards = forward if abs(forward @ along) < 0.8 else up
    axis = np.cross(along, towards)
    found: Array = axis / np.linalg.norm(axis)
    return found


@dataclass(frozen=True, eq=False)
class LimbPair:
    """The left and the right of two limbs, posed: what `planting` takes.

    Attributes:
        limbs: left and right.
        posed: all bones.
    """

    limbs: tuple[LimbBones, LimbBones]
    posed: Posed

    @property
    def bones(self) -> LegBones:
        """Both limbs' bones at rest."""
        columns = ("upper", "lower", "last", "hinge")
        return LegBones(*(np.array([getattr(x, c) for x in self.limbs]) for c in columns))

    @cached_property
    def turns(self) -> Array:
        """(T, 2, 3, 3, 3) turns from rest of upper bones, lower bones, and hands or feet."""
        return quaternion.to_matrix(self.posed.turns[:, [limb.rows for limb in self.limbs]])

    @cached_property
    def starts(self) -> Array:
        """(T, 2, 3) metres, shoulder or hip joints."""
        return self.posed.heads[:, [limb.rows[0] for limb in self.limbs]]

    @cached_property
    def joints(self) -> Array:
        """(T, 2, 4, 3) metres: shoulder or hip, elbow or knee, wrist or ankle, ball of the foot."""
        bones = self.bones
        chain = np.stack([bones.thigh, bones.shank, bones.foot], axis=1)
        steps = np.cumsum((self.turns @ chain[..., None])[..., 0], axis=2)
        return np.concatenate([self.starts[:, :, None], self.starts[:, :, None] + steps], axis=2)

    @cached_property
    def points(self) -> Array:
        """(T, 4, 3) metres: left and right wrist or ankle, left and right ball of the foot."""
        return np.concatenate([self.joints[:, :, 2], self.joints[:, :, 3]], axis=1)

    def moved(self, by: Array) -> "LimbPair":
        """The same elsewhere, by (3,) or (T, 3) metres."""
        return LimbPair(self.limbs, self.posed.moved(by))

    def turned(self, turns: Array, last: bool) -> Posed:
        """All bones, with these limbs' turns (T, 2, 3, 3, 3); hands or feet too if `last`."""
        found = np.array(self.posed.turns)
        for side, limb in enumerate(self.limbs):
            count = 3 if last and limb.ends else 2
            rows = list(limb.rows[:count])
            found[:, rows] = quaternion.from_matrix(turns[:, side, :count])
        return self.posed.turned(found)


def limb_pair(limbs: dict[str, LimbBones], kind: str, posed: Posed) -> LimbPair | None:
    """Both arms or both legs, None unless both can reach."""
    left, right = (limbs.get(f"{side}_{kind}") for side in SIDES)
    return None if left is None or right is None else LimbPair((left, right), posed)


class LimbTable:
    """All limbs side by side, for `targets`.

    Args:
        limbs: by name.
        target: the rig.
        found: the bones that move.
    """

    def __init__(self, limbs: dict[str, LimbBones], target: Rest, found: Sequence[Drive]) -> None:
        self._names = tuple(limbs)
        every = list(limbs.values())
        self._rows = np.array([limb.rows for limb in every])
        self._steps = np.array([[limb.upper, limb.lower, limb.last] for limb in every])
        self._hinges = np.array([limb.hinge for limb in every])
        self._bent = _BENT * np.array([[limb.length] for limb in every])
        self._rests = np.array([target.bones.rotations[found[limb.rows[2]].bone] for limb in every])
        known = [limb.ball and limb.name.endswith("leg") for limb in every]
        self._balls = np.where(known, 1.0, np.nan)[:, None]

    def targets(self, posed: Posed) -> dict[str, LimbTarget]:
        """What IK controls of every limb take."""
        if not self._names:
            return {}
        turns = posed.turns[:, self._rows]
        steps = np.cumsum(quaternion.rotate(turns, self._steps), axis=2)  # (T, L, 3, 3)
        start = posed.heads[:, self._rows[:, 0]]
        middle, end, ball = (start + steps[:, :, k] for k in range(3))
        along = steps[:, :, 1] / np.maximum(_length(steps[:, :, 1]), 1e-9)
        off = steps[:, :, 0] - along * (steps[:, :, 0] * along).sum(-1, keepdims=True)
        usual = np.cross(along, quaternion.rotate(turns[:, :, 0], self._hinges))
        pole = off / self._bent + np.maximum(1.0 - _length(off) / self._bent, 0.0) * usual
        pole = pole / np.maximum(_length(pole), 1e-9)
        last = quaternion.multiply(turns[:, :, 2], self._rests)
        columns = (start, middle, end, last, pole, ball * self._balls)
        return {
            name: LimbTarget(*(column[:, k] for column in columns))
            for k, name in enumerate(self._names)
        }


def _length(vectors: Array) -> Array:
    length: Array = np.sqrt((vectors * vectors).sum(-1, keepdims=True))
    return length
