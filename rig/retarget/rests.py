"""Rest poses read through a map, and the turns that lay one rig's rest bones onto another's.

Bones are told by where they start and where they lead, never by their own axes, so bone rolls mean nothing.
"""

from functools import cached_property
from typing import Final

import numpy as np

from .. import quaternion
from ..arrays import Array
from ..errors import ShapeError
from .bone_map import SIDES, BoneMap
from .bones import Bones

__all__ = ["NEXT", "Rest"]

_X, _Y, _Z = np.eye(3)
_UPRIGHT = np.cos(np.radians(45.0))  # a rest that leans further is turned upright as a whole
_EIGHTH = np.pi / 4.0
_SNAP = np.radians(2.0)  # rests face an axis or a diagonal; this little is one hip set back
_SHORTEST = 1e-5  # of the leg's length; the direction of a shorter bone means nothing
_USUAL_ANKLE, _USUAL_BALL = 0.090, 0.021  # of the leg's length, above the floor
_LOWEST = (-0.03, 0.15)  # of the leg's length; a rest whose feet are there stands on z = 0
# Of a foot on the floor, how far its bones' directions may go up: the sines of degrees from level.
_UPRIGHT_SHIN = -np.cos(np.radians(35.0))
_SLOPING = (-np.sin(np.radians(65.0)), np.sin(np.radians(5.0)))
_LEVEL = np.sin(np.radians(25.0))
_KNUCKLES: Final = ("index_1", "middle_1", "ring_1", "pinky_1")
# Where a limb's bone leads; a hand leads to its knuckles.
NEXT: Final = {
    "upper_arm": "forearm",
    "forearm": "hand",
    "thigh": "shin",
    "shin": "foot",
    "foot": "toe",
    **{
        f"{finger}_{part}": f"{finger}_{part + 1}"
        for finger in ("thumb", "index", "middle", "ring", "pinky")
        for part in (1, 2)
    },
}


