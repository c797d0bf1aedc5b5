"""Orientation transfer: a motion of any skeleton, brought to the 24-joint body.

Skeletons differ in their rest pose: one stands with its legs apart, another with its arms down. The
rotation of a joint means nothing without it. So a driven joint gets

    world_from_target = aim(t) * world_from_driver(t) * driver_from_target

where the constant `driver_from_target` turns the target's rest bone onto the source's rest bone and
`aim(t)` is the smallest rotation that makes the bone's direction the source's exactly (it is the
identity when one rigid source bone drives the joint). Directions and, because the body gets the
subject's own bone lengths, joint positions stay where they were.
"""

from typing import Final

import numpy as np

from . import quaternion
from .arrays import Array
from .errors import ShapeError
from .joint_maps import JOINT_MAPS, Between, From, JointMap, Place, Tip
from .motion import Motion
from .skeleton import BODY_JOINTS, BODY_PARENTS, Skeleton, body_skeleton

__all__ = ["body_from_motion", "bone_errors", "detect_map", "fitted_body", "transfer_motion"]

_CENTRE: Final = ("spine1", "spine2", "spine3", "neck", "head")
# A joint's bone runs to this child; joints that aren't here have no bone of their own to aim.
_BONES: Final[dict[str, str]] = {
    "spine1": "spine2",
    "spine2": "spine3",
    "spine3": "neck",
    "neck": "head",
    **{
        f"{side}_{joint}": f"{side}_{child}"
        for side in ("left", "right")
        for joint, child in (
            ("hip", "knee"), ("knee", "ankle"), ("ankle", "foot"), ("collar", "shoulder"),
            ("shoulder", "elbow"), ("elbow", "wrist"), ("wrist", "hand"),
        )
    },
}  # fmt: skip
# Bones whose rest direction is the body's own: legs down, arms sideways. The trunk keeps the source's.
_LIMBS: Final = ("knee", "ankle", "elbow", "wrist", "hand")
_SHORTEST = 1e-4  # metres; the direction of a shorter bone means nothing
_FOOT_PITCH = (np.radians(5.0), np.radians(40.0))
_SOLE = 0.010  # height of a foot joint above the sole, as a fraction of body height
_STANDARD_HEIGHT = 1.70


class _Source:
    """A source motion with the places of a map looked up."""

    def __init__(self, motion: Motion, joint_map: JointMap) -> None:
        self.skeleton, self.map = motion.skeleton, joint_map
        self.world_from_joint, self.origins = motion.world()
        count = len(motion.skeleton)
        self.rest_rotations = np.broadcast_to(quaternion.IDENTITY, (1, count, 4))
        self.rest_origins = motion.skeleton.rest_positions[None]

    def _position(self, place: Place, rotations: Array, origins: Array) -> Array:
        if isinstance(place, Between):
            first = self._position(place.first, rotations, origins)
            second = self._position(place.second, rotations, origins)
            return first + place.fraction * (second - first)
        if isinstance(place, Tip):
            joint = self.skeleton.index(place.joint)
            tip = np.nan_to_num(self.skeleton.tips[joint])
            return origins[:, joint] + quaternion.rotate(rotations[:, joint], tip)
        return origins[:, self.skeleton.index(place)]

    def positions(self, joint: str) -> Array:
        """(T, 3) of a target joint."""
        return self._position(self._place(joint), self.world_from_joint, self.origins)

    def rest_position(self, joint: str) -> Array:
        """(3,) of a target joint."""
        return self._position(self._place(joint), self.rest_rotations, self.rest_origins)[0]

    def driver(self, joint: str) -> Array:
        """(T, 4) world_from_driver of a target joint."""
        return self._rotation(self.map[joint].driver)

    def _rotation(self, place: Place) -> Array:
        if isinstance(place, Between):
            first, second = self._rotation(place.first), self._rotation(place.second)
            return quaternion.slerp(first, second, place.fraction)
        name = place.joint if isinstance(place, Tip) else place
        return self.world_from_joint[:, self.skeleton.index(name)]

    def _place(self, joint: str) -> Place:
        source = self.map[joint]
        return source.driver if source.origin is None else source.origin

    def facing(self) -> Array:
        """(4,) turn about the vertical from the body's facing to the source's rest pose.

        Rest poses face an axis or a diagonal; what is left is one hip set further back than the other.
        """
        left = self.rest_position("left_hip") - self.rest_position("right_hip")
        eighth = np.pi / 4.0
        yaw = np.round(np.arctan2(left[1], left[0]) / eighth) * eighth
        return quaternion.from_axis_angle(np.array([0.0, 0.0, 1.0]), np.asarray(yaw))


