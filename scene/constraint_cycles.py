"""What moves what: armatures and objects that follow each other in a circle."""

from collections.abc import Iterable, Iterator

import bpy

from ..rig.errors import SceneError

__all__ = ["check_cycles"]

_Node = tuple[str, str]  # an object, and a bone of it or ""
_Edges = dict[_Node, set[_Node]]


def check_cycles(armatures: Iterable[bpy.types.Object]) -> None:
    """Refuse armatures of which a part follows itself, through parents and constraints.

    Raises:
        SceneError: one does; the message says which parts.
    """
    edges: _Edges = {}
    waiting = list(armatures)
    if not any(map(_follows, waiting)):
        return
    seen: set[str] = set()
    while waiting:
        item = waiting.pop()
        if item.name_full in seen:
            continue
        seen.add(item.name_full)
        waiting += _connect(item, edges)
    circle = _circle(edges)
    if circle:
        told = " -> ".join(bone or item for item, bone in circle)
        raise SceneError(
            f"constraints go in a circle ({told}); mute or remove one of them, then retarget again"
        )


def _follows(item: bpy.types.Object) -> bool:
    """Whether an armature or a bone of it follows anything beside the bone it hangs on."""
    constrained = any(len(posed.constraints) for posed in item.pose.bones)
    return item.parent is not None or len(item.constraints) > 0 or constrained


def _connect(item: bpy.types.Object, edges: _Edges) -> list[bpy.types.Object]:
    """Note what an object and its bones follow; returns the objects among these."""
    own = (item.name_full, "")
    found = []
    if item.parent is not None:
        _add(edges, own, item.parent, item.parent_bone)
        found.append(item.parent)
    for _, target, bone in _targets(item.constraints):
        _add(edges, own, target, bone)
        found.append(target)
    for posed in item.pose.bones if item.type == "ARMATURE" else ():
        node = (item.name_full, posed.name)
        edges.setdefault(node, set()).add(
            (item.name_full, posed.parent.name) if posed.parent else own
        )
        for constraint, target, bone in _targets(posed.constraints):
            for follower in _chain(posed, constraint):
                _add(edges, (item.name_full, follower.name), target, bone)
            found.append(target)
    return found


def _add(edges: _Edges, node: _Node, target: bpy.types.Object, bone: str) -> None:
    there = target.type == "ARMATURE" and bone in target.pose.bones
    edges.setdefault(node, set()).add((target.name_full, bone if there else ""))


def _targets(
    constraints: Iterable[bpy.types.Constraint],
) -> Iterator[tuple[bpy.types.Constraint, bpy.types.Object, str]]:
    for constraint in constraints:
        if constraint.mute:
            continue
        parts = list(getattr(constraint, "targets", ())) or [constraint]
        for part in parts:
            target = getattr(part, "target", None)
            if target is not None:
                yield constraint, target, getattr(part, "subtarget", "")


def _chain(
    posed: bpy.types.PoseBone, constraint: bpy.types.Constraint
) -> Iterator[bpy.types.PoseBone]:
    """The bones that a constraint moves: of IK all that it bends."""
    yield posed
    if constraint.type != "IK":
        return
    count = constraint.chain_count or len(posed.parent_recursive) + 1
    yield from posed.parent_recursive[: count - 1]


def _circle(edges: _Edges) -> list[_Node]:
    """Some circle, first node last again; empty if there is none."""
    state: dict[_Node, int] = {}  # 1 on the path, 2 done
    for start in edges:
        if state.get(start):
            continue
        path = [start]
        steps = [iter(sorted(edges[start]))]
        state[start] = 1
        while path:
            following = next(steps[-1], None)
            if following is None:
                state[path.pop()] = 2
                steps.pop()
            elif state.get(following) == 1:
                return [*path[path.index(following) :], following]
            elif following not in state:
                state[following] = 1
                path.append(following)
                steps.append(iter(sorted(edges.get(following, ()))))
    return []
