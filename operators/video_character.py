"""Who gets the motion of a video: a character of the scene, or the embedded one in the person's size."""

from collections.abc import Callable
from dataclasses import dataclass

import bpy

from ..rig.motion import Motion
from ..rig.retarget import BoneMap, RetargetOptions, match_bones
from ..scene.apply import solved_task
from ..scene.camera_person import add_person, embedded_target, leg_ratio, scaled_target
from ..scene.retarget_target import Target
from ..scene.retargeting import Keys, retargeted_keys, write_retargeted
from ..scene.rigify_controls import ControlMode
from .bone_table import own_character, target_of, told_map

__all__ = ["Moved", "Performer", "performer", "write_moved"]


@dataclass(frozen=True, eq=False)
class Performer:
    """A character before it is moved, free of Blender's data.

    Attributes:
        name: full name of the object, which undo may replace; None for a new embedded character.
        target, target_map, options, controls: as of a retargeting.
    """

    name: str | None
    target: Target
    target_map: BoneMap
    options: RetargetOptions
    controls: ControlMode

    def moved(self, motion: Motion, tell: Callable[[str, float], None]) -> "Moved":
        """Find the keys; this runs in a thread."""
        ratio, target = 1.0, self.target
        if self.name is None:
            ratio = leg_ratio(motion, target, self.target_map)
            target = scaled_target(target, ratio)
        task = solved_task(motion, target, self.target_map, self.options, self.controls)
        return Moved(self, retargeted_keys(task, tell), ratio)


@dataclass(frozen=True, eq=False)
class Moved:
    """Keys for a performer, and by how much a new one is scaled."""

    performer: Performer
    keys: Keys
    ratio: float


def performer(context: bpy.types.Context) -> Performer:
    """The character that the panel of retargeting names; the embedded one if it names none.

    Raises:
        SceneError: the character can't be used.
    """
    settings = context.scene.pallas.retarget
    options = RetargetOptions(contacts=settings.contacts, root=settings.root)
    if settings.target is None:
        target = embedded_target()
        return Performer(None, target, match_bones(target.bones), options, "ik")
    character, target = target_of(context)
    bone_map = told_map(settings, character, target) or match_bones(target.bones)
    return Performer(character.name_full, target, bone_map, options, settings.controls)


def write_moved(
    context: bpy.types.Context, moved: Moved, name: str, start: float
) -> tuple[bpy.types.Object, bpy.types.Action, str]:
    """Write the keys as a new Action.

    Args:
        context: of the button.
        moved: what was found.
        name: of the Action.
        start: scene frame of the first key.

    Returns:
        The character, the Action, and what to tell of the character.

    Raises:
        SceneError: the character is gone.
    """
    made = ""
    settings = context.scene.pallas.retarget
    if moved.performer.name is None:
        armature = add_person("PALLAS", moved.ratio)
        settings.target = armature
        made = f" (new, {100.0 * moved.ratio:.0f} % of its size)"
    else:
        armature, made = own_character(context, moved.performer.name)
    action = write_retargeted(armature, moved.keys, f"{name} {armature.name}", start)
    if settings.fit_range:
        context.scene.frame_end = max(context.scene.frame_end, round(action.frame_range[1]))
    return armature, action, made
