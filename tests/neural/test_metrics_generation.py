"""Several takes, sets of motions, and the encoder that turns motions into features."""

from pathlib import Path

import numpy as np
import pytest

from pallas.neural.evaluation.fit_motion_encoder import fit_motion_encoder
from pallas.neural.evaluation.frechet import frechet_distance
from pallas.neural.evaluation.generation_metrics import (
    TAKES_UNITS,
    best_of,
    diversity,
    takes_metrics,
)
from pallas.neural.evaluation.metrics import motion_metrics
from pallas.neural.evaluation.motion_encoder import (
    CHANNELS,
    FRAMES,
    LATENT,
    load_motion_encoder,
    motion_windows,
)
from pallas.rig import ModelError, Motion, body_skeleton, quaternion

X, _, Z = np.eye(3)


def standing(hip: float = 0.0, frames: int = 90, facing: float = 0.0, size: float = 1.70) -> Motion:
    """A body that stands with its left hip bent by so many degrees, and faces some way."""
    skeleton = body_skeleton(size)
    rotations = np.tile(quaternion.IDENTITY, (frames, 24, 1))
    rotations[:, skeleton.index("left_hip")] = quaternion.from_axis_angle(X, np.radians(hip))
    rotations[:, 0] = quaternion.from_axis_angle(Z, facing)
    return Motion(skeleton, np.tile(skeleton.offsets[0], (frames, 1)), rotations, 60.0)


def swinging(seed: int, frames: int = 120) -> Motion:
    """A body whose joints swing at random."""
    random = np.random.default_rng(seed)
    times = np.arange(frames)[:, None, None] / 60.0
    rate, phase, size = (random.uniform(*r, (1, 24, 3)) for r in ((1, 9), (0, 6), (0, 0.5)))
    rotations = quaternion.from_rotation_vector(size * np.sin(rate * times + phase))
    skeleton = body_skeleton()
    return Motion(skeleton, np.tile(skeleton.offsets[0], (frames, 1)), rotations, 60.0)


def test_diversity_is_the_mean_distance_between_pairs_of_takes():
    chord = 100 * 2 * np.sin(np.radians(5.0))
    thigh, shin = 0.245 * 1.70, 0.230 * 1.70
    foot = float(np.hypot(thigh + shin + 0.033 * 1.70, 0.078 * 1.70))
    apart = chord * (2 * thigh + shin + foot) / 8
    assert diversity([standing(0.0), standing(10.0)]) == pytest.approx(apart)
    # Of three pairs one is the same.
    three = [standing(0.0), standing(10.0), standing(10.0)]
    assert diversity(three) == pytest.approx(2 * apart / 3)


def test_takes_that_are_all_the_same_have_no_diversity_and_one_take_cannot_tell():
    assert diversity([standing(5.0)] * 3) == 0.0
    assert np.isnan(diversity([standing()]))


def test_the_best_of_k_is_chosen_for_every_metric_by_itself():
    best = best_of([{"a": 1.0, "b": 5.0}, {"a": 2.0, "b": 3.0}, {"a": np.nan, "b": 9.0}])
    assert best == {"a": 1.0, "b": 3.0}


def test_the_best_of_takes_around_the_truth_is_the_one_that_hits_it():
    truth = standing(10.0)
    takes = [standing(0.0), standing(10.0), standing(20.0)]
    found = [motion_metrics(take, truth) for take in takes]
    told = takes_metrics(takes, found)
    assert set(told) == set(TAKES_UNITS)
    assert told["sip_error_best"] == pytest.approx(0.0, abs=1e-6)
    assert np.isnan(list(takes_metrics(takes[:1], found[:1]).values())).all()


def test_frechet_distance_of_two_gaussians_is_known():
    random = np.random.default_rng(0)
    first = random.standard_normal((200_000, 2)) * [1.0, 2.0]
    second = random.standard_normal((200_000, 2)) * [3.0, 2.0] + [1.0, 0.0]
    # |1|^2 + (1 + 9 - 2 * 3) + (4 + 4 - 2 * 4)
    assert frechet_distance(first, second) == pytest.approx(5.0, rel=0.02)


def test_a_set_has_no_distance_to_itself_in_any_order_and_shifting_it_adds_the_shift_squared():
    rows = np.random.default_rng(1).standard_normal((500, 8))
    assert frechet_distance(rows, rows[::-1]) == pytest.approx(0.0, abs=1e-6)
    assert frechet_distance(rows, rows + 2.0) == pytest.approx(8 * 4.0)
    assert np.isnan(frechet_distance(rows, rows[:1]))


def test_windows_know_neither_place_nor_facing_nor_size():
    plain = motion_windows(standing(20.0))
    assert plain.shape == (1, CHANNELS, FRAMES)
    np.testing.assert_allclose(motion_windows(standing(20.0, facing=2.0)), plain, atol=1e-5)
    np.testing.assert_allclose(motion_windows(standing(20.0, size=1.2)), plain, atol=1e-5)
    assert motion_windows(standing(frames=40)).shape == (0, CHANNELS, FRAMES)


def test_the_encoder_that_ships_tells_a_bent_hip_from_a_straight_one():
    encoder = load_motion_encoder()
    straight, bent = (encoder.features(standing(hip)) for hip in (0.0, 40.0))
    assert straight.shape == (1, LATENT)
    assert np.linalg.norm(straight - bent) > 0.1
    assert encoder.features(standing(frames=10)).shape == (0, LATENT)


def test_training_the_encoder_twice_gives_the_same_bytes(tmp_path: Path):
    motions = [swinging(seed) for seed in range(30)]
    for name in ("one", "two"):
        fit_motion_encoder(motions, tmp_path / name, lambda *_: None, steps=20)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_a_trained_encoder_explains_motion_and_whitens_it(tmp_path: Path):
    motions = [swinging(seed) for seed in range(30)]
    explained = fit_motion_encoder(motions, tmp_path / "e", lambda *_: None, steps=150)
    assert explained > 0.5
    encoder = load_motion_encoder(tmp_path / "e")
    features = np.concatenate([encoder.features(motion) for motion in motions])
    np.testing.assert_allclose(np.cov(features, rowvar=False), np.eye(LATENT), atol=0.05)


def test_a_damaged_encoder_is_told_in_one_line(tmp_path: Path):
    path = tmp_path / "encoder.safetensors"
    path.write_bytes(b"not weights")
    with pytest.raises(ModelError, match="pallas train motion_encoder"):
        load_motion_encoder(path)


def test_too_little_motion_to_train_on_is_refused(tmp_path: Path):
    with pytest.raises(ModelError, match="windows to train on"):
        fit_motion_encoder([standing()], tmp_path / "e", lambda *_: None)
