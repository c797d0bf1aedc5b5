"""Training: windows that are what they say, runs that go on after a stop, weights that come back."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch

from pallas.neural.baselines import MeanPose
from pallas.neural.training.augmentation import Augmentation
from pallas.neural.training.dataset import Batch, Track, WindowSampler, prepare
from pallas.neural.training.loop import fit
from pallas.neural.training.losses import Weights, invertible_ik_losses, pose_losses, total
from pallas.neural.training.options import Plan, TrainingOptions
from pallas.neural.weights import (
    NETWORKS,
    build,
    load_network,
    read_tensors,
    save_network,
    write_tensors,
)
from pallas.rig import ModelError, Motion, body_skeleton, quaternion

PERFECT = Augmentation.perfect()


def wandering(frames: int, seed: int = 0) -> Motion:
    """A body whose joints wander smoothly, at 120 frames a second."""
    random = np.random.default_rng(seed)
    vectors = np.cumsum(random.normal(0, 0.005, (frames, 24, 3)), axis=0)
    root = np.cumsum(random.normal(0, 0.003, (frames, 3)), axis=0) + np.array([0.0, 0.0, 0.9])
    return Motion(body_skeleton(), root, quaternion.from_rotation_vector(vectors), 120.0)


def small_plan(**changes: object) -> Plan:
    """A small LSTM on short windows."""
    options = {"batch": 2, "frames": 32, "validation": 4} | changes
    return Plan(
        name="lstm", kind="lstm", network={"hidden": 16}, training=TrainingOptions(**options)
    )


def read_log(folder: Path) -> list[dict[str, float]]:
    """The rows of log.csv as numbers."""
    with (folder / "log.csv").open(newline="") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def tracks() -> list[Track]:
    return [prepare(wandering(frames, frames), 60.0) for frames in (200, 90)]


def sampler(tracks: list[Track], **changes: float) -> WindowSampler:
    options = replace(PERFECT, **changes)
    return WindowSampler(tracks, frames=64, batch=4, seed=0, augmentation=options)


def test_perfect_sensors_see_the_bones_they_sit_on(tracks):
    batch = sampler(tracks)(0)
    seen = batch.sensors[..., 3:].unflatten(-1, (3, 3))
    joints = [body_skeleton().index(n) for n in ("pelvis", "left_elbow", "right_elbow", "neck")]
    torch.testing.assert_close(seen, batch.rotations[:, :, joints], atol=1e-5, rtol=0)
    # In the waist's heading frame the waist has no heading left.
    waist = seen[:, :, 0]
    torch.testing.assert_close(waist[..., 1, 0], waist[..., 0, 1], atol=1e-5, rtol=0)


def test_a_mirrored_window_swaps_the_sides(tracks):
    plain, mirrored = sampler(tracks)(1), sampler(tracks, mirror=1.0)(1)
    torch.testing.assert_close(
        mirrored.sensors[:, :, 1, 3:].unflatten(-1, (3, 3)),
        plain.sensors[:, :, 2, 3:].unflatten(-1, (3, 3))
        * torch.tensor([[1.0, -1, -1], [-1, 1, 1], [-1, 1, 1]]),
        atol=1e-5,
        rtol=0,
    )
    torch.testing.assert_close(mirrored.contacts, plain.contacts.flip(-1))


def test_the_same_number_gives_the_same_batch_and_another_another(tracks):
    first, again, other = sampler(tracks)(5), sampler(tracks)(5), sampler(tracks)(6)
    assert torch.equal(first.sensors, again.sensors)
    assert not torch.equal(first.sensors, other.sensors)


def test_a_run_that_was_stopped_goes_on_as_if_it_never_was(tracks, tmp_path):
    plan = small_plan(steps=4, checkpoint_every=2, warm_up=2, learning_rate=1e-3)

    def stop_in_the_third_step(step: int, *_: object) -> None:
        if step == 3:
            raise KeyboardInterrupt

    straight = fit(plan, tracks, tracks, tmp_path / "straight", lambda *_: None)
    with pytest.raises(KeyboardInterrupt):
        fit(plan, tracks, tracks, tmp_path / "stopped", stop_in_the_third_step)
    stopped = fit(plan, tracks, tracks, tmp_path / "stopped", lambda *_: None)
    for name, tensor in straight.state_dict().items():
        torch.testing.assert_close(stopped.state_dict()[name], tensor, msg=name)


def test_training_lowers_the_loss_and_logs_it(tracks, tmp_path):
    plan = small_plan(steps=30, checkpoint_every=10, warm_up=3, averaging=0.5)
    fit(plan, tracks, tracks, tmp_path, lambda *_: None)
    log = read_log(tmp_path)
    assert [entry["step"] for entry in log] == [10, 20, 30]
    assert log[-1]["validation_rotation"] < log[0]["validation_rotation"]
    assert log[-1]["training"] < log[0]["training"]


def test_the_losses_compile_as_one_graph(tracks):
    """As `--compile` needs them; torch's tracer alone, without a C++ compiler."""
    network, batch = build("pallas"), sampler(tracks)(0)

    def loss(batch: Batch) -> torch.Tensor:
        prediction, weights = network(batch.sensors), Weights()
        terms = pose_losses(prediction, batch, 60.0, weights)
        return total(terms | invertible_ik_losses(network, prediction, batch, weights))

    compiled = torch.compile(loss, backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(batch), loss(batch))


