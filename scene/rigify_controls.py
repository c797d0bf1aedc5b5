"""Rigify's generated rigs: which bones tell the pose, and the controls that bring it about, FK or IK.

A map is about the ORG bones, which have the metarig's joints, and about the controls of neck and head; keys
go to controls. The chain of the spine is turned about the pivot inside `torso`: below it every control sits
at its bone's upper end. Switches that controls obey (IK or FK, what a limb follows) are keyed in the Action,
never set in the file.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import bpy
import numpy as np

from ..rig import quaternion
from ..rig.arrays import Array
from ..rig.errors import SceneError
from ..rig.retarget import Bones
from ..rig.retarget.result import LimbTarget, Retargeted
from .pose_channels import BoneChannel, Placed, channels
from .posed_rig import PosedRig

__all__ = [
    "ControlMode",
    "Controlled",
    "RigifyRig",
    "Switch",
    "read_rigify",
    "rigify_channels",
    "rigify_controlled",
    "rigify_switches",
]

ControlMode = Literal["fk", "ik"]

_BODY: Final = re.compile(
    r"ORG-(spine|shoulder|upper_arm|forearm|hand|thigh|shin|foot|toe|thumb|f_(index|middle|ring|pinky))"
    r"(\.\d+)?(\.[LR])?$"
)
_LIMBS: Final[Mapping[str, tuple[str, ...]]] = {
    "upper_arm": ("upper_arm", "forearm", "hand"),
    "thigh": ("thigh", "shin", "foot", "toe"),
}
_SIDES: Final = {"L": "left", "R": "right"}
_SAME: Final = 1e-3  # of the rig's size: two bones start at one point
_AT_REST: Final = 1e-5
_BENT: Final = 0.01  # of the upper bone's length: this far from straight a limb's plane is sure
# Property of `torso` or of a limb's parent bone, and the value under which controls move as told here.
_TORSO: Final[Mapping[str, float]] = {"neck_follow": 1.0, "head_follow": 1.0, "torso_parent": 1.0}
_FK: Final[Mapping[str, float]] = {"IK_FK": 1.0, "FK_limb_follow": 0.0}
_IK: Final[Mapping[str, float]] = {
    "IK_FK": 0.0,
    "FK_limb_follow": 0.0,
    "IK_Stretch": 0.0,
    "IK_parent": 1.0,
    "pole_vector": 1.0,
    "pole_parent": 1.0,
}


@dataclass(frozen=True)
class Switch:
    """A property of a bone, as a path from it, and what it has to be while the Action plays."""

    bone: str
    path: str
    value: float


@dataclass(frozen=True, eq=False)
class RigifyRig:
    """What is known of a generated rig.

    Attributes:
        bones: the root, the ORG bones of the body, neck and head, as one tree.
        switches: by bone, the names of its custom properties.
        elastic: bones that IK may stretch.
    """

    bones: Bones
    switches: Mapping[str, frozenset[str]]
    elastic: tuple[str, ...]


def read_rigify(armature_object: bpy.types.Object, rig: PosedRig) -> RigifyRig | None:
    """What matters of a rig that Rigify generated; None if it is none.

    Raises:
        SceneError: it was generated without controls for FK of the spine.
    """
    names = set(rig.rest.names)
    if not {"root", "torso", "ORG-spine", "thigh_fk.L", "thigh_parent.L"} <= names:
        return None
    if "spine_fk" not in names:
        raise SceneError(
            f"{armature_object.name!r} has no control 'spine_fk'; generate it with FK controls of the spine"
        )
    posed = armature_object.pose.bones
    owners = [
        n for n in rig.rest.names if n == "torso" or re.match(r"(upper_arm|thigh)_parent\.", n)
    ]
    switches = {name: frozenset(posed[name].keys()) for name in owners}
    elastic = tuple(bone.name for bone in posed if bone.ik_stretch > 0.0)
    return RigifyRig(_tree(rig), switches, elastic)


@dataclass(frozen=True, eq=False)
class Controlled:
    """Where controls are to be, and what moves with what, so that the ORG bones are where they are told.

    Attributes:
        placed: the controls.
        known: where constraints then have other bones.
        carriers: by control, the bone that it really moves with.
    """

    placed: Placed
    known: Placed
    carriers: Mapping[str, str]


def rigify_channels(
    rig: PosedRig, rigify: RigifyRig, result: Retargeted, mode: ControlMode
) -> tuple[list[BoneChannel], list[Switch]]:
    """What controls must hold so that the ORG bones are where a result puts them, and the switches for it.

    Args:
        rig: the armature before.
        rigify: what it was generated as.
        result: T frames, its bones those of `rigify`.
        mode: which controls move arms and legs.
    """
    work = rigify_controlled(rig, rigify, result, mode)
    count = len(result.rotations)
    found = channels(rig, work.placed, count, known=work.known, carriers=work.carriers)
    return found, rigify_switches(rigify, result, mode)


def rigify_controlled(
    rig: PosedRig, rigify: RigifyRig, result: Retargeted, mode: ControlMode
) -> Controlled:
    """Where controls must be; see `rigify_channels`."""
    pose = _OrgPose(rig, rigify, result)
    placed = Placed({}, {})
    for part in (_root(pose), _trunk(pose), _plain(pose), _limbs(pose, mode)):
        placed.rotations.update(part.rotations)
        placed.heads.update(part.heads)
    carriers = {"torso": "root", "head": "neck"}
    for side in _SIDES:
        for control in (f"hand_ik.{side}", f"foot_ik.{side}"):
            carriers[control] = "root"
        carriers[f"toe_ik.{side}"] = f"foot_ik.{side}"
        carriers |= {f"{limb}_ik_target.{side}": "root" for limb in _LIMBS}
    return Controlled(placed, _known(pose), carriers)


class _OrgPose:
    """Where the ORG bones are over time, and how far they are turned from rest."""

    def __init__(self, rig: PosedRig, rigify: RigifyRig, result: Retargeted) -> None:
        self.rig, self.bones, self.result = rig, rigify.bones, result
        self.names = set(rig.rest.names)
        self.count = len(result.rotations)
        self._number = {name: i for i, name in enumerate(rig.rest.names)}
        self._rests = rig.bones.rotations
        self.turns: dict[str, Array] = {}  # (T, 4) world turn from rest
        self.heads: dict[str, Array] = {}
        driven = {bone: place for place, bone in enumerate(result.driven)}
        for bone, (name, parent) in enumerate(
            zip(self.bones.names, self.bones.parents, strict=True)
        ):
            place = driven.get(bone)
            above = self.bones.names[parent] if parent >= 0 else ""
            if place is not None:
                rest = quaternion.conjugate(self.bones.rotations[bone])
                self.turns[name] = quaternion.multiply(result.rotations[:, place], rest)
                self.heads[name] = result.heads[:, place]
            else:
                still = np.tile(quaternion.IDENTITY, (self.count, 1))
                self.turns[name] = self.turns.get(above, still)
                self.heads[name] = self._beside(above, name)

    def _beside(self, above: str, name: str) -> Array:
        if not above:
            return np.tile(self.rest_head(name), (self.count, 1))
        return self.carried(above, self.rest_head(name))

    def rest_head(self, bone: str) -> Array:
        """(3,) metres, of any bone of the rig."""
        return self.rig.rest.heads[self._number[bone]]

    def carried(self, org: str, point: Array) -> Array:
        """(T, 3) where a point that moves with an ORG bone is; `point` (3,) is where it is at rest."""
        return self.heads[org] + quaternion.rotate(self.turns[org], point - self.rest_head(org))

    def turned(self, control: str, turn: Array) -> Array:
        """(T, 4) world_from_bone of a control that is turned from rest so."""
        return quaternion.multiply(turn, self._rests[self._number[control]])

    def follows(self, control: str, org: str, *, head: bool = False) -> Placed:
        """A control that moves with an ORG bone, if there are both."""
        if control not in self.names or org not in self.turns:
            return Placed({}, {})
        heads = {control: self.carried(org, self.rest_head(control))} if head else {}
        return Placed({control: self.turned(control, self.turns[org])}, heads)


def _root(pose: _OrgPose) -> Placed:
    """The root control, if the result moves it."""
    root = pose.bones.index("root")
    if root not in pose.result.driven:
        return Placed({}, {})
    return pose.follows("root", "root", head=True)


def _trunk(pose: _OrgPose) -> Placed:
    """`torso` turns with the pelvis; the spine's controls put right what bends; others lie at rest in it."""
    spine = sorted(name for name in pose.bones.names if name.startswith("ORG-spine"))
    size = float(np.linalg.norm(pose.rest_head(spine[-1]) - pose.rest_head(spine[0])))
    upper = [org for org in spine if _gap(pose, org) < _SAME * size]
    pivot = pose.heads[upper[0]]
    turn = pose.turns[spine[0]]

    def in_torso(control: str) -> Array:
        offset = pose.rest_head(control) - pose.rest_head(upper[0])
        return pivot + quaternion.rotate(turn, offset)

    placed = Placed({"torso": pose.turned("torso", turn)}, {"torso": in_torso("torso")})
    for org in spine:
        placed.rotations.update(pose.follows(org.replace("ORG-spine", "spine_fk"), org).rotations)
    for control in ("hips", "chest"):
        if control in pose.names and not _at_rest(pose.rig, control):
            placed.rotations[control] = pose.turned(control, turn)
            placed.heads[control] = in_torso(control)
    return placed


