"""What a command says: results on stdout, everything else on stderr, one JSON object if asked."""

import ctypes
import json
import math
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from types import TracebackType
from typing import Any

__all__ = ["Console", "Progress", "plain"]

_C_LIBRARY = "ucrtbase" if sys.platform == "win32" else None
_BAR_WIDTH = 28
_REDRAW_SECONDS = 0.1


class Progress:
    """A bar on stderr that redraws itself; silent where no one watches."""

    def __init__(self, label: str, total: int | None, *, shown: bool) -> None:
        self.label = label
        self.total = total
        self.done = 0
        self._shown = shown
        self._started = time.monotonic()
        self._drawn = -math.inf

    def __enter__(self) -> "Progress":
        self._draw()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._draw(last=True)

    def to(self, done: int, total: int | None = None) -> None:
        """Say that `done` of `total` steps are done."""
        self.total = total if total is not None else self.total
        self.done = done
        now = time.monotonic()
        if now - self._drawn >= _REDRAW_SECONDS or done == self.total:
            self._draw()

    def advance(self, steps: int = 1) -> None:
        """Say that `steps` more are done."""
        self.to(self.done + steps)

    def _draw(self, *, last: bool = False) -> None:
        if not self._shown:
            return
        self._drawn = time.monotonic()
        seconds = self._drawn - self._started
        text = f"{self.label:<24}"
        if self.total:
            filled = int(_BAR_WIDTH * min(self.done / self.total, 1.0))
            text += f" [{'#' * filled:<{_BAR_WIDTH}}] {self.done}/{self.total}"
        end = "\n" if last else ""
        sys.stderr.write(f"\r\x1b[K{text} {seconds:6.1f} s{end}")
        sys.stderr.flush()


class Console:
    """Where a command's words go.

    Args:
        as_json: the result is printed as one JSON object on stdout and all words go to stderr.
    """

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json

    def say(self, text: str) -> None:
        """A line of the result, for people: stdout, or stderr beside JSON."""
        stream = sys.stderr if self.as_json else sys.stdout
        stream.write(text + "\n")
        stream.flush()

    def note(self, text: str) -> None:
        """A line beside the result, such as a warning: stderr."""
        sys.stderr.write(text + "\n")
        sys.stderr.flush()

    def table(self, rows: Mapping[str, object]) -> None:
        """Say one `name  value` line per row."""
        width = max((len(name) for name in rows), default=0)
        for name, value in rows.items():
            self.say(f"{name:<{width}}  {value}")

    def progress(self, label: str, total: int | None = None) -> Progress:
        """A progress bar for long work; drawn only on a terminal."""
        return Progress(label, total, shown=sys.stderr.isatty())

    @contextmanager
    def only_result_on_stdout(self) -> Iterator[None]:
        """Beside JSON, send what libraries print, Blender's own C code included, to stderr."""
        if not self.as_json:
            yield
            return
        with _descriptor(1, 2), redirect_stdout(sys.stderr):
            yield

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Drop what Blender's C code prints on stdout, such as a line per rendered frame."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            with _descriptor(1, nowhere):
                yield
        finally:
            os.close(nowhere)

    def result(self, value: Mapping[str, Any]) -> None:
        """Print the JSON object, when JSON was asked for."""
        if self.as_json:
            sys.stdout.write(json.dumps(plain(value)) + "\n")
            sys.stdout.flush()


@contextmanager
def _descriptor(number: int, target: int) -> Iterator[None]:
    """Let file descriptor `number` be `target` for a while, for C code that writes there."""
    sys.stdout.flush()
    kept = os.dup(number)
    try:
        os.dup2(target, number)
        yield
    finally:
        sys.stdout.flush()
        # C keeps a buffer of its own, and would write it out after the descriptor is itself again.
        ctypes.CDLL(_C_LIBRARY).fflush(None)
        os.dup2(kept, number)
        os.close(kept)


def plain(value: object) -> object:
    """Only what JSON knows: numpy's numbers and arrays as ours, NaN and infinity as null."""
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Path):
        return str(value)
    return value
