"""Several takes of one recording on one character: the first to be seen, the others at hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import bpy

from ..rig.motion import Motion
from ..rig.retarget import BoneMap
from .action_notes import note_motion
from .apply import apply_motion
from .rigify_controls import ControlMode

__all__ = ["Take", "apply_takes"]


@dataclass(frozen=True, eq=False)
class Take:
    """A solved motion, the name that its Action gets, and the file that it is from."""

    name: str
    motion: Motion
    file: Path


def apply_takes(
    armature_object: bpy.types.Object,
    takes: Sequence[Take],
    *,
    tracks: bool = True,
    bone_map: BoneMap | None = None,
    controls: ControlMode = "ik",
) -> bpy.types.Action:
    """Write every take as an Action of its own and make the first one current.

    Args:
        armature_object: as for `apply_motion`.
        takes: one or more.
        tracks: lay all but the first on NLA tracks, muted; else they are only kept in the file.
        bone_map: as for `apply_motion`.
        controls: as for `apply_motion`.

    Returns:
        The first take's Action.

    Raises:
        SceneError: as `apply_motion` does.
    """
    actions = []
    for take in reversed(takes):  # the last one that is written is the current one
        action = apply_motion(
            armature_object, take.motion, take.name, bone_map=bone_map, controls=controls
        )
        note_motion(action, take.file)
        actions.append(action)
    first, *others = reversed(actions)
    for action in others if tracks else ():
        _add_track(armature_object.animation_data, action)
    return first


def _add_track(animation: bpy.types.AnimData, action: bpy.types.Action) -> None:
    start, end = action.frame_range
    track = animation.nla_tracks.new()
    track.name = action.name
    strip = track.strips.new(action.name, int(start), action)
    strip.action_slot = action.slots[animation.action_slot.identifier]
    strip.frame_start, strip.frame_end = start, end
    track.mute = True