def test_weights_come_back_in_half_precision(tmp_path):
    network = build("pallas")
    save_network(tmp_path / "net", "pallas", network)
    loaded, about = load_network(tmp_path / "net")
    assert about["kind"] == "pallas"
    for name, tensor in network.state_dict().items():
        torch.testing.assert_close(loaded.state_dict()[name], tensor, atol=2e-3, rtol=2e-3)


def test_tensors_are_read_back_to_the_bit(tmp_path):
    tensors = {"a": torch.randn(3, 4), "b": torch.arange(5), "c": torch.randn(2).half()}
    write_tensors(tmp_path / "x.safetensors", tensors)
    for name, tensor in read_tensors(tmp_path / "x.safetensors").items():
        assert torch.equal(tensor, tensors[name])


def test_the_safetensors_library_reads_what_is_written_and_writes_what_is_read(tmp_path):
    tensors = {"a": torch.randn(3, 4), "b": torch.arange(5), "c": torch.randn(2).half()}
    write_tensors(tmp_path / "ours.safetensors", tensors)
    safetensors.torch.save_file(tensors, tmp_path / "theirs.safetensors")
    theirs = safetensors.torch.load_file(tmp_path / "ours.safetensors")
    ours = read_tensors(tmp_path / "theirs.safetensors")
    for name, tensor in tensors.items():
        assert torch.equal(theirs[name], tensor)
        assert torch.equal(ours[name], tensor)


@pytest.mark.parametrize("damage", ["missing", "cut", "other"])
def test_damaged_weights_are_told_in_one_line(tmp_path, damage):
    save_network(tmp_path / "net", "mean", MeanPose(torch.zeros(132)))
    path = tmp_path / "net.safetensors"
    if damage == "missing":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:-50])
    else:
        path.write_bytes(b"not tensors at all")
    with pytest.raises(
        ModelError, match=r"weights .*net\.safetensors can't be used.*install"
    ) as error:
        load_network(tmp_path / "net")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("kind", NETWORKS)
def test_every_baseline_is_as_large_as_the_network(kind):
    sizes = {k: sum(p.numel() for p in build(k).parameters()) for k in ("pallas", kind)}
    assert sizes[kind] == pytest.approx(sizes["pallas"], rel=0.1)


def test_an_unknown_network_is_told_with_those_there_are():
    with pytest.raises(
        ModelError, match="no network 'gan'; there are: pallas, lstm, lstm_transformer, transformer"
    ):
        build("gan")
