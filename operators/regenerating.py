"""Regenerate Range: other legs in a range of frames of the motion that a character wears."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import bpy

from ..rig.errors import SceneError
from ..scene.action_notes import pins_of
from ..scene.leg_keys import write_legs
from ..scene.worn import Worn, leg_keys, read_worn
from .common import LongOperator, ThreadJob, animated_armature
from .solving import find_torch

if TYPE_CHECKING:
    from ..rig.motion import Motion

__all__ = ["PALLAS_OT_regenerate_legs"]


@dataclass(frozen=True, eq=False)
class _Task:
    """What is drawn, free of Blender's data: objects are named, because undo may replace them."""

    armature: str
    action: str
    worn: Worn
    part: slice  # samples
    pinned: tuple[int, ...]  # samples in the range
    seed: int
    temperature: float


class PALLAS_OT_regenerate_legs(LongOperator, bpy.types.Operator):
    """Draw the legs anew in a range of frames, as a new Action; pinned frames, the upper body and all outside the range stay. The viewport stays free, Esc cancels"""  # noqa: E501  a tooltip

    bl_idname = "pallas.regenerate_legs"
    bl_label = "Regenerate Range"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context):
        return animated_armature(cls, context)

    def start(self, context):
        find_torch(context)
        context.view_layer.update()
        task = _task(context)
        return ThreadJob(lambda: (task, _drawn(task)))

    def finish(self, context, result):
        task, motion = result
        armature = context.scene.objects.get(task.armature)
        animation = None if armature is None else armature.animation_data
        if animation is None or animation.action is None or animation.action.name != task.action:
            raise SceneError(
                f"{task.armature!r} or its Action was deleted, renamed or exchanged meanwhile; "
                "regenerate again"
            )
        action = write_legs(armature, task.worn, motion, task.part, task.pinned, task.seed)
        context.scene.frame_set(context.scene.frame_current, subframe=context.scene.frame_subframe)
        first, last = (task.worn.frames[i] for i in (task.part.start, task.part.stop - 1))
        pins = sum(first <= frame <= last for frame in pins_of(action))
        return f"{action.name}: legs of frames {first:g} to {last:g}, {pins} pinned"


def _task(context: bpy.types.Context) -> _Task:
    armature, settings = context.object, context.scene.pallas.legs
    worn = read_worn(armature)
    part = worn.samples(*_range(context, armature))
    action = armature.animation_data.action
    pinned = [sample for sample in worn.around(pins_of(action)) if part.start <= sample < part.stop]
    return _Task(
        armature.name,
        action.name,
        worn,
        part,
        tuple(pinned),
        settings.seed,
        settings.temperature,
    )


def _range(context: bpy.types.Context, armature: bpy.types.Object) -> tuple[float, float]:
    """First and last scene frame: as told, of the preview range, or of the selected leg keys.

    Raises:
        SceneError: none of these says.
    """
    scene, settings = context.scene, context.scene.pallas.legs
    if settings.use_range:
        return settings.range_start, settings.range_end
    if scene.use_preview_range:
        return scene.frame_preview_start, scene.frame_preview_end
    chosen = leg_keys(armature, selected=True)
    if len(chosen) < 2:
        raise SceneError(
            "no range is chosen; set a preview range (P in the timeline), select leg keys from its start to "
            "its end, or tick Range and give its frames"
        )
    return float(chosen[0]), float(chosen[-1])


def _drawn(task: _Task) -> "Motion":
    """The motion with other legs, in a thread of its own."""
    from ..neural.generator import GeneratorOptions, infill

    options = GeneratorOptions(seed=task.seed, temperature=task.temperature)
    return infill(task.worn.motion, task.part, pinned=task.pinned, options=options)
