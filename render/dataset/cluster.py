"""Tasks handed to Ray's workers, each with one Blender process of its own; lost workers are replaced."""

import json
import os
import socket
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from ...rig.errors import ModelError, OutputError
from .plan import Task
from .run import Outcome

__all__ = ["Cluster", "render_on_cluster"]

_TRIES: Final = 5  # of one task, before something else than a lost worker is wrong
_STARTS: Final = 3  # of a worker that never came up
_SLOW: Final = 60.0  # seconds without a worker, after which that is told
_ANSWER: Final = 10.0  # seconds for a cluster's address to answer
_FAREWELL: Final = 15.0  # seconds for workers to leave no temporary files behind
_STORE: Final = 80 * 2**20  # bytes that Ray keeps for objects, its least: ours are short texts


@dataclass(frozen=True)
class Cluster:
    """Where Ray is, and what each worker takes of it.

    Attributes:
        address: as Ray takes it; "auto" for the one that runs on this machine, or else a new one.
        threads: of each worker's process.
        gpu: whether each worker needs a graphics card of its own.
    """

    address: str
    threads: int
    gpu: bool = False


def render_on_cluster(
    cluster: Cluster,
    paths: tuple[Path, Path],
    tasks: Sequence[Task],
    tell: Callable[[Task], None],
    note: Callable[[str], None],
) -> Outcome:
    """Render tasks on all of a cluster's processors.

    Args:
        cluster: where.
        paths: of the spec and of the dataset's folder, which every machine sees under the same name.
        tasks: of the spec.
        tell: is called with each task that is done.
        note: is called with a line on each worker that is lost, and where nothing happens.

    Raises:
        ModelError: Ray is not installed or can't be reached, or has no room for a worker.
        OutputError: a worker can't write, none could start, or a task was lost too often.
    """
    ray = _connected(cluster, note)
    arguments = ["-m", "pallas.pallas_blender.cli", "render", str(paths[0]), "-o", str(paths[1])]
    arguments += ["--serve", "--threads", str(cluster.threads)]
    try:
        count = min(_room(ray.nodes(), cluster), len(tasks))
        make = _worker(ray, cluster, arguments)
        return _Sharing(ray, make, tell, note).run(tasks, count)
    finally:
        ray.shutdown()


def _connected(cluster: Cluster, note: Callable[[str], None]) -> Any:  # noqa: ANN401  the module ray
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # else a new Ray calls home
    try:
        import ray  # noqa: PLC0415  optional, and slow to load
    except ModuleNotFoundError as error:
        raise ModelError("Ray is not installed; run `pip install ray`") from error
    slow = threading.Timer(
        _SLOW, note, ["Ray is slow to start; a busy machine may need another try"]
    )
    slow.daemon = True
    slow.start()
    try:
        _join_or_start(ray, cluster.address)
    except Exception as error:  # Ray raises bare ones where it can't start
        hint = (
            "try again when the machine is less busy, or begin with `ray start --head`"
            if cluster.address == "auto"
            else f"expected the HOST:PORT of a cluster that Ray {ray.__version__} and this version of Python "
            "began with `ray start --head`"
        )
        raise ModelError(f"Ray at {cluster.address!r} can't be reached: {error}; {hint}") from error
    finally:
        slow.cancel()
    return ray


def _join_or_start(ray: Any, address: str) -> None:  # noqa: ANN401
    quiet = {"logging_level": "ERROR", "log_to_driver": False}
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if host and port.isdecimal():  # Ray itself tries for minutes
        socket.create_connection((host.strip("[]"), int(port)), _ANSWER).close()
    try:
        ray.init(address=address, **quiet)
    except ConnectionError:
        if address != "auto":
            raise
        ray.init(include_dashboard=False, object_store_memory=_STORE, **quiet)


def _room(nodes: Iterable[dict[str, Any]], cluster: Cluster) -> int:
    """How many workers the machines of a cluster hold together; none is cut in two."""
    count = 0
    for node in nodes:
        has = node["Resources"] if node["Alive"] else {}
        here = int(has.get("CPU", 0)) // cluster.threads
        count += min(here, int(has.get("GPU", 0))) if cluster.gpu else here
    if not count:
        card = " and a graphics card" if cluster.gpu else ""
        raise ModelError(
            f"no machine of the Ray cluster has {cluster.threads} processors{card}; expected one for each "
            "worker; lower --threads, or see what `ray status` tells"
        )
    return count


