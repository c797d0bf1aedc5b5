"""Turns that lay the target's rest bones onto the source's, from the trunk outwards.

The trunk, the shoulders and the head only turn to face alike: builds differ, and a rotation relative to rest
means the same for all. A limb's bone is first turned as the bone before it and then the shortest way, so
hinges of elbows and knees keep their place, whatever the rests are.
"""

from typing import Final, NamedTuple

import numpy as np

from .. import quaternion
from ..arrays import Array
from .bone_map import SIDES
from .rests import Rest

__all__ = ["alignments"]

_FINGERS: Final = ("thumb", "index", "middle", "ring", "pinky")
_LEVELS: Final = (  # each bone after the one it hangs on; "" is the trunk
    {"shoulder": "", "upper_arm": "", "thigh": ""},
    {"forearm": "upper_arm", "shin": "thigh"},
    {"hand": "forearm", "foot": "shin"},
    {"toe": "foot", **{f"{finger}_1": "hand" for finger in _FINGERS}},
    {f"{finger}_2": f"{finger}_1" for finger in _FINGERS},
    {f"{finger}_3": f"{finger}_2" for finger in _FINGERS},
)
_NOWHERE = np.zeros(3)
_FAR = -0.7  # cosine; directions further apart are first turned over
_ASIDE = np.cos(np.radians(60.0))  # a hand's tail further from the forearm's direction is no hand's


class _Turn(NamedTuple):
    """How one bone is turned: by `base` (4,), and then from a direction (3,) of the target to the source's.

    Without directions it stays at the base. Directions far apart are first turned over, about an axis (3,);
    not about one of zeros.
    """

    base: Array
    source: Array | None
    target: Array | None
    across: Array


def alignments(source: Rest, target: Rest) -> dict[str, Array]:
    """Per role that both rigs have, the turn (4,) that lays the target's rest bone onto the source's.

    Both are in the world; "" is the turn of the trunk.
    """
    found = {"": quaternion.multiply(source.frame, quaternion.conjugate(target.frame))}
    axes = quaternion.rotate(source.frame, np.eye(3)[:2])
    for level in _LEVELS:
        turns = {
            f"{side}_{part}": _turn(source, target, side, part, before, found, axes)
            for side in SIDES
            for part, before in level.items()
            if f"{side}_{part}" in source.roles and f"{side}_{part}" in target.roles
        }
        found |= _turned_onto(turns)
    return found


def _turn(
    source: Rest,
    target: Rest,
    side: str,
    part: str,
    before: str,
    found: dict[str, Array],
    axes: Array,
) -> _Turn:
    """What one bone is to do, after those `found`; `axes` (2, 3) go to the body's left and its back."""
    role, trunk = f"{side}_{part}", found[""]
    base = found.get(f"{side}_{before}", trunk)
    if part == "shoulder":
        return _Turn(trunk, None, None, _NOWHERE)
    if part == "hand":
        return _hand(source, target, side, base)
    flat = part in ("foot", "toe") and source.stands(side) and target.stands(side)
    if part == "toe" and flat:
        return _Turn(base, None, None, _NOWHERE)
    ours, theirs = source.direction(role), target.direction(role)
    if part == "foot" and flat:  # soles are level in both rests, whatever the height of the ankles
        return _Turn(trunk, _level(source, ours), _level(target, theirs), _NOWHERE)
    if part[-1].isdigit():  # of a finger: as the forearm where the hand isn't known
        base = found.get(f"{side}_{before}", found.get(f"{side}_forearm", trunk))
    # Arms are turned over sideways, everything else forwards.
    across: Array = axes[1] if part in ("upper_arm", "forearm") else axes[0]
    return _Turn(base, ours, theirs, across)


def _level(rest: Rest, direction: Array | None) -> Array | None:
    """A direction (3,) laid down on the body's floor."""
    if direction is None:
        return None
    inside = rest.in_body(direction) * (1.0, 1.0, 0.0)
    return quaternion.rotate(rest.frame, inside / np.linalg.norm(inside))


def _turned_onto(turns: dict[str, _Turn]) -> dict[str, Array]:
    """The base turns (4,) and then the shortest way from the target's direction to the source's."""
    found = {role: turn.base for role, turn in turns.items()}
    known = {r: t for r, t in turns.items() if t.source is not None and t.target is not None}
    if not known:
        return found
    base, source, target, across = (np.array(c) for c in zip(*known.values(), strict=True))
    there = quaternion.rotate(base, target)
    axis = across - source * (across * source).sum(-1, keepdims=True)
    length = np.linalg.norm(axis, axis=-1, keepdims=True)
    over = ((there * source).sum(-1) < _FAR) & (length[:, 0] > 0.1)
    if over.any():
        half = np.pad(axis[over] / length[over], ((0, 0), (1, 0)))
        base[over] = quaternion.multiply(half, base[over])
        there[over] = quaternion.rotate(base[over], target[over])
    arcs = quaternion.multiply(quaternion.shortest_arc(there, source), base)
    return found | dict(zip(known, arcs, strict=True))


def _hand(source: Rest, target: Rest, side: str, base: Array) -> _Turn:
    """A hand's turn: palm onto palm where both have knuckles, direction onto direction elsewhere."""
    ours, theirs = source.knuckles(side), target.knuckles(side)
    both = [name for name in ours if name in theirs]
    frames = [_palm(rest, side, both) for rest in (source, target)] if len(both) >= 2 else []
    if len(frames) == 2 and frames[0] is not None and frames[1] is not None:
        palms = quaternion.multiply(frames[0], quaternion.conjugate(frames[1]))
        return _Turn(palms, None, None, _NOWHERE)
    return _Turn(base, _pointing(source, side, both), _pointing(target, side, both), _NOWHERE)


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
