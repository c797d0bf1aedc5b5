"""Metrics against answers worked out by hand."""

import numpy as np
import pytest

from pallas.neural.evaluation.foot_metrics import contact_f1
from pallas.neural.evaluation.metrics import UNITS, average, motion_metrics
from pallas.neural.evaluation.rotation_metrics import mpjre
from pallas.rig import Motion, ShapeError, body_skeleton, quaternion

X, Y, Z = np.eye(3)
CHORD = (
    2 * np.sin(np.radians(5.0)) * 100
)  # cm that a point 1 m away moves when turned by 10 degrees


def gliding(frames: int = 301, speed: float = 1.0, fps: float = 60.0) -> Motion:
    """A stiff body that glides along x at `speed` m/s, feet on the floor."""
    skeleton = body_skeleton()
    root = np.tile(skeleton.offsets[0], (frames, 1))
    root[:, 0] += speed * np.arange(frames) / fps
    return Motion(skeleton, root, np.tile(quaternion.IDENTITY, (frames, 24, 1)), fps)


def turned(motion: Motion, joint: str, axis: np.ndarray, degrees: float) -> Motion:
    """The motion with one joint turned about an axis of its parent, the same in every frame."""
    rotations = np.array(motion.rotations)
    turn = quaternion.from_axis_angle(axis, np.radians(degrees))
    index = motion.skeleton.index(joint)
    rotations[:, index] = quaternion.multiply(turn, rotations[:, index])
    return Motion(motion.skeleton, motion.root_position, rotations, motion.fps)


def moved(motion: Motion, shift: np.ndarray) -> Motion:
    """The motion with its root moved by (3,) or (T, 3)."""
    return Motion(motion.skeleton, motion.root_position + shift, motion.rotations, motion.fps)


def test_the_truth_against_itself_has_no_error():
    motion = gliding()
    found = motion_metrics(motion, motion)
    assert set(found) == set(UNITS)
    for name in UNITS:
        if "error" in name or "drift" in name or name == "mpjre":
            assert found[name] == pytest.approx(0.0, abs=1e-5) or np.isnan(found[name])
    assert found["jerk"] == pytest.approx(0.0, abs=1e-4)


def test_ten_degrees_at_the_left_hip_count_for_the_leg_that_hangs_on_it():
    truth = gliding()
    found = motion_metrics(turned(truth, "left_hip", X, 10.0), truth)
    assert found["sip_error"] == pytest.approx(10.0 / 4)
    assert found["angular_error_global"] == pytest.approx(10.0 * 4 / 21)
    assert found["angular_error_lower"] == pytest.approx(10.0 * 4 / 8)
    assert found["angular_error_upper"] == pytest.approx(0.0, abs=1e-6)
    assert found["angular_error_local"] == pytest.approx(10.0 / 20)
    assert found["mpjre_geodesic"] == pytest.approx(10.0 / 21)
    assert found["position_error_upper"] == pytest.approx(0.0, abs=1e-6)
    assert found["position_error_hands"] == pytest.approx(0.0, abs=1e-6)
    thigh, shin = 0.245 * 1.70, 0.230 * 1.70
    foot = float(np.hypot(thigh + shin + 0.033 * 1.70, 0.078 * 1.70))
    total = CHORD * (thigh + (thigh + shin) + foot)
    assert found["position_error_lower"] == pytest.approx(total / 8)
    assert found["position_error"] == pytest.approx(total / 23)
    # TransPose's and PIP's mean runs over all 24 joints, with the leg's ankle and foot held straight.
    assert found["sip_error_reduced"] == pytest.approx(10.0 / 4)
    assert found["angular_error_reduced"] == pytest.approx(10.0 * 4 / 24)
    assert found["position_error_reduced"] == pytest.approx(total / 24)


def test_a_wrong_elbow_moves_only_its_own_wrist_among_the_hands():
    truth = gliding()
    found = motion_metrics(turned(truth, "left_elbow", Z, 10.0), truth)
    wrist, hand = 0.146 * 1.70, 0.196 * 1.70
    assert found["position_error_hands"] == pytest.approx(CHORD * wrist / 2)
    assert found["position_error_upper"] == pytest.approx(CHORD * (wrist + hand) / 15)
    assert found["position_error_lower"] == pytest.approx(0.0, abs=1e-6)


