"""Retarget: any motion onto any rig; the table of bones, a preview of one frame, and the Action."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import bpy
from bpy.props import StringProperty

from ..capture.formats import read_motion
from ..rig.errors import SceneError
from ..rig.motion import Motion
from ..rig.retarget import SourceMotion
from ..rig.retarget.map_file import load_map
from ..rig.retarget.matching import match_bones
from ..rig.retarget.result import RetargetOptions
from ..scene.apply import solved_task
from ..scene.clock import scene_fps
from ..scene.importing import read_motion_file
from ..scene.retarget_target import constrained
from ..scene.retargeting import Keys, Task, pose_first_frame, retargeted_keys, write_retargeted
from ..scene.source_motion import read_armature_motion
from .bone_table import own_character, target_of, told_map
from .common import LongOperator, PallasOperator, ProgressJob

__all__ = ["PALLAS_OT_preview_retarget", "PALLAS_OT_retarget"]


@dataclass(frozen=True, eq=False)
class _Work:
    """What is asked for, free of Blender's data: objects are named, because undo may replace them."""

    task: Task
    character: str
    name: str
    start: float


@dataclass(frozen=True, eq=False)
class _Found:
    work: _Work
    keys: Keys


class PALLAS_OT_retarget(LongOperator, bpy.types.Operator):
    """Write the motion onto the character as a new Action; nothing else of it changes, the viewport stays free, Esc cancels"""  # noqa: E501  a tooltip

    bl_idname = "pallas.retarget"
    bl_label = "Retarget"
    bl_options = {"REGISTER", "UNDO"}

    name: StringProperty(name="Action", description="Name of the new Action; the motion's if empty")

    @classmethod
    def poll(cls, context):
        return _ready(cls, context)

    def start(self, context):
        work = _work(context, self.name)
        return ProgressJob(lambda progress: _found(work, progress))

    def finish(self, context, result):
        work = result.work
        armature, made = own_character(context, work.character)
        action = write_retargeted(armature, result.keys, work.name, work.start)
        first, last = action.frame_range
        if context.scene.pallas.retarget.fit_range:
            context.scene.frame_end = max(context.scene.frame_end, round(last))
        held = constrained(armature, work.task.target_map)
        if held and work.task.target.rigify is None:
            self.report({"WARNING"}, f"Constraints act on {_some(held)} after the keys")
        count = len(result.keys.times)
        return (
            f"{armature.name}{made}: {count} frames on {first:.0f} to {last:.0f} in {action.name}"
        )


class PALLAS_OT_preview_retarget(PallasOperator, bpy.types.Operator):
    """Put the character into the motion's pose at the current frame, without keys; undo takes it back"""

    bl_idname = "pallas.preview_retarget"
    bl_label = "Preview Pose"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context):
        return _ready(cls, context)

    def run(self, context):
        work = _work(context, "")
        source = work.task.source
        seconds = (context.scene.frame_current_final - work.start) / scene_fps(context.scene)
        frame = min(max(round(seconds * source.fps), 0), len(source) - 1)
        task = replace(
            work.task,
            source=source.clipped(frame, frame + 1),
            options=replace(work.task.options, contacts="off"),
        )
        keys = retargeted_keys(task)
        armature, made = own_character(context, work.character)
        pose_first_frame(armature, keys)
        return f"{armature.name}{made}: frame {frame} of the motion"


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


def _work(context: bpy.types.Context, name: str) -> _Work:
    settings = context.scene.pallas.retarget
    character, target = target_of(context)
    target_map = told_map(settings, character, target) or match_bones(target.bones)
    options = RetargetOptions(contacts=settings.contacts, root=settings.root)
    if settings.source == "SOLVED":
        task = solved_task(_solved(context), target, target_map, options, settings.controls)
        source = replace(task.source, name=Path(context.scene.pallas.capture.take).stem)
        source, start = _part(context, source)
        task = replace(task, source=source)
    else:
        source, start = _source(context)
        source_map = (
            load_map(Path(bpy.path.abspath(settings.source_map)), source.bones)
            if settings.source_map
            else match_bones(source.bones)
        )
        task = Task(source, source_map, target, target_map, options, settings.controls)
    return _Work(task, character.name_full, name or f"{source.name} {character.name}", start)


def _source(context: bpy.types.Context) -> tuple[SourceMotion, float]:
    """The motion, in the range and step asked for, and the scene frame on which it starts."""
    settings = context.scene.pallas.retarget
    if settings.source == "ARMATURE":
        armature = settings.armature
        first, last = _armature_range(settings)
        return read_armature_motion(armature, first, last, step=settings.step), float(first)
    return _part(context, read_motion_file(Path(bpy.path.abspath(settings.file))))


def _solved(context: bpy.types.Context) -> Motion:
    path = Path(context.scene.pallas.solve.motion)
    if not path.exists():
        raise SceneError("the solved motion is gone with the last session; solve again")
    return read_motion(path)


def _part(context: bpy.types.Context, moved: SourceMotion) -> tuple[SourceMotion, float]:
    """The range and step asked for of a motion that begins on the scene's first frame."""
    scene, settings = context.scene, context.scene.pallas.retarget
    start = float(scene.frame_start)
    low, high = 0, len(moved)
    if settings.use_range:
        rate = moved.fps / scene_fps(scene)
        low = max(round((settings.range_start - start) * rate), 0)
        high = min(round((settings.range_end - start) * rate) + 1, high)
        start += low / rate
    if low >= high:
        raise SceneError("the range holds no frame of the motion; choose another one")
    return moved.clipped(low, high, settings.step), start


def _armature_range(settings: bpy.types.PropertyGroup) -> tuple[int, int]:
    if settings.use_range:
        return settings.range_start, settings.range_end
    animation = settings.armature.animation_data
    if animation is None or animation.action is None:
        raise SceneError(
            f"{settings.armature.name!r} has no Action; choose a range of frames, or another armature"
        )
    first, last = animation.action.frame_range
    return round(first), round(last)


def _found(work: _Work, progress: Callable[[float], None]) -> _Found:
    """The retargeting, in a thread of its own."""
    progress(0.05)
    keys = retargeted_keys(work.task)
    progress(0.95)
    return _Found(work, keys)


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
