"""Put a solved motion on a character: rest-pose-aware transfer of orientations to pose bones.

Our joint frames are aligned with the world in the T-pose. The character rests in a pose of its own,
so its limbs are first turned, in thought, onto the T-pose's directions (`_to_t_pose`); from there
each bone turns with its joint: world_from_bone = world_from_joint * T-pose turn * rest.
"""

from collections.abc import Mapping
from typing import Final

import bpy
import numpy as np

from ..rig import quaternion
from ..rig.arrays import Array
from ..rig.errors import SceneError
from ..rig.motion import Motion
from ..rig.skeleton import Skeleton
from .armature import RestPose, read_rest_pose
from .bone_maps import find_bones
from .keyframes import write_keyframes

__all__ = ["apply_motion"]

# Limb joints point at this joint; the bones of the trunk, head and feet keep their rest directions,
# because a spine's curve and a foot's slope are the character's build, not its pose.
_POINTS_AT: Final[dict[str, str]] = {
    f"{side}_{joint}": f"{side}_{child}"
    for side in ("left", "right")
    for joint, child in (
        ("shoulder", "elbow"),
        ("elbow", "wrist"),
        ("wrist", "hand"),
        ("hip", "knee"),
        ("knee", "ankle"),
    )
}


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
    bones = find_bones(rest.names) if bones is None else bones
    joint_of = _joint_of_bone(rest, motion, bones)
    _check_motion(motion)
    rotations, locations = _pose(armature_object, rest, motion, joint_of)
    scene = bpy.context.scene
    start = scene.frame_start if start is None else start
    frames = start + motion.times * scene.render.fps / scene.render.fps_base
    return write_keyframes(
        armature_object, name or f"PALLAS {armature_object.name}", frames, rotations, locations
    )


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
    bone_of = {skeleton.names[joint]: bone for bone, joint in joint_of.items()}
    heading = _heading(rest, bone_of)
    turns = _to_t_pose(rest, skeleton, bone_of, heading)
    world_from_joint = quaternion.multiply(
        quaternion.multiply(heading, motion.world()[0]), quaternion.conjugate(heading)
    )
    armature_from_world = quaternion.conjugate(rest.object_rotation)
    world_rest = quaternion.multiply(rest.object_rotation, rest.armature_from_bone)
    target = {  # armature_from_bone in the pose
        bone: quaternion.multiply(
            armature_from_world,
            quaternion.multiply(
                world_from_joint[:, joint], quaternion.multiply(turns[bone], world_rest[bone])
            ),
        )
        for bone, joint in joint_of.items()
    }
    hips = bone_of["pelvis"]
    moved = _hips_in_world(rest, motion, bone_of, heading, turns)
    rotations, location = _basis(armature_object, rest, target, hips, moved)
    return (
        {rest.names[bone]: values for bone, values in rotations.items()},
        {rest.names[hips]: location},
    )


def _heading(rest: RestPose, bone_of: Mapping[str, int]) -> Array:
    """(4,) turn about z from our facing (-Y) to the character's, told by its hips."""
    x, y, _ = rest.heads[bone_of["left_hip"]] - rest.heads[bone_of["right_hip"]]
    if np.hypot(x, y) == 0.0:
        raise SceneError("the bones of both hips start at one point; map the thigh bones")
    return quaternion.from_axis_angle(np.array([0.0, 0.0, 1.0]), np.arctan2(y, x))


def _to_t_pose(
    rest: RestPose, skeleton: Skeleton, bone_of: Mapping[str, int], heading: Array
) -> dict[int, Array]:
    """For every mapped bone, the world turn (4,) from its rest pose to our T-pose.

    A limb's bones turn in order, each by the smallest arc from where the bone above carried it: the
    arm is lifted as a body lifts it, so the elbow's axis and the palm come along.
    """
    turns: dict[int, Array] = {}
    for joint, bone in sorted(bone_of.items(), key=lambda item: item[1]):
        turns[bone] = quaternion.IDENTITY
        child = _POINTS_AT.get(joint)
        if child is None or child not in skeleton.names:
            continue
        above = skeleton.names[skeleton.parents[skeleton.index(joint)]]
        carried = turns.get(bone_of.get(above, -1), quaternion.IDENTITY)
        end = rest.heads[bone_of[child]] if child in bone_of else rest.tails[bone]
        direction = quaternion.rotate(carried, end - rest.heads[bone])
        wanted = quaternion.rotate(heading, skeleton.offsets[skeleton.index(child)])
        turns[bone] = quaternion.multiply(quaternion.shortest_arc(direction, wanted), carried)
    return turns


def _hips_in_world(
    rest: RestPose,
    motion: Motion,
    bone_of: Mapping[str, int],
    heading: Array,
    turns: Mapping[int, Array],
) -> Array:
    """(T, 3) where the pelvis' bone starts, metres: the motion's path scaled by leg length."""
    skeleton, ratios, rises = motion.skeleton, [], []
    for side in ("left", "right"):
        leg = [bone_of.get(f"{side}_{joint}") for joint in ("hip", "knee", "ankle")]
        hip, knee, ankle = leg
        foot = rest.tails[knee] if ankle is None else rest.heads[ankle]
        upper, lower = rest.heads[knee] - rest.heads[hip], foot - rest.heads[knee]
        ours = [skeleton.offsets[skeleton.index(f"{side}_{joint}")] for joint in ("knee", "ankle")]
        ratios.append(
            np.linalg.norm([upper, lower], axis=1).sum() / np.linalg.norm(ours, axis=1).sum()
        )
        # Legs that rest apart or bent get longer downwards in the T-pose: the hips rise by as much.
        straight = quaternion.rotate(turns[hip], upper) + quaternion.rotate(turns[knee], lower)
        rises.append((upper + lower - straight)[2])
    standing = rest.heads[bone_of["pelvis"]] + [0.0, 0.0, np.mean(rises)]
    path = motion.root_position - [0.0, 0.0, skeleton.offsets[0, 2]]
    return standing + float(np.mean(ratios)) * quaternion.rotate(heading, path)


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
    for bone, parent in enumerate(rest.parents):
        unposed = rest.armature_from_bone[bone]
        if parent >= 0 and rest.inherits[bone]:
            parent_rest = quaternion.conjugate(rest.armature_from_bone[parent])
            unposed = quaternion.multiply(posed[parent], quaternion.multiply(parent_rest, unposed))
        if bone in target:
            posed[bone] = target[bone]
            basis = quaternion.multiply(quaternion.conjugate(unposed), target[bone])
            rotations[bone] = basis
        else:
            kept = armature_object.pose.bones[rest.names[bone]].matrix_basis.to_quaternion()
            posed[bone] = quaternion.multiply(unposed, np.array(kept))
        if bone == hips:
            frame = unposed if rest.local_location[bone] else quaternion.IDENTITY
            location = _location(armature_object, rest, bone, frame, hips_in_world)
    return rotations, location


def _location(
    armature_object: bpy.types.Object,
    rest: RestPose,
    bone: int,
    armature_from_channel: Array,
    world: Array,
) -> Array:
    """(T, 3) location channels that start the bone at the world points (T, 3)."""
    step = quaternion.rotate(quaternion.conjugate(rest.object_rotation), world - rest.heads[bone])
    return quaternion.rotate(quaternion.conjugate(armature_from_channel), step / rest.object_scale)
