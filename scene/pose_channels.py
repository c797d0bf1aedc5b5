"""Bones placed in the world, as what their own channels must hold, without Blender.

Blender poses a bone from its parent's pose and its own rest pose; its location and rotation channels come on
top, those that are locked as they are.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ..rig import quaternion
from ..rig.arrays import Array, Mask
from .posed_rig import PosedRig
from .rotation_modes import ROTATION_PROPERTY, quaternions_of, rotation_values

__all__ = ["BoneChannel", "Placed", "channels"]

_Pose = tuple[Array, Array]  # (T, 4) armature_from_bone, and (T, 3) head in armature units


@dataclass(frozen=True, eq=False)
class Placed:
    """Where bones are in the world over T frames.

    Attributes:
        rotations: by bone, (T, 4) world_from_bone.
        heads: by bone, (T, 3) metres; only of bones that have keys for their location.
    """

    rotations: Mapping[str, Array]
    heads: Mapping[str, Array]


@dataclass(frozen=True, eq=False)
class BoneChannel:
    """Some columns of one property of one bone.

    Attributes:
        bone: its name.
        property: such as "rotation_quaternion".
        columns: which elements of the property, C of them.
        values: (T, C).
    """

    bone: str
    property: str
    columns: tuple[int, ...]
    values: Array


def channels(
    rig: PosedRig,
    placed: Placed,
    count: int,
    *,
    known: Placed | None = None,
    carriers: Mapping[str, str | None] | None = None,
    locks: bool = True,
) -> list[BoneChannel]:
    """Key bones so that they are where they are told; bones that are not among them keep their pose.

    Args:
        rig: the armature before.
        placed: where bones are to be, in any order.
        count: frames, T.
        known: where other bones will be by the rig's own doing (constraints): with rotation and head.
        carriers: by bone, the one that it really moves with, where constraints make that another than its
            parent; None for one that stays at rest.
        locks: leave locked channels as they are.

    Returns:
        The channels, in the order of the rig's bones; of a connected bone none for its location.
    """
    work = _Posing(rig, placed, count, known or Placed({}, {}), carriers or {}, locks=locks)
    return work.run()


@dataclass(eq=False)
class _Posing:
    rig: PosedRig
    placed: Placed
    count: int
    known: Placed
    carriers: Mapping[str, str | None]
    locks: bool
    _poses: dict[int, _Pose] = field(default_factory=dict)
    _found: dict[tuple[int, int], BoneChannel] = field(default_factory=dict)

    def __post_init__(self) -> None:
        rest = self.rig.rest
        self._number = {name: i for i, name in enumerate(rest.names)}
        self._armature_from_world = quaternion.conjugate(rest.object_rotation)
        self._heads = self._inside(rest.heads)

    def run(self) -> list[BoneChannel]:
        for name in (*self.placed.rotations, *self.placed.heads):
            self._pose(self._number[name])
        return [channel for _, channel in sorted(self._found.items(), key=lambda item: item[0])]

    def _inside(self, world: Array) -> Array:
        """Points of the world in armature units."""
        rest = self.rig.rest
        origin = rest.world_from_armature[:3, 3]
        return quaternion.rotate(self._armature_from_world, world - origin) / rest.object_scale

    def _pose(self, bone: int) -> _Pose:
        """Where a bone is, its own channels included."""
        if bone not in self._poses:
            name = self.rig.rest.names[bone]
            known = self.known.rotations.get(name)
            if known is not None:
                turn = quaternion.multiply(self._armature_from_world, known)
                self._poses[bone] = turn, self._inside(self.known.heads[name])
            else:
                self._poses[bone] = self._posed(bone, name)
        return self._poses[bone]

    def _posed(self, bone: int, name: str) -> _Pose:
        turn, start, frame = self._unposed(bone)
        location = self._location(bone, name, start, frame)
        start = start + quaternion.rotate(frame, location)
        wanted = self.placed.rotations.get(name)
        if wanted is None:
            own = self.rig.rotations[bone]
        else:
            target = quaternion.multiply(self._armature_from_world, wanted)
            own = self._rotation(bone, quaternion.multiply(quaternion.conjugate(turn), target))
        return quaternion.multiply(turn, own), start

    def _unposed(self, bone: int) -> tuple[Array, Array, Array]:
        """Rotation and head before the bone's own channels, and the axes (T, 4) of its location."""
        rest = self.rig.rest
        at_rest, parent = rest.armature_from_bone, rest.parents[bone]
        own = np.broadcast_to(at_rest[bone], (self.count, 4))
        carrier = self._carrier(bone)
        if carrier < 0:
            axes = quaternion.IDENTITY if parent < 0 else at_rest[parent]
            start = np.broadcast_to(self._heads[bone], (self.count, 3))
            axes = np.broadcast_to(axes, (self.count, 4))
            return own, start, own if rest.local_location[bone] else axes
        above, head = self._pose(carrier)
        carried = quaternion.multiply(above, quaternion.conjugate(at_rest[carrier]))
        start = head + quaternion.rotate(carried, self._heads[bone] - self._heads[carrier])
        along = quaternion.multiply(carried, own)
        axes = quaternion.multiply(carried, at_rest[carrier if parent < 0 else parent])
        axes = along if rest.local_location[bone] else axes
        return along if rest.inherits[bone] else own, start, axes

    def _carrier(self, bone: int) -> int:
        carrier = self.carriers.get(self.rig.rest.names[bone], "")
        if carrier is None:
            return -1
        return self._number[carrier] if carrier else self.rig.rest.parents[bone]

    def _location(self, bone: int, name: str, start: Array, frame: Array) -> Array:
        """(T, 3) of the location channels."""
        rig = self.rig
        if rig.connected[bone]:
            return np.zeros(3)
        wanted = self.placed.heads.get(name)
        if wanted is None:
            return rig.locations[bone]
        values = quaternion.rotate(quaternion.conjugate(frame), self._inside(wanted) - start)
        locked = rig.location_locks[bone] & self.locks
        values = np.where(locked, rig.locations[bone], values)
        self._add(bone, 0, "location", ~locked, values)
        return values

    def _rotation(self, bone: int, wanted: Array) -> Array:
        """(T, 4) of the rotation channels, in whatever mode they are."""
        rig = self.rig
        mode = rig.modes[bone]
        path = ROTATION_PROPERTY.get(mode, "rotation_euler")
        locked = rig.rotation_locks[bone] & self.locks
        if locked.all():
            return rig.rotations[bone]
        free = np.ones(4 if path != "rotation_euler" else 3, dtype=bool)
        if locked.any():
            # Blender takes a lock of a quaternion, too, as one of the angle about x, y or z.
            order = mode if path == "rotation_euler" else "XYZ"
            angles = rotation_values(wanted, order)
            angles = np.where(locked, rig.angles[bone], angles)
            wanted = quaternions_of(angles, order)
            if path == "rotation_euler":
                self._add(bone, 1, path, ~locked, angles)
                return wanted
        self._add(bone, 1, path, free, rotation_values(wanted, mode))
        return wanted

    def _add(self, bone: int, order: int, path: str, free: Mask, values: Array) -> None:
        columns = tuple(int(column) for column in np.flatnonzero(free))
        if columns:
            name = self.rig.rest.names[bone]
            self._found[bone, order] = BoneChannel(name, path, columns, values[:, list(columns)])
