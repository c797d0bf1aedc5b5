"""The motion that a character wears: 24 joints, read back from its Action's curves.

`apply` undone, by retargeting from the character to the body. What an animator changed since counts;
constraints and bones without a joint don't.
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
from ..rig.retarget import BoneMap, Retargeted, Retargeter, RetargetOptions
from ..rig.retarget.body import body_bones, stance
from ..rig.retarget.bone_map import LIMBS, SIDES, TWISTS
from ..rig.skeleton import Skeleton, body_skeleton
from .action_notes import bone_map_of
from .armature import RestPose, read_rest_pose
from .clock import scene_fps
from .curve_pose import CurvePose, read_pose, rotation_path
from .curves import channels_of, read_curve
from .posed_rig import read_posed_rig
from .rigify_controls import read_rigify

__all__ = ["LEG_JOINTS", "LEG_ROLES", "Worn", "leg_keys", "read_worn"]

LEG_JOINTS: Final[tuple[str, ...]] = tuple(
    f"{side}_{joint}" for joint in ("hip", "knee", "ankle", "foot") for side in ("left", "right")
)
LEG_ROLES: Final[tuple[str, ...]] = tuple(
    f"{side}_{part}"
    for part in ("thigh", "thigh_twist", "shin", "shin_twist", "foot", "toe")
    for side in ("left", "right")
)
_BODY_ROLES: Final = frozenset(
    ("hips", "spine", "neck", "head", *(f"{s}_{part}" for s in SIDES for part in (*LIMBS, *TWISTS)))
)
_EXACT: Final = RetargetOptions(contacts="off")
_SLOWEST = 20.0  # keys per second; of sparser ones the legs are read at every frame of the scene
_FILLED = 0.9  # of evenly spaced places that must have a key
_OFF = 0.05  # of a step; keys further off lie between the samples


@dataclass(frozen=True, eq=False)
class Worn:
    """A motion and where it came from, free of Blender's data.

    Attributes:
        motion: T frames of the 24 joints, in the character's size, from where it stands.
        frames: (T,) scene frames of its samples, evenly spaced.
        between: (K,) scene frames of leg keys that lie on no sample.
        rest: the character, as seen from where it stands.
        bone_map: what its bones do.
        basis: by index of bone, (T, 4) rotations of the bones' own channels.
        posed: by index of bone, (T, 4) armature_from_bone.
    """

    motion: Motion
    frames: Array
    between: Array
    rest: RestPose
    bone_map: BoneMap
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

    def legs_of(self, motion: Motion) -> dict[int, Array]:
        """By index of bone, world_from_bone (T, 4) of the legs' bones in a motion of the same skeleton."""
        bones, bone_map = body_bones(motion.skeleton, self.rest.bones, self.bone_map)
        work = Retargeter(bones, bone_map, self.rest.bones, self.bone_map, _EXACT)
        found = work.whole(*motion.world(), motion.fps)
        names = {name for role in LEG_ROLES for name in self.bone_map.bones.get(role, ())}
        return {
            bone: found.rotations[:, place]
            for place, bone in enumerate(found.driven)
            if self.rest.names[bone] in names
        }


def read_worn(armature_object: bpy.types.Object) -> Worn:
    """Read the motion of an armature's current Action.

    Samples are at its leg keys where these lie evenly and close, as in what `apply_motion` writes; else at
    every frame of the scene.

    Raises:
        SceneError: no armature or Action, no humanoid, a Rigify rig's controls, or legs without keys.
    """
    rest = read_rest_pose(armature_object)
    channels = channels_of(armature_object)
    if channels is None:
        raise SceneError(f"{armature_object.name!r} has no Action; apply a solved motion first")
    if read_rigify(armature_object, read_posed_rig(armature_object)) is not None:
        raise SceneError(
            f"{armature_object.name!r} is moved by Rigify's controls, from which legs can't be read back; "
            "regenerate them on another character, then retarget"
        )
    bone_map = bone_map_of(armature_object.animation_data.action, rest.bones)
    keys = leg_keys(armature_object)
    if len(keys) < 2:
        raise SceneError(
            f"the Action of {armature_object.name!r} has {len(keys)} keys of the legs, expected at least 2; "
            "apply a solved motion first"
        )
    rate = scene_fps(bpy.context.scene)
    frames, between = _samples(keys, rate)
    rest = rest.seen_from(*stance(rest.bones, bone_map))
    body = [name for role, own in bone_map.bones.items() if role in _BODY_ROLES for name in own]
    pose = read_pose(armature_object, channels, rest, body, frames)
    motion = _motion(rest, bone_map, pose, rate / float(frames[1] - frames[0]))
    return Worn(motion, frames, between, rest, bone_map, pose.basis, pose.turns)


def leg_keys(armature_object: bpy.types.Object, *, selected: bool = False) -> Array:
    """(K,) scene frames in which leg bones have rotation keys; only of selected ones if told."""
    channels = channels_of(armature_object)
    if channels is None:
        return np.empty(0)
    action = armature_object.animation_data.action
    bone_map = bone_map_of(action, read_rest_pose(armature_object).bones)
    names = [name for role in LEG_ROLES for name in bone_map.bones.get(role, ())]
    found: list[Array] = []
    for bone in (armature_object.pose.bones[name] for name in names):
        for column in range(4):
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


def _motion(rest: RestPose, bone_map: BoneMap, pose: CurvePose, fps: float) -> Motion:
    """The body's motion, of the character's size; a joint without a bone goes with its parent."""
    bones, world = rest.bones, rest.world_from_armature
    read = sorted(pose.turns)
    count = len(pose.turns[read[0]])
    turns, heads = (np.full((count, len(bones), width), np.nan) for width in (4, 3))
    for bone in read:
        turns[:, bone] = quaternion.multiply(rest.object_rotation, pose.turns[bone])
        heads[:, bone] = pose.heads[bone] @ world[:3, :3].T + world[:3, 3]
    own, own_map = body_bones(body_skeleton(), bones, bone_map)
    skeleton = body_skeleton().scaled(Retargeter(own, own_map, bones, bone_map, _EXACT).ratio)
    body, body_map = body_bones(skeleton, bones, bone_map)
    work = Retargeter(bones, bone_map, body, body_map, _EXACT)
    found = work.whole(turns, heads, fps)
    return _of_joints(skeleton, found, fps)


def _of_joints(skeleton: Skeleton, found: Retargeted, fps: float) -> Motion:
    world = np.empty((len(found.rotations), len(skeleton), 4))
    for joint, parent in enumerate(skeleton.parents):
        driven = joint in found.driven
        world[:, joint] = (
            found.rotations[:, found.driven.index(joint)] if driven else world[:, parent]
        )
    root = found.heads[:, found.driven.index(0)]
    return Motion.from_world(skeleton, root, world, fps)