def _worker(ray: Any, cluster: Cluster, arguments: list[str]) -> Callable[[], Any]:  # noqa: ANN401
    """What makes a worker. Its class is sent by value, so it needs nothing of ours."""

    class Worker:
        def __init__(self) -> None:
            import subprocess  # noqa: PLC0415
            import sys  # noqa: PLC0415
            import tempfile  # noqa: PLC0415

            self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115  as long as the worker
            self.process = subprocess.Popen(
                [sys.executable, *arguments],  # of the machine that the worker is on
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self.errors,
                text=True,
            )

        def ready(self) -> str:
            return self.answer()

        def render(self, task: str) -> str:
            try:
                self.process.stdin.write(task + "\n")
                self.process.stdin.flush()
            except OSError:
                pass  # it is gone, as the answer will tell
            return self.answer()

        def stop(self) -> None:
            self.process.communicate()  # its stdin ends, and so does it

        def answer(self) -> str:
            for line in self.process.stdout:
                if line.startswith("PALLAS "):
                    return str(line[7:])
            status = self.process.wait()
            self.errors.seek(0)
            last = (self.errors.read().strip().splitlines() or ["no word"])[-1]
            raise RuntimeError(f"Blender ended with status {status}: {last}")

    remote = ray.remote(num_cpus=cluster.threads, num_gpus=int(cluster.gpu))(Worker)
    return remote.remote


@dataclass
class _Turn:
    """What a worker is asked: to come up, or a task."""

    worker: Any
    task: Task | None = None
    tries: int = 0


@dataclass
class _Sharing:
    """Each worker that is up gets a task, and the next when it has done it.

    A task is never given to a worker that isn't up: where its machine is gone it might never be.
    """

    ray: Any
    make: Callable[[], Any]
    tell: Callable[[Task], None]
    note: Callable[[str], None]
    outcome: Outcome = field(default_factory=Outcome)
    turns: dict[Any, _Turn] = field(default_factory=dict)  # by Ray's reference of the answer
    idle: list[Any] = field(default_factory=list)

    def run(self, tasks: Sequence[Task], count: int) -> Outcome:
        """Do all tasks with that many workers."""
        self.waiting = [(task, 0) for task in reversed(tasks)]
        for _ in range(count):
            self._start()
        while self.waiting or any(turn.task for turn in self.turns.values()):
            while self.waiting and self.idle:
                self._give(self.idle.pop(), *self.waiting.pop())
            turn, answer = self._next()
            if answer is not None:
                self.idle.append(turn.worker)
                self._take(turn, answer)
        self._stop()
        return self.outcome

    def _start(self, tries: int = 0) -> None:
        worker = self.make()
        self.turns[worker.ready.remote()] = _Turn(worker, tries=tries)

    def _stop(self) -> None:
        """Let the workers end; one whose machine is gone never does."""
        workers = self.idle + [turn.worker for turn in self.turns.values()]
        ends = [worker.stop.remote() for worker in workers]
        if ends:
            self.ray.wait(ends, num_returns=len(ends), timeout=_FAREWELL)

    def _give(self, worker: Any, task: Task, tries: int) -> None:  # noqa: ANN401
        self.turns[worker.render.remote(json.dumps(asdict(task)))] = _Turn(worker, task, tries)

    def _next(self) -> tuple[_Turn, dict[str, Any] | None]:
        """The turn that ended first, with its answer; None where the worker was lost."""
        done, _ = self.ray.wait(list(self.turns), num_returns=1, timeout=_SLOW)
        if not done:
            if not self.idle and not any(turn.task for turn in self.turns.values()):
                self.note("no worker is up yet; see with `ray status` who has the processors")
            done, _ = self.ray.wait(list(self.turns), num_returns=1)
        turn = self.turns.pop(done[0])
        try:
            return turn, json.loads(self.ray.get(done[0]))
        except self.ray.exceptions.RayError as error:
            self._replace(turn, str(error).strip().splitlines()[-1])
            return turn, None

    def _take(self, turn: _Turn, answer: dict[str, Any]) -> None:
        if "error" in answer:
            raise OutputError(answer["error"])
        if turn.task is not None:
            self.outcome.frames += answer["frames"]
            self.outcome.failed |= {int(clip): why for clip, why in answer["failed"].items()}
            self.tell(turn.task)

    def _replace(self, turn: _Turn, reason: str) -> None:
        """A new worker for a lost one, and its task back; one that never came up is given up in the end."""
        self.ray.kill(turn.worker)
        if turn.task is None:
            if turn.tries + 1 < _STARTS:
                self._start(turn.tries + 1)
            elif self.turns or self.idle:
                self.note(f"a worker can't start, the others go on ({reason})")
            else:
                raise OutputError(f"no worker of the Ray cluster can start ({reason})")
            return
        if turn.tries + 1 >= _TRIES:
            raise OutputError(
                f"clip {turn.task.clip} was lost {_TRIES} times ({reason}); look at the workers' memory"
            )
        self.note(f"a worker was lost, another one goes on with clip {turn.task.clip} ({reason})")
        self.waiting.append((turn.task, turn.tries + 1))
        self._start()
