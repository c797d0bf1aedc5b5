"""Training as a program: killed and started again, and shared by two processes."""

import csv
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from pallas.neural.library.store import Entry, save_clip, save_index
from pallas.neural.training.plans import read_run
from pallas.neural.training.train import train_all
from pallas.neural.weights import read_tensors
from pallas.rig import Motion, body_skeleton, quaternion

CONFIG = """
name = "small"
kind = "lstm"
network.hidden = 16
[training]
steps = 100
batch = 4
frames = 32
checkpoint_every = 20
validation = 4
warm_up = 5
"""
WEIGHTS = "small.safetensors"


def walking(seconds: float, seed: int) -> Motion:
    random = np.random.default_rng(seed)
    times = np.arange(round(60 * seconds)) / 60
    phase = random.uniform(0, 6, (24, 3))
    vectors = 0.3 * random.standard_normal((24, 3)) * np.sin(5 * times[:, None, None] + phase)
    root = np.stack([0 * times, -times, 0.9 + 0 * times], axis=-1)
    return Motion(body_skeleton(), root, quaternion.from_rotation_vector(vectors), 60.0)


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> Path:
    """Three clips, one of them for validation."""
    folder = tmp_path_factory.mktemp("library")
    entries = []
    for number, split in enumerate(("train", "train", "validation")):
        name, motion = f"cmu/0{number}_01", walking(4.0, number)
        save_clip(folder, name, motion)
        entries.append(
            Entry(name, f"cmu/0{number}", "CMU", "free", split, 1.0, False, 60.0, len(motion))
        )
    save_index(folder, entries)
    (folder / "run.toml").write_text(CONFIG, encoding="utf-8")
    return folder


def command(library: Path, out: Path, processes: int = 1) -> list[str]:
    program = ["-m", "pallas.pallas_blender.cli", "train", str(library / "run.toml")]
    if processes > 1:
        shared = ["-m", "torch.distributed.run", "--standalone", f"--nproc_per_node={processes}"]
        program = [*shared, *program]
    return [sys.executable, *program, "--library", str(library), "-o", str(out)]


def train(library: Path, out: Path, processes: int = 1) -> None:
    subprocess.run(command(library, out, processes), check=True, capture_output=True, timeout=120)


def log(out: Path) -> dict[int, dict[str, float]]:
    with (out / "log.csv").open(newline="") as file:
        return {
            int(row["step"]): {n: float(v) for n, v in row.items()} for row in csv.DictReader(file)
        }


@pytest.fixture(scope="module")
def straight(library, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "straight"
    train(library, out)
    return out


def test_a_killed_run_loses_less_than_a_checkpoint_interval_and_ends_with_the_same_bytes(
    library, straight, tmp_path
):
    out = tmp_path / "killed"
    process = subprocess.Popen(
        command(library, out), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        while not (out / "log.csv").exists():
            assert process.poll() is None, "it ended before its first checkpoint"
            time.sleep(0.005)
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    # The log is written after the checkpoint: as many steps as it tells are safe.
    saved = int(read_tensors(out / "checkpoint.safetensors")["step"])
    assert saved >= max(log(out)) > 0
    assert not (out / WEIGHTS).exists()
    train(library, out)
    assert (out / WEIGHTS).read_bytes() == (straight / WEIGHTS).read_bytes()
    assert sorted(log(out)) == [20, 40, 60, 80, 100]


def test_a_finished_run_is_left_alone(library, straight):
    before = (straight / WEIGHTS).stat().st_mtime_ns
    file = read_run(library / "run.toml")
    train_all([(file.plan, straight)], library, lambda *_: None)
    assert (straight / WEIGHTS).stat().st_mtime_ns == before


def test_two_processes_learn_what_one_does_from_the_same_batches(library, straight, tmp_path):
    train(library, tmp_path / "two", processes=2)
    alone, shared = log(straight), log(tmp_path / "two")
    assert sorted(alone) == sorted(shared)
    for step, row in alone.items():
        for name in ("training", "validation"):
            assert shared[step][name] == pytest.approx(row[name], rel=0.01)
