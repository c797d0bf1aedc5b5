import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from ray_cluster import ENVIRONMENT, ray_cluster
from tiny_dataset import TINY, hashes

pytest.importorskip("bpy")

from pallas.pallas_blender.cli import main
from pallas.render.dataset.cluster import Cluster, _join_or_start, _room, _Sharing
from pallas.render.dataset.plan import Task
from pallas.rig import ModelError, OutputError


class LostError(Exception):
    """A worker that is gone."""


class FakeRay:
    """As much of Ray as sharing out needs; `starts` and `ends` say how starts and tasks end, in order.

    What ends with None never does.
    """

    exceptions = SimpleNamespace(RayError=LostError)

    def __init__(self, ends, starts=()):
        self.ends, self.starts = list(ends), list(starts)
        self.made, self.killed, self.asked, self.answers = 0, 0, [], {}

    def make(self):
        self.made += 1
        calls = {"ready": self._start, "render": self._begin, "stop": lambda: self._will({})}
        return SimpleNamespace(**{n: SimpleNamespace(remote=call) for n, call in calls.items()})

    def _start(self):
        return self._will(self.starts.pop(0) if self.starts else {})

    def _begin(self, task):
        self.asked.append(json.loads(task)["clip"])
        return self._will(self.ends.pop(0))

    def _will(self, answer):
        self.answers[len(self.answers)] = answer
        return len(self.answers) - 1

    def wait(self, running, num_returns, timeout=None):
        ended = [reference for reference in running if self.answers[reference] is not None]
        assert ended or timeout, "it waits for ever"
        return ended[:num_returns], []

    def get(self, reference):
        answer = self.answers[reference]
        if isinstance(answer, Exception):
            raise answer
        return json.dumps(answer)

    def kill(self, worker):
        self.killed += 1


DONE = {"frames": 2, "failed": {}}
TASKS = [Task(clip, 0, 2) for clip in range(3)]


def shared_out(ray, count, tasks=TASKS):
    told, notes = [], []
    outcome = _Sharing(ray, ray.make, told.append, notes.append).run(tasks, count)
    return outcome, sorted(task.clip for task in told), notes


def test_a_lost_workers_task_is_done_by_another_one_and_that_is_told():
    ray = FakeRay([DONE, LostError("killed"), DONE, DONE])
    outcome, told, notes = shared_out(ray, 2)
    assert outcome.frames == 6 and told == [0, 1, 2] and sorted(ray.asked) == [0, 1, 1, 2]
    assert ray.made == 3 and ray.killed == 1
    assert notes == ["a worker was lost, another one goes on with clip 1 (killed)"]


def test_a_machine_that_is_gone_for_good_leaves_its_tasks_to_the_others():
    ray = FakeRay([LostError("its machine is gone"), DONE, DONE, DONE], [{}, {}, None])
    outcome, told, _ = shared_out(ray, 2)
    assert outcome.frames == 6 and told == [0, 1, 2] and ray.made == 3


def test_a_task_that_is_lost_again_and_again_is_given_up():
    ray = FakeRay([LostError("out of memory")] * 5)
    with pytest.raises(OutputError, match=r"clip 0 was lost 5 times \(out of memory\)"):
        shared_out(ray, 1, TASKS[:1])


def test_a_machine_where_no_worker_starts_is_told_and_ends_the_run_only_if_there_is_no_other():
    broken = LostError("No module named pallas")
    outcome, _, notes = shared_out(FakeRay([DONE] * 3, [{}, broken, broken, broken]), 2)
    assert outcome.frames == 6 and len(notes) <= 1
    with pytest.raises(OutputError, match=r"no worker .* can start \(No module named pallas\)"):
        shared_out(FakeRay([], [broken] * 6), 2)


def test_what_a_worker_cant_write_ends_the_run_and_clips_that_fail_do_not():
    ray = FakeRay([{"frames": 0, "failed": {"0": "broken.bvh"}}, DONE, DONE])
    assert shared_out(ray, 1)[0].failed == {0: "broken.bvh"}
    with pytest.raises(OutputError, match="disk full"):
        shared_out(FakeRay([{"error": "disk full"}]), 1)


def test_workers_are_as_many_as_each_machine_has_room_for():
    def machine(**resources):
        return {"Alive": True, "Resources": resources}

    gone = {"Alive": False}
    nodes = [machine(CPU=3.0), machine(CPU=5.0, GPU=1.0), machine(GPU=4.0), gone]
    assert _room(nodes, Cluster("auto", 2)) == 3
    assert _room(nodes, Cluster("auto", 1, gpu=True)) == 1
    with pytest.raises(ModelError, match="no machine of the Ray cluster has 6 processors"):
        _room(nodes, Cluster("auto", 6))


def test_an_address_where_nobody_answers_is_told_at_once():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    ray = SimpleNamespace(init=lambda **_: pytest.fail("Ray tries for minutes"))
    with pytest.raises(ConnectionRefusedError):
        _join_or_start(ray, f"127.0.0.1:{port}")


@pytest.mark.blender
def test_a_worker_on_a_machine_without_the_shared_folder_says_so(tmp_path, capsys):
    (tmp_path / "s.toml").write_text(TINY)
    assert main(["render", str(tmp_path / "s.toml"), "-o", str(tmp_path / "d"), "--serve"]) == 1
    assert "expected a folder that all machines" in capsys.readouterr().err
    assert not (tmp_path / "d").exists()


def _kill_a_worker(out):
    """Kill one Blender of a worker's when the first frame is done."""
    while not list(out.glob("frames/*/*.json")):
        time.sleep(0.02)
    for process in Path("/proc").iterdir():
        try:
            line = (process / "cmdline").read_bytes() if process.name.isdigit() else b""
        except OSError:
            continue
        if b"--serve" in line and str(out).encode() in line:
            os.kill(int(process.name), signal.SIGKILL)
            return


@pytest.mark.blender
def test_two_workers_one_killed_write_the_bytes_of_one_machine(tmp_path):
    spec, alone, shared = tmp_path / "s.toml", tmp_path / "alone", tmp_path / "shared"
    spec.write_text(TINY.replace("frames = 2", "frames = 12"))
    killer = threading.Thread(target=_kill_a_worker, args=(shared,), daemon=True)
    command = [sys.executable, "-m", "pallas.pallas_blender.cli", "render", str(spec)]
    with ray_cluster(tmp_path / "ray.log") as (_, address):
        killer.start()
        done = subprocess.run(
            [*command, "-o", str(shared), "--ray", address],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, **ENVIRONMENT},
        )
    assert done.returncode == 0, done.stderr
    assert "a worker was lost, another one goes on" in done.stderr
    assert main(["render", str(spec), "-o", str(alone)]) == 0
    assert hashes(shared) == hashes(alone) and not (shared / ".work").exists()
