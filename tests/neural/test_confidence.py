"""How sure joints are: sensed ones surely, drawn legs less, silent and seated ones hardly."""

import numpy as np
import pytest

from pallas.capture.imu import Gap
from pallas.neural import confidence
from pallas.neural.confidence import activity, confidence_of, expected_errors, silence
from pallas.rig import BODY_JOINTS, ModelError

ARM, KNEE, FOREARM = (BODY_JOINTS.index(n) for n in ("right_wrist", "left_knee", "left_elbow"))
NOTHING = np.zeros((1, 24))


def test_an_error_of_thirty_degrees_is_a_confidence_of_one_half():
    found = confidence_of(np.array([[0.0, 30.0, 90.0] * 8]), NOTHING, "deterministic")
    np.testing.assert_allclose(found[0, :3], [1.0, 0.5, 0.1])


def test_sensed_bones_are_surer_than_legs():
    sure = confidence_of(expected_errors(np.array([1.0])), NOTHING, "deterministic")[0]
    assert sure[BODY_JOINTS.index("pelvis")] > 0.9
    assert sure[FOREARM] > 0.8
    assert sure[KNEE] < sure[FOREARM]


def test_drawn_legs_are_less_sure_than_predicted_ones_and_arms_are_not():
    expected = np.full((1, 24), 15.0)
    predicted = confidence_of(expected, NOTHING, "deterministic")[0]
    drawn = confidence_of(expected, NOTHING, "generated")[0]
    np.testing.assert_allclose(drawn[KNEE], 1.0 / 1.5)
    assert drawn[KNEE] < predicted[KNEE]
    assert drawn[ARM] == predicted[ARM]


def test_seated_legs_are_a_coin_toss():
    assert confidence_of(np.full((1, 24), 5.0), NOTHING, "seated")[0, KNEE] == 0.5


def test_a_silent_wrist_makes_its_own_arm_unsure_and_more_so_with_time():
    times = np.arange(0.0, 4.0, 0.5)
    added = silence([Gap("right_wrist", 11.0, 13.0)], 10.0, times)
    np.testing.assert_allclose(added[:, ARM], [0, 0, 0, 30, 60, 90, 0, 0])
    assert not added[:, FOREARM].any()


def test_activity_is_the_root_mean_square_of_what_is_felt():
    felt = np.zeros((200, 4, 3))
    felt[..., 2] = 3.0
    np.testing.assert_allclose(activity(felt, 60.0), 3.0)
    felt[50] = np.nan
    assert np.isfinite(activity(felt, 60.0)).all()


def test_a_missing_table_is_told_in_one_line(monkeypatch, tmp_path):
    monkeypatch.setattr(confidence, "PATH", tmp_path / "confidence.json")
    confidence._lines.cache_clear()
    with pytest.raises(ModelError, match="install PALLAS again"):
        expected_errors(np.zeros(1))
    confidence._lines.cache_clear()
