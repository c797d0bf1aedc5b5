"""Bodies in motion, in numpy: bones from a motion of 24 joints, and skin from bones."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import quaternion
from ..arrays import Array
from ..motion import Motion
from ..retarget.body import body_bones, stance
from ..retarget.matching import match_bones
from ..retarget.result import RetargetOptions
from ..retarget.retargeter import Retargeter
from .body import Body

__all__ = ["BodyPose", "pose_body"]


@dataclass(frozen=True, eq=False)
class BodyPose:
    """T frames of a body.

    Attributes:
        body: the body.
        turns: (T, B, 4) quaternions of the bones, from rest, in the world.
        heads: (T, B, 3) metres, where the bones start in the world.
    """

    body: Body
    turns: Array
    heads: Array

    def places(self, bones: Sequence[int] | npt.NDArray[np.integer[Any]], at_rest: Array) -> Array:
        """(T, K, 3) metres, where points (K, 3) of the rest pose are that hang on `bones` (K,)."""
        own = np.asarray(bones)
        away = at_rest - self.body.bone_heads[own]
        return self.heads[:, own] + quaternion.rotate(self.turns[:, own], away)

    def skin(self, vertices: Sequence[int] | npt.NDArray[np.integer[Any]] | None = None) -> Array:
        """(T, K, 3) metres, vertices of the skin, all of them if None (linear blend skinning)."""
        body = self.body
        rows = np.arange(len(body.vertices)) if vertices is None else np.asarray(vertices)
        found = np.zeros((len(self.turns), len(rows), 3))
        for column in range(body.weights.shape[1]):
            weight = body.weights[rows, column]
            used = np.flatnonzero(weight > 0.0)
            at_rest, bones = body.vertices[rows[used]], body.weight_bones[rows[used], column]
            found[:, used] += weight[used, None] * self.places(bones, at_rest)
        return found


def pose_body(body: Body, motion: Motion) -> BodyPose:
    """A motion on a body: limbs point as the motion's do, steps are scaled by leg length.

    The same as `apply_motion` gives a character with these bones at the world's origin.

    Args:
        body: whose bones move.
        motion: T frames with our joint names.

    Raises:
        SceneError: the motion has other joints than ours.
        ShapeError: it has no frames, or missing values.
    """
    found = match_bones(body.bones)
    turn, place = stance(body.bones, found)
    back = quaternion.conjugate(turn)
    target = replace(
        body.bones,
        rotations=np.tile(back, (len(body.bones), 1)),
        heads=quaternion.rotate(back, body.bone_heads - place),
        tails=quaternion.rotate(back, body.bone_tails - place),
    )
    source, source_map = body_bones(motion.skeleton, target, found)
    work = Retargeter(source, source_map, target, found, RetargetOptions(contacts="off"))
    result = work.whole(*motion.world(), motion.fps)
    rotations = quaternion.multiply(turn, result.rotations)
    heads = quaternion.rotate(turn, result.heads) + place
    return _followed(body, result.driven, rotations, heads)


def _followed(body: Body, driven: Sequence[int], rotations: Array, heads: Array) -> BodyPose:
    """All bones: those that nothing drives move with the one above."""
    columns = {bone: column for column, bone in enumerate(driven)}
    count = len(body.bone_names)
    turns, places = np.empty((len(heads), count, 4)), np.empty((len(heads), count, 3))
    for bone, parent in enumerate(body.bone_parents):
        if bone in columns:
            turns[:, bone] = rotations[:, columns[bone]]
            places[:, bone] = heads[:, columns[bone]]
            continue
        step = body.bone_heads[bone] - body.bone_heads[parent]
        turns[:, bone] = turns[:, parent]
        places[:, bone] = places[:, parent] + quaternion.rotate(turns[:, parent], step)
    return BodyPose(body, turns, places)