def test_a_root_that_faces_elsewhere_is_an_error_in_the_world_and_none_with_root_and_leaves_at_rest():
    truth = gliding()
    found = motion_metrics(turned(truth, "pelvis", Z, 10.0), truth)
    assert found["sip_error"] == pytest.approx(10.0)
    assert found["angular_error_global"] == pytest.approx(10.0)
    assert found["angular_error_local"] == pytest.approx(0.0, abs=1e-6)
    assert found["sip_error_reduced"] == pytest.approx(0.0, abs=1e-6)
    assert found["position_error_reduced"] == pytest.approx(0.0, abs=1e-6)


def test_a_bent_ankle_is_not_seen_with_root_and_leaves_at_rest():
    truth = gliding()
    found = motion_metrics(turned(truth, "left_ankle", X, 10.0), truth)
    assert found["angular_error_local"] == pytest.approx(10.0 / 20)
    assert found["angular_error_reduced"] == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize(("axis", "share"), [(X, 1.0), ((X + Y) / np.sqrt(2), np.sqrt(2.0))])
def test_mpjre_is_the_mean_of_components_not_the_angle(axis: np.ndarray, share: float):
    truth = gliding(10)
    wrong = turned(truth, "left_knee", axis, 30.0)
    found = mpjre(wrong.rotations, truth.rotations)
    assert found == pytest.approx(30.0 * share / (21 * 3))


def test_mpjre_wraps_components_past_half_a_turn():
    truth = turned(gliding(10), "left_knee", X, 175.0)
    wrong = turned(gliding(10), "left_knee", X, -175.0)
    assert mpjre(wrong.rotations, truth.rotations) == pytest.approx(10.0 / (21 * 3))


def test_mpjre_leaves_the_root_and_the_hands_out():
    truth = gliding(10)
    for joint in ("pelvis", "left_hand"):
        assert mpjre(turned(truth, joint, Z, 40.0).rotations, truth.rotations) == pytest.approx(0.0)


def test_a_body_that_glides_too_slowly_has_the_difference_as_velocity_error():
    found = motion_metrics(gliding(speed=0.7), gliding(speed=1.0))
    for part in ("", "_upper", "_lower", "_hands"):
        assert found[f"velocity_error{part}"] == pytest.approx(30.0)
    assert found["position_error"] == pytest.approx(0.0, abs=1e-6)


def test_a_root_that_goes_too_slowly_drifts_in_proportion():
    found = motion_metrics(gliding(241, 0.9), gliding(241, 1.0))
    assert found["root_drift_1m"] == pytest.approx(10.0, rel=0.03)
    assert found["root_drift_2m"] == pytest.approx(20.0, rel=0.03)
    assert np.isnan(found["root_drift_5m"])
    assert found["root_error_per_metre"] == pytest.approx(10.0, rel=0.03)
    assert found["root_error_per_second"] == pytest.approx(10.0)


def test_a_constant_offset_of_the_root_is_no_drift():
    truth = gliding()
    found = motion_metrics(moved(truth, np.array([1.0, 2.0, 0.5])), truth)
    assert found["root_drift_1m"] == pytest.approx(0.0, abs=1e-9)
    assert found["root_error_per_second"] == pytest.approx(0.0, abs=1e-9)


def test_climbing_where_the_truth_does_not_counts_per_second_but_not_over_ground():
    truth = gliding()
    climb = 0.2 * np.arange(len(truth))[:, None] / truth.fps * Z
    found = motion_metrics(moved(truth, climb), truth)
    assert found["root_error_per_second"] == pytest.approx(20.0)
    assert found["root_drift_1m"] == pytest.approx(0.0, abs=1e-9)


def test_a_clip_below_a_second_tells_no_drift_and_one_of_three_frames_no_jerk():
    short = gliding(3)
    found = motion_metrics(short, short)
    assert np.isnan(found["root_error_per_second"])
    assert np.isnan(found["root_error_per_metre"])
    assert np.isnan(found["jerk"])


