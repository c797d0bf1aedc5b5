"""Twist bones share the twist of their limb: from the shoulder it comes in, and towards the wrist."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from .. import quaternion
from ..arrays import Array
from .bone_map import SIDES
from .drives import Drive, inline_twists
from .posed import Posed
from .rests import Rest

__all__ = ["TwistBone", "twist_bones", "twisted"]

_NEAR: Final = (
    "upper_arm",
    "thigh",
)  # limbs that twist against the trunk; others twist with hand or foot
_LAST: Final = {"forearm": "hand", "shin": "foot"}
_ALONG = 0.7  # cosine to its limb of a bone that is part of it


@dataclass(frozen=True, eq=False)
class TwistBone:
    """One bone that takes part of a limb's twist.

    Attributes:
        bone: the target's.
        limb: place of the limb's bone among those that move.
        other: place of the bone against which the limb twists: what carries it, or its hand or foot.
        axis: (3,) unit at rest, from the bone to the next in its row: what that carries stays where it is.
        limb_axis: (3,) unit at rest, along the limb, about which it twists.
        share: by how much of that twist the bone turns from the limb's towards the other.
        offset: (3,) metres at rest, from the limb's head.
    """

    bone: int
    limb: int
    other: int
    axis: Array
    limb_axis: Array
    share: float
    offset: Array


def twist_bones(target: Rest, found: Sequence[Drive], above: Sequence[int]) -> list[TwistBone]:
    """All twist bones of limbs that move, and limbs' own bones that give twist away to them."""
    places = {drive.role: place for place, drive in enumerate(found)}
    result = []
    for side in SIDES:
        for part in (*_NEAR, *_LAST):
            role = f"{side}_{part}"
            other = above[places[role]] if role in places and part in _NEAR else None
            if part in _LAST:
                other = places.get(f"{side}_{_LAST[part]}")
            if role in places and other is not None:
                result += _of_limb(target, role, part in _NEAR, places[role], other)
    return result


def _of_limb(target: Rest, role: str, near: bool, limb: int, other: int) -> list[TwistBone]:
    start, end, axis = target.head(role), target.end(role), target.direction(role)
    rows = target.roles.get(f"{role}_twist", ())
    own = target.first(role)
    if not rows or start is None or end is None or axis is None or own is None:
        return []
    inline = inline_twists(target, role)
    length = float(np.linalg.norm(end - start))
    shares = {row: (k + 1) / len(inline) for k, row in enumerate(inline)}
    beside = [row for row in rows if row not in inline]
    for k, row in enumerate(beside):
        along = float((target.bones.heads[row] - start) @ axis) / length
        shares[row] = min(along, 1.0) if along > 0.05 else (k + 1) / (len(beside) + 1)
    if near and inline:
        shares[own] = 0.0  # the bones after it have the twist
    heads = target.bones.heads
    onward = dict(zip((own, *inline), (*(heads[row] for row in inline), end), strict=True))
    return [
        TwistBone(
            row,
            limb,
            other,
            _axis(heads[row], onward.get(row, heads[row]), axis),
            axis,
            1.0 - share if near else share,
            heads[row] - start,
        )
        for row, share in shares.items()
    ]


def _axis(start: Array, end: Array, otherwise: Array) -> Array:
    """(3,) unit from one place to another; the limb's where they are the same or lie across it."""
    length = float(np.linalg.norm(end - start))
    if length < 1e-9:
        return otherwise
    found: Array = (end - start) / length
    return found if found @ otherwise > _ALONG else otherwise


def twisted(posed: Posed, bones: Sequence[TwistBone]) -> tuple[Array, Array]:
    """Turns from rest (T, K, 4) and heads (T, K, 3) of K twist bones."""
    limbs, others = [bone.limb for bone in bones], [bone.other for bone in bones]
    axes = np.array([bone.axis for bone in bones])
    along_limb = np.array([bone.limb_axis for bone in bones])
    limb = posed.turns[:, limbs]
    relative = quaternion.multiply(quaternion.conjugate(limb), posed.turns[:, others])
    along = (relative[..., 1:] * along_limb).sum(-1)
    angle = 2.0 * np.arctan2(along, relative[..., 0])
    angle = (angle + np.pi) % (2.0 * np.pi) - np.pi
    if len(angle) > 1:
        angle = np.unwrap(angle, axis=0)
    angle = angle * [bone.share for bone in bones]
    turns = quaternion.multiply(limb, quaternion.from_axis_angle(axes, angle))
    offsets = quaternion.rotate(limb, np.array([bone.offset for bone in bones]))
    return turns, posed.heads[:, limbs] + offsets
