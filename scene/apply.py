"""A solved motion on a character: retargeted from our 24 joints, from where the character stands."""

import bpy
import numpy as np

from ..rig.errors import SceneError
from ..rig.motion import Motion
from ..rig.retarget.body import body_bones
from ..rig.retarget.bone_map import BoneMap
from ..rig.retarget.matching import match_bones
from ..rig.retarget.result import RetargetOptions
from ..rig.retarget.source import SourceMotion
from .action_notes import note_bones
from .retarget_target import Target, read_target
from .retargeting import Task, retargeted_keys, write_retargeted
from .rigify_controls import ControlMode

__all__ = ["apply_motion", "solved_task"]


def apply_motion(
    armature_object: bpy.types.Object,
    motion: Motion,
    name: str | None = None,
    *,
    bone_map: BoneMap | None = None,
    controls: ControlMode = "ik",
    start: float | None = None,
) -> bpy.types.Action:
    """Write a 24-joint motion onto an armature as a new Action, its limbs' directions exactly as they are.

    The rest pose, the object's transform and the scene's frame rate stay as they are: keys lie at
    the motion's own times, on fractions of a frame where the two rates differ. Where
    the character stands at rest is the motion's origin, the way it faces is the motion's -Y, and
    steps are scaled by leg length.

    Args:
        armature_object: the character.
        motion: T frames with our joint names.
        name: of the Action; "PALLAS" with the object's name if None.
        bone_map: what the character's bones do, noted on the Action; found by itself if None.
        controls: which controls of a Rigify rig move arms and legs.
        start: frame of the first key in the current scene; the scene's first frame if None.

    Raises:
        SceneError: the armature can't be used (`read_target`, `match_bones`), or frames are missing.
    """
    target = read_target(armature_object)
    found = match_bones(target.bones) if bone_map is None else bone_map
    task = solved_task(motion, target, found, RetargetOptions(contacts="off"), controls)
    action = write_retargeted(
        armature_object, retargeted_keys(task), name or f"PALLAS {armature_object.name}", start
    )
    if bone_map is not None:
        note_bones(action, bone_map)
    return action


def solved_task(
    motion: Motion,
    target: Target,
    target_map: BoneMap,
    options: RetargetOptions,
    controls: ControlMode = "ik",
    name: str = "",
) -> Task:
    """The retargeting of a 24-joint motion that begins where the character stands.

    Raises:
        SceneError: the motion has no frames, or missing ones, or other joints than ours.
    """
    if len(motion) == 0:
        raise SceneError("the motion has 0 frames, expected at least 1; solve a longer recording")
    finite = np.isfinite(motion.rotations).all() and np.isfinite(motion.root_position).all()
    if not finite:
        raise SceneError("the motion has frames with missing values; fill its gaps first")
    bones, bone_map = body_bones(motion.skeleton, target.bones, target_map)
    source = SourceMotion(bones, *motion.world(), motion.fps, name)
    return Task(source, bone_map, target.at_origin(target_map), target_map, options, controls)
