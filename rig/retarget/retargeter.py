"""Any motion onto any humanoid rig: bones point as the source's do, on the target's own proportions.

Both rests are compared once (`alignment`). Then a target bone is turned as its source bone is:

    world_from_target = aim(t) * world_from_source(t) * source_from_target

where `source_from_target` is constant and `aim(t)` makes a limb's direction the source's exactly; it is the
identity where the source's bones are rigid. Where the body is comes from the hip joints (`travel`), where
feet stand from the source's feet (`feet`), and where hands reach from what they are near (`hands`).
"""

from collections.abc import Callable
from functools import partial

import numpy as np

from .. import quaternion
from ..arrays import Array, Mask, checked
from ..errors import ShapeError
from .alignment import alignments
from .bone_map import SIDES, BoneMap
from .bones import Bones
from .drives import drives
from .feet import SourceFeet, foot_heights, foot_points, plant_feet, source_contacts
from .hands import SourceHands, reaching
from .kept import kept
from .posed import Carriage, Posed
from .reach import LimbTable, limbs_of
from .rests import NEXT, Rest
from .result import Retargeted, RetargetOptions
from .travel import floor_height, heading, hip_centre, size_ratio, travelled
from .twist import twist_bones, twisted

__all__ = ["Retargeter", "retargeter_between"]

_AIMED = ("upper_arm", "forearm", "thigh", "shin")
_RIGID = 1e-6  # radians; directions closer than this need no aim


