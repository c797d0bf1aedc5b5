"""Training augmenters: the same steps for the same seed, stopped or not; networks of every kind."""

import csv

import numpy as np
import pytest
import torch

from pallas.neural.augmenter.dataset import Moves, Sampler
from pallas.neural.augmenter.networks import Augmenter, AugmenterConfig
from pallas.neural.augmenter.points import KEYPOINTS, MARKERS
from pallas.neural.augmenter.scores import local_errors, offset_of, score_of, without
from pallas.neural.augmenter.stored import load_augmenter, stored_in
from pallas.neural.augmenter.train import crowd_for, fit
from pallas.neural.augmenter.variation import Variation
from pallas.neural.training.options import Plan, TrainingOptions
from pallas.neural.training.plans import read_suite
from pallas.neural.weights import EMBEDDED, read_tensors
from pallas.rig.errors import ModelError

TINY = AugmenterConfig(width=16, layers=1, heads=2)


def sampler(seed=0, batch=4):
    random = np.random.default_rng(0)
    turns = np.cumsum(random.normal(0.0, 0.01, (100, 24, 4)), axis=0)
    turns[..., 0] += 1.0
    turns /= np.linalg.norm(turns, axis=-1, keepdims=True)
    starts = torch.arange(0, 70, 8)
    moves = Moves(
        torch.as_tensor(turns).float(), starts, torch.full((len(starts),), 1 / len(starts))
    )
    return Sampler(moves, crowd_for("validation"), Variation(), batch, seed)


def plan(**changes):
    options = {"steps": 6, "batch": 1, "checkpoint_every": 3, "warm_up": 2} | changes
    return Plan(name="augmenter", kind="augmenter", training=TrainingOptions(**options))


def quiet(done, total, line):
    del done, total, line


def test_the_same_number_draws_the_same_windows():
    one, again, other = sampler()(3), sampler()(3), sampler()(4)
    torch.testing.assert_close(one.markers, again.markers)
    assert not torch.equal(one.markers, other.markers)
    assert one.markers.shape == (4, 30, len(MARKERS), 3)
    assert one.window.keypoints.shape == (4, 30, len(KEYPOINTS), 3)


def test_a_run_that_was_stopped_goes_on_as_if_it_never_was(tmp_path):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    fit(plan(), TINY, sampler(), sampler(1), whole, quiet)

    def stop(done, total, line):
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(plan(), TINY, sampler(), sampler(1), parts, stop)
    fit(plan(), TINY, sampler(), sampler(1), parts, quiet)
    one, two = (read_tensors(folder / "augmenter.safetensors") for folder in (whole, parts))
    for name, tensor in one.items():
        torch.testing.assert_close(tensor, two[name])
    with (parts / "log.csv").open(newline="") as file:
        assert [row["step"] for row in csv.DictReader(file)] == ["3", "6"]


def test_training_lowers_the_loss(tmp_path):
    fit(
        plan(steps=40, learning_rate=5e-3, checkpoint_every=10),
        TINY,
        sampler(),
        sampler(),
        tmp_path,
        quiet,
    )
    with (tmp_path / "log.csv").open(newline="") as file:
        losses = [float(row["validation"]) for row in csv.DictReader(file)]
    assert losses[-1] < losses[0]


def test_a_foreign_checkpoint_is_told(tmp_path):
    (tmp_path / "checkpoint.safetensors").write_bytes(b"nothing of the kind")
    with pytest.raises(ModelError, match="move it away"):
        fit(plan(), TINY, sampler(), sampler(1), tmp_path, quiet)


def test_a_run_that_diverged_stops_before_its_checkpoint_is_replaced(tmp_path):
    fit(plan(steps=3), TINY, sampler(), sampler(1), tmp_path, quiet)
    before = (tmp_path / "checkpoint.safetensors").read_bytes()
    with pytest.raises(ModelError, match="no number at step 6; lower learning_rate"):
        fit(plan(learning_rate=np.inf), TINY, sampler(), sampler(1), tmp_path, quiet)
    assert (tmp_path / "checkpoint.safetensors").read_bytes() == before