def _gap(pose: _OrgPose, org: str) -> float:
    """Distance of a spine bone's start from its control's."""
    control = org.replace("ORG-spine", "spine_fk")
    return float(np.linalg.norm(pose.rest_head(control) - pose.rest_head(org)))


def _at_rest(rig: PosedRig, bone: str) -> bool:
    place = rig.rest.names.index(bone)
    moved = np.abs(rig.locations[place]).max()
    turned = np.abs(np.abs(rig.rotations[place]) - quaternion.IDENTITY).max()
    return bool(max(moved, turned) < _AT_REST)


def _plain(pose: _OrgPose) -> Placed:
    """Shoulders and fingers, whose controls have the metarig's names; neck and head, which are controls."""
    driven = {pose.bones.names[bone] for bone in pose.result.driven}
    rotations: dict[str, Array] = {}
    for org in pose.bones.names:
        if re.match(r"ORG-(shoulder|thumb|f_)|neck$|head$", org) and org in driven:
            rotations.update(pose.follows(org.removeprefix("ORG-"), org).rotations)
    return Placed(rotations, {})


def _limbs(pose: _OrgPose, mode: ControlMode) -> Placed:
    placed = Placed({}, {})
    for side in _SIDES:
        for limb, parts in _LIMBS.items():
            target = pose.result.limbs.get(
                f"{_SIDES[side]}_{'arm' if limb == 'upper_arm' else 'leg'}"
            )
            if mode == "fk" or target is None:
                found = [pose.follows(f"{part}_fk.{side}", f"ORG-{part}.{side}") for part in parts]
            else:
                found = list(_ik(pose, limb, side, target))
            for part in found:
                placed.rotations.update(part.rotations)
                placed.heads.update(part.heads)
    return placed


