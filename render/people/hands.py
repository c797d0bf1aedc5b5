"""Hands closed and opened: fingers curled towards the palm, as a fixed pose of their bones."""

from typing import Final

import bpy
import numpy as np
from mathutils import Matrix, Quaternion, Vector

from ...rig.arrays import Array
from ...rig.bodies import Body

__all__ = ["close_hands", "palm"]

_FINGERS: Final = ("Index", "Middle", "Ring", "Pinky")
_CURL: Final = (1.15, 1.5, 1.0)  # radians of the three joints of a closed fist
_THUMB: Final = (0.35, 0.5, 0.75)


def close_hands(armature: bpy.types.Object, body: Body, closed: tuple[float, float]) -> None:
    """Curl the fingers of the left and the right hand, 0 for flat and 1 for a fist."""
    for side, share in zip(("Left", "Right"), closed, strict=True):
        axis = _knuckles(body, side)
        for finger in _FINGERS:
            for joint, angle in enumerate(_CURL, 1):
                _turn(armature, body, f"{side}Hand{finger}{joint}", axis, share * angle)
        thumb = _thumb_axis(body, side)
        for joint, angle in enumerate(_THUMB, 1):
            _turn(armature, body, f"{side}HandThumb{joint}", thumb, share * angle)


def _head(body: Body, name: str) -> Array:
    return body.bone_heads[body.bone(name)]


def palm(body: Body, side: str) -> Array:
    """(3,) the way that the palm of the "Left" or "Right" hand faces, at rest."""
    wrist = _head(body, f"{side}Hand")
    index = _head(body, f"{side}HandIndex1") - wrist
    pinky = _head(body, f"{side}HandPinky1") - wrist
    way = np.cross(pinky, index) if side == "Left" else np.cross(index, pinky)
    return way / np.linalg.norm(way)


def _knuckles(body: Body, side: str) -> Array:
    """(3,) the axis that curls fingers towards the palm."""
    along = _head(body, f"{side}HandMiddle2") - _head(body, f"{side}HandMiddle1")
    axis = np.cross(along, palm(body, side))
    return axis / np.linalg.norm(axis)


def _thumb_axis(body: Body, side: str) -> Array:
    """(3,) the axis that lays the thumb over the fingers."""
    along = _head(body, f"{side}HandThumb3") - _head(body, f"{side}HandThumb2")
    over = _head(body, f"{side}HandPinky1") - _head(body, f"{side}HandIndex1")
    axis = np.cross(along, over / np.linalg.norm(over) + 0.6 * palm(body, side))
    return axis / np.linalg.norm(axis)


def _turn(armature: bpy.types.Object, body: Body, name: str, axis: Array, angle: float) -> None:
    """Pose one bone turned about an axis of the rest pose."""
    bone = armature.pose.bones[body.bone_names[body.bone(name)]]
    rest: Matrix = bone.bone.matrix_local.to_3x3()
    own = rest.inverted() @ Vector(axis)
    bone.rotation_mode = "QUATERNION"
    bone.rotation_quaternion = Quaternion(own, angle)
