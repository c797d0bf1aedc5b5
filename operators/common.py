"""What every operator shares: errors meet the user here, once; long work runs beside the viewport."""

import subprocess
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Generic, Protocol, TypeVar

import bpy

from ..capture.textfile import FormatWarning
from ..rig.errors import PallasError

__all__ = [
    "Job",
    "LongOperator",
    "PallasOperator",
    "ProcessJob",
    "ProgressJob",
    "ThreadJob",
    "animated_armature",
]

_T = TypeVar("_T")
_REPORT = "RuntimeError: Error: "  # how a script hears what an operator reported
_TICK = 0.1  # seconds between two looks at a job


def animated_armature(
    cls: type,
    context: bpy.types.Context,
    select: str = "Select a character",
    animate: str = "The character has no Action; apply a solved motion first",
) -> bool:
    """Whether an armature with an Action is active, for `poll`; says what is missing."""
    armature = context.object
    if armature is None or armature.type != "ARMATURE":
        cls.poll_message_set(select)
        return False
    if armature.animation_data is None or armature.animation_data.action is None:
        cls.poll_message_set(animate)
        return False
    return True


class Job(Protocol):
    """Work that goes on beside Blender and never touches its data."""

    def done(self) -> bool: ...

    def result(self) -> Any: ...  # noqa: ANN401  what the work returns; waits for it, raises its error

    def cancel(self) -> None: ...


class ThreadJob(Generic[_T]):
    """A function in a thread of its own; a cancelled one runs out unheard."""

    def __init__(self, function: Callable[[], _T]) -> None:
        self._function = function
        self._value: list[_T] = []
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def _work(self) -> None:
        try:
            self._value.append(self._function())
        except BaseException as error:  # noqa: BLE001  carried to the main thread, raised in result()
            self._error = error

    def done(self) -> bool:
        return not self._thread.is_alive()

    def result(self) -> _T:
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._value[0]

    def cancel(self) -> None:
        """Nothing to stop: nobody asks for the result any more."""


class _Cancelled(Exception):  # noqa: N818  no error: it ends a job that nobody waits for
    """Raised in the thread of a cancelled job."""


# Not ThreadJob[…]: typing would keep that, and bpy with it, until Python is gone, where Blender 4.5 hangs.
class ProgressJob(ThreadJob):
    """A function in a thread that tells how far it is; a cancelled one ends where it tells next.

    The function takes what it tells it with: a function of the fraction done, 0 to 1.
    """

    def __init__(self, function: Callable[[Callable[[float], None]], Any]) -> None:
        self.fraction = 0.0
        self._stop = threading.Event()
        super().__init__(lambda: function(self._tell))

    def _tell(self, fraction: float) -> None:
        if self._stop.is_set():
            raise _Cancelled
        self.fraction = fraction

    def cancel(self) -> None:
        self._stop.set()


class ProcessJob:
    """A program; a cancelled one is ended."""

    def __init__(self, command: Sequence[str]) -> None:
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )

    def done(self) -> bool:
        return self._process.poll() is not None

    def result(self) -> None:
        _, told = self._process.communicate()
        if self._process.returncode:
            raise PallasError(_reason(told))

    def cancel(self) -> None:
        self._process.terminate()
        self._process.communicate()


def _reason(told: str) -> str:
    """What a Blender that failed has to say: its operator's own report, else its last line."""
    lines = [line for line in told.splitlines() if line.strip()]
    reports = [line.partition(_REPORT)[2] for line in lines if _REPORT in line]
    return (reports or lines or ["the process failed without a word"])[-1]


class PallasOperator:
    """Mixin: `run` does the work and returns the message; errors of the user's are reported."""

    def execute(self, context):
        try:
            message = self.run(context)
        except PallasError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        self.report({"INFO"}, message)
        return {"FINISHED"}

    @contextmanager
    def telling(self) -> Iterator[None]:
        """Report what a reader guessed, repaired or left out."""
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always", FormatWarning)
            yield
        for warning in found:
            self.report({"WARNING"}, str(warning.message))


class LongOperator(PallasOperator):
    """Mixin for long work: from a button it runs beside the viewport, and Esc cancels it.

    `start` gathers what is needed and begins; `finish` puts the result into Blender's data and returns
    the message. From a script (`execute`) it is waited for.
    """

    def run(self, context):
        return self.finish(context, self.start(context).result())

    def invoke(self, context, event):
        if bpy.app.background:
            return self.execute(context)
        try:
            self._job = self.start(context)
        except PallasError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        self._began = time.monotonic()
        self._timer = context.window_manager.event_timer_add(_TICK, window=context.window)
        context.window_manager.modal_handler_add(self)
        context.window_manager.progress_begin(0, 100)
        return {"RUNNING_MODAL"}

    def modal(self, context, event):
        if event.type == "ESC":
            self._job.cancel()
            self._leave(context)
            self.report({"INFO"}, f"{self.bl_label} cancelled")
            return {"CANCELLED"}
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        if not self._job.done():
            self._show(context, time.monotonic() - self._began)
            return {"PASS_THROUGH"}
        self._leave(context)
        try:
            message = self.finish(context, self._job.result())
        except PallasError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        self.report({"INFO"}, message)
        return {"FINISHED"}

    def cancel(self, context):
        """Blender closes, or loads another file."""
        self._job.cancel()
        self._leave(context)

    def _show(self, context, seconds):
        # Where how long it takes isn't known, the number beside the pointer counts seconds.
        fraction = getattr(self._job, "fraction", None)
        count = seconds if fraction is None else 100.0 * fraction
        context.window_manager.progress_update(min(int(count), 99))
        share = "" if fraction is None else f"{100.0 * fraction:.0f} %, "
        context.workspace.status_text_set(f"{self.bl_label}: {share}{seconds:.0f} s (Esc cancels)")

    def _leave(self, context):
        context.window_manager.event_timer_remove(self._timer)
        context.window_manager.progress_end()
        context.workspace.status_text_set(None)
        for area in context.screen.areas:
            area.tag_redraw()