class Retargeter:
    """Brings motions of one rig to another.

    Args:
        source: the rig whose motion it is.
        source_map: what its bones do.
        target: the rig to move; its rest pose stays as it is.
        target_map: what its bones do.
        options: contacts, root motion, scale.

    Raises:
        ShapeError: a map names a bone that its rig lacks, or one twice, there are no hips, a rest pose isn't
            finite, or the root bone is to travel and there is none.
    """

    def __init__(
        self,
        source: Bones,
        source_map: BoneMap,
        target: Bones,
        target_map: BoneMap,
        options: RetargetOptions | None = None,
    ) -> None:
        self.options = RetargetOptions() if options is None else options
        self.source, self.target = (
            Rest(source, source_map, "source"),
            Rest(target, target_map, "target"),
        )
        self._check_roles()
        if self.options.root == "bone" and "root" not in self.target.roles:
            raise ShapeError(
                "the target has no root bone to travel; map one, or let the hips travel"
            )
        self.ratio = self.options.scale or size_ratio(self.source, self.target)
        self._drives = drives(self.source, self.target, self.options.fingers)
        self._places = {drive.role: place for place, drive in enumerate(self._drives)}
        self._carriage = Carriage(self.target, self._drives)
        self._limbs = limbs_of(self.target, self._drives)
        self._table = LimbTable(self._limbs, self.target, self._drives)
        toes = [place for side in SIDES if (place := self._places.get(f"{side}_toe")) is not None]
        self._toes = toes if len(toes) == 2 else None
        above = self._carriage.above.tolist()
        self._twists = twist_bones(self.target, self._drives, above) if self.options.twist else []
        self._align()
        self._read = sorted(self._source_bones())

    def _check_roles(self) -> None:
        """Every bone of the target has one thing to do."""
        first: dict[int, str] = {}
        for role, rows in self.target.roles.items():
            for row in rows:
                if row in first:
                    name = self.target.bones.names[row]
                    raise ShapeError(
                        f"the target's bone {name!r} is both {first[row]} and {role}; give it one role"
                    )
                first[row] = role

    def _align(self) -> None:
        turns = alignments(self.source, self.target)
        rests = self.source.bones.rotations
        found = self._drives
        aligned = np.stack([turns.get(drive.role, turns[""]) for drive in found])
        self._first = np.array([drive.first for drive in found])
        self._second = np.array([drive.second for drive in found])
        self._fraction = np.array([drive.fraction for drive in found])
        self._mixed = np.flatnonzero(self._fraction)
        # Turn from rest of a target bone: world_from_source times this.
        self._after = quaternion.multiply(
            quaternion.conjugate(quaternion.normalised(rests[self._first])), aligned
        )
        mixed = self._mixed
        self._after_second = quaternion.multiply(
            quaternion.conjugate(quaternion.normalised(rests[self._second[mixed]])), aligned[mixed]
        )
        self._aims = self._aimed()

    def _aimed(self) -> list[tuple[int, int, int, Array]]:
        """Of each limb bone: its place among the drives, the source's joints, and its direction at rest."""
        found = []
        places = self._places
        for role in (f"{side}_{part}" for side in SIDES for part in _AIMED):
            side, _, part = role.partition("_")
            start, end = self.source.first(role), self.source.first(f"{side}_{NEXT[part]}")
            theirs = self.target.direction(role)
            if role not in places or start is None or end is None or theirs is None:
                continue
            if self.source.direction(role) is not None:
                found.append((places[role], start, end, theirs))
        return found

    def _source_bones(self) -> set[int]:
        joints = {row for _, start, end, _ in self._aims for row in (start, end)}
        legs = (self.source.first(f"{side}_thigh") for side in SIDES)
        feet = (self.source.first(f"{side}_{part}") for side in SIDES for part in ("foot", "toe"))
        known = {row for row in (*legs, *feet) if row is not None}
        return {*self._first.tolist(), *self._second.tolist(), *joints, *known, self.source.hips}

    def whole(
        self,
        rotations: Array,
        heads: Array,
        fps: float,
        contacts: Mask | None = None,
        tell: Callable[[str], None] = lambda piece: None,
    ) -> Retargeted:
        """A whole motion.

        Args:
            rotations: (T, B, 4) world_from_bone of the source.
            heads: (T, B, 3) metres, where its bones start in the world.
            fps: frames per second.
            contacts: (T, 2) True where the left and the right foot stand; None to find out.
            tell: is called with each piece before it begins: "contacts", "feet", "hands"; what it raises ends
                the work.

        Raises:
            ShapeError: an array has another shape or no frames, or a frame of a mapped bone isn't finite.
        """
        rotations, heads = self._checked(rotations, heads)
        if contacts is not None and np.shape(contacts) != (len(heads), 2):
            raise ShapeError(f"contacts has shape {np.shape(contacts)}, expected ({len(heads)}, 2)")
        points = foot_points(self.source, rotations, heads)
        if points is None:
            return self._finished(self._posed(rotations, heads, 0.0), None)
        floor = floor_height(points, self.source.soles, fps, self.source.leg)
        posed = self._posed(rotations, heads, floor)
        if self.options.contacts == "off":
            return self._finished(posed, None)
        tell("contacts")
        if contacts is None:
            contacts = source_contacts(self.source, points, fps, floor)
        heights = size_ratio(self.source, self.target) * foot_heights(self.source, points)
        feet = SourceFeet(contacts, heights, floor)
        kept = self.options.scale is not None
        tell("feet")
        after, contacts = plant_feet(posed, self._limbs, self.target, feet, fps, self._toes, kept)
        if self.options.contacts == "feet and hands":
            tell("hands")
            strayed = (after.centre - posed.centre) * (1.0, 1.0, 0.0)
            after = self._reaching(after, heads, strayed, floor, fps)
        return self._finished(after, contacts)

    def _reaching(
        self, posed: Posed, heads: Array, strayed: Array, floor: float, fps: float
    ) -> Posed:
        hands = SourceHands.of(self.source, heads, floor)
        if hands is None:
            return posed
        over = posed.moved(np.array([0.0, 0.0, -floor]))
        rests = (self.source, self.target)
        found = reaching(over, self._limbs, self._places, hands, rests, self.ratio, strayed, fps)
        return posed.turned(found.turns)

    def step(self, rotations: Array, heads: Array) -> Retargeted:
        """One frame of a stream, (B, 4) and (B, 3), as T = 1; feet and hands follow the limbs' directions."""
        rotations, heads = self._checked(np.asarray(rotations)[None], np.asarray(heads)[None])
        return self._finished(self._posed(rotations, heads, 0.0), None)

    def _checked(self, rotations: Array, heads: Array) -> tuple[Array, Array]:
        count = len(self.source.bones)
        rotations = checked("rotations", rotations, (None, count, 4))
        heads = checked("heads", heads, (len(rotations), count, 3))
        if not len(rotations):
            raise ShapeError("the motion has no frames; expected at least one")
        for what, values in (("rotation", rotations), ("place", heads)):
            there = np.isfinite(values[:, self._read]).all(axis=-1)
            if not there.all():
                frame, row = (int(k) for k in np.argwhere(~there)[0])
                name = self.source.bones.names[self._read[row]]
                raise ShapeError(
                    f"frame {frame} of bone {name!r} has no finite {what}; fill the gap before retargeting"
                )
        return rotations, heads

    def _posed(self, rotations: Array, heads: Array, floor: float) -> Posed:
        """Bones turned as the source's, the hips where its hips are."""
        turns = quaternion.multiply(rotations[:, self._first], self._after)
        if len(self._mixed):
            other = quaternion.multiply(rotations[:, self._second[self._mixed]], self._after_second)
            turns[:, self._mixed] = quaternion.slerp(
                turns[:, self._mixed], other, self._fraction[self._mixed]
            )
        self._aim(turns, heads)
        centre = travelled(
            hip_centre(self.source, heads), self.source, self.target, self.ratio, floor
        )
        return Posed(self._carriage, turns, centre)

    def _aim(self, turns: Array, heads: Array) -> None:
        """Make limbs' directions the source's where its joints move against each other."""
        if not self._aims:
            return
        places, starts, ends, directions = (
            list(column) for column in zip(*self._aims, strict=True)
        )
        wanted = heads[:, ends] - heads[:, starts]
        length = np.sqrt((wanted * wanted).sum(-1, keepdims=True))
        now = quaternion.rotate(turns[:, places], np.array(directions))
        wanted = np.where(length > 1e-9, wanted / np.maximum(length, 1e-9), now)
        apart = np.abs(wanted - now).max(axis=(0, 2))
        for k in np.flatnonzero(apart > _RIGID):
            aim = quaternion.shortest_arc(now[:, k], wanted[:, k])
            turns[:, places[k]] = quaternion.multiply(aim, turns[:, places[k]])

    def _finished(self, posed: Posed, contacts: Mask | None) -> Retargeted:
        """Bones' rotations and places, with the root as asked."""
        if self.options.root == "in place":
            posed = posed.moved((self.target.centre - posed.centre) * (1.0, 1.0, 0.0))
        turns, heads = posed.turns, posed.heads
        driven = [drive.bone for drive in self._drives]
        if self._twists:
            driven, turns, heads = self._with_twists(posed, driven)
        places: tuple[int, ...] = (self.target.hips,)
        if self.options.root == "bone":
            root = self.target.roles["root"][0]
            driven, places = [root, *driven], (root, *places)
            turn = heading(posed.turns[:, 0])
            turns = np.concatenate([turn[:, None], turns], axis=1)
            heads = np.concatenate([self._root(turn, posed)[:, None], heads], axis=1)
        rests = quaternion.normalised(self.target.bones.rotations[driven])
        rotations = quaternion.continuous(quaternion.multiply(turns, rests))
        find_limbs = partial(self._table.targets, posed)
        return Retargeted(tuple(driven), rotations, heads, places, contacts, find_limbs)

    def _with_twists(self, posed: Posed, driven: list[int]) -> tuple[list[int], Array, Array]:
        """Bones, turns and heads with those of twist bones, which may be a limb's own bone."""
        turns, heads = twisted(posed, self._twists)
        found, own = np.array(posed.turns), [bone.bone for bone in self._twists]
        for place, bone in enumerate(own):
            if bone in driven:
                found[:, driven.index(bone)] = turns[:, place]
        fresh = [place for place, bone in enumerate(own) if bone not in driven]
        return (
            [*driven, *(own[place] for place in fresh)],
            np.concatenate([found, turns[:, fresh]], axis=1),
            np.concatenate([posed.heads, heads[:, fresh]], axis=1),
        )

    def _root(self, turn: Array, posed: Posed) -> Array:
        """(T, 3) metres, the root bone on the floor under the body."""
        rest = self.target.bones.heads[self.target.roles["root"][0]]
        place = quaternion.rotate(turn, rest - self.target.centre) + posed.centre
        place[:, 2] = rest[2]
        return place


retargeter_between = kept(Retargeter)  # the same one between rigs and maps that are the same
