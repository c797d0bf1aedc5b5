"""A character that follows a live stream: each pose is retargeted and shown at once, without keys."""

from collections.abc import Callable, Mapping

import bpy
import numpy as np

from ..rig.arrays import Array
from ..rig.retarget import BoneMap, Bones
from ..rig.retarget.matching import match_bones
from ..rig.retarget.result import Retargeted, RetargetOptions
from ..rig.retarget.retargeter import Retargeter
from .live_pose import LivePose
from .pose_channels import Placed
from .retarget_target import Target, read_target
from .rigify_controls import ControlMode, rigify_controlled, rigify_switches

__all__ = ["LiveRig"]


class LiveRig:
    """Any humanoid armature, driven frame by frame; it gets no keys, and its pose back in the end.

    Args:
        armature_object: the character, of this file or a library override.
        source: the bones that the poses are of, at rest.
        told_map: what the character's bones do as the user says, None where that is to be found.
        options: root motion and scale; contacts are not looked for in a live stream.
        controls: which controls of a Rigify rig move arms and legs.

    Raises:
        SceneError: the armature can't be used (`read_target`).
        ShapeError: no body is recognised in one of the two.
    """

    def __init__(
        self,
        armature_object: bpy.types.Object,
        source: Bones,
        told_map: Callable[[Target], BoneMap | None] = lambda _: None,
        options: RetargetOptions | None = None,
        controls: ControlMode = "fk",
    ) -> None:
        self.source = source
        self._target, self._controls = read_target(armature_object), controls
        bones = self._target.bones
        self._retargeter = Retargeter(
            source,
            match_bones(source),
            bones,
            told_map(self._target) or match_bones(bones),
            options or RetargetOptions(contacts="off"),
        )
        self._movers = _movers(self._target)
        first = self._retargeter.step(source.rotations, source.heads)
        placed, _, carriers = self._placed(first)
        names = {**placed.rotations, **placed.heads}
        self._pose = LivePose(armature_object, self._target.rig, names, carriers)
        self._switched = self._switch(armature_object, first)

    def show(self, rotations: Array, heads: Array) -> None:
        """Pose the character.

        Args:
            rotations: (B, 4) world_from_bone of the source.
            heads: (B, 3) metres, where its bones start in the world.
        """
        placed, known, _ = self._placed(self._retargeter.step(rotations, heads))
        self._pose.show(
            {name: turn[0] for name, turn in placed.rotations.items()},
            {name: place[0] for name, place in placed.heads.items()},
            {name: (turn[0], known.heads[name][0]) for name, turn in known.rotations.items()},
        )

    def give_back(self) -> None:
        """The pose that the character had before it followed, and its switches."""
        self._pose.give_back()
        item = bpy.data.objects.get(self._target.rig.name)
        for bone, path, value in self._switched if item is not None else ():
            _set(item.pose.bones[bone], path, value)
        if self._switched and item is not None:
            item.update_tag()

    def _placed(self, result: Retargeted) -> tuple[Placed, Placed, Mapping[str, str]]:
        """What is placed in one frame, what then follows by constraints, and what moves with what."""
        target = self._target
        if target.rigify is not None:
            work = rigify_controlled(target.rig, target.rigify, result, self._controls)
            return work.placed, work.known, work.carriers
        names = target.bones.names
        turns = {names[bone]: result.rotations[:, i] for i, bone in enumerate(result.driven)}
        places = {}
        for bone in result.places:
            mover, offset = self._movers[bone]
            places[names[mover]] = result.heads[:, result.driven.index(bone)] - offset
        return Placed(turns, places), Placed({}, {}), {}

    def _switch(
        self, item: bpy.types.Object, result: Retargeted
    ) -> list[tuple[str, str, float | bool]]:
        """Set what a Rigify rig's controls obey; what it was, to be given back."""
        before: list[tuple[str, str, float | bool]] = []
        if self._target.rigify is None:
            return before
        for switch in rigify_switches(self._target.rigify, result, self._controls):
            bone = item.pose.bones[switch.bone]
            before.append((switch.bone, switch.path, _get(bone, switch.path)))
            _set(bone, switch.path, type(before[-1][2])(switch.value))
        item.update_tag()
        return before


def _get(bone: bpy.types.PoseBone, path: str) -> float | bool:
    return bone[path[2:-2]] if path.startswith("[") else getattr(bone, path)


def _set(bone: bpy.types.PoseBone, path: str, value: float | bool) -> None:
    """Set a property, or a custom one that is written as `["name"]`."""
    if path.startswith("["):
        bone[path[2:-2]] = value
    else:
        setattr(bone, path, value)


def _movers(target: Target) -> list[tuple[int, Array]]:
    """Per bone, who moves when it moves: it, or what it is connected to, and how far that is from it."""
    rig, rest = target.rig, target.rig.rest
    found = []
    for bone in range(len(rest.names)):
        mover = bone
        while rig.connected[mover] and rest.parents[mover] >= 0:
            mover = rest.parents[mover]
        found.append((mover, np.asarray(rest.heads[bone] - rest.heads[mover])))
    return found