def detect_map(skeleton: Skeleton) -> JointMap:
    """The joint map whose joints the skeleton has.

    Raises:
        ShapeError: none fits.
    """
    return JOINT_MAPS[_detected(skeleton)]


def _detected(skeleton: Skeleton) -> str:
    names = set(skeleton.names)
    for name, joint_map in JOINT_MAPS.items():
        if all(_names(source) <= names for source in joint_map.values()):
            return name
    raise ShapeError(
        f"a skeleton with the joints {', '.join(skeleton.names[:12])}… is none that is known: "
        f"{', '.join(JOINT_MAPS)}; give a joint map"
    )


def _names(source: From) -> set[str]:
    def of(place: Place | None) -> set[str]:
        if isinstance(place, Between):
            return of(place.first) | of(place.second)
        if isinstance(place, Tip):
            return {place.joint}
        return set() if place is None else {place}

    return of(source.driver) | of(source.origin)


def body_from_motion(motion: Motion, source: str | JointMap = "auto") -> Motion:
    """Bring a motion to the 24-joint body with the performer's own proportions.

    Args:
        motion: of a skeleton that stands upright at rest.
        source: a joint map, the name of one in `JOINT_MAPS`, or "auto" to tell it by the joint names.

    Raises:
        ShapeError: no map of that name, or none fits the skeleton.
    """
    if not isinstance(source, str):
        return transfer_motion(motion, source)
    name = _detected(motion.skeleton) if source == "auto" else source
    if name not in JOINT_MAPS:
        raise ShapeError(f"no joint map {name!r}; there are: auto, {', '.join(JOINT_MAPS)}")
    return motion if name == "pallas" else transfer_motion(motion, JOINT_MAPS[name])


def transfer_motion(motion: Motion, joint_map: JointMap, target: Skeleton | None = None) -> Motion:
    """Bring a motion to a 24-joint skeleton, bone direction by bone direction.

    Args:
        motion: T frames of the source.
        joint_map: target joint to where its pose comes from; pelvis and hips must be there.
        target: the 24 joints to move; None to build them with the source's proportions.

    Returns:
        T frames of the target at the source's rate; the pelvis is where it was in the source.

    Raises:
        ShapeError: the source lacks a joint of the map.
    """
    source = _Source(motion, joint_map)
    body = _fitted(source) if target is None else target
    alignment = _alignments(source, body)
    world = np.empty((len(motion), len(body), 4))
    for index, name in enumerate(body.names):
        if name not in joint_map:
            world[:, index] = world[:, body.parents[index]]
            continue
        turned = quaternion.multiply(source.driver(name), alignment[name])
        world[:, index] = _aimed(turned, source, body, name)
    return Motion.from_world(body, source.positions("pelvis"), world, motion.fps)


def bone_errors(motion: Motion, body: Motion, joint_map: JointMap) -> dict[str, Array]:
    """Angles (T,) in radians between each aimed bone of `body` and the same bone of its source."""
    source = _Source(motion, joint_map)
    _, origins = body.world()
    errors = {}
    for joint, child in _BONES.items():
        if joint not in joint_map or child not in joint_map:
            continue
        wanted = source.positions(child) - source.positions(joint)
        start, end = body.skeleton.index(joint), body.skeleton.index(child)
        if np.median(np.linalg.norm(wanted, axis=-1)) > _SHORTEST:
            errors[joint] = _angle(wanted, origins[:, end] - origins[:, start])
    return errors


def _angle(first: Array, second: Array) -> Array:
    sine = np.linalg.norm(np.cross(first, second), axis=-1)
    angle: Array = np.arctan2(sine, np.sum(first * second, axis=-1))
    return angle


def _alignments(source: _Source, body: Skeleton) -> dict[str, Array]:
    """For every driven joint, the constant driver_from_target (4,)."""
    facing = source.facing()
    found: dict[str, Array] = {}
    for index, name in enumerate(body.names):
        parent = body.names[body.parents[index]]
        if name == "pelvis" or name in _CENTRE:
            found[name] = facing
        elif name not in source.map or name not in _BONES or _BONES[name] not in source.map:
            found[name] = found[parent]
        else:
            found[name] = _alignment(source, body, name, facing)
    return found


def _alignment(source: _Source, body: Skeleton, name: str, facing: Array) -> Array:
    child = body.index(_BONES[name])
    mine = quaternion.rotate(facing, body.offsets[child])
    theirs = source.rest_position(_BONES[name]) - source.rest_position(name)
    if np.linalg.norm(theirs) < _SHORTEST:
        return facing
    if not name.endswith("_ankle"):
        return quaternion.multiply(quaternion.shortest_arc(mine, theirs), facing)
    # A foot rolls with the leg it hangs from, so the leg's rest direction is the second one.
    knee = name.replace("ankle", "knee")
    shank = source.rest_position(name) - source.rest_position(knee)
    my_shank = quaternion.rotate(facing, body.offsets[body.index(name)])
    mine_frame = quaternion.from_frames(mine, my_shank)
    their_frame = quaternion.from_frames(theirs, shank)
    turn = quaternion.multiply(their_frame, quaternion.conjugate(mine_frame))
    return quaternion.multiply(turn, facing)


