"""Which bone of the source moves which of the target, and how far along its chain."""

from dataclasses import dataclass

import numpy as np

from .bone_map import FINGERS, LIMBS, SIDES
from .rests import Rest

__all__ = ["Drive", "drives", "inline_twists"]


@dataclass(frozen=True)
class Drive:
    """One target bone: turned from rest as `first` is, `fraction` of the way on to `second`.

    Attributes:
        role: of the target bone.
        bone: the target's.
        before: target bone that carries it.
        first: the source's bone.
        second: another of the source's.
        fraction: 0 to 1.
    """

    role: str
    bone: int
    before: int
    first: int
    second: int
    fraction: float


def drives(source: Rest, target: Rest, fingers: bool) -> list[Drive]:
    """All bones of the target that the source can move, the hips first and parents before children."""
    hips = target.hips
    found = [Drive("hips", hips, -1, source.hips, source.hips, 0.0)]
    nodes = [(0.0, source.hips), *_ends(source, "spine")]
    found += _chain("spine", target, hips, nodes, _ends(target, "spine"))
    chest, theirs = _last(source, "spine"), _last(target, "spine")
    found += _neck(source, target, chest, theirs)
    if "head" in source.roles and "head" in target.roles:
        skull, neck = source.roles["head"][0], _last(target, "neck", theirs)
        found.append(Drive("head", target.roles["head"][0], neck, skull, skull, 0.0))
    for side in SIDES:
        found += _limbs(source, target, side, fingers, theirs)
    return _carried(found, target)


def _last(rest: Rest, role: str, otherwise: int | None = None) -> int:
    rows = rest.roles.get(role)
    if rows:
        return rows[-1]
    return rest.hips if otherwise is None else otherwise


def _ends(rest: Rest, role: str) -> list[tuple[float, int]]:
    """Bones of a chain with where each ends, as a fraction of the chain's length."""
    rows = rest.roles.get(role, ())
    if not rows:
        return []
    following = rest.head("neck") if role == "spine" else None
    following = rest.head("head") if following is None else following
    following = rest.tail(role) if following is None else following
    places = [rest.bones.heads[row] for row in rows]
    places.append(places[-1] if following is None else following)
    lengths = np.linalg.norm(np.diff(places, axis=0), axis=-1)
    if lengths[-1] == 0.0:  # the last bone's length is not known
        lengths[-1] = lengths[:-1].mean() if len(lengths) > 1 else 1.0
    if not lengths.sum() > 0.0:
        lengths = np.ones(len(rows))
    ends = np.cumsum(lengths) / lengths.sum()
    ends[-1] = 1.0
    return list(zip(ends.tolist(), rows, strict=True))


def _chain(
    role: str,
    target: Rest,
    before: int,
    nodes: list[tuple[float, int]],
    ends: list[tuple[float, int]],
) -> list[Drive]:
    """Bones that end at fractions of a chain, each between two nodes of the source's chain."""
    found = []
    for end, bone in ends:
        after = next((k for k, node in enumerate(nodes) if node[0] >= end - 1e-9), len(nodes) - 1)
        start = max(after - 1, 0)
        span = nodes[after][0] - nodes[start][0]
        fraction = (end - nodes[start][0]) / span if span > 0.0 else 1.0
        fraction = min(max(fraction, 0.0), 1.0)
        first, second = nodes[start][1], nodes[after][1]
        if fraction > 1.0 - 1e-9:
            first, fraction = second, 0.0
        found.append(Drive(role, bone, before, first, second, fraction))
        before = bone
    return found


def _neck(source: Rest, target: Rest, chest: int, theirs: int) -> list[Drive]:
    ends = _ends(target, "neck")
    nodes = [(0.0, chest), *_ends(source, "neck")]
    if len(nodes) == 1 and "head" in source.roles:  # the head's turn is all there is of a neck's
        nodes.append((1.0, source.roles["head"][0]))
        ends = [((k + 1) / (len(ends) + 1), bone) for k, (_, bone) in enumerate(ends)]
    return _chain("neck", target, theirs, nodes, ends) if len(nodes) > 1 else []


def _limbs(source: Rest, target: Rest, side: str, fingers: bool, chest: int) -> list[Drive]:
    parts = [*LIMBS, *FINGERS] if fingers else list(LIMBS)
    found: list[Drive] = []
    placed: dict[str, int] = {}
    for part in parts:
        role = f"{side}_{part}"
        if role not in source.roles or role not in target.roles:
            continue
        if part in ("shoulder", "upper_arm"):
            before = placed.get("shoulder", chest)
        elif part == "thigh":
            before = target.hips
        elif part in FINGERS:
            name, number = part.rsplit("_", 1)
            before = placed.get(f"{name}_{int(number) - 1}", placed.get("hand", chest))
        else:
            before = placed.get(LIMBS[LIMBS.index(part) - 1], target.hips)
        bone = target.roles[role][0]
        rows = (*source.roles[role], *inline_twists(source, role))
        # Bones in a row that share one limb: the last one before the next joint has all of the roll.
        driver = rows[-1] if part in ("upper_arm", "thigh") else rows[0]
        found.append(Drive(role, bone, before, driver, driver, 0.0))
        placed[part] = bone
    return found


def inline_twists(rest: Rest, role: str) -> tuple[int, ...]:
    """Twist bones that lie between a limb's bone and the next joint, rather than beside them."""
    side, _, part = role.partition("_")
    following = rest.first(f"{side}_{_AFTER[part]}") if part in _AFTER else None
    if following is None:
        return ()
    above = set()
    while following >= 0:
        following = rest.bones.parents[following]
        above.add(following)
    return tuple(row for row in rest.roles.get(f"{role}_twist", ()) if row in above)


_AFTER = {"upper_arm": "forearm", "forearm": "hand", "thigh": "shin", "shin": "foot"}


def _carried(found: list[Drive], target: Rest) -> list[Drive]:
    """Drives with the nearest bone above that moves too, where the rig itself has one."""
    moving = {drive.bone for drive in found}
    result = []
    for drive in found:
        above = target.bones.parents[drive.bone]
        while above >= 0 and above not in moving:
            above = target.bones.parents[above]
        before = above if above >= 0 and drive.before >= 0 else drive.before
        result.append(
            Drive(drive.role, drive.bone, before, drive.first, drive.second, drive.fraction)
        )
    order: list[Drive] = []
    waiting = result
    done = {-1}
    while waiting:
        ready = [drive for drive in waiting if drive.before in done]
        if not ready:  # carried by one another: take them as they come
            ready = waiting[:1]
        order += ready
        done |= {drive.bone for drive in ready}
        waiting = [drive for drive in waiting if drive.bone not in done]
    return order
