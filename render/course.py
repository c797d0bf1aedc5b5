"""Where an animated character goes: what a camera must know to follow it."""

from dataclasses import dataclass
from typing import Final

import bpy
import numpy as np
from mathutils import Vector

from ..rig.arrays import Array
from ..rig.errors import SceneError
from ..rig.retarget.body import joint_bones
from ..rig.retarget.matching import match_bones
from ..scene.armature import checked_armature, read_rest_pose
from .stage import Stage

__all__ = ["Course", "read_course", "take_span"]

_CALM: Final[float] = 0.5  # seconds, the width of the smoothing of the camera's track


@dataclass(frozen=True, eq=False)
class Course:
    """A character's way over the floor.

    Attributes:
        places: (N, 2) metres, where the hips are at each moment.
        facing: radians about z from +X, the direction it faces on average.
        top: metres, the highest that any of its bones reaches.
    """

    places: Array
    facing: float
    top: float = 0.0

    def calm_track(self, step: float) -> Array:
        """(N, 2) the places without the sway of steps; moments are `step` seconds apart."""
        reach = min(int(np.ceil(3 * _CALM / step)), max(len(self.places) - 1, 0))
        weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) * step / _CALM) ** 2)
        weights /= weights.sum()
        # Mirrored through its ends, a straight walk stays straight up to the last frame.
        before = 2 * self.places[0] - self.places[reach:0:-1]
        after = 2 * self.places[-1] - self.places[-2 : -reach - 2 : -1]
        padded = np.concatenate([before, self.places, after])
        return np.stack([np.convolve(p, weights, mode="valid") for p in padded.T], axis=-1)


def take_span(armature_object: bpy.types.Object) -> tuple[float, float]:
    """First and last frame of the armature's action.

    Raises:
        SceneError: no armature, or it has no action.
    """
    animation = checked_armature(armature_object).animation_data
    if animation is None or animation.action is None:
        raise SceneError(f"{armature_object.name!r} has no action; apply a motion to it first")
    first, last = animation.action.frame_range
    return float(first), float(last)


def read_course(stage: Stage, armature_object: bpy.types.Object, moments: Array) -> Course:
    """Play the moments (N,), in scene frames, and note where the hips are and face."""
    bones = joint_bones(match_bones(read_rest_pose(armature_object).bones))
    forward = _rest_forward(armature_object, bones)
    places, directions, heights = [], [], []
    for moment in moments:
        posed = armature_object.evaluated_get(stage.frame_at(moment))
        hips = posed.pose.bones[bones["pelvis"]]
        rest = armature_object.data.bones[bones["pelvis"]].matrix_local
        turned = (hips.matrix @ rest.inverted()).to_3x3() @ forward
        places.append((posed.matrix_world @ hips.head)[:2])
        directions.append((posed.matrix_world.to_3x3() @ turned)[:2])
        heights.append(max((posed.matrix_world @ bone.tail).z for bone in posed.pose.bones))
    x, y = np.mean(directions, axis=0)
    return Course(np.array(places), float(np.arctan2(y, x)), max(heights))


def _rest_forward(armature_object: bpy.types.Object, bones: dict[str, str]) -> Vector:
    """The way the character faces at rest, in the armature's space: across its hips, level."""
    rig = armature_object.data.bones
    across = rig[bones["left_hip"]].head_local - rig[bones["right_hip"]].head_local
    up = armature_object.matrix_world.inverted().to_3x3() @ Vector((0.0, 0.0, 1.0))
    return across.cross(up).normalized()
