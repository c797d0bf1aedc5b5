"""Solving whole recordings: rates, mountings, gaps, sides, and a real suit's take."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pallas.capture import ImuRecording, read_mvnx, read_recording, virtual_recording
from pallas.capture.virtual_imu import STANDARD_SENSORS, VirtualSensor
from pallas.neural import SolveOptions, solve
from pallas.neural.evaluation.reference import compare_with_reference
from pallas.rig import Motion, RecordingError, body_skeleton, quaternion
from pallas.rig.transfer import body_from_motion

DEMO = Path(__file__).resolve().parents[2] / "neural" / "demo" / "demo.pallas"


def waving(fps: float = 60.0, seconds: float = 4.0) -> Motion:
    """Arms hang for a second, then the right one is raised and waves while the body turns."""
    skeleton = body_skeleton()
    times = np.arange(int(seconds * fps) + 1) / fps
    started = np.clip(times - 1.0, 0.0, 1.0)
    rotations = np.tile(quaternion.IDENTITY, (len(times), 24, 1))
    y_axis, z_axis = np.eye(3)[1], np.eye(3)[2]
    for side, sign in (("left", 1.0), ("right", -1.0)):
        lift = 1.2 * started if side == "right" else 0.0 * started
        hang = quaternion.from_axis_angle(y_axis, sign * (np.pi / 2 - lift))
        rotations[:, skeleton.index(f"{side}_shoulder")] = hang
        bend = 0.5 * started * (1 + np.sin(6.0 * times))
        rotations[:, skeleton.index(f"{side}_elbow")] = quaternion.from_axis_angle(
            z_axis, -sign * bend
        )
    rotations[:, 0] = quaternion.from_axis_angle(z_axis, 0.4 * started)
    root = np.tile(skeleton.offsets[0], (len(times), 1))
    return Motion(skeleton, root, rotations, fps)


def sensed_error(motion: Motion, truth: Motion, joint: str) -> float:
    """Mean angle in degrees between a solved and a true bone."""
    index = motion.skeleton.index(joint)
    found = quaternion.resample(motion.world()[0][:, index], motion.times, truth.times)
    return float(np.degrees(quaternion.angle(found, truth.world()[0][:, index])).mean())


@pytest.mark.parametrize("rate", [15.0, 60.0, 100.0, 1000.0])
def test_the_motion_has_the_recording_s_rate_and_whole_span(rate):
    recording = virtual_recording(waving(), fps=rate)
    motion = solve(recording).motion
    assert motion.fps == pytest.approx(rate)
    assert motion.duration == pytest.approx(recording.times[-1] - recording.times[0])
    assert len(motion) == len(recording)


def test_the_bones_under_the_sensors_are_found_whatever_the_mounting():
    random = np.random.default_rng(5)
    turned = {
        name: VirtualSensor(s.joint, s.offset, tuple(quaternion.normalised(random.normal(size=4))))
        for name, s in STANDARD_SENSORS.items()
    }
    truth = waving()
    recording = virtual_recording(truth, turned)
    unmounted = ImuRecording(
        recording.times, recording.world_from_sensor, recording.acceleration, recording.placements
    )
    solution = solve(unmounted, SolveOptions(facing=0.0))
    for joint in ("pelvis", "neck", "left_elbow", "right_elbow"):
        assert sensed_error(solution.motion, truth, joint) < 15.0
    assert solution.report["calibration"].startswith("npose found at 0.0 s")


def test_the_same_recording_gives_the_same_motion_to_the_bit():
    recording = virtual_recording(waving())
    first, second = solve(recording), solve(recording)
    np.testing.assert_array_equal(first.motion.rotations, second.motion.rotations)
    np.testing.assert_array_equal(first.motion.root_position, second.motion.root_position)


def test_five_samples_are_solved_and_one_is_told():
    recording = virtual_recording(waving().clipped(0, 5))
    assert len(solve(recording).motion) == 5
    with pytest.raises(RecordingError, match="expected at least 2"):
        solve(virtual_recording(waving().clipped(0, 1)))


def test_a_long_gap_is_solved_and_told():
    recording = virtual_recording(waving())
    orientation = np.array(recording.world_from_sensor)
    orientation[120:180, 2] = np.nan
    solution = solve(replace(recording, world_from_sensor=orientation))
    assert np.isfinite(solution.motion.rotations).all()
    (warning,) = solution.report["warnings"]
    assert warning.startswith("right_wrist is silent for 1.02 s from 1.98 s")


def test_accelerations_in_g_are_solved_when_the_user_says_so():
    recording = virtual_recording(waving())
    in_g = replace(recording, acceleration=recording.acceleration / 9.80665)
    expected = solve(recording).motion
    found = solve(in_g, SolveOptions(acceleration_unit="g")).motion
    assert quaternion.angle(found.rotations, expected.rotations).max() < 1e-3


def test_standing_feet_stand_and_no_joint_is_below_the_floor():
    quality = solve(read_recording(DEMO)).report["quality"]
    assert quality["foot_skate_cm_per_s"] < 5.0
    assert quality["deepest_below_floor_cm"] < 1.0


def test_the_demo_walks_as_far_as_its_performer_did():
    distance = solve(read_recording(DEMO)).report["quality"]["distance_m"]
    assert 7.0 < distance < 16.0  # ten seconds of a walk at 1.2 m/s


def test_a_real_suit_s_take_is_solved_near_its_own_pose(data):
    path = data("imu/xsens_mvnx/test_mocap.mvnx")
    file = read_mvnx(path)
    solution = solve(file.recording)
    assert len(solution.motion) == len(file.recording) == 112
    assert solution.report["sensors"]["neck"] == "T8"
    errors = compare_with_reference(solution.motion, body_from_motion(file.motion))
    for joint in ("pelvis", "left_elbow", "right_elbow"):
        assert errors[f"angle_{joint}"] < 10.0
    assert errors["distance_upper"] < 10.0


@pytest.mark.parametrize("mounting_is_known", [True, False])
def test_exchanged_wrists_are_noticed(mounting_is_known):
    recording = virtual_recording(waving())
    if not mounting_is_known:
        recording = replace(recording, bone_from_sensor=None)
    exchanged = {"left_wrist": "right_wrist", "right_wrist": "left_wrist"}
    assert not solve(recording).report["warnings"]
    (warning,) = solve(recording, SolveOptions(sensors=exchanged)).report["warnings"]
    assert "look exchanged" in warning
