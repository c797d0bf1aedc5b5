"""Other legs under the same body: a copy of a character's Action in which only leg bones turn otherwise."""

import re
from collections.abc import Sequence

import bpy
import numpy as np

from ..rig import quaternion
from ..rig.arrays import Array, Mask
from ..rig.errors import SceneError
from ..rig.motion import Motion
from .curve_pose import basis_of, rotation_path, unposed
from .curves import channels_of, write_curve
from .keyframes import checked_own
from .rotation_modes import rotation_values
from .worn import Worn

__all__ = ["write_legs"]

_SAME = 1e-5  # of a channel's value; less is rounding


def write_legs(
    armature_object: bpy.types.Object,
    worn: Worn,
    motion: Motion,
    part: slice,
    pinned: Sequence[int] = (),
    seed: int = 0,
) -> bpy.types.Action:
    """Give an armature a copy of its Action with the legs of a motion in a range of samples.

    Leg bones get linear keys at all samples of `worn`; outside the range they hold what they held. Every
    other curve is copied. The former Action is kept in the file, unchanged.

    Args:
        armature_object: whose Action `worn` was read from.
        worn: the motion before.
        motion: the same with other legs in the range.
        part: the range, in samples.
        pinned: samples whose legs are kept; leg keys between two of them are kept too.
        seed: that the legs were drawn with, for the Action's name.

    Raises:
        SceneError: the object is linked, or has no Action any more.
    """
    frames, inside = _key_frames(worn, part, pinned)
    action = _copied_action(armature_object, seed)
    channels = channels_of(armature_object)
    for bone, drawn in _leg_rotations(worn, motion).items():
        pose_bone = armature_object.pose.bones[worn.rest.names[bone]]
        turns, held = basis_of(armature_object, channels, pose_bone, frames)
        turns[inside] = drawn[part]
        values = _values(turns, held, inside, pose_bone.rotation_mode)
        for column, line in enumerate(values.T):
            path = rotation_path(pose_bone)
            write_curve(channels, path, column, frames, line, group=pose_bone.name)
    return action


def _copied_action(armature_object: bpy.types.Object, seed: int) -> bpy.types.Action:
    """A copy of the object's Action, which is now its current one; the former is kept."""
    checked_own(armature_object)
    if channels_of(armature_object) is None:
        raise SceneError(f"{armature_object.name!r} has no Action any more; apply a motion again")
    animation = armature_object.animation_data
    former, slot = animation.action, animation.action_slot.identifier
    if former.library is None:
        former.use_fake_user = True
    action = former.copy()
    action.name = f"{_plain(former.name)} legs seed {seed}"
    action.use_fake_user = False
    animation.action = action
    animation.action_slot = action.slots[slot]
    return action


def _plain(name: str) -> str:
    """An Action's name without what an earlier regeneration put there."""
    return re.sub(r"( legs seed \d+)?(\.\d{3})?$", "", name)


def _leg_rotations(worn: Worn, motion: Motion) -> dict[int, Array]:
    """(T, 4) of the leg bones' own channels, by index of bone."""
    legs = worn.legs_of(motion)
    armature_from_world = quaternion.conjugate(worn.rest.object_rotation)
    posed = dict(worn.posed)
    rotations: dict[int, Array] = {}
    for bone in sorted(posed):
        before = unposed(worn.rest, bone, posed)
        if bone in legs:
            posed[bone] = quaternion.multiply(armature_from_world, legs[bone])
            rotations[bone] = quaternion.multiply(quaternion.conjugate(before), posed[bone])
        else:
            posed[bone] = quaternion.multiply(before, worn.basis[bone])
    return rotations


def _key_frames(worn: Worn, part: slice, pinned: Sequence[int]) -> tuple[Array, Mask]:
    """Scene frames (N,) to be keyed, in order, and which of them are samples of the range.

    Keys between samples stay outside the range, and between two samples that are pinned.
    """
    fixed = np.ones(len(worn.frames), dtype=bool)
    fixed[part] = False
    drawn = ~fixed
    fixed[list(pinned)] = True
    after = np.searchsorted(worn.frames, worn.between).clip(1, len(worn.frames) - 1)
    kept = worn.between[fixed[after - 1] & fixed[after]]
    frames = np.concatenate([worn.frames, kept])
    order = np.argsort(frames, kind="stable")
    return frames[order], np.concatenate([drawn, np.zeros(len(kept), dtype=bool)])[order]


def _values(turns: Array, held: Array, inside: Mask, mode: str) -> Array:
    """Channels' values (T, C) of rotations (T, 4), exactly what they held where that is the same."""
    values = rotation_values(turns, mode)
    if values.shape[1] == 4 and np.abs(values + held)[0].max() < np.abs(values - held)[0].max():
        values = -values  # the same rotations
    same = ~inside & (np.abs(values - held).max(axis=1) < _SAME)
    return np.where(same[:, None], held, values)
