"""One pose written into an armature's channels, fast enough for every frame of a live stream.

The same as `pose_channels.channels` for a single frame, in Blender's own (single precision) quaternions and
without keys: bones are told where to be in the world, and each one's channels follow from its parent's pose.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import bpy
import numpy as np
from mathutils import Euler, Quaternion, Vector

from ..rig import quaternion
from ..rig.arrays import Array
from .posed_rig import PosedRig
from .rotation_modes import ROTATION_PROPERTY

__all__ = ["LivePose"]

_EULER_OF_LOCKS = "XYZ"  # Blender takes a lock of a quaternion as one of the angle about x, y or z


@dataclass(eq=False)
class _Bone:
    """What a bone's pose follows from; armature axes and units."""

    name: str
    above: int  # place of the bone that it moves with among these, -1 for none
    at_rest: Quaternion
    above_at_rest: Quaternion
    axes_at_rest: Quaternion  # of the location channels
    offset: (
        Vector  # from the head of the bone above, else from the armature's origin, to this one's
    )
    inherits: bool
    connected: bool
    rotation: Quaternion  # that the channels hold before
    location: Vector
    angles: Euler
    mode: str
    rotation_locks: tuple[bool, ...]
    location_locks: tuple[bool, ...]


class LivePose:
    """Poses an armature object frame by frame, and gives back the pose that it had.

    Args:
        armature_object: its pose bones are written.
        rig: as `read_posed_rig` reads it.
        bones: names of all bones that will be placed.
        carriers: as for `pose_channels.channels`.
    """

    def __init__(
        self,
        armature_object: bpy.types.Object,
        rig: PosedRig,
        bones: Iterable[str],
        carriers: Mapping[str, str | None] | None = None,
    ) -> None:
        self._object = armature_object.name
        self._rig, self._carriers = rig, carriers or {}
        self._number = {name: i for i, name in enumerate(rig.rest.names)}
        rest = rig.rest
        self._armature_from_world = Quaternion(quaternion.conjugate(rest.object_rotation))
        self._origin = Vector(rest.world_from_armature[:3, 3])
        self._scale = rest.object_scale
        inside = rest.heads - rest.world_from_armature[:3, 3]
        turn = quaternion.conjugate(rest.object_rotation)
        self._heads = quaternion.rotate(turn, inside) / rest.object_scale
        self._order: list[int] = []
        for name in bones:
            self._visit(self._number[name])
        places = {bone: place for place, bone in enumerate(self._order)}
        self._bones = [self._bone(bone, places) for bone in self._order]
        self._before = {bone.name: _channels(self._posed(bone.name)) for bone in self._bones}

    def show(
        self,
        rotations: Mapping[str, Array],
        heads: Mapping[str, Array],
        known: Mapping[str, tuple[Array, Array]] | None = None,
    ) -> None:
        """Pose the bones.

        Args:
            rotations: by bone, (4,) world_from_bone.
            heads: by bone, (3,) metres in the world; only of bones whose location is to be set.
            known: by bone, rotation and head where constraints will have them.
        """
        known = known or {}
        turns: list[Quaternion] = []
        starts: list[Vector] = []
        for bone in self._bones:
            told = known.get(bone.name)
            if told is not None:
                turns.append(self._armature_from_world @ Quaternion(told[0]))
                starts.append(self._inside(told[1]))
                continue
            turn, start, axes = self._unposed(bone, turns, starts)
            starts.append(start + axes @ self._location(bone, heads, start, axes))
            wanted = rotations.get(bone.name)
            own = bone.rotation
            if wanted is not None:
                target = self._armature_from_world @ Quaternion(wanted)
                own = self._rotate(bone, turn.conjugated() @ target)
            turns.append(turn @ own)

    def give_back(self) -> None:
        """The pose that the armature had before, if it is still there."""
        if self._object not in bpy.data.objects:
            return
        for name, values in self._before.items():
            bone = bpy.data.objects[self._object].pose.bones.get(name)
            for path, value in values.items() if bone is not None else ():
                setattr(bone, path, value)

    def _visit(self, bone: int) -> None:
        """List a bone after all that it moves with."""
        if bone not in self._order:
            above = self._above(bone)
            if above >= 0:
                self._visit(above)
            self._order.append(bone)

    def _above(self, bone: int) -> int:
        carrier = self._carriers.get(self._rig.rest.names[bone], "")
        if carrier is None:
            return -1
        return self._number[carrier] if carrier else self._rig.rest.parents[bone]

    def _bone(self, bone: int, places: Mapping[int, int]) -> _Bone:
        rig, rest = self._rig, self._rig.rest
        above, parent = self._above(bone), rest.parents[bone]
        origin = self._heads[above] if above >= 0 else np.zeros(3)
        axes = bone if rest.local_location[bone] else (above if parent < 0 else parent)
        at_rest = rest.armature_from_bone
        mode = rig.modes[bone]
        return _Bone(
            rest.names[bone],
            places.get(above, -1),
            Quaternion(at_rest[bone]),
            Quaternion(at_rest[above] if above >= 0 else quaternion.IDENTITY),
            Quaternion(at_rest[axes] if axes >= 0 else quaternion.IDENTITY),
            Vector(self._heads[bone] - origin),
            bool(rest.inherits[bone]),
            bool(rig.connected[bone]),
            Quaternion(rig.rotations[bone]),
            Vector(rig.locations[bone]),
            Euler(rig.angles[bone], _EULER_OF_LOCKS if mode in ROTATION_PROPERTY else mode),
            mode,
            tuple(rig.rotation_locks[bone].tolist()),
            tuple(rig.location_locks[bone].tolist()),
        )

    def _unposed(
        self, bone: _Bone, turns: list[Quaternion], starts: list[Vector]
    ) -> tuple[Quaternion, Vector, Quaternion]:
        """Rotation and head before the bone's own channels, and the axes of its location."""
        if bone.above < 0:
            return bone.at_rest, bone.offset, bone.axes_at_rest
        carried = turns[bone.above] @ bone.above_at_rest.conjugated()
        start = starts[bone.above] + carried @ bone.offset
        turn = carried @ bone.at_rest if bone.inherits else bone.at_rest
        return turn, start, carried @ bone.axes_at_rest

    def _location(
        self, bone: _Bone, heads: Mapping[str, Array], start: Vector, axes: Quaternion
    ) -> Vector:
        if bone.connected:
            return Vector((0.0, 0.0, 0.0))
        wanted = heads.get(bone.name)
        if wanted is None:
            return bone.location
        values = axes.conjugated() @ (self._inside(wanted) - start)
        for axis, locked in enumerate(bone.location_locks):
            if locked:
                values[axis] = bone.location[axis]
        self._posed(bone.name).location = values
        return values

    def _rotate(self, bone: _Bone, wanted: Quaternion) -> Quaternion:
        """Write the rotation channels in the bone's own mode; what they then turn by."""
        if all(bone.rotation_locks):
            return bone.rotation
        posed = self._posed(bone.name)
        if any(bone.rotation_locks):
            angles = wanted.to_euler(bone.angles.order, bone.angles)
            for axis, locked in enumerate(bone.rotation_locks):
                if locked:
                    angles[axis] = bone.angles[axis]
            wanted = angles.to_quaternion()
        if bone.mode == "QUATERNION":
            if wanted.dot(posed.rotation_quaternion) < 0.0:
                wanted = -wanted
            posed.rotation_quaternion = wanted
        elif bone.mode == "AXIS_ANGLE":
            axis, angle = wanted.to_axis_angle()
            posed.rotation_axis_angle = (angle, *axis)
        else:
            posed.rotation_euler = wanted.to_euler(bone.mode, posed.rotation_euler)
        return wanted

    def _inside(self, world: Array) -> Vector:
        """A point of the world in armature units."""
        return (self._armature_from_world @ (Vector(world) - self._origin)) / self._scale

    def _posed(self, name: str) -> bpy.types.PoseBone:
        # Looked up each time: undo may replace the object, and a kept pointer would crash Blender.
        return bpy.data.objects[self._object].pose.bones[name]


def _channels(bone: bpy.types.PoseBone) -> dict[str, tuple[float, ...]]:
    """What a bone's location and rotation channels hold."""
    path = ROTATION_PROPERTY.get(bone.rotation_mode, "rotation_euler")
    return {"location": tuple(bone.location), path: tuple(getattr(bone, path))}