def _ik(pose: _OrgPose, limb: str, side: str, target: LimbTarget) -> Iterator[Placed]:
    """The controls of one limb: hand or foot, toe, pole."""
    end, middle = ("hand", "forearm") if limb == "upper_arm" else ("foot", "shin")
    yield pose.follows(f"{end}_ik.{side}", f"ORG-{end}.{side}", head=True)
    if end == "foot":
        yield pose.follows(f"toe_ik.{side}", f"ORG-toe.{side}")
    pole = f"{limb}_ik_target.{side}"
    if pole in pose.names:
        reach = np.linalg.norm(pose.rest_head(pole) - pose.rest_head(f"ORG-{middle}.{side}"))
        yield Placed({}, {pole: target.middle + reach * _pole(target)})


def _pole(target: LimbTarget) -> Array:
    """(T, 3) unit directions in which limbs are bent; of one that is straight, in which it would be."""
    line = target.end - target.start
    line = line / np.maximum(np.linalg.norm(line, axis=1, keepdims=True), 1e-9)
    out = target.middle - target.start
    out = out - np.sum(out * line, axis=1, keepdims=True) * line
    far = np.linalg.norm(out, axis=1, keepdims=True)
    length = np.linalg.norm(target.middle - target.start, axis=1, keepdims=True)
    bent = np.clip(far / (_BENT * length), 0.0, 1.0)
    mixed = bent * out / np.maximum(far, 1e-9) + (1.0 - bent) * target.pole
    return mixed / np.maximum(np.linalg.norm(mixed, axis=1, keepdims=True), 1e-9)


