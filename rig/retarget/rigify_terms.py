"""Bone maps in terms of a generated Rigify rig's controls or skin, brought to the bones that tell its pose.

A map of a generated rig is about its ORG bones (and the controls `neck` and `head`), which FK and IK controls
and DEF bones all go with. A file may name any of these.
"""

import re
from collections.abc import Mapping
from typing import Final

from .bone_map import SIDES, TWISTS
from .bones import Bones
from .matching import match_bones
from .presets import preset_names

__all__ = ["is_generated", "of_generated_rig"]

_TERMS: Final = ("rigify_fk", "rigify_ik", "rigify_def", "rigify_metarig")
_NAME: Final = re.compile(r"(?:DEF-|ORG-)?([a-z_]+?)(?:_fk|_ik)?((?:\.\d+)?(?:\.[LR])?)$")
_TRUNK: Final = {"torso": "ORG-spine", "hips": "ORG-spine", "chest": "ORG-spine.003"}
_MOVED: Final = {"hand_ik": ("upper_arm", "forearm"), "foot_ik": ("thigh", "shin")}


def is_generated(bones: Bones) -> bool:
    """Whether the bones are those that tell the pose of a generated rig, without its controls."""
    names = set(bones.names)
    return {"ORG-spine", "ORG-thigh.L"} <= names and "torso" not in names


def of_generated_rig(
    roles: Mapping[str, tuple[str, ...]], bones: Bones
) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """For every role of a map, its names there, and the rig's bones that they stand for.

    A role's usual controls stand for all of the role's bones: `spine_fk.002` and `.003` for the whole spine,
    `hand_ik.L` for the hand and, where the map has none, the arm that it moves. Other names stand for the ORG
    bone of that name. Twist bones follow by themselves and have none; a name that stands for nothing is kept.

    Args:
        roles: a map's.
        bones: of the rig, as `is_generated` has them.

    Raises:
        SceneError: the rig is no humanoid's.
    """
    own, there = match_bones(bones).bones, set(bones.names)
    found: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {}
    for role, names in roles.items():
        if set(names) <= there:
            found[role] = names, names
        elif any(set(names) <= preset_names(term).get(role, frozenset()) for term in _TERMS):
            if not role.endswith(TWISTS):
                found[role] = names, own.get(role, names)
        else:
            found[role] = names, tuple(_org(name, there) for name in names)
    for side in SIDES:
        for end in ("hand", "foot"):
            names = roles.get(f"{side}_{end}", ())
            moved = _MOVED.get(names[0].partition(".")[0], ()) if names else ()
            above = [f"{side}_{part}" for part in moved]
            if not roles.keys() & set(above):
                found |= {role: (names, own[role]) for role in above if role in own}
    return found


def _org(name: str, there: set[str]) -> str:
    """The bone that goes with one of that name; the name itself if there is none."""
    matched = _NAME.match(name)
    guess = _TRUNK.get(name) or ("ORG-{}{}".format(*matched.groups()) if matched else name)
    return guess if guess in there else name
