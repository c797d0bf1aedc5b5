"""Retarget: any motion onto any rig; a preview of one frame, and the Action."""

import warnings
from dataclasses import dataclass, replace
from pathlib import Path

import bpy
from bpy.props import StringProperty

from ..capture.textfile import FormatWarning
from ..rig.retarget import BoneMap, SourceMotion
from ..scene.clock import scene_fps
from ..scene.retarget_target import constrained
from ..scene.retargeting import Keys, pose_first_frame, retargeted_keys, write_retargeted
from .bone_table import own_character
from .common import LongOperator, PallasOperator
from .retarget_job import RetargetJob, Tell
from .retarget_task import Asked, asked, reading

__all__ = ["PALLAS_OT_preview_retarget", "PALLAS_OT_retarget"]

_MATCHED = 0.02  # of the time beside the main thread, until bones are matched
_FOUND = 0.9  # until the keys are found; the rest writes them


@dataclass(frozen=True, eq=False)
class _Found:
    """Keys to be written: of which character, under which name, from which scene frame on."""

    wanted: Asked
    target_map: BoneMap
    keys: Keys
    name: str
    start: float
    told: tuple[str, ...]  # what the file's reader guessed, repaired or left out


class PALLAS_OT_retarget(LongOperator, bpy.types.Operator):
    """Write the motion onto the character as a new Action; nothing else of it changes, Esc cancels. The viewport stays free but while an armature is read"""  # noqa: E501  a tooltip

    bl_idname = "pallas.retarget"
    bl_label = "Retarget"
    bl_options = {"REGISTER", "UNDO"}

    name: StringProperty(name="Action", description="Name of the new Action; the motion's if empty")

    @classmethod
    def poll(cls, context):
        return _ready(cls, context)

    def start(self, context):
        wanted = asked(context)
        take, name = Path(context.scene.pallas.capture.take).stem, self.name
        steps = reading(context, wanted)
        return RetargetJob(steps, lambda read, tell: _found(wanted, read, name, take, tell))

    def modal(self, context, event):
        if event.type not in {"TIMER", "ESC"} and self._job.reading:
            return {"RUNNING_MODAL"}  # an undo would take away what is being read
        return super().modal(context, event)

    def finish(self, context, result):
        for told in result.told:
            self.report({"WARNING"}, told)
        armature, made = own_character(context, result.wanted.character)
        action = write_retargeted(armature, result.keys, result.name, result.start)
        first, last = action.frame_range
        if context.scene.pallas.retarget.fit_range:
            context.scene.frame_end = max(context.scene.frame_end, round(last))
        held = constrained(armature, result.target_map)
        if held and result.wanted.target.rigify is None:
            self.report({"WARNING"}, f"Constraints act on {_some(held)} after the keys")
        count = len(result.keys.times)
        return (
            f"{armature.name}{made}: {count} frames on {first:.0f} to {last:.0f} in {action.name}"
        )

    def _show(self, context, seconds):
        super()._show(context, seconds)
        told = f"{100.0 * self._job.fraction:.0f} %, {self._job.piece}"
        context.workspace.status_text_set(f"Retarget: {told}, {seconds:.0f} s (Esc cancels)")


class PALLAS_OT_preview_retarget(PallasOperator, bpy.types.Operator):
    """Put the character into the motion's pose at the current frame, without keys; undo takes it back"""

    bl_idname = "pallas.preview_retarget"
    bl_label = "Preview Pose"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context):
        return _ready(cls, context)

    def run(self, context):
        scene, wanted = context.scene, asked(context)
        now = scene.frame_current
        if wanted.source == "ARMATURE":
            now = min(max(now, wanted.span[0]), wanted.span[1])
        task, start = RetargetJob(
            reading(context, wanted, now), lambda read, _: wanted.task(read)
        ).result()
        seconds = (scene.frame_current_final - start) / scene_fps(scene)
        frame = min(max(round(seconds * task.source.fps), 0), len(task.source) - 1)
        keys = retargeted_keys(
            replace(
                task,
                source=task.source.clipped(frame, frame + 1),
                options=replace(task.options, contacts="off"),
            )
        )
        armature, made = own_character(context, wanted.character)
        pose_first_frame(armature, keys)
        shown = f"frame {now}" if wanted.source == "ARMATURE" else f"frame {frame}"
        return f"{armature.name}{made}: {shown} of the motion"


def _ready(cls: type, context: bpy.types.Context) -> bool:
    settings = context.scene.pallas.retarget
    missing = {
        "SOLVED": None if context.scene.pallas.solve.motion else "Solve a take first",
        "ARMATURE": None if settings.armature else "Choose the armature that moves",
        "FILE": None if settings.file else "Choose a motion file",
    }[settings.source]
    if missing is None and settings.target is None:
        missing = "Choose the character"
    if missing is not None:
        cls.poll_message_set(missing)
    return missing is None


def _found(wanted: Asked, read: SourceMotion | None, name: str, take: str, tell: Tell) -> _Found:
    """The retargeting, in a thread of its own."""
    tell("reading" if read is None else "matching", 0.0)
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always", FormatWarning)
        task, start = wanted.task(read)
    told = tuple(str(warning.message) for warning in found)
    span = _FOUND - _MATCHED
    keys = retargeted_keys(task, lambda piece, part: tell(piece, _MATCHED + span * part))
    motion = take if wanted.source == "SOLVED" else task.source.name
    named = name or f"{motion} {wanted.called}"
    return _Found(wanted, task.target_map, keys, named, start, told)


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
