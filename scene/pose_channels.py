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
    _turns: dict[int, Array] = field(default_factory=dict)  # (T, 4) or (4,) armature_from_bone
    _heads: dict[int, Array] = field(default_factory=dict)  # (T, 3) or (3,) armature units
    _found: dict[tuple[int, int], BoneChannel] = field(default_factory=dict)

    def __post_init__(self) -> None:
        rest = self.rig.rest
        self._number = {name: i for i, name in enumerate(rest.names)}
        self._armature_from_world = quaternion.conjugate(rest.object_rotation)
        self._at_rest = self._inside(rest.heads)

    def run(self) -> list[BoneChannel]:
        told = [self._number[name] for name in self.placed.rotations]
        held = self.rig.rotation_locks[told].any(axis=1) & self.locks
        names = self.rig.rest.names
        bones = [bone for bone, h in zip(told, held.tolist(), strict=True) if not h]
        self._turn_freely([bone for bone in bones if names[bone] not in self.known.rotations])
        for bone in told:
            self._turn(bone)
        for name in self.placed.heads:
            self._head(self._number[name])
        return [channel for _, channel in sorted(self._found.items(), key=lambda item: item[0])]

    def _inside(self, world: Array) -> Array:
        """Points of the world in armature units."""
        rest = self.rig.rest
        origin = rest.world_from_armature[:3, 3]
        return quaternion.rotate(self._armature_from_world, world - origin) / rest.object_scale

    def _turn_freely(self, bones: list[int]) -> None:
        """Bones without locks end up as they are told, so all their channels are one product."""
        if not bones:
            return
        rest, modes = self.rig.rest, self.rig.modes
        wanted = np.stack([self.placed.rotations[rest.names[bone]] for bone in bones], axis=1)
        turns = quaternion.multiply(self._armature_from_world, wanted)  # (T, N, 4)
        self._turns |= dict(zip(bones, turns.swapaxes(0, 1), strict=True))
        carriers = [self._carrier(bone) if rest.inherits[bone] else -1 for bone in bones]
        above = [self._turn(k) if k >= 0 else quaternion.IDENTITY for k in carriers]
        above = np.stack([np.broadcast_to(turn, (self.count, 4)) for turn in above], axis=1)
        at_rest = np.array(
            [rest.armature_from_bone[k] if k >= 0 else quaternion.IDENTITY for k in carriers]
        )
        steps = quaternion.multiply(quaternion.conjugate(at_rest), rest.armature_from_bone[bones])
        before = quaternion.multiply(above, steps)
        own = quaternion.continuous(quaternion.multiply(quaternion.conjugate(before), turns))
        for bone, values in zip(bones, own.swapaxes(0, 1), strict=True):
            self._add_rotation(bone, values, modes[bone])

    def _turn(self, bone: int) -> Array:
        """How a bone is turned, its own channels included."""
        if bone not in self._turns:
            known = self.known.rotations.get(self.rig.rest.names[bone])
            if known is not None:
                self._turns[bone] = quaternion.multiply(self._armature_from_world, known)
            else:
                before = self._before(bone)
                self._turns[bone] = quaternion.multiply(before, self._own(bone, before))
        return self._turns[bone]

    def _before(self, bone: int) -> Array:
        """A bone's rotation before its own channels."""
        rest = self.rig.rest
        own: Array = rest.armature_from_bone[bone]
        return quaternion.multiply(self._carried(bone), own) if rest.inherits[bone] else own

    def _own(self, bone: int, before: Array) -> Array:
        """What a bone's rotation channels come to."""
        wanted = self.placed.rotations.get(self.rig.rest.names[bone])
        if wanted is None:
            return self.rig.rotations[bone]
        target = quaternion.multiply(self._armature_from_world, wanted)
        return self._rotation(bone, quaternion.multiply(quaternion.conjugate(before), target))

    def _head(self, bone: int) -> Array:
        """Where a bone starts, its own channels included."""
        if bone not in self._heads:
            name = self.rig.rest.names[bone]
            if name in self.known.rotations:
                self._heads[bone] = self._inside(self.known.heads[name])
            else:
                start, frame = self._start(bone)
                location = self._location(bone, name, start, frame)
                self._heads[bone] = start + quaternion.rotate(frame, location)
        return self._heads[bone]

    def _start(self, bone: int) -> tuple[Array, Array]:
        """Where a bone starts before its own channels, and the axes of its location."""
        rest = self.rig.rest
        carrier, parent = self._carrier(bone), rest.parents[bone]
        carried, start = self._carried(bone), self._at_rest[bone]
        if carrier >= 0:
            step = quaternion.rotate(carried, start - self._at_rest[carrier])
            start = self._head(carrier) + step
        along = bone if rest.local_location[bone] else parent if parent >= 0 else carrier
        axes = rest.armature_from_bone[along] if along >= 0 else quaternion.IDENTITY
        return start, quaternion.multiply(carried, axes)

    def _carried(self, bone: int) -> Array:
        """By how much what carries a bone is turned from its rest."""
        carrier = self._carrier(bone)
        if carrier < 0:
            return quaternion.IDENTITY
        at_rest = self.rig.rest.armature_from_bone[carrier]
        return quaternion.multiply(self._turn(carrier), quaternion.conjugate(at_rest))

    def _carrier(self, bone: int) -> int:
        carrier = self.carriers.get(self.rig.rest.names[bone], "")
        if carrier is None:
            return -1
        return self._number[carrier] if carrier else self.rig.rest.parents[bone]

    def _location(self, bone: int, name: str, start: Array, frame: Array) -> Array:
        """(T, 3) of the location channels, (3,) of those that keep what they hold."""
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
        """(T, 4) of the rotation channels, in whatever mode they are; (4,) where all are locked."""
        rig = self.rig
        mode = rig.modes[bone]
        locked = rig.rotation_locks[bone] & self.locks
        if locked.all():
            return rig.rotations[bone]
        if locked.any():
            # Blender takes a lock of a quaternion, too, as one of the angle about x, y or z.
            order = "XYZ" if mode in ROTATION_PROPERTY else mode
            angles = rotation_values(wanted, order)
            angles = np.where(locked, rig.angles[bone], angles)
            wanted = quaternions_of(angles, order)
            if mode not in ROTATION_PROPERTY:
                self._add(bone, 1, "rotation_euler", ~locked, angles)
                return wanted
        self._add_rotation(bone, quaternion.continuous(wanted), mode)
        return wanted

    def _add_rotation(self, bone: int, smooth: Array, mode: str) -> None:
        """All columns of a rotation (T, 4) without jumps."""
        values = smooth if mode == "QUATERNION" else rotation_values(smooth, mode)
        free = np.ones(values.shape[1], dtype=bool)
        self._add(bone, 1, ROTATION_PROPERTY.get(mode, "rotation_euler"), free, values)

    def _add(self, bone: int, order: int, path: str, free: Mask, values: Array) -> None:
        columns = tuple(np.flatnonzero(free).tolist())
        if columns:
            name = self.rig.rest.names[bone]
            kept = values if len(columns) == values.shape[1] else values[:, list(columns)]
            self._found[bone, order] = BoneChannel(name, path, columns, kept)
