"""Retargeting as a job: the armature read in slices, the rest in a thread, and how far it is."""

import time
from collections.abc import Callable, Generator
from typing import Any, Final

from ..rig.errors import PallasError
from .common import ProgressJob

__all__ = ["RetargetJob", "Tell"]

Tell = Callable[[str, float], None]  # what is done next, and the fraction of all that is done

_SLICE: Final = 0.08  # seconds of reading between two looks at the job
_READ: Final = 0.6  # of all the time, where an armature is read frame by frame


class RetargetJob:
    """Reads in Blender's main thread, then works in another.

    Args:
        steps: yields the fraction read and returns what was; None if nothing is read in the main thread.
        then: gets what was read, and what it tells with how far it is; a cancelled job ends where it tells.
    """

    def __init__(
        self, steps: Generator[float, None, Any] | None, then: Callable[[Any, Tell], Any]
    ) -> None:
        self.piece, self.fraction = "reading", 0.0
        self._steps, self._then = steps, then
        self._share = _READ if steps else 0.0
        self._thread: ProgressJob | None = None
        self._error: PallasError | None = None
        if steps is None:
            self._begin(None)

    @property
    def reading(self) -> bool:
        """Whether Blender's data must stay as it is."""
        return self._thread is None and self._error is None

    def done(self) -> bool:
        until = time.monotonic() + _SLICE
        while self.reading and time.monotonic() < until:
            self._step()
        return self._error is not None or (self._thread is not None and self._thread.done())

    def result(self) -> Any:  # noqa: ANN401  what `then` returns
        while self.reading:
            self._step()
        if self._error is not None:
            raise self._error
        return self._thread.result()

    def cancel(self) -> None:
        if self._steps is not None:
            self._steps.close()
        if self._thread is not None:
            self._thread.cancel()

    def _step(self) -> None:
        try:
            self.fraction = self._share * next(self._steps)
        except StopIteration as end:
            self._begin(end.value)
        except PallasError as error:
            self._error = error

    def _begin(self, read: object) -> None:
        self._thread = ProgressJob(lambda tell: self._then(read, lambda *at: self._tell(tell, *at)))

    def _tell(self, tell: Callable[[float], None], piece: str, fraction: float) -> None:
        tell(fraction)  # raises if nobody waits any more
        self.piece, self.fraction = piece, self._share + (1.0 - self._share) * fraction
