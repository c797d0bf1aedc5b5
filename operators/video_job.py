"""What the operators of video share: work that says what it does, and errors that stay in the panel."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import bpy

from ..rig.errors import PallasError
from .common import LongOperator, ProgressJob

__all__ = ["Tell", "VideoJob", "VideoOperator"]

Tell = Callable[[str, float], None]  # what is done next, and the fraction of all that is done


class VideoJob(ProgressJob):
    """A function in a thread that tells what it does and how far it is."""

    def __init__(self, function: Callable[[Tell], Any]) -> None:
        self.piece = ""

        def note(tell: Callable[[float], None], piece: str, fraction: float) -> None:
            tell(fraction)  # raises if nobody waits any more
            self.piece = piece

        super().__init__(lambda tell: function(lambda piece, fraction: note(tell, piece, fraction)))

    def result(self) -> Any:  # noqa: ANN401  what the function returns
        with _noted():
            return super().result()


class VideoOperator(LongOperator):
    """Mixin: long work whose errors and warnings stay in the panel until the next one begins.

    `begin` gathers what is needed and returns the job; `end` puts its result into the scene and returns the
    message.
    """

    def start(self, context):
        context.scene.pallas.video.problems.clear()
        with _noted():
            return self.begin(context)

    def finish(self, context, result):
        with _noted():
            return self.end(context, result)

    def warn(self, line: str) -> None:
        _note(line)
        self.report({"WARNING"}, line)

    def _show(self, context, seconds):
        super()._show(context, seconds)
        told = f"{self._job.piece}, {100.0 * self._job.fraction:.0f} %"
        context.workspace.status_text_set(f"{self.bl_label}: {told}, {seconds:.0f} s (Esc cancels)")


@contextmanager
def _noted() -> Iterator[None]:
    """Keep the user's error for the panel as well."""
    try:
        yield
    except PallasError as error:
        _note(str(error))
        raise


def _note(line: str) -> None:
    bpy.context.scene.pallas.video.problems.add().name = line
