"""People in motion: each on a motion of its own, apart from each other, with what moves where."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import bpy
import numpy as np

from ...rig import quaternion
from ...rig.motion import Motion
from ...rig.retarget import match_bones
from ...rig.retarget.body import body_bones, joint_bones
from ...rig.retarget.result import RetargetOptions
from ...rig.retarget.retargeter import Retargeter
from ...rig.retarget.source import SourceMotion
from ...rig.skeleton import BODY_JOINTS, Skeleton, body_skeleton
from ...scene.clock import scene_fps
from ...scene.retarget_target import read_target
from ...scene.retargeting import Task, retargeted_keys, write_retargeted
from ..people import Person
from ..scene_parts import ground
from .motions import turned

__all__ = ["Actor", "arranged", "set_in_motion"]

_APART: Final = 0.95  # metres between the middles of two people, at least
_TRIES: Final = 60


@dataclass(frozen=True, eq=False)
class Actor:
    """One person of a clip.

    Attributes:
        number: among the clip's people, from 0.
        person: the figure.
        joints: the bone that follows each of our joints.
        motion_name: of what it does.
        motion: the same on our 24 joints, from `lead` seconds before the clip's first frame.
        lead: seconds.
    """

    number: int
    person: Person
    joints: dict[str, str]
    motion_name: str
    motion: Motion
    lead: float


def arranged(
    motions: Sequence[SourceMotion], random: np.random.Generator, spread: float
) -> list[SourceMotion]:
    """Turn and place each motion on the floor so that no two people come too near, as far as there is room.

    Args:
        motions: of all people, over the same time.
        random: what turns and places are drawn from.
        spread: metres around the middle where people stand; grows where they find no room.
    """
    placed: list[SourceMotion] = []
    for motion in motions:
        reach = spread
        for _ in range(_TRIES):
            angle, far = random.uniform(0.0, 2.0 * np.pi), reach * np.sqrt(random.uniform())
            heading = float(random.uniform(0.0, 2.0 * np.pi))
            place = (far * np.cos(angle), far * np.sin(angle)) if len(motions) > 1 else (0.0, 0.0)
            tried = turned(motion, heading, place)
            if all(_distance(tried, other) > _APART for other in placed):
                break
            reach *= 1.06
        placed.append(tried)
    return placed


def _distance(one: SourceMotion, other: SourceMotion) -> float:
    """The least distance over the floor between any bones of two people, or their roots if that is more."""
    seconds = min(one.duration, other.duration)
    times = np.arange(0.0, seconds + 1e-9, 0.1)
    ways = [m.heads[np.minimum((times * m.fps).astype(int), len(m) - 1)] for m in (one, other)]
    between = np.linalg.norm(ways[0][:, 0, :2] - ways[1][:, 0, :2], axis=-1)
    extents = [np.linalg.norm(way[..., :2] - way[:, :1, :2], axis=-1).max(axis=-1) for way in ways]
    # Bodies are wider than their bones; where extents overlap, bones are looked at one by one.
    room = between - extents[0] - extents[1]
    close = np.flatnonzero(room < 0.2)
    least = float(between.min())
    for row in close:
        gaps = ways[0][row][:, None, :] - ways[1][row][None, :, :]
        if np.linalg.norm(gaps, axis=-1).min() < 0.3:
            return 0.0
    return least


def set_in_motion(number: int, person: Person, motion: SourceMotion, lead: float) -> Actor:
    """Write a motion onto a person, its frame at `lead` seconds on the scene's frame 1.

    Raises:
        SceneError: the motion's bones are of no known kind of body.
        ShapeError: they miss a joint that is needed.
    """
    target = read_target(person.armature)
    target_map = match_bones(target.bones)
    task = Task(
        motion,
        match_bones(motion.bones),
        target,
        target_map,
        RetargetOptions(contacts="off", fingers=False),
    )
    keys = retargeted_keys(task)
    start = 1.0 - lead * scene_fps(bpy.context.scene)
    write_retargeted(person.armature, keys, motion.name or "motion", start)
    lift = ground(person, target, keys)
    joints = joint_bones(target_map)
    body = _on_our_joints(motion, _skeleton_of(person.armature, joints), lift)
    return Actor(number, person, joints, motion.name, body, lead)


def _skeleton_of(armature: bpy.types.Object, joints: dict[str, str]) -> Skeleton:
    """Our T-pose with the figure's lengths."""
    standard = body_skeleton()
    bones = armature.data.bones
    scale = armature.matrix_world.to_scale()[0]
    heads = {joint: scale * np.array(bones[bone].head_local) for joint, bone in joints.items()}
    factors = np.ones(len(standard))
    for row, name in enumerate(standard.names):
        parent = standard.parents[row]
        if parent < 0:
            continue
        above = standard.names[parent]
        length = float(np.linalg.norm(standard.offsets[row]))
        if name in heads and above in heads and joints[name] != joints[above]:
            factors[row] = float(np.linalg.norm(heads[name] - heads[above])) / length
    return standard.scaled(factors)


def _on_our_joints(motion: SourceMotion, skeleton: Skeleton, lift: float) -> Motion:
    """The motion of our 24 joints, in the T-pose's frames, raised by `lift` metres."""
    source_map = match_bones(motion.bones)
    bones, bone_map = body_bones(skeleton, motion.bones, source_map)
    work = Retargeter(motion.bones, source_map, bones, bone_map, RetargetOptions(contacts="off"))
    found = work.whole(motion.rotations, motion.heads, motion.fps)
    world = np.tile([1.0, 0.0, 0.0, 0.0], (len(motion), len(BODY_JOINTS), 1))
    world[:, list(found.driven)] = found.rotations
    for row, parent in enumerate(skeleton.parents):
        if row not in found.driven and parent >= 0:
            world[:, row] = world[:, parent]
    root = found.heads[:, found.driven.index(0)] + np.array([0.0, 0.0, lift])
    made = Motion.from_world(skeleton, root, world, motion.fps)
    return replace(made, rotations=quaternion.normalised(made.rotations))