def _aimed(turned: Array, source: _Source, body: Skeleton, name: str) -> Array:
    child = _BONES.get(name)
    if child is None or child not in source.map:
        return turned
    wanted = source.positions(child) - source.positions(name)
    if np.min(np.linalg.norm(wanted, axis=-1)) < _SHORTEST:
        return turned
    have = quaternion.rotate(turned, body.offsets[body.index(child)])
    return quaternion.multiply(quaternion.shortest_arc(have, wanted), turned)


def fitted_body(motion: Motion, joint_map: JointMap) -> Skeleton:
    """The 24-joint body with the performer's proportions, left and right made equal.

    At rest the legs hang straight down and the arms point straight sideways; trunk, collars and hips keep
    the shape that the source gives them. Bones the source lacks are scaled from the standard body.

    Raises:
        ShapeError: the source lacks a joint of the map.
    """
    return _fitted(_Source(motion, joint_map))


def _fitted(source: _Source) -> Skeleton:
    standard = body_skeleton(_STANDARD_HEIGHT)
    steps = {name: _rest_step(source, name) for name in BODY_JOINTS[1:] if _known(source, name)}
    scale = _scale(source, steps, standard)
    offsets = standard.offsets * scale
    for name, step in steps.items():
        index = BODY_JOINTS.index(name)
        other = steps[_mirror_name(name)] * (-1.0, 1.0, 1.0)
        length = 0.5 * (_length(source, name) + _length(source, _mirror_name(name)))
        if name.endswith(_LIMBS):
            offsets[index] *= length / np.linalg.norm(offsets[index])
        elif name.endswith("_foot"):
            offsets[index] = _foot_offset(source, length, offsets[index])
        else:
            offsets[index] = 0.5 * (step + other)
    offsets[0] = (0.0, 0.0, _SOLE * scale * _STANDARD_HEIGHT - _lowest(offsets))
    return Skeleton(BODY_JOINTS, BODY_PARENTS, offsets, standard.tips * scale)


def _known(source: _Source, name: str) -> bool:
    parent = BODY_JOINTS[BODY_PARENTS[BODY_JOINTS.index(name)]]
    return name in source.map and parent in source.map and _length(source, name) > _SHORTEST


def _rest_step(source: _Source, name: str) -> Array:
    """(3,) from the parent to the joint in the source's rest pose, turned to face -Y."""
    parent = BODY_JOINTS[BODY_PARENTS[BODY_JOINTS.index(name)]]
    step = source.rest_position(name) - source.rest_position(parent)
    return quaternion.rotate(quaternion.conjugate(source.facing()), step)


def _length(source: _Source, name: str) -> float:
    parent = BODY_JOINTS[BODY_PARENTS[BODY_JOINTS.index(name)]]
    gaps = source.positions(name) - source.positions(parent)
    return float(np.median(np.linalg.norm(gaps, axis=-1)))


def _scale(source: _Source, steps: dict[str, Array], standard: Skeleton) -> float:
    """Size of the performer against the standard body, told by the legs."""
    legs = [n for n in steps if n.endswith(("_knee", "_ankle"))] or list(steps)
    theirs = sum(_length(source, name) for name in legs)
    mine = sum(float(np.linalg.norm(standard.offsets[standard.index(name)])) for name in legs)
    return theirs / mine


def _foot_offset(source: _Source, length: float, standard: Array) -> Array:
    """From ankle to foot joint: the source's length, and its pitch against the shank at rest."""
    if length < 0.5 * np.linalg.norm(standard):  # a stub: the source has no real foot
        return standard
    pitches = []
    for side in ("left", "right"):
        knee, ankle, foot = (source.rest_position(f"{side}_{j}") for j in ("knee", "ankle", "foot"))
        pitches.append(0.5 * np.pi - _angle(ankle - knee, foot - ankle))
    pitch = np.clip(np.mean(pitches), *_FOOT_PITCH)
    return length * np.array([0.0, -np.cos(pitch), -np.sin(pitch)])


def _lowest(offsets: Array) -> float:
    """Height of the left foot joint relative to the pelvis at rest, metres."""
    chain = [BODY_JOINTS.index(f"left_{name}") for name in ("hip", "knee", "ankle", "foot")]
    return float(offsets[chain, 2].sum())


def _mirror_name(name: str) -> str:
    if name.startswith("left_"):
        return name.replace("left_", "right_")
    return name.replace("right_", "left_")
