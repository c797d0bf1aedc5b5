import json
import os
import signal
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from tiny_dataset import TINY, hashes

pytest.importorskip("bpy")

from pallas.pallas_blender.cli import main
from pallas.render.dataset.cluster import _shared_out
from pallas.render.dataset.plan import Task
from pallas.rig import ModelError, OutputError


class LostError(Exception):
    """A worker that is gone."""


class FakeRay:
    """As much of Ray as sharing out needs; `ends` says how each call ends, in order."""

    exceptions = SimpleNamespace(RayActorError=LostError, RayTaskError=LostError)

    def __init__(self, ends):
        self.ends, self.made, self.killed, self.asked = list(ends), 0, 0, []
        self.answers = {}

    def make(self):
        self.made += 1
        return SimpleNamespace(render=SimpleNamespace(remote=self._begin))

    def _begin(self, task):
        self.asked.append(json.loads(task)["clip"])
        number = len(self.asked) - 1
        self.answers[number] = self.ends.pop(0)
        return number

    def wait(self, running, num_returns):
        return running[:num_returns], running[num_returns:]

    def get(self, reference):
        answer = self.answers[reference]
        if isinstance(answer, Exception):
            raise answer
        return json.dumps(answer)

    def kill(self, worker):
        self.killed += 1


DONE = {"frames": 2, "failed": {}}
TASKS = [Task(clip, 0, 2) for clip in range(3)]


def test_a_lost_workers_task_is_done_by_a_new_one():
    ray, told = FakeRay([DONE, LostError("killed"), DONE, DONE]), []
    outcome = _shared_out(ray, ray.make, 2, TASKS, told.append)
    assert outcome.frames == 6 and sorted(task.clip for task in told) == [0, 1, 2]
    assert ray.made == 3 and ray.killed == 1 and sorted(ray.asked) == [0, 1, 1, 2]


def test_a_task_that_is_lost_again_and_again_is_given_up():
    ray = FakeRay([LostError("out of memory")] * 5)
    with pytest.raises(OutputError, match=r"clip 0 was lost 5 times \(out of memory\)"):
        _shared_out(ray, ray.make, 1, TASKS[:1], lambda task: None)


def test_what_a_worker_cant_write_ends_the_run_and_clips_that_fail_do_not():
    ray = FakeRay([{"frames": 0, "failed": {"0": "broken.bvh"}}, DONE, DONE])
    assert _shared_out(ray, ray.make, 1, TASKS, lambda task: None).failed == {0: "broken.bvh"}
    ray = FakeRay([{"error": "disk full"}])
    with pytest.raises(OutputError, match="disk full"):
        _shared_out(ray, ray.make, 1, TASKS, lambda task: None)


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
@pytest.mark.filterwarnings("ignore")
def test_two_workers_one_killed_write_the_bytes_of_one_machine(tmp_path):
    pytest.importorskip("ray", reason="Ray is not installed")
    (tmp_path / "s.toml").write_text(TINY)
    alone, shared = tmp_path / "alone", tmp_path / "shared"
    killer = threading.Thread(target=_kill_a_worker, args=(shared,), daemon=True)
    killer.start()
    spec = str(tmp_path / "s.toml")
    try:
        assert main(["render", spec, "-o", str(shared), "--ray", "auto"]) == 0
    except ModelError as error:
        pytest.skip(str(error))
    assert not killer.is_alive()
    assert main(["render", spec, "-o", str(alone)]) == 0
    assert hashes(shared) == hashes(alone)
