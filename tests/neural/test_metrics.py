"""Metrics against answers worked out by hand."""

import numpy as np
import pytest

from pallas.neural.evaluation.metrics import UNITS, average, motion_metrics
from pallas.rig import Motion, body_skeleton, quaternion

Z = np.array([0.0, 0.0, 1.0])


def gliding(frames: int = 301, speed: float = 1.0, fps: float = 60.0) -> Motion:
    """A stiff body that glides along x at `speed` m/s, feet on the floor."""
    skeleton = body_skeleton()
    root = np.tile(skeleton.offsets[0], (frames, 1))
    root[:, 0] += speed * np.arange(frames) / fps
    return Motion(skeleton, root, np.tile(quaternion.IDENTITY, (frames, 24, 1)), fps)


def test_the_truth_against_itself_has_no_error():
    motion = gliding()
    found = motion_metrics(motion, motion)
    for name in ("sip_error", "angular_error_global", "position_error", "root_drift_2m"):
        assert found[name] == pytest.approx(0.0, abs=1e-5)
    assert found["jerk"] == pytest.approx(0.0, abs=1e-4)
    assert set(found) == set(UNITS)


def test_ten_degrees_at_the_left_hip_count_for_the_leg_that_hangs_on_it():
    truth = gliding()
    rotations = np.array(truth.rotations)
    bent = truth.skeleton.index("left_hip")
    rotations[:, bent] = quaternion.from_axis_angle(np.eye(3)[0], np.radians(10.0))
    found = motion_metrics(Motion(truth.skeleton, truth.root_position, rotations, 60.0), truth)
    assert found["sip_error"] == pytest.approx(10.0 / 4)
    assert found["angular_error_global"] == pytest.approx(10.0 * 4 / 21)
    assert found["angular_error_local"] == pytest.approx(10.0 / 20)
    assert found["position_error_upper"] == pytest.approx(0.0, abs=1e-6)
    thigh, shin = 0.245 * 1.70, 0.230 * 1.70
    chord = 2 * np.sin(np.radians(5.0)) * 100
    knee, ankle = chord * thigh, chord * (thigh + shin)
    assert found["position_error_lower"] > (knee + ankle) / 8


def test_a_root_that_goes_too_slowly_drifts_in_proportion():
    found = motion_metrics(gliding(241, 0.9), gliding(241, 1.0))
    assert found["root_drift_1m"] == pytest.approx(10.0, rel=0.03)
    assert found["root_drift_2m"] == pytest.approx(20.0, rel=0.03)
    assert np.isnan(found["root_drift_5m"])


def test_feet_that_should_stand_and_glide_skate():
    found = motion_metrics(gliding(speed=0.2), gliding(speed=0.0))
    assert found["foot_skate"] == pytest.approx(20.0)
    assert found["foot_skate_true"] == pytest.approx(0.0)


def test_sinking_is_penetration():
    motion = gliding()
    sunk = Motion(motion.skeleton, motion.root_position - 0.05 * Z, motion.rotations, 60.0)
    lowest = motion.world()[1][0, :, 2].min()
    found = motion_metrics(sunk, motion)
    assert found["penetration"] == pytest.approx(100 * (0.05 - lowest))
    assert found["penetration_true"] == 0.0


def test_jerk_of_a_shaking_body_is_the_third_derivative():
    times = np.arange(600) / 600.0
    root = np.stack([0.1 * np.sin(6 * times), 0 * times, 0.9 + 0 * times], axis=-1)
    shaking = Motion(body_skeleton(), root, np.tile(quaternion.IDENTITY, (600, 24, 1)), 600.0)
    expected = np.abs(0.1 * 6**3 * np.cos(6 * times)).mean() / 100
    assert motion_metrics(shaking, shaking)["jerk"] == pytest.approx(expected, rel=0.01)


def test_averages_weigh_by_frames_and_leave_out_what_a_clip_cannot_tell():
    first, second = ({name: value for name in UNITS} for value in (1.0, 4.0))
    second["root_drift_5m"] = np.nan
    mean = average([first, second], [200, 100])
    assert mean["sip_error"] == pytest.approx(2.0)
    assert mean["root_drift_5m"] == pytest.approx(1.0)