def test_a_single_frame_has_a_pose_but_no_velocity():
    single = gliding(1)
    found = motion_metrics(single, single)
    assert found["position_error"] == 0.0
    assert np.isnan(found["velocity_error"])
    assert np.isnan(found["foot_skate"])


def test_feet_that_should_stand_and_glide_skate():
    found = motion_metrics(gliding(speed=0.2), gliding(speed=0.0))
    assert found["foot_skate"] == pytest.approx(20.0)
    assert found["foot_skate_true"] == pytest.approx(0.0)


@pytest.mark.parametrize(("lift", "share"), [(-0.01, 1.0), (0.0125, 2 - np.sqrt(2)), (0.03, 0.0)])
def test_skating_counts_the_less_the_higher_the_foot(lift: float, share: float):
    skeleton = body_skeleton()
    ball = skeleton.rest_positions[skeleton.index("left_foot"), 2]
    truth = gliding(speed=0.2)
    found = motion_metrics(moved(truth, (0.017 - ball + lift) * Z), truth)
    assert found["foot_skate_low"] == pytest.approx(20.0 * share, abs=1e-9)


def test_sinking_is_penetration():
    motion = gliding()
    sunk = moved(motion, -0.05 * Z)
    lowest = motion.world()[1][0, :, 2].min()
    found = motion_metrics(sunk, motion)
    assert found["penetration"] == pytest.approx(100 * (0.05 - lowest))
    assert found["penetration_true"] == 0.0


def test_deep_penetration_is_the_share_of_frames_a_centimetre_under_where_soles_can_be():
    motion = gliding(100)
    skeleton = motion.skeleton
    ankle = skeleton.rest_positions[skeleton.index("left_ankle"), 2]
    shift = np.zeros((100, 3))
    shift[:, 2] = 0.073 - ankle
    assert motion_metrics(moved(motion, shift), motion)["penetration_deep"] == 0.0
    shift[:25, 2] -= 0.011
    shift[25:50, 2] -= 0.009
    assert motion_metrics(moved(motion, shift), motion)["penetration_deep"] == pytest.approx(25.0)


def test_contact_f1_weighs_false_and_missed_contacts_alike():
    truth = np.array([[1, 1], [1, 0], [0, 0]], dtype=bool)
    said = np.array([[1, 0], [1, 1], [0, 0]], dtype=bool)
    assert contact_f1(said, truth) == pytest.approx(2 * 2 / (2 * 2 + 1 + 1))
    assert contact_f1(truth, truth) == 1.0
    assert contact_f1(~truth, truth) == 0.0
    assert np.isnan(contact_f1(np.zeros_like(truth), np.zeros_like(truth)))


def test_contacts_are_judged_against_the_feet_that_truly_stand():
    standing, gone = gliding(60, speed=0.0), gliding(60, speed=1.0)
    always = np.ones((60, 2), dtype=bool)
    assert motion_metrics(standing, standing, always)["contact_f1"] == 1.0
    assert motion_metrics(standing, gone, always)["contact_f1"] == 0.0
    assert np.isnan(motion_metrics(standing, standing)["contact_f1"])


def test_jerk_of_a_shaking_body_is_the_third_derivative():
    times = np.arange(600) / 600.0
    root = np.stack([0.1 * np.sin(6 * times), 0 * times, 0.9 + 0 * times], axis=-1)
    shaking = Motion(body_skeleton(), root, np.tile(quaternion.IDENTITY, (600, 24, 1)), 600.0)
    expected = np.abs(0.1 * 6**3 * np.cos(6 * times)).mean() / 100
    assert motion_metrics(shaking, shaking)["jerk"] == pytest.approx(expected, rel=0.01)


def test_motions_that_do_not_match_are_refused():
    with pytest.raises(ShapeError, match="same frames"):
        motion_metrics(gliding(10), gliding(11))


def test_averages_weigh_by_frames_and_leave_out_what_a_clip_cannot_tell():
    first, second = ({name: value for name in UNITS} for value in (1.0, 4.0))
    second["root_drift_5m"] = np.nan
    mean = average([first, second], [200, 100])
    assert mean["sip_error"] == pytest.approx(2.0)
    assert mean["root_drift_5m"] == pytest.approx(1.0)
