"""Blender's module, loaded with a pool of threads as small as was asked for."""

import os
import sys
from contextlib import suppress
from pathlib import Path

__all__ = ["load_blender"]


def load_blender(threads: int) -> None:
    """Load bpy with a pool of that many threads; as many as the machine has cores if 0.

    Cycles keeps to a setting of the scene's. The pool for everything else is made when Blender loads, for as
    many cores as the process may use; where that is more than its share, threads that wait for work take
    processor time from other processes. So the process is kept to some cores until then. Does nothing
    where Blender runs already, or the system doesn't keep processes to cores (macOS, Windows).
    """
    if not threads or "bpy" in sys.modules or not hasattr(os, "sched_setaffinity"):
        return
    cores = sorted(os.sched_getaffinity(0))
    first = os.getpid()  # processes that begin together begin on different cores
    os.sched_setaffinity(0, {cores[(first + i) % len(cores)] for i in range(threads)})
    try:
        import bpy  # noqa: F401
    finally:
        for thread in Path("/proc/self/task").iterdir():
            with suppress(ProcessLookupError):
                os.sched_setaffinity(int(thread.name), cores)