class Rest:
    """A rig at rest, read through its map.

    Args:
        bones: the rig.
        bone_map: what its bones do.
        whose: "source" or "target", for messages.

    Raises:
        ShapeError: the map names a bone that isn't there, or there are no hips, or rest poses aren't finite.
    """

    def __init__(self, bones: Bones, bone_map: BoneMap, whose: str) -> None:
        self.bones = bones
        self.roles = {
            role: tuple(bones.index(name) for name in names)
            for role, names in bone_map.bones.items()
            if names
        }
        if "hips" not in self.roles:
            raise ShapeError(f"the {whose} has no hips; map its lowest bone of the trunk")
        placed = np.isfinite(np.concatenate([bones.rotations, bones.heads], axis=1)).all(axis=1)
        for role, rows in self.roles.items():
            if not placed[list(rows)].all():
                raise ShapeError(f"the {whose}'s {role} has no rest pose; expected finite numbers")
        self._ended: list[bool] = np.isfinite(bones.tails).all(axis=1).tolist()

    def first(self, role: str) -> int | None:
        """The role's first bone."""
        found = self.roles.get(role)
        return None if found is None else found[0]

    def head(self, role: str) -> Array | None:
        """(3,) metres, where the role's first bone starts."""
        bone = self.first(role)
        return None if bone is None else self.bones.heads[bone]

    def tail(self, role: str) -> Array | None:
        """(3,) metres, where the role's last bone ends, if that is known."""
        rows = self.roles.get(role)
        return self.bones.tails[rows[-1]] if rows and self._ended[rows[-1]] else None

    def end(self, role: str) -> Array | None:
        """(3,) metres, where a limb's bone leads: the next joint, or its own tail."""
        side, _, part = role.partition("_")
        following = self.head(f"{side}_{NEXT[part]}") if part in NEXT else None
        return self.tail(role) if following is None else following

    def direction(self, role: str) -> Array | None:
        """(3,) unit, from a limb bone's head to where it leads; None for a bone without length."""
        return self._directions.get(role)

    @cached_property
    def _directions(self) -> dict[str, Array]:
        """Of all roles whose bones have a length."""
        ends = {role: end for role in self.roles if (end := self.end(role)) is not None}
        if not ends:
            return {}
        starts = self.bones.heads[[self.roles[role][0] for role in ends]]
        steps = np.array(list(ends.values())) - starts
        lengths = np.linalg.norm(steps, axis=-1)
        long = (lengths > _SHORTEST * self.leg).tolist()
        return {
            role: step / length
            for role, step, length, known in zip(ends, steps, lengths, long, strict=True)
            if known
        }

    def knuckles(self, side: str) -> dict[str, Array]:
        """Where fingers but the thumb start, metres."""
        found = {name: self.head(f"{side}_{name}") for name in _KNUCKLES}
        return {name: place for name, place in found.items() if place is not None}

    @cached_property
    def frame(self) -> Array:
        """(4,) world_from_body: x to the left, y to the back, z up.

        Told by hips and shoulders. A body that about stands has its z axis upright.
        """
        up = self._up()
        left = self._left()
        if up[2] > _UPRIGHT:
            yaw = np.arctan2(left[1], left[0])
            nearest = np.round(yaw / _EIGHTH) * _EIGHTH
            yaw = nearest if abs(yaw - nearest) < _SNAP else yaw
            return quaternion.from_axis_angle(_Z, np.asarray(yaw))
        left = left - up * (left @ up)
        return quaternion.from_frames(left, np.cross(up, left))

    def _up(self) -> Array:
        top = next(
            (place for role in ("head", "neck") if (place := self.head(role)) is not None), None
        )
        if top is None:
            arms = [self.head(f"{side}_upper_arm") for side in SIDES]
            known = [place for place in arms if place is not None]
            top = np.mean(known, axis=0) if known else self.tail("spine")
        up = _Z if top is None else top - self.centre
        length = float(np.linalg.norm(up))
        return up / length if length > 0.0 else _Z

    def _left(self) -> Array:
        sums = np.zeros(3)
        for part in ("thigh", "upper_arm"):
            left, right = self.head(f"left_{part}"), self.head(f"right_{part}")
            if left is not None and right is not None:
                across = left - right
                sums += across / max(float(np.linalg.norm(across)), 1e-9)
        length = float(np.linalg.norm(sums))
        return sums / length if length > 1e-6 else _X

    @cached_property
    def centre(self) -> Array:
        """(3,) metres, between the hip joints; the head of the hips where there are no legs."""
        joints = [self.head(f"{side}_thigh") for side in SIDES]
        known = [place for place in joints if place is not None]
        found: Array = np.mean(known, axis=0) if len(known) == 2 else self.bones.heads[self.hips]
        return found

    @property
    def hips(self) -> int:
        """The hips' bone."""
        return self.roles["hips"][0]

    @cached_property
    def leg(self) -> float:
        """Metres of thigh and shin, the mean of both sides; a guess by the body's height without legs."""
        lengths = []
        for side in SIDES:
            knee, ankle = self.head(f"{side}_shin"), self.end(f"{side}_shin")
            hip = self.head(f"{side}_thigh")
            if hip is not None and knee is not None and ankle is not None:
                lengths.append(float(np.linalg.norm(knee - hip) + np.linalg.norm(ankle - knee)))
        if lengths and np.mean(lengths) > 0.0:
            return float(np.mean(lengths))
        heads = self.bones.heads[[row for rows in self.roles.values() for row in rows]]
        size = float(np.linalg.norm(np.ptp(heads, axis=0)))
        return 0.45 * size if size > 0.0 else 1.0

    def in_body(self, vectors: Array) -> Array:
        """World vectors (..., 3) in the body's frame."""
        return quaternion.rotate(quaternion.conjugate(self.frame), vectors)

    def stands(self, side: str) -> bool:
        """Whether a foot is flat on the floor at rest: shin about upright, foot sloping, toes level."""
        return self._standing[side]

    @cached_property
    def _standing(self) -> dict[str, bool]:
        return {side: self._stands(side) for side in SIDES}

    def _stands(self, side: str) -> bool:
        shin, foot, toe = (self.direction(f"{side}_{part}") for part in ("shin", "foot", "toe"))
        if shin is None or foot is None:
            return False
        level = np.zeros(3) if toe is None else toe
        shin_up, foot_up, toe_up = self.in_body(np.array([shin, foot, level]))[:, 2].tolist()
        return (
            shin_up < _UPRIGHT_SHIN and _SLOPING[0] < foot_up < _SLOPING[1] and abs(toe_up) < _LEVEL
        )

    @cached_property
    def soles(self) -> Array:
        """(4,) metres above the floor of left and right ankle and ball of the foot when they stand."""
        usual = self.leg * np.repeat([_USUAL_ANKLE, _USUAL_BALL], 2)
        ankles = [self.end(f"{side}_shin") for side in SIDES]
        balls = [self.end(f"{side}_foot") for side in SIDES]
        places = [place for place in (*ankles, *balls) if place is not None]
        if len(places) < 4 or not (self.stands("left") and self.stands("right")):
            return usual
        heights: Array = self.in_body(np.array(places))[:, 2]
        lowest = float(heights.min())
        standing = _LOWEST[0] < lowest / self.leg < _LOWEST[1]
        return heights - (0.0 if standing else lowest - _USUAL_BALL * self.leg)
