"""A real Ray cluster of two machines with one processor each, which are processes of this one.

As a program: prints the address, and ends the cluster when its stdin is closed. A line on stdin kills the
second machine with all that runs there, and is answered with a line.
"""

import os
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

__all__ = ["ENVIRONMENT", "ray_cluster"]

ENVIRONMENT = {"RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0"}
# On a machine too busy for Ray's helpers to come up within 15 seconds, Ray tells it after 10 minutes.
_PATIENCE, _TRIES = 60, 2


@contextmanager
def ray_cluster(log: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The cluster's process and address; skips where Ray is not installed or can't start in time."""
    if find_spec("ray") is None:
        pytest.skip("Ray is not installed (requirements/ray.txt)")
    for _ in range(_TRIES):
        with log.open("w") as errors, _process(errors) as process:
            try:
                if address := _first_line(process):
                    yield process, address
                    process.communicate(timeout=_PATIENCE)
                    return
            finally:
                process.kill()  # Ray's own processes end with it
    last = (log.read_text().strip().splitlines() or ["it was too slow"])[-1]
    pytest.skip(f"Ray did not start on this machine: {last}")


def _process(errors: Any) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, __file__],
        stdin=pipe,
        stdout=pipe,
        stderr=errors,
        text=True,
        env={**os.environ, **ENVIRONMENT},
    )


def _first_line(process: subprocess.Popen[str]) -> str:
    ready, _, _ = select.select([process.stdout], [], [], _PATIENCE)
    return process.stdout.readline().strip() if ready else ""


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _serve() -> None:
    from ray.cluster_utils import Cluster  # noqa: PLC0415  the tests themselves need no Ray

    small = {"num_cpus": 1, "include_dashboard": False, "include_log_monitor": False}
    cluster = Cluster(initialize_head=True, head_node_args=small)
    second = cluster.add_node(**small)
    _say(cluster.address)
    for _ in sys.stdin:
        cluster.remove_node(second, allow_graceful=False)
        _say("killed")
    cluster.shutdown()


if __name__ == "__main__":
    _serve()
