"""What the panel of retargeting asks for: gathered once, then free of Blender's data."""

from collections.abc import Generator
from dataclasses import dataclass, replace
from pathlib import Path

import bpy

from ..capture.formats import read_motion
from ..capture.sources import read_source
from ..rig.errors import SceneError
from ..rig.retarget import BoneMap, RetargetOptions, SourceMotion, load_map, match_bones
from ..scene.apply import solved_task
from ..scene.clock import scene_fps
from ..scene.importing import IMPORTED_SUFFIXES, read_motion_file
from ..scene.retarget_target import Target
from ..scene.retargeting import Task
from ..scene.rigify_controls import ControlMode
from ..scene.source_motion import sampled_motion
from .bone_table import target_of, told_map

__all__ = ["Asked", "asked", "motion_path", "reading"]


@dataclass(frozen=True, eq=False)
class Asked:
    """One retargeting.

    Attributes:
        source: "SOLVED", "ARMATURE" or "FILE".
        path: file of the motion; None of an armature.
        person: of a file with several; empty for the one seen longest.
        source_map: file of what the source's bones do; None to match them.
        target, target_map, options, controls: as in a `Task`.
        character: full name of the object, which undo may replace.
        called: its name.
        fps: of the scene.
        start: scene frame on which the motion starts.
        span: first and last scene frame of the part that is wanted; None for all.
        step: every so many frames.
    """

    source: str
    path: Path | None
    person: str
    source_map: Path | None
    target: Target
    target_map: BoneMap
    options: RetargetOptions
    controls: ControlMode
    character: str
    called: str
    fps: float
    start: float
    span: tuple[int, int] | None
    step: int

    def task(self, read: SourceMotion | None) -> tuple[Task, float]:
        """The task, and the scene frame of its first key.

        Args:
            read: what `reading` gave; a file that needs no Blender is read here.

        Raises:
            PallasError: the file can't be read, the range is empty, or bones can't be matched.
        """
        if self.source == "SOLVED":
            motion = read_motion(self.path)
            task = solved_task(motion, self.target, self.target_map, self.options, self.controls)
            source, start = self._part(task.source)
            return replace(task, source=source), start
        if read is None:
            source, start = self._part(read_source(self.path, person=self.person or None))
        elif self.source == "FILE":
            source, start = self._part(read)
        else:
            source, start = read, self.start
        path = self.source_map
        source_map = match_bones(source.bones) if path is None else load_map(path, source.bones)
        of = (self.target, self.target_map, self.options, self.controls)
        return Task(source, source_map, *of), start

    def _part(self, moved: SourceMotion) -> tuple[SourceMotion, float]:
        """The range and step asked for of a motion that begins on the scene's first frame."""
        low, high, start = 0, len(moved), self.start
        if self.span is not None:
            rate = moved.fps / self.fps
            low = max(round((self.span[0] - start) * rate), 0)
            high = min(round((self.span[1] - start) * rate) + 1, high)
            start += low / rate
        if low >= high:
            raise SceneError("the range holds no frame of the motion; choose another one")
        return moved.clipped(low, high, self.step), start


def asked(context: bpy.types.Context) -> Asked:
    """Gather what the panel says.

    Raises:
        SceneError: the character can't be used, or the solved motion is gone.
    """
    scene, settings = context.scene, context.scene.pallas.retarget
    character, target = target_of(context)
    span = (settings.range_start, settings.range_end) if settings.use_range else None
    start, source_map = float(scene.frame_start), None
    if settings.source == "ARMATURE":
        span = span or _armature_range(settings)
        start = float(span[0])
    if settings.source != "SOLVED" and settings.source_map:
        source_map = Path(bpy.path.abspath(settings.source_map))
    return Asked(
        settings.source,
        _path(context),
        settings.part,
        source_map,
        target,
        told_map(settings, character, target) or match_bones(target.bones),
        RetargetOptions(contacts=settings.contacts, root=settings.root),
        settings.controls,
        character.name_full,
        character.name,
        scene_fps(scene),
        start,
        span,
        settings.step,
    )


def reading(
    context: bpy.types.Context, wanted: Asked, frame: int | None = None
) -> Generator[float, None, SourceMotion] | None:
    """Read in slices what only Blender's main thread can read; None where there is nothing.

    Args:
        context: of the panel.
        wanted: what is asked for.
        frame: only this one of an armature's; None for all of them.
    """
    settings = context.scene.pallas.retarget
    if wanted.source == "ARMATURE":
        first, last = wanted.span if frame is None else (frame, frame)
        return sampled_motion(settings.armature, first, last, step=wanted.step)
    if wanted.path is not None and wanted.path.suffix.lower() in IMPORTED_SUFFIXES:
        return _imported(wanted)
    return None


def motion_path(settings: bpy.types.PropertyGroup) -> Path:
    """The panel's file of a motion."""
    return Path(bpy.path.abspath(settings.file))


def _imported(wanted: Asked) -> Generator[float, None, SourceMotion]:
    """At once: Blender's importers can't be interrupted."""
    yield 0.0
    return read_motion_file(wanted.path, clip=wanted.person or None)


def _path(context: bpy.types.Context) -> Path | None:
    settings = context.scene.pallas.retarget
    if settings.source == "ARMATURE":
        return None
    if settings.source == "FILE":
        return motion_path(settings)
    path = Path(context.scene.pallas.solve.motion)
    if not path.exists():
        raise SceneError("the solved motion is gone with the last session; solve again")
    return path


def _armature_range(settings: bpy.types.PropertyGroup) -> tuple[int, int]:
    animation = settings.armature.animation_data
    if animation is None or animation.action is None:
        raise SceneError(
            f"{settings.armature.name!r} has no Action; choose a range of frames, or another armature"
        )
    first, last = animation.action.frame_range
    return round(first), round(last)