def _known(pose: _OrgPose) -> Placed:
    """Bones that constraints lay on controls, whichever mode they are in: limbs, shoulders, the head."""
    placed = Placed({}, {})
    for org in pose.bones.names:
        if not re.match(r"ORG-(shoulder|upper_arm|forearm|hand|thigh|shin|foot|toe)", org):
            continue
        for bone in (org, org.replace("ORG-", "DEF-")):
            if bone in pose.names:
                placed.rotations[bone] = pose.turned(bone, pose.turns[org])
                placed.heads[bone] = pose.carried(org, pose.rest_head(bone))
    return placed


def rigify_switches(rigify: RigifyRig, result: Retargeted, mode: ControlMode) -> list[Switch]:
    """What properties must be for the controls of `mode` to move the rig as told."""
    return list(_switches(rigify, result, mode))


def _switches(rigify: RigifyRig, result: Retargeted, mode: ControlMode) -> Iterator[Switch]:
    for bone, names in rigify.switches.items():
        for name, value in _wanted(bone, result, mode).items():
            if name in names:
                yield Switch(bone, f'["{name}"]', value)
    # Else IK shortens a limb that is nearly straight instead of bending it: 2 cm at the knee.
    for bone in rigify.elastic if mode == "ik" else ():
        yield Switch(bone, "ik_stretch", 0.0)


def _wanted(bone: str, result: Retargeted, mode: ControlMode) -> Mapping[str, float]:
    """What the properties of `torso`, or of the parent bone of a limb, have to be."""
    if bone == "torso":
        return _TORSO
    limb = "arm" if bone.startswith("upper_arm") else "leg"
    there = f"{_SIDES[bone[-1]]}_{limb}" in result.limbs
    return _IK if mode == "ik" and there else _FK


def _tells(name: str, names: set[str]) -> bool:
    """Whether a bone is one of those that tell the pose: of neck and head the controls do."""
    if name.startswith("ORG-spine"):
        return name.replace("ORG-spine", "spine_fk") in names
    return name in ("root", "neck", "head") or _BODY.match(name) is not None


def _tree(rig: PosedRig) -> Bones:
    """The root and the ORG bones of the body, each under the bone that carries it, parents first."""
    rest, bones = rig.rest, rig.bones
    names = set(rest.names)
    kept = [i for i, name in enumerate(rest.names) if _tells(name, names)]
    above = {bone: _above(rig, bone, kept) for bone in kept}

    def depth(bone: int) -> int:
        return 0 if above[bone] < 0 else 1 + depth(above[bone])

    kept.sort(key=lambda bone: (depth(bone), bone))
    number = {bone: i for i, bone in enumerate(kept)}
    return Bones(
        tuple(rest.names[bone] for bone in kept),
        tuple(number.get(above[bone], -1) for bone in kept),
        bones.rotations[kept],
        bones.heads[kept],
        bones.tails[kept],
    )


def _above(rig: PosedRig, bone: int, kept: list[int]) -> int:
    """The nearest kept bone above; else the one at whose end it starts; else the root."""
    rest = rig.rest
    number = {name: i for i, name in enumerate(rest.names)}
    if rest.names[bone] == "root":
        return -1
    if rest.names[bone] == "head" and "neck" in number:
        return number["neck"]
    if rest.names[bone] != "neck" and not rest.names[bone].startswith("ORG-spine"):
        parent = rest.parents[bone]
        while parent >= 0:
            name = rest.names[parent]
            org = number.get(name.replace("DEF-", "ORG-"), -1)
            if org in kept and name != "root":
                return org
            parent = rest.parents[parent]
    size = np.ptp(rest.heads, axis=0).max()
    others = [i for i in kept if rest.names[i].startswith("ORG-spine") and i != bone]
    gaps = [float(np.linalg.norm(rest.tails[i] - rest.heads[bone])) for i in others]
    if gaps and min(gaps) < _SAME * size:
        return others[int(np.argmin(gaps))]
    return number["root"]
