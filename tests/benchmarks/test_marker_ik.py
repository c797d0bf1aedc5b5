import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def room(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    yield importlib.import_module
    for name in [name for name in sys.modules if name.split(".")[0] in {"ik", "marker_ik"}]:
        del sys.modules[name]


def test_a_marker_that_counts_three_times_as_much_pulls_the_error_to_its_own(room):
    measured = np.zeros((1, 2, 3))
    placed = np.array([[[0.002, 0.0, 0.0], [0.0, 0.006, 0.0]]])
    error = room("ik.measure").weighted_rmse(measured, placed, np.array([3.0, 1.0]))
    assert error == pytest.approx(np.sqrt((3 * 4 + 36) / 4))  # millimetres


def test_a_marker_that_was_not_seen_does_not_count(room):
    measured = np.array([[[0.0, 0.0, 0.0], [np.nan] * 3]])
    placed = np.array([[[0.003, 0.0, 0.004], [9.0, 9.0, 9.0]]])
    assert room("ik.measure").weighted_rmse(measured, placed, np.ones(2)) == pytest.approx(5.0)


def test_a_full_turn_is_no_difference(room):
    difference = room("ik.measure").angle_differences(
        np.radians([[359.0, 10.0]]), np.radians([[-1.0, -350.0]])
    )
    np.testing.assert_allclose(difference, 0.0, atol=1e-9)


def test_half_a_turn_and_none_average_as_squares(room):
    measured = np.tile(np.eye(3), (1, 2, 1, 1))
    placed = measured.copy()
    placed[0, 1] = np.diag([-1.0, -1.0, 1.0])
    error = room("ik.measure").turn_rmse(measured, placed)
    assert error == pytest.approx(180.0 / np.sqrt(2.0))


def test_the_page_has_a_place_for_every_table(room):
    page = (ROOT / "docs" / "marker-ik.md").read_text(encoding="utf-8")
    for name in ("machine", *room("marker_ik").NAMES):
        assert f"<!-- {name} -->\n" in page
        assert f"<!-- end of {name} -->" in page


def test_about_a_third_of_the_markers_is_missing_in_runs(room):
    missing = room("ik.synthetic")._gaps(np.random.default_rng(0), 20000, 20)
    assert missing.mean() == pytest.approx(0.3, abs=0.01)
    ends = (missing[:-1] & ~missing[1:]).sum()
    assert missing.sum() / ends == pytest.approx(20.0, rel=0.1)


def test_a_motion_there_and_back_never_stands_still(room):
    pose = np.arange(4.0)[:, None]
    played = room("ik.synthetic").there_and_back(pose, 9)[:, 0]
    np.testing.assert_array_equal(played, [0, 1, 2, 3, 2, 1, 0, 1, 2])


def test_headings_drift_ten_degrees_in_a_minute(room):
    synthetic = room("ik.synthetic")
    synthetic.SENSOR_NOISE = 0.0
    turns = np.tile(np.eye(3), (61, 1, 1, 1))
    drifted = synthetic._drifted(np.random.default_rng(0), turns, 1.0)
    heading = np.degrees(np.arctan2(drifted[:, 0, 1, 0], drifted[:, 0, 0, 0]))
    assert abs(heading[60]) == pytest.approx(10.0)
