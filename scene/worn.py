"""The motion that a character wears: 24 joints, read back from its Action's curves.

`apply` undone. What an animator changed since counts; constraints and bones without a joint don't.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import bpy
import numpy as np

from ..rig import quaternion
from ..rig.arrays import Array
from ..rig.errors import SceneError
from ..rig.motion import Motion
from ..rig.skeleton import Skeleton, body_skeleton
from .action_notes import bones_of
from .armature import RestPose, read_rest_pose
from .curves import channels_of, read_curve
from .rotation_modes import ROTATION_PROPERTY, quaternions_of
from .t_pose import Match, match, unposed

__all__ = ["LEG_JOINTS", "Worn", "basis_of", "leg_keys", "read_worn", "rotation_path"]

LEG_JOINTS: Final[tuple[str, ...]] = tuple(
    f"{side}_{joint}" for joint in ("hip", "knee", "ankle", "foot") for side in ("left", "right")
)
_SLOWEST = 20.0  # keys per second; of sparser ones the legs are read at every frame of the scene
_FILLED = 0.9  # of evenly spaced places that must have a key
_OFF = 0.05  # of a step; keys further off lie between the samples


@dataclass(frozen=True, eq=False)
class Worn:
    """A motion and where it came from, free of Blender's data.

    Attributes:
        motion: T frames of the 24 joints, in the character's size.
        frames: (T,) scene frames of its samples, evenly spaced.
        between: (K,) scene frames of leg keys that lie on no sample.
        fit: how rig and joints correspond.
        basis: by index of bone, (T, 4) rotations of the bones' own channels.
        posed: by index of bone, (T, 4) armature_from_bone.
    """

    motion: Motion
    frames: Array
    between: Array
    fit: Match
    basis: dict[int, Array]
    posed: dict[int, Array]

    def samples(self, start: float, end: float) -> slice:
        """The samples from one scene frame to another, both included.

        Raises:
            SceneError: there are none.
        """
        first, last = self._place(start), self._place(end)
        found = slice(
            max(int(np.ceil(first - _OFF)), 0),
            min(int(np.floor(last + _OFF)) + 1, len(self.frames)),
        )
        if found.start >= found.stop:
            raise SceneError(
                f"the Action has no frames from {start:g} to {end:g}; it has them from "
                f"{self.frames[0]:g} to {self.frames[-1]:g}"
            )
        return found

    def around(self, frames: Iterable[float]) -> list[int]:
        """The samples on scene frames, or on both sides of those that lie between."""
        places = [self._place(frame) for frame in frames]
        found = {int(np.floor(p + _OFF)) for p in places} | {int(np.ceil(p - _OFF)) for p in places}
        return sorted(sample for sample in found if 0 <= sample < len(self.frames))

    def _place(self, frame: float) -> float:
        step = self.frames[1] - self.frames[0]
        return float((frame - self.frames[0]) / step)


def read_worn(armature_object: bpy.types.Object) -> Worn:
    """Read the motion of an armature's current Action.

    Samples are at its leg keys where these lie evenly and close, as in what `apply_motion` writes; else at
    every frame of the scene.

    Raises:
        SceneError: no armature or Action, bones of an unknown rig, or legs without keys.
    """
    rest = read_rest_pose(armature_object)
    channels = channels_of(armature_object)
    if channels is None:
        raise SceneError(f"{armature_object.name!r} has no Action; apply a solved motion first")
    bones = bones_of(armature_object.animation_data.action, rest.names)
    bone_of = {joint: rest.names.index(b) for joint, b in bones.items() if b in rest.names}
    keys = leg_keys(armature_object)
    if len(keys) < 2:
        raise SceneError(
            f"the Action of {armature_object.name!r} has {len(keys)} keys of the legs, expected at least 2; "
            "apply a solved motion first"
        )
    scene = bpy.context.scene
    rate = scene.render.fps / scene.render.fps_base
    frames, between = _samples(keys, rate)
    basis, posed = _read_pose(armature_object, channels, rest, set(bone_of.values()), frames)
    fit = match(rest, body_skeleton(), bone_of)
    skeleton = body_skeleton().scaled(fit.scale)
    root = _root(armature_object, channels, fit, skeleton, posed, frames)
    world = _world(fit, skeleton, posed, len(frames))
    motion = Motion.from_world(skeleton, root, world, rate / float(frames[1] - frames[0]))
    return Worn(motion, frames, between, fit, basis, posed)


def leg_keys(armature_object: bpy.types.Object, *, selected: bool = False) -> Array:
    """(K,) scene frames in which leg bones have rotation keys; only of selected ones if told."""
    channels = channels_of(armature_object)
    if channels is None:
        return np.empty(0)
    bones = bones_of(
        armature_object.animation_data.action, [b.name for b in armature_object.pose.bones]
    )
    found: list[Array] = []
    for bone in (armature_object.pose.bones.get(bones.get(j, "")) for j in LEG_JOINTS):
        for column in range(4) if bone else ():
            curve = channels.fcurves.find(rotation_path(bone), index=column)
            if curve is None:
                continue
            frames = read_curve(curve)[:, 0]
            if selected:
                chosen = np.empty(len(frames), dtype=bool)
                curve.keyframe_points.foreach_get("select_control_point", chosen)
                frames = frames[chosen]
            found.append(frames)
    return np.unique(np.round(np.concatenate(found), 4)) if found else np.empty(0)


def rotation_path(bone: bpy.types.PoseBone) -> str:
    """The data path of the channels that turn a bone, from its object."""
    return bone.path_from_id(ROTATION_PROPERTY.get(bone.rotation_mode, "rotation_euler"))


def basis_of(
    armature_object: bpy.types.Object,
    channels: bpy.types.ActionChannelbag,
    bone: bpy.types.PoseBone,
    frames: Array,
) -> tuple[Array, Array]:
    """A bone's rotation at scene frames (T,): quaternions (T, 4), and its channels' values (T, 3 or 4)."""
    path = ROTATION_PROPERTY.get(bone.rotation_mode, "rotation_euler")
    values = _values(channels, bone, path, frames)
    return quaternions_of(values, bone.rotation_mode), values


def _values(
    channels: bpy.types.ActionChannelbag, bone: bpy.types.PoseBone, name: str, frames: Array
) -> Array:
    """(T, C) of a property's channels; where there is no curve, as it is now."""
    now = np.array(getattr(bone, name), dtype=np.float64)
    values = np.tile(now, (len(frames), 1))
    for column in range(len(now)):
        curve = channels.fcurves.find(bone.path_from_id(name), index=column)
        if curve is not None and len(curve.keyframe_points):
            values[:, column] = [curve.evaluate(float(frame)) for frame in frames]
    return values