def test_a_network_of_another_kind_is_told():
    with pytest.raises(ModelError, match="holds a network 'lifter', not 'augmenter'"):
        load_augmenter(EMBEDDED / "lifter")


def test_weights_come_back_as_they_were(tmp_path):
    network = fit(plan(), TINY, sampler(), sampler(1), tmp_path, quiet)
    loaded, about = load_augmenter(stored_in(tmp_path))
    batch = sampler(5)(0)
    with torch.no_grad():
        one, two = (n(batch.window.keypoints, batch.window.size) for n in (network, loaded))
    torch.testing.assert_close(one, two, atol=2e-3, rtol=0)  # half precision: parts of the height
    assert about["steps"] == 6 and about["config"]["width"] == 16


def test_the_suite_holds_the_papers_table():
    plans = {found.name: found for found in read_suite("augmenter")}
    assert plans["attention_lr_1e-4"].training.learning_rate == 1e-4
    assert plans["lstm"].network == {
        **plans["lstm"].network,
        "bidirectional": False,
        "attention": 0,
    }
    layers = [plans[f"attention_layers_{n}"].network["layers"] for n in (0, 1, 3)]
    assert layers == [0, 1, 3] and plans["attention_lr_5e-5"].network["layers"] == 2
    assert len({found.training.minutes for found in plans.values()}) == 1


@pytest.mark.parametrize("attention", [0, 1, 2])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_every_network_of_the_paper_gives_markers_and_weights_that_sum_to_one(
    attention, bidirectional
):
    config = AugmenterConfig(
        core="lstm",
        width=8,
        layers=1,
        heads=2,
        anatomy=False,
        attention=attention,
        bidirectional=bidirectional,
    )
    network, batch = Augmenter(config), sampler()(0)
    assert network(batch.window.keypoints, batch.window.size).shape == batch.markers.shape
    weights = network.attention_of(batch.window.keypoints, batch.window.size)
    assert (weights is None) == (attention == 0)
    if weights is not None:
        torch.testing.assert_close(weights.sum(-1), torch.ones(4, 30))


def test_a_one_way_lstm_does_not_see_the_future_and_a_bidirectional_one_does():
    batch = sampler()(0)
    later = batch.window.keypoints.clone()
    later[:, -1] += 0.1
    for bidirectional in (False, True):
        torch.manual_seed(0)
        config = AugmenterConfig("lstm", 8, 0, bidirectional, 1, 2, anatomy=False)
        network = Augmenter(config)
        one, two = (network(k, batch.window.size)[:, 0] for k in (batch.window.keypoints, later))
        assert torch.equal(one, two) is not bidirectional


def test_a_fixed_offset_is_found_and_taken_away():
    batch = sampler()(0)
    keypoints = batch.window.keypoints.numpy().astype(np.float64)
    errors = np.random.default_rng(0).normal(0.0, 0.01, batch.markers.shape)
    local = local_errors(keypoints, errors)
    np.testing.assert_allclose(
        np.linalg.norm(local, axis=-1), np.linalg.norm(errors, axis=-1), atol=1e-4
    )
    shifted = np.zeros_like(errors)
    shifted[..., 0] = 0.02
    assert without(shifted, offset_of(shifted)).mpme == pytest.approx(0.0, abs=1e-9)
    assert score_of(shifted).mpme == pytest.approx(20.0)
    assert score_of(shifted).rmse == pytest.approx(20.0 / 3**0.5)


def test_markers_that_nobody_measured_count_nowhere():
    errors = np.full((2, 5, len(MARKERS), 3), np.nan)
    errors[:, :, 0] = [0.003, 0.0, 0.004]
    score = score_of(errors)
    assert score.markers == {MARKERS[0]: pytest.approx(5.0)} and score.mpme == pytest.approx(5.0)
