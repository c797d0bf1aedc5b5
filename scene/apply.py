"""Put a solved motion on a character: rest-pose-aware transfer of orientations to pose bones (`t_pose`)."""

from collections.abc import Mapping

import bpy
import numpy as np

from ..rig import quaternion
from ..rig.arrays import Array
from ..rig.errors import SceneError
from ..rig.motion import Motion
from .action_notes import note_bones
from .armature import RestPose, read_rest_pose
from .bone_maps import find_bones
from .keyframes import write_keyframes
from .t_pose import match, unposed

__all__ = ["apply_motion"]


def apply_motion(
    armature_object: bpy.types.Object,
    motion: Motion,
    name: str | None = None,
    *,
    bones: Mapping[str, str] | None = None,
    start: float | None = None,
) -> bpy.types.Action:
    """Write a 24-joint motion onto an armature as a new Action.

    The rest pose, the object's transform and the scene's frame rate stay as they are: keys lie at
    the motion's own times, on fractions of a frame where the two rates differ. Where
    the character stands at rest is the motion's origin, the way it faces is the motion's -Y, and
    steps are scaled by leg length.

    Args:
        armature_object: the character; its rest pose must be upright.
        motion: T frames with our joint names.
        name: of the Action; "PALLAS" with the object's name if None.
        bones: the bone of each joint, for a rig whose names are not known.
        start: frame of the first key in the current scene; the scene's first frame if None.

    Raises:
        SceneError: no armature, unknown bones, or a motion with missing frames.
    """
    rest = read_rest_pose(armature_object)
    joint_of = _joint_of_bone(rest, motion, find_bones(rest.names) if bones is None else bones)
    _check_motion(motion)
    rotations, locations = _pose(armature_object, rest, motion, joint_of)
    scene = bpy.context.scene
    start = scene.frame_start if start is None else start
    frames = start + motion.times * scene.render.fps / scene.render.fps_base
    action = write_keyframes(
        armature_object, name or f"PALLAS {armature_object.name}", frames, rotations, locations
    )
    if bones is not None:
        note_bones(action, bones)
    return action


def _check_motion(motion: Motion) -> None:
    """Refuse what would be written as broken curves."""
    if len(motion) == 0:
        raise SceneError("the motion has 0 frames, expected at least 1; solve a longer recording")
    finite = np.isfinite(motion.rotations).all() and np.isfinite(motion.root_position).all()
    if not finite:
        raise SceneError("the motion has frames with missing values; fill its gaps first")


def _joint_of_bone(rest: RestPose, motion: Motion, bones: Mapping[str, str]) -> dict[int, int]:
    """Index of the joint that each mapped bone follows, the pelvis' bone first among them."""
    unknown = sorted(set(bones.values()) - set(rest.names))
    if unknown:
        raise SceneError(f"the armature has no bone {', '.join(map(repr, unknown))}")
    joints = {bone: motion.skeleton.index(joint) for joint, bone in bones.items()}
    found = {i: joints[name] for i, name in enumerate(rest.names) if name in joints}
    for joint in ("pelvis", "left_hip", "right_hip", "left_knee", "right_knee"):
        if joint not in bones:
            raise SceneError(f"no bone is named for {joint}; expected at least hips and knees")
    return found


def _pose(
    armature_object: bpy.types.Object, rest: RestPose, motion: Motion, joint_of: Mapping[int, int]
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Basis rotations (T, 4) of the mapped bones, and the location (T, 3) of the pelvis' bone."""
    skeleton = motion.skeleton
    fit = match(rest, skeleton, {skeleton.names[j]: bone for bone, j in joint_of.items()})
    world = motion.world()[0]
    target = {
        bone: fit.armature_from_bone(bone, world[:, joint]) for bone, joint in joint_of.items()
    }
    path = motion.root_position - [0.0, 0.0, skeleton.offsets[0, 2]]
    moved = fit.standing + fit.scale * quaternion.rotate(fit.heading, path)
    hips = fit.bone_of["pelvis"]
    rotations, location = _basis(armature_object, rest, target, hips, moved)
    return (
        {rest.names[bone]: values for bone, values in rotations.items()},
        {rest.names[hips]: location},
    )


def _basis(
    armature_object: bpy.types.Object,
    rest: RestPose,
    target: Mapping[int, Array],
    hips: int,
    hips_in_world: Array,
) -> tuple[dict[int, Array], Array]:
    """Undo parents and rest pose: what each pose bone's own channels must hold.

    Bones between mapped ones keep the pose they are in.
    """
    posed: dict[int, Array] = {}
    rotations: dict[int, Array] = {}
    location = np.empty((len(hips_in_world), 3))
    for bone, name in enumerate(rest.names):
        before = unposed(rest, bone, posed)
        if bone in target:
            posed[bone] = target[bone]
            rotations[bone] = quaternion.multiply(quaternion.conjugate(before), target[bone])
        else:
            kept = armature_object.pose.bones[name].matrix_basis.to_quaternion()
            posed[bone] = quaternion.multiply(before, np.array(kept))
        if bone == hips:
            frame = before if rest.local_location[bone] else quaternion.IDENTITY
            location = _location(rest, bone, frame, hips_in_world)
    return rotations, location


def _location(rest: RestPose, bone: int, armature_from_channel: Array, world: Array) -> Array:
    """(T, 3) location channels that start the bone at the world points (T, 3)."""
    step = quaternion.rotate(quaternion.conjugate(rest.object_rotation), world - rest.heads[bone])
    return quaternion.rotate(quaternion.conjugate(armature_from_channel), step / rest.object_scale)
