"""A dataset rendered: what is missing is done, what fails is told, and the rest goes on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import bpy

from ...rig.errors import DeviceError, OutputError, PallasError
from .clip import build_clip
from .clip_files import clip_name, write_clip_files
from .frames import record_name, render_frames
from .motions import Source, find_motions
from .plan import Task
from .spec import Spec
from .store import Store

__all__ = ["Outcome", "identity_of", "open_store", "render_tasks"]

_VERSION: Final = 5  # counted up when the same spec gives other bytes


@dataclass
class Outcome:
    """What a run did.

    Attributes:
        frames: rendered now.
        failed: number of a clip that can't be made, and why.
    """

    frames: int = 0
    failed: dict[int, str] = field(default_factory=dict)


def identity_of(spec: Spec, sources: Sequence[Source]) -> dict[str, Any]:
    """What makes a dataset this one: with the same identity, the same bytes."""
    return {
        "version": _VERSION,
        "blender": ".".join(map(str, bpy.app.version[:2])),
        "motions": [source.name for source in sources],
        "spec": spec.plain,
        "digest": spec.digest,
    }


def open_store(spec: Spec, folder: Path) -> tuple[Store, tuple[Source, ...]]:
    """The dataset's folder, and the motions that its clips draw from.

    Raises:
        FileError: a motion's file or folder isn't there.
        OutputError: the folder can't be used, or holds another dataset.
    """
    sources = find_motions(spec)
    return Store(folder, identity_of(spec, sources)), sources


def render_tasks(
    spec: Spec,
    tasks: Sequence[Task],
    store: Store,
    sources: tuple[Source, ...],
    *,
    threads: int = 0,
    tell: Callable[[Task, int], None] = lambda task, frame: None,
) -> Outcome:
    """Render what is missing of the tasks, in the present process; Blender's file is emptied.

    A clip that can't be made (a broken motion) is noted, and the others are done.

    Args:
        spec: of the dataset.
        tasks: of it.
        store: of it.
        sources: motions to draw from.
        threads: of the processor; all if 0.
        tell: is called with each frame that is done, those that were there included.

    Raises:
        OutputError: the folder can't be written: it is of no use to go on.
        DeviceError: the graphics card that the spec wants isn't there.
    """
    outcome = Outcome()
    for task in tasks:
        missing = _missing(task, store)
        for frame in sorted(set(range(task.start, task.stop)) - set(missing)):
            tell(task, frame)
        # The one who has the first frame writes what belongs to the whole clip.
        whole = task.start == 0 and not store.has(clip_name(task.clip))
        if not missing and not whole:
            continue
        if task.clip in outcome.failed:
            continue
        try:
            bpy.ops.wm.read_factory_settings(use_empty=True)
            clip = build_clip(spec, task.clip, sources, bpy.context.scene)
            if whole:
                write_clip_files(clip, store)
            count = iter(missing)

            def done() -> None:
                outcome.frames += 1
                tell(task, next(count))  # noqa: B023  called within the loop's turn

            render_frames(clip, missing, store, threads=threads, tell=done)
        except (OutputError, DeviceError):
            raise
        except PallasError as error:
            outcome.failed[task.clip] = str(error)
    return outcome


def _missing(task: Task, store: Store) -> list[int]:
    return [f for f in range(task.start, task.stop) if not store.has(record_name(task.clip, f))]
