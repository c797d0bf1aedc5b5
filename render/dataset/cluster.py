"""Tasks handed to Ray's workers, each with one Blender process of its own; lost workers are replaced."""

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from ...rig.errors import ModelError, OutputError
from .plan import Task
from .run import Outcome

__all__ = ["Cluster", "render_on_cluster"]

_TRIES: Final = 5  # of one task, before something else than a lost worker is wrong


@dataclass(frozen=True)
class Cluster:
    """Where Ray is: "auto" for a running one of this machine or else a new one, or its address.

    Attributes:
        address: as Ray takes it.
        threads: of each worker's process.
    """

    address: str
    threads: int


def render_on_cluster(
    cluster: Cluster,
    paths: tuple[Path, Path],
    tasks: Sequence[Task],
    tell: Callable[[Task], None],
) -> Outcome:
    """Render tasks on all of a cluster's processors.

    Args:
        cluster: where.
        paths: of the spec and of the dataset's folder, which every machine sees under the same name.
        tasks: of the spec.
        tell: is called with each task that is done.

    Raises:
        ModelError: Ray is not installed, or can't be reached.
        OutputError: a worker can't write, or a task was lost too often.
    """
    ray = _connected(cluster)
    command = [sys.executable, "-m", "pallas.pallas_blender.cli", "render", str(paths[0])]
    command += ["-o", str(paths[1]), "--serve", "--threads", str(cluster.threads)]
    try:
        count = max(int(ray.cluster_resources().get("CPU", 1)) // cluster.threads, 1)
        make = _worker(ray, cluster.threads, command)
        return _shared_out(ray, make, min(count, max(len(tasks), 1)), list(tasks), tell)
    finally:
        ray.shutdown()


def _connected(cluster: Cluster) -> Any:  # noqa: ANN401  the module ray
    try:
        import ray  # noqa: PLC0415  optional, and slow to load
    except ModuleNotFoundError as error:
        raise ModelError("Ray is not installed; run `pip install ray`") from error
    quiet = {"logging_level": "ERROR", "log_to_driver": False}
    try:
        if cluster.address != "auto":
            ray.init(address=cluster.address, **quiet)
        else:
            _join_or_start(ray, quiet)
    except Exception as error:  # Ray raises bare ones where it can't start
        raise ModelError(
            f"Ray at {cluster.address!r} can't be reached: {error}; start it with `ray start --head`"
        ) from error
    return ray


def _join_or_start(ray: Any, quiet: dict[str, Any]) -> None:  # noqa: ANN401
    try:
        ray.init(address="auto", **quiet)
    except ConnectionError:
        ray.init(include_dashboard=False, **quiet)


def _worker(ray: Any, threads: int, command: list[str]) -> Callable[[], Any]:  # noqa: ANN401
    """What makes a worker. Its class is sent by value, so it needs nothing of ours."""

    class Worker:
        def __init__(self) -> None:
            import subprocess  # noqa: PLC0415

            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )

        def number(self) -> int:
            return int(self.process.pid)

        def render(self, task: str) -> str:
            try:
                self.process.stdin.write(task + "\n")
                self.process.stdin.flush()
            except OSError as error:
                raise RuntimeError("the worker's Blender is gone") from error
            for line in self.process.stdout:
                if line.startswith("PALLAS "):
                    return str(line[7:])
            raise RuntimeError("the worker's Blender is gone")

    remote = ray.remote(num_cpus=threads)(Worker)
    return remote.remote


def _shared_out(
    ray: Any,  # noqa: ANN401
    make: Callable[[], Any],
    count: int,
    tasks: list[Task],
    tell: Callable[[Task], None],
) -> Outcome:
    """Each worker gets a task, and the next when it has done it."""
    outcome = Outcome()
    waiting = [(task, 0) for task in reversed(tasks)]
    running: dict[Any, tuple[Any, Task, int]] = {}
    idle = [make() for _ in range(count)]
    while waiting or running:
        while waiting and idle:
            task, tries = waiting.pop()
            worker = idle.pop()
            running[worker.render.remote(json.dumps(asdict(task)))] = (worker, task, tries)
        (done, *_), _ = ray.wait(list(running), num_returns=1)
        worker, task, tries = running.pop(done)
        try:
            answer = json.loads(ray.get(done))
        except (ray.exceptions.RayActorError, ray.exceptions.RayTaskError) as error:
            if tries + 1 >= _TRIES:
                raise OutputError(
                    f"clip {task.clip} was lost {_TRIES} times ({str(error).splitlines()[-1]}); look at "
                    "the workers' memory and whether they see the dataset's folder"
                ) from error
            ray.kill(worker)
            waiting.append((task, tries + 1))
            idle.append(make())
            continue
        idle.append(worker)
        if "error" in answer:
            raise OutputError(answer["error"])
        outcome.frames += answer["frames"]
        outcome.failed |= {int(clip): reason for clip, reason in answer["failed"].items()}
        tell(task)
    return outcome
