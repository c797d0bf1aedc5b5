"""The embedded character in the size of the person that cameras saw."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Final

import bpy
import numpy as np

from ..rig.arrays import Array
from ..rig.motion import Motion
from ..rig.retarget import BoneMap
from .character import add_character
from .retarget_target import Target, read_target

__all__ = ["add_person", "embedded_target", "leg_ratio", "scaled_target"]

_LEG: Final = ("thigh", "shin", "foot")
_JOINTS: Final = ("hip", "knee", "ankle")


@cache
def embedded_target() -> Target:
    """The embedded character as a target of retargeting, without adding it to the scene."""
    layer = bpy.context.view_layer
    active, selected = layer.objects.active, list(bpy.context.selected_objects)
    armature = add_character("PALLAS size")
    try:
        layer.update()
        return read_target(armature)
    finally:
        body = armature.children[0]
        materials = list(body.data.materials)
        bpy.data.batch_remove([body, body.data, armature, armature.data, *materials])
        for item in selected:
            item.select_set(True)
        layer.objects.active = active


def leg_ratio(motion: Motion, target: Target, target_map: BoneMap) -> float:
    """Length of the person's legs over that of a character's."""
    skeleton, bones = motion.skeleton, target.bones
    own: list[float] = []
    theirs: list[float] = []
    heads = dict(zip(bones.names, bones.heads, strict=True))
    for side in ("left", "right"):
        places = [skeleton.names.index(f"{side}_{joint}") for joint in _JOINTS]
        own += [float(np.linalg.norm(skeleton.offsets[place])) for place in places[1:]]
        chain = _chain(target_map.bones, heads, side)
        theirs += [float(length) for length in np.linalg.norm(np.diff(chain, axis=0), axis=-1)]
    return sum(own) / sum(theirs)


def scaled_target(target: Target, ratio: float) -> Target:
    """The target as if its object were scaled about the world's origin."""
    scale = np.diag([ratio, ratio, ratio, 1.0])
    return replace(target, rig=replace(target.rig, rest=target.rig.rest.placed(scale)))


def add_person(name: str, ratio: float) -> bpy.types.Object:
    """Add the embedded character at the world's origin, scaled by `ratio`."""
    armature = add_character(name)
    armature.scale = (ratio, ratio, ratio)
    return armature


def _chain(bones: Mapping[str, tuple[str, ...]], heads: Mapping[str, Array], side: str) -> Array:
    """(3, 3) hip, knee and ankle at rest."""
    return np.stack([heads[bones[f"{side}_{part}"][0]] for part in _LEG])
