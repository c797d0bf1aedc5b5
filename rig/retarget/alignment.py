"""Turns that lay the target's rest bones onto the source's, from the trunk outwards.

The trunk, the shoulders and the head only turn to face alike: builds differ, and a rotation relative to rest
means the same for all. A limb's bone is first turned as the bone before it and then the shortest way, so
hinges of elbows and knees keep their place, whatever the rests are.
"""

from typing import Final

import numpy as np

from .. import quaternion
from ..arrays import Array
from .bone_map import FINGERS
from .rests import Rest

__all__ = ["alignments"]

_LIMBS: Final = {  # each bone after the one it hangs on; "" is the trunk
    "shoulder": "",
    "upper_arm": "",
    "forearm": "upper_arm",
    "hand": "forearm",
    "thigh": "",
    "shin": "thigh",
    "foot": "shin",
    "toe": "foot",
}
_FAR = -0.7  # cosine; directions further apart are first turned over
_ASIDE = np.cos(np.radians(60.0))  # a hand's tail further from the forearm's direction is no hand's


def alignments(source: Rest, target: Rest) -> dict[str, Array]:
    """Per role that both rigs have, the turn (4,) that lays the target's rest bone onto the source's.

    Both are in the world; "" is the turn of the trunk.
    """
    trunk = quaternion.multiply(source.frame, quaternion.conjugate(target.frame))
    found = {"": trunk}
    for side in ("left", "right"):
        for part, before in _LIMBS.items():
            role = f"{side}_{part}"
            if role in source.roles and role in target.roles:
                base = found.get(f"{side}_{before}", trunk)
                found[role] = _limb(source, target, side, part, base, trunk)
        for finger in FINGERS:
            role = f"{side}_{finger}"
            if role in source.roles and role in target.roles:
                name, part = finger.rsplit("_", 1)
                before = f"{side}_hand" if part == "1" else f"{side}_{name}_{int(part) - 1}"
                base = found.get(before, found.get(f"{side}_forearm", trunk))
                directions = source.direction(role), target.direction(role)
                found[role] = _turned_onto(base, *directions, _across(source, "finger"))
    return found


def _limb(source: Rest, target: Rest, side: str, part: str, base: Array, trunk: Array) -> Array:
    role = f"{side}_{part}"
    if part == "shoulder":
        return trunk
    if part == "hand":
        return _hand(source, target, side, base)
    flat = source.stands(side) and target.stands(side)
    if part == "toe" and flat:
        return base
    directions = source.direction(role), target.direction(role)
    if part == "foot" and flat:  # soles are level in both rests, whatever the height of the ankles
        ours, theirs = (
            _level(rest, d) for rest, d in zip((source, target), directions, strict=True)
        )
        return _turned_onto(trunk, ours, theirs, None)
    return _turned_onto(base, *directions, _across(source, part))


def _across(source: Rest, part: str) -> Array:
    """(3,) unit axis about which a bone is turned over: arms sideways, everything else forwards."""
    axis = (
        np.array([0.0, 1.0, 0.0]) if part in ("upper_arm", "forearm") else np.array([1.0, 0.0, 0.0])
    )
    return quaternion.rotate(source.frame, axis)


def _level(rest: Rest, direction: Array | None) -> Array | None:
    """A direction (3,) laid down on the body's floor."""
    if direction is None:
        return None
    inside = rest.in_body(direction) * (1.0, 1.0, 0.0)
    return quaternion.rotate(rest.frame, inside / np.linalg.norm(inside))


def _turned_onto(
    base: Array, source: Array | None, target: Array | None, across: Array | None
) -> Array:
    """The base turn (4,) and then the shortest way from the target's direction to the source's."""
    if source is None or target is None:
        return base
    there = quaternion.rotate(base, target)
    if across is not None and there @ source < _FAR:
        axis = across - source * (across @ source)
        length = float(np.linalg.norm(axis))
        if length > 0.1:
            base = quaternion.multiply(np.concatenate([[0.0], axis / length]), base)
            there = quaternion.rotate(base, target)
    return quaternion.multiply(quaternion.shortest_arc(there, source), base)


def _hand(source: Rest, target: Rest, side: str, base: Array) -> Array:
    """A hand's turn: palm onto palm where both have knuckles, direction onto direction elsewhere."""
    ours, theirs = source.knuckles(side), target.knuckles(side)
    both = [name for name in ours if name in theirs]
    frames = [_palm(rest, side, both) for rest in (source, target)] if len(both) >= 2 else []
    if len(frames) == 2 and frames[0] is not None and frames[1] is not None:
        return quaternion.multiply(frames[0], quaternion.conjugate(frames[1]))
    directions = (_pointing(source, side, both), _pointing(target, side, both))
    return _turned_onto(base, *directions, None)


def _palm(rest: Rest, side: str, names: list[str]) -> Array | None:
    """(4,) world_from_palm: x to the knuckles, y across them."""
    wrist = rest.head(f"{side}_hand")
    places = rest.knuckles(side)
    assert wrist is not None
    along = np.mean([places[name] for name in names], axis=0) - wrist
    across = places[names[0]] - places[names[-1]]
    area = float(np.linalg.norm(np.cross(along, across)))
    if area < 0.1 * float(np.linalg.norm(along)) * float(np.linalg.norm(across)) or area == 0.0:
        return None
    return quaternion.from_frames(along, across)


def _pointing(rest: Rest, side: str, both: list[str]) -> Array | None:
    """(3,) unit, where a hand points: to its knuckles, or along a tail that goes on from the forearm."""
    wrist, forearm = rest.head(f"{side}_hand"), rest.direction(f"{side}_forearm")
    places = rest.knuckles(side)
    names = both or list(places)
    end = np.mean([places[n] for n in names], axis=0) if names else rest.tail(f"{side}_hand")
    if wrist is None or end is None:
        return None
    length = float(np.linalg.norm(end - wrist))
    if length < 1e-5 * rest.leg:
        return None
    direction: Array = (end - wrist) / length
    if not names and forearm is not None and direction @ forearm < _ASIDE:
        return None
    return direction
