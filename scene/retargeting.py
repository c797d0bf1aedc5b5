"""Put any motion on any humanoid armature, as a new Action; nothing else in the file is changed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import bpy
import numpy as np

from ..rig.arrays import Array
from ..rig.errors import SceneError
from ..rig.retarget import BoneMap
from ..rig.retarget.result import Retargeted, RetargetOptions
from ..rig.retarget.retargeter import retargeter_between
from ..rig.retarget.source import SourceMotion
from .clock import scene_fps
from .curves import CONSTANT, write_curve
from .keyframes import checked_own
from .pose_channels import BoneChannel, Placed, channels
from .pose_keys import write_channels
from .retarget_target import Target, read_target
from .rigify_controls import ControlMode, Switch, rigify_channels

__all__ = ["Keys", "Task", "pose_first_frame", "retarget", "retargeted_keys", "write_retargeted"]


_RETARGETED: Final = 0.8  # of the time until the keys are found
_PIECES: Final = {"contacts": 0.1, "feet": 0.25, "hands": 0.8}  # of that, where each begins


@dataclass(frozen=True, eq=False)
class Task:
    """One motion and the character that it goes onto.

    Attributes:
        source: the motion.
        source_map: what its bones do.
        target: the character.
        target_map: what its bones do.
        options: contacts, root motion, scale.
        controls: which controls of a Rigify rig move arms and legs.
    """

    source: SourceMotion
    source_map: BoneMap
    target: Target
    target_map: BoneMap
    options: RetargetOptions
    controls: ControlMode = "ik"


@dataclass(frozen=True, eq=False)
class Keys:
    """What is written: channels of T frames at `times`, seconds from the first, and switches of controls."""

    times: Array
    channels: list[BoneChannel]
    switches: list[Switch]
    result: Retargeted


def retargeted_keys(task: Task, tell: Callable[[str, float], None] | None = None) -> Keys:
    """Find the keys, without Blender: this may run in a thread.

    Args:
        task: what is asked for.
        tell: is called with what is done next and the fraction done, 0 to 1; what it raises ends the work.

    Raises:
        SceneError: the motion has no frames.
        ShapeError: a map doesn't fit its rig, or mapped bones have missing frames.
    """
    source, target = task.source, task.target
    if len(source) == 0:
        raise SceneError("the motion has 0 frames, expected at least 1; choose a longer range")
    tell = tell or (lambda piece, fraction: None)
    tell("retargeting", 0.0)
    work = retargeter_between(
        source.bones, task.source_map, target.bones, task.target_map, task.options
    )
    result = work.whole(
        source.rotations,
        source.heads,
        source.fps,
        tell=lambda piece: tell(piece, _RETARGETED * _PIECES[piece]),
    )
    tell("controls" if target.rigify else "channels", _RETARGETED)
    if target.rigify is not None:
        found, switches = rigify_channels(target.rig, target.rigify, result, task.controls)
    else:
        found, switches = channels(target.rig, _placed(target, result), len(source)), []
    tell("writing", 1.0)
    return Keys(source.times, found, switches, result)


def write_retargeted(
    armature_object: bpy.types.Object, keys: Keys, name: str, start: float | None = None
) -> bpy.types.Action:
    """Write the keys as a new Action of the armature; a former Action is kept in the file.

    Args:
        armature_object: the character that the keys were found for.
        keys: at times of their own: on fractions of a frame where the scene's rate differs.
        name: of the Action.
        start: scene frame of the first key; the scene's first frame if None.

    Raises:
        SceneError: the object is linked without an override.
    """
    scene = bpy.context.scene
    start = scene.frame_start if start is None else start
    frames = start + keys.times * scene_fps(scene)
    action = write_channels(armature_object, name, frames, keys.channels)
    bag = action.layers[0].strips[0].channelbag(action.slots[0])
    for switch in keys.switches:
        bone = armature_object.pose.bones[switch.bone].path_from_id()
        path = f"{bone}{'' if switch.path.startswith('[') else '.'}{switch.path}"
        value = np.array([switch.value])
        write_curve(bag, path, 0, frames[:1], value, group=switch.bone, interpolation=CONSTANT)
    return action


def pose_first_frame(armature_object: bpy.types.Object, keys: Keys) -> None:
    """Put an armature into the first frame's pose, without keys: a preview.

    Raises:
        SceneError: the object is linked without an override.
    """
    checked_own(armature_object)
    for channel in keys.channels:
        held = getattr(armature_object.pose.bones[channel.bone], channel.property)
        for column, value in zip(channel.columns, channel.values[0], strict=True):
            held[column] = value


def retarget(
    source: SourceMotion,
    source_map: BoneMap,
    armature_object: bpy.types.Object,
    target_map: BoneMap,
    options: RetargetOptions | None = None,
    *,
    controls: ControlMode = "ik",
    name: str = "",
    start: float | None = None,
) -> bpy.types.Action:
    """Retarget a motion onto an armature and write it as a new Action.

    Rest pose, transforms, constraints, drivers, custom properties and other Actions stay as they are, and so
    does the scene; keys go into each bone's own rotation mode, locked channels get none.

    Args:
        source: the motion.
        source_map: what its bones do.
        armature_object: the character, of this file or a library override.
        target_map: what its bones do; of a generated Rigify rig the map is about its ORG bones.
        options: contacts, root motion, scale.
        controls: which controls of a Rigify rig move arms and legs.
        name: of the Action; the motion's and the object's if empty.
        start: scene frame of the first key; the scene's first frame if None.

    Raises:
        SceneError: the armature can't be used (`read_target`), or the motion has no frames.
        ShapeError: a map doesn't fit its rig, or mapped bones have missing frames.
    """
    task = Task(
        source,
        source_map,
        read_target(armature_object),
        target_map,
        options or RetargetOptions(),
        controls,
    )
    keys = retargeted_keys(task)
    named = name or f"{source.name or 'PALLAS'} {armature_object.name}"
    return write_retargeted(armature_object, keys, named, start)


def _placed(target: Target, result: Retargeted) -> Placed:
    """Rotations of what is driven, and heads of what travels."""
    names = target.bones.names
    rotations = {names[bone]: result.rotations[:, i] for i, bone in enumerate(result.driven)}
    heads = {}
    for bone in result.places:
        mover, path = _mover(target, bone, result.heads[:, result.driven.index(bone)])
        heads[mover] = path
    return Placed(rotations, heads)


def _mover(target: Target, bone: int, head: Array) -> tuple[str, Array]:
    """Who moves when a bone is to be at `head` (T, 3): it, or what it is connected to, and where that is."""
    rig, rest = target.rig, target.rig.rest
    mover = bone
    while rig.connected[mover] and rest.parents[mover] >= 0:
        mover = rest.parents[mover]
    # A bone between that isn't driven keeps its pose, which is taken to be that of rest.
    return rest.names[mover], head - (rest.heads[bone] - rest.heads[mover])
