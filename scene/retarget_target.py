"""A character to retarget onto: checked, read once, then free of Blender's data."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Self

import bpy
import numpy as np

from ..rig.errors import SceneError
from ..rig.retarget import BoneMap, Bones
from ..rig.retarget.body import stance
from .armature import RestPose, checked_armature
from .constraint_cycles import check_cycles
from .keyframes import checked_own
from .linked import placing_of
from .pose_keys import checked_scale
from .posed_rig import PosedRig, read_posed_rig
from .rigify_controls import RigifyRig, read_rigify

__all__ = ["Target", "constrained", "only_armature", "read_target", "select_bones"]


@dataclass(frozen=True, eq=False)
class Target:
    """A character before keys are written.

    Attributes:
        rig: all of its bones.
        rigify: what is known of a rig that Rigify generated, None for any other.
    """

    rig: PosedRig
    rigify: RigifyRig | None

    @property
    def bones(self) -> Bones:
        """The bones that a map is about: of a generated Rigify rig those with the metarig's joints."""
        return self.rig.bones if self.rigify is None else self.rigify.bones

    def at_origin(self, bone_map: BoneMap) -> Self:
        """The same as if it stood on the world's origin and faced -Y.

        So a motion of ours begins where the character stands at rest, and goes where it faces.

        Args:
            bone_map: what its bones do.

        Raises:
            ShapeError: the map doesn't fit the rig.
        """
        turn, place = stance(self.bones, bone_map)
        rig = replace(self.rig, rest=self.rig.rest.seen_from(turn, place))
        if self.rigify is None:
            return replace(self, rig=rig)
        kept = [rig.rest.names.index(name) for name in self.rigify.bones.names]
        bones = replace(
            self.rigify.bones,
            rotations=rig.bones.rotations[kept],
            heads=rig.bones.heads[kept],
            tails=rig.bones.tails[kept],
        )
        return replace(self, rig=rig, rigify=replace(self.rigify, bones=bones))


def read_target(
    armature_object: bpy.types.Object | None,
    source: bpy.types.Object | None = None,
    *,
    linked: bool = False,
) -> Target:
    """Check and read an armature that is to be keyed; nothing of it is changed.

    Args:
        armature_object: of this file, or a library override of a linked one.
        source: the armature that the motion is from, if it is from one.
        linked: whether it may be linked, because it is `overridden` before it is keyed.

    Raises:
        SceneError: no armature, linked without an override, the source itself, mirrored or unevenly scaled,
            or it follows itself through constraints.
    """
    item = checked_armature(armature_object)
    if not linked:
        checked_own(item)
    if item == source:
        raise SceneError(
            f"{item.name!r} is source and target; choose another armature as one of them"
        )
    rig = read_posed_rig(item)
    checked_scale(item)
    if item.library is not None:
        rig = replace(rig, rest=_where_shown(item, rig.rest))
    check_cycles([item] if source is None else [item, source])
    return Target(rig, read_rigify(item, rig))


def _where_shown(item: bpy.types.Object, rest: RestPose) -> RestPose:
    """The rest pose of a linked armature where the scene shows it."""
    placing = np.array(placing_of(item, bpy.context.scene), dtype=np.float64)
    scale = np.linalg.norm(placing[:3, :3], axis=0)
    if np.linalg.det(placing) <= 0.0 or np.ptp(scale) > 1e-3 * scale.max():
        raise SceneError(
            f"{item.name!r} is shown mirrored or unevenly scaled; expected the same scale along x, y and z"
        )
    return rest.placed(placing)


def only_armature(objects: Iterable[bpy.types.Object]) -> bpy.types.Object:
    """The one armature among objects.

    Raises:
        SceneError: there is none, or more than one.
    """
    found = [item for item in objects if item.type == "ARMATURE"]
    if len(found) == 1:
        return found[0]
    if not found:
        raise SceneError("found no armature, expected one: the character's; add or import it first")
    named = ", ".join(repr(item.name) for item in found)
    raise SceneError(f"found {len(found)} armatures ({named}), expected one; say which one it is")


def constrained(armature_object: bpy.types.Object, bone_map: BoneMap) -> list[str]:
    """Mapped bones on which constraints act after their keys, so that they may end up elsewhere."""
    mapped = {name for names in bone_map.bones.values() for name in names}
    return [
        bone.name
        for bone in armature_object.pose.bones
        if bone.name in mapped
        and any(not c.mute and c.influence > 0.0 and c.is_valid for c in bone.constraints)
    ]


def select_bones(armature_object: bpy.types.Object, names: Iterable[str]) -> None:
    """Select these bones of an armature, and no others of it."""
    wanted = set(names)
    for bone in armature_object.pose.bones:
        # 5.0 moved what is selected in pose mode from the armature to the pose.
        owner = bone if hasattr(bone, "select") else bone.bone
        owner.select = bone.name in wanted
