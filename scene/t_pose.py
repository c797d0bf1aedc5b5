"""How a rig and our joints correspond: which way it faces, how its rest pose turns into our T-pose, its size.

Our joint frames are aligned with the world in the T-pose. A character rests in a pose of its own, so its
limbs are turned, in thought, onto the T-pose's directions; from there each bone turns with its joint:
world_from_bone = world_from_joint * T-pose turn * rest.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from ..rig import quaternion
from ..rig.arrays import Array
from ..rig.errors import SceneError
from ..rig.skeleton import Skeleton
from .armature import RestPose

__all__ = ["Match", "match", "unposed"]

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


@dataclass(frozen=True, eq=False)
class Match:
    """A rig at rest beside our skeleton.

    Attributes:
        rest: the rig's bones.
        bone_of: index of the bone that follows each joint.
        heading: (4,) turn about z from our facing (-Y) to the character's.
        turns: by bone, (4,) the world turn from its rest pose to our T-pose.
        standing: (3,) metres, where the pelvis' bone starts in our T-pose.
        scale: length of the rig's legs over that of the skeleton's.
    """

    rest: RestPose
    bone_of: Mapping[str, int]
    heading: Array
    turns: Mapping[int, Array]
    standing: Array
    scale: float

    def armature_from_bone(self, bone: int, world_from_joint: Array) -> Array:
        """(T, 4) where a bone is turned to by its joint's rotations (T, 4) in the motion's world."""
        turned = quaternion.multiply(
            quaternion.multiply(self.heading, world_from_joint), quaternion.conjugate(self.heading)
        )
        world_from_bone = quaternion.multiply(turned, self._t_pose(bone))
        armature_from_world = quaternion.conjugate(self.rest.object_rotation)
        return quaternion.multiply(armature_from_world, world_from_bone)

    def world_from_joint(self, bone: int, armature_from_bone: Array) -> Array:
        """(T, 4) rotations of a joint in the motion's world, of its bone's: `armature_from_bone` undone."""
        world_from_bone = quaternion.multiply(self.rest.object_rotation, armature_from_bone)
        turned = quaternion.multiply(world_from_bone, quaternion.conjugate(self._t_pose(bone)))
        back = quaternion.conjugate(self.heading)
        return quaternion.multiply(quaternion.multiply(back, turned), self.heading)

    def _t_pose(self, bone: int) -> Array:
        """(4,) world_from_bone in our T-pose."""
        rest = self.rest
        at_rest = quaternion.multiply(rest.object_rotation, rest.armature_from_bone[bone])
        return quaternion.multiply(self.turns[bone], at_rest)


def match(rest: RestPose, skeleton: Skeleton, bone_of: Mapping[str, int]) -> Match:
    """Compare a rig with a skeleton.

    Args:
        rest: the rig's rest pose, upright.
        skeleton: our joints.
        bone_of: index of the bone of each joint that has one; hips and knees at least.

    Raises:
        SceneError: the rig's hips are at one point.
    """
    heading = _heading(rest, bone_of)
    turns = _to_t_pose(rest, skeleton, bone_of, heading)
    standing, scale = _legs(rest, skeleton, bone_of, turns)
    return Match(rest, bone_of, heading, turns, standing, scale)


def unposed(rest: RestPose, bone: int, posed: Mapping[int, Array]) -> Array:
    """armature_from_bone (..., 4) before the bone's own channels, its parent being posed."""
    at_rest, parent = rest.armature_from_bone[bone], rest.parents[bone]
    if parent < 0 or not rest.inherits[bone]:
        return at_rest
    parent_rest = quaternion.conjugate(rest.armature_from_bone[parent])
    return quaternion.multiply(posed[parent], quaternion.multiply(parent_rest, at_rest))


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


def _legs(
    rest: RestPose, skeleton: Skeleton, bone_of: Mapping[str, int], turns: Mapping[int, Array]
) -> tuple[Array, float]:
    """`Match.standing` and `Match.scale`."""
    ratios, rises = [], []
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
    return standing, float(np.mean(ratios))
