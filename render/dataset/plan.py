"""Who renders what: clips are cut into tasks, tasks are dealt to shards."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ...rig.errors import FormatError
from .spec import Spec

__all__ = ["Task", "dealt", "image_number", "read_shard", "tasks_of"]

_LONGEST: Final = (
    25  # frames; what a killed run loses at most is one frame, so this only deals work evenly
)


@dataclass(frozen=True)
class Task:
    """Frames `start` to `stop`, the last not included, of one clip."""

    clip: int
    start: int
    stop: int


def tasks_of(spec: Spec) -> list[Task]:
    """All the work of a spec, in order."""
    count, frames = spec.dataset.clips, spec.dataset.frames
    return [
        Task(clip, start, min(start + _LONGEST, frames))
        for clip in range(count)
        for start in range(0, frames, _LONGEST)
    ]


def dealt(tasks: Sequence[Task], shard: tuple[int, int]) -> list[Task]:
    """The tasks of shard i of n, counted from 1: every n-th, so that all get as much to do."""
    number, count = shard
    return list(tasks[number - 1 :: count])


def read_shard(text: str) -> tuple[int, int]:
    """`"2/8"` as (2, 8).

    Raises:
        FormatError: it is no such text, or there is no such shard.
    """
    number, slash, count = text.partition("/")
    if slash and number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count):
        return int(number), int(count)
    raise FormatError(f"the shard is {text!r}; expected one such as 2/8, counted from 1")


def image_number(spec: Spec, clip: int, frame: int, view: int) -> int:
    """The image's id in COCO's files, from 1."""
    return (clip * spec.dataset.frames + frame) * spec.camera.views + view + 1