def _samples(keys: Array, rate: float) -> tuple[Array, Array]:
    """Evenly spaced frames (T,) on the keys (K,) where these allow it, and the keys between them."""
    steps = np.diff(keys)
    usual = steps[np.abs(steps / np.median(steps) - 1.0) < _OFF]
    step = float(usual.mean()) if len(usual) else float(np.median(steps))
    places = (keys - keys[0]) / step
    on = np.abs(places - np.round(places)) < 2.0 * _OFF
    step = float((keys[on][-1] - keys[0]) / max(np.round(places[on][-1]), 1.0))
    places = (keys - keys[0]) / step
    numbers = np.round(places).astype(int)
    on = np.abs(places - numbers) < _OFF
    count = int(numbers[on][-1]) + 1
    if count > 1 and len(np.unique(numbers[on])) >= _FILLED * count and rate / step >= _SLOWEST:
        return keys[0] + step * np.arange(count), keys[~on & (places < count - 1)]
    frames = np.arange(np.ceil(keys[0]), np.floor(keys[-1]) + 1.0)
    if len(frames) < 2:
        raise SceneError(
            f"the legs have keys from frame {keys[0]:g} to {keys[-1]:g}, expected at least two frames"
        )
    return frames, np.empty(0)


def _read_pose(
    armature_object: bpy.types.Object,
    channels: bpy.types.ActionChannelbag,
    rest: RestPose,
    mapped: set[int],
    frames: Array,
) -> tuple[dict[int, Array], dict[int, Array]]:
    """Channels' rotations and armature_from_bone, both (T, 4), of mapped bones and all above them."""
    needed = set(mapped)
    for bone in reversed(range(len(rest.names))):
        if bone in needed and rest.parents[bone] >= 0:
            needed.add(rest.parents[bone])
    basis: dict[int, Array] = {}
    posed: dict[int, Array] = {}
    for bone in sorted(needed):
        pose_bone = armature_object.pose.bones[rest.names[bone]]
        basis[bone] = basis_of(armature_object, channels, pose_bone, frames)[0]
        posed[bone] = quaternion.multiply(unposed(rest, bone, posed), basis[bone])
    return basis, posed


def _root(
    armature_object: bpy.types.Object,
    channels: bpy.types.ActionChannelbag,
    fit: Match,
    skeleton: Skeleton,
    posed: dict[int, Array],
    frames: Array,
) -> Array:
    """(T, 3) the pelvis' path in the motion's world, metres."""
    rest, hips = fit.rest, fit.bone_of["pelvis"]
    moved = _values(channels, armature_object.pose.bones[rest.names[hips]], "location", frames)
    along = unposed(rest, hips, posed) if rest.local_location[hips] else quaternion.IDENTITY
    step = quaternion.rotate(quaternion.multiply(rest.object_rotation, along), moved)
    in_world = rest.heads[hips] + rest.object_scale * step
    path = quaternion.rotate(quaternion.conjugate(fit.heading), in_world - fit.standing)
    return np.asarray(path + np.array([0.0, 0.0, skeleton.offsets[0, 2]]))


def _world(fit: Match, skeleton: Skeleton, posed: dict[int, Array], count: int) -> Array:
    """world_from_joint (T, J, 4); a joint without a bone goes with its parent."""
    world = np.tile(quaternion.IDENTITY, (count, len(skeleton), 1))
    for joint, name in enumerate(skeleton.names):
        if name in fit.bone_of:
            bone = fit.bone_of[name]
            world[:, joint] = fit.world_from_joint(bone, posed[bone])
        elif joint:
            world[:, joint] = world[:, skeleton.parents[joint]]
    return world
