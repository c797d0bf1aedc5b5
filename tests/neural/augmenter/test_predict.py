"""Keypoints of a recording to markers: any length and rate, gaps, bad input."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from pallas.neural.augmenter.networks import Augmenter, AugmenterConfig
from pallas.neural.augmenter.points import BODY, KEYPOINTS, MARKERS
from pallas.neural.augmenter.predict import attention, augment
from pallas.neural.augmenter.stored import EMBEDDED_AUGMENTER, load_augmenter
from pallas.neural.augmenter.train import crowd_for
from pallas.rig.errors import ModelError, RecordingError, ShapeError
from pallas.rig.trajectories import MarkerTrajectories


@pytest.fixture(scope="module")
def network():
    return load_augmenter()[0]


@pytest.fixture(scope="module")
def person():
    """A body of the test split that stands in T-pose: its keypoints and markers."""
    crowd = crowd_for("test")
    points = crowd.points[0].numpy().astype(np.float64)
    return points[len(MARKERS) :], points[: len(MARKERS)], *(float(v) for v in crowd.size[0])


def standing(person, frames=40, fps=60.0, moving=(0.0, 0.0, 0.0)):
    keypoints = person[0] + np.arange(frames)[:, None, None] / fps * np.array(moving)
    return MarkerTrajectories(KEYPOINTS, keypoints, fps, 1.5)


def test_a_standing_person_gets_markers_within_three_centimetres(person, network):
    found = augment(standing(person), person[2], person[3], network).markers
    assert found.names == MARKERS and found.start == 1.5
    assert np.linalg.norm(found.positions - person[1], axis=-1).mean() < 0.03


@pytest.mark.parametrize(
    ("frames", "fps"), [(1, 60.0), (2, 30.0), (31, 25.0), (240, 120.0), (90, 59.94)]
)
def test_any_length_and_rate_comes_out_as_it_went_in(person, network, frames, fps):
    found = augment(standing(person, frames, fps), person[2], person[3], network).markers
    assert (len(found), found.fps) == (frames, fps)
    assert np.linalg.norm(found.positions - person[1], axis=-1).mean() < 0.03


def test_who_walks_far_away_is_followed_without_drift(person, network):
    still = augment(standing(person), person[2], person[3], network).markers.positions
    moving = standing(person, 300, 60.0, (0.0, -1.5, 0.0))
    far = replace(moving, positions=moving.positions + np.array([1000.0, -2000.0, 0.0]))
    found = augment(far, person[2], person[3], network).markers.positions
    away = found - far.positions[:, :1] - (still[:1] - person[0][:1])
    assert np.abs(away).max() < 0.02


def test_turned_around_markers_turn_too(person, network):
    before = augment(standing(person), person[2], person[3], network).markers.positions
    turn = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    turned = replace(standing(person), positions=standing(person).positions @ turn.T)
    after = augment(turned, person[2], person[3], network).markers.positions
    np.testing.assert_allclose(after, before @ turn.T, atol=1e-4)


def test_short_gaps_are_closed_and_long_ones_have_no_markers(person, network):
    whole = standing(person, 120)
    positions = np.array(whole.positions)
    positions[10:15, 0] = np.nan
    positions[50:110, 5] = np.nan
    found = augment(replace(whole, positions=positions), person[2], person[3], network)
    missing = np.isnan(found.markers.positions).any((1, 2))
    assert (found.filled, found.gaps) == (65, 60)
    assert missing[50:110].all() and not missing[:50].any() and not missing[110:].any()


def test_one_point_far_off_does_not_hurt_its_own_windows_only(person, network):
    whole = standing(person, 200)
    positions = np.array(whole.positions)
    positions[100] = np.nan
    found = augment(replace(whole, positions=positions), person[2], person[3], network)
    assert np.linalg.norm(found.markers.positions - person[1], axis=-1).mean() < 0.03


@pytest.mark.parametrize(
    ("height", "mass", "told"),
    [
        (175.0, 70.0, "height is 175; expected 0.5 to 2.5 metres"),
        (1.7, 0.0, "mass is 0"),
        (1.7, np.nan, "mass is nan"),
    ],
)
def test_impossible_people_are_told(person, network, height, mass, told):
    with pytest.raises(ShapeError, match=told):
        augment(standing(person), height, mass, network)


def test_missing_and_unseen_keypoints_are_named(person, network):
    whole = standing(person)
    with pytest.raises(RecordingError, match="LHeel are missing"):
        augment(whole.chosen([n for n in KEYPOINTS if n != "LHeel"]), 1.7, 70.0, network)
    positions = np.array(whole.positions)
    positions[:, KEYPOINTS.index("RKnee")] = np.nan
    with pytest.raises(RecordingError, match="RKnee are never seen"):
        augment(replace(whole, positions=positions), 1.7, 70.0, network)
    with pytest.raises(RecordingError, match="no keypoint is ever seen"):
        augment(replace(whole, positions=positions * np.nan), 1.7, 70.0, network)
    strange = replace(whole, names=tuple(f"M{k}" for k in range(len(whole.names))))
    with pytest.raises(RecordingError, match="none of the keypoints is there, but M0, M1, M2, M3"):
        augment(strange, 1.7, 70.0, network)
    with pytest.raises(RecordingError, match="no frames"):
        augment(whole.clipped(0, 0), 1.7, 70.0, network)


def test_attention_has_a_row_for_each_frame_that_sums_to_one(person, network):
    torch.manual_seed(0)
    looking = Augmenter(AugmenterConfig("lstm", 8, 0, attention=1, heads=2, anatomy=False)).eval()
    names, weights = attention(standing(person), 1.7, 70.0, looking)
    assert names == BODY.inputs and weights.shape == (30, 15)
    np.testing.assert_allclose(weights.sum(1), 1.0, atol=1e-5)
    with pytest.raises(ModelError, match="weighs no keypoints"):
        attention(standing(person), 1.7, 70.0, network)


def test_embedded_weights_are_small():
    assert EMBEDDED_AUGMENTER.with_suffix(".safetensors").stat().st_size < 3_000_000
