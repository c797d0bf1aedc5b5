"""People on the floor: how far a motion leaves their soles over it, or under it."""

from typing import Final

import numpy as np

from ...rig import quaternion
from ...rig.arrays import Array
from ...rig.bodies import Body
from ...rig.retarget.bones import Bones
from ...rig.retarget.result import Retargeted

__all__ = ["ground_lift", "sole_heights"]

_SOLE: Final = 0.025  # metres over the floor at rest; the skin below it is the sole
_STANDING: Final = 0.15  # of the frames may sink a little, so that the others don't float


def ground_lift(body: Body, bones: Bones, result: Retargeted) -> float:
    """Metres to raise a person so that it stands on the floor z = 0 in most frames.

    Args:
        body: of the person.
        bones: of its armature at rest, in the world.
        result: the motion brought to it.
    """
    heights = sole_heights(body, bones, result)
    return float(-np.quantile(heights, _STANDING)) if len(heights) else 0.0


def sole_heights(body: Body, bones: Bones, result: Retargeted) -> Array:
    """(T,) metres, the lowest place of both soles; empty if the motion moves no foot."""
    lowest = []
    for side in ("Left", "Right"):
        rows = [bones.index(body.bone_names[body.bone(f"{side}{b}")]) for b in ("Foot", "ToeBase")]
        known = [row for row in rows if row in result.driven]
        if not known:
            continue
        for part, row in zip(("Foot", "ToeBase"), rows, strict=True):
            moved = row if row in known else known[0]
            column = result.driven.index(moved)
            bone = body.bone(f"{side}{part}")
            own = (body.weight_bones[:, 0] == bone) & (body.vertices[:, 2] < _SOLE)
            away = body.vertices[own] - body.bone_heads[body.bone(bones.names[moved])]
            at_rest = quaternion.conjugate(bones.rotations[moved])
            turn = quaternion.multiply(result.rotations[:, column], at_rest)
            places = quaternion.rotate(turn[:, None], away[None]) + result.heads[:, column, None]
            lowest.append(places[..., 2].min(axis=1))
    return np.min(lowest, axis=0) if lowest else np.empty(0)
