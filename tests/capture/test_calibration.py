"""Calibration on poses whose answer is known: whatever the sensors' rotation on the limbs."""

import numpy as np
import pytest

from pallas.capture.calibration import calibrate
from pallas.capture.imu import PLACEMENTS, ImuRecording
from pallas.capture.virtual_imu import STANDARD_SENSORS, VirtualSensor, virtual_recording
from pallas.rig import CalibrationError, Motion, body_skeleton, quaternion

Z = np.array([0.0, 0.0, 1.0])
DOWN = {"left": 1.45, "right": -1.45}  # radians about y that bring an arm nearly down


def standing_then_reaching(facing: float, fps: float = 60.0) -> Motion:
    """Arms down for a second, then reaching forwards with bent elbows, twice."""
    skeleton = body_skeleton()
    times = np.arange(int(5 * fps)) / fps
    reach = np.clip(np.sin(np.pi * (times - 1.0) / 2.0), 0.0, 1.0) * (times > 1.0)
    vectors = np.zeros((len(times), 24, 3))
    rotations = quaternion.from_rotation_vector(vectors)
    for side, angle in DOWN.items():
        forward = quaternion.from_axis_angle(np.array([1.0, 0.0, 0.0]), -0.8 * reach)
        down = quaternion.from_axis_angle(np.array([0.0, 1.0, 0.0]), np.sign(angle) * np.pi / 2)
        rotations[:, skeleton.index(f"{side}_shoulder")] = quaternion.multiply(forward, down)
        # In the arm's own frame the elbow's hinge is vertical in the T-pose.
        bend = quaternion.from_axis_angle(Z, -np.sign(angle) * 0.9 * reach)
        rotations[:, skeleton.index(f"{side}_elbow")] = bend
    rotations[:, 0] = quaternion.from_axis_angle(Z, facing)
    root = np.tile([0.0, 0.0, 0.92], (len(times), 1))
    return Motion(skeleton, root, rotations, fps)


def turned_sensors(seed: int) -> dict[str, VirtualSensor]:
    """The standard sensors, each turned on its limb at random."""
    random = np.random.default_rng(seed)
    turns = quaternion.normalised(random.normal(size=(4, 4)))
    return {
        name: VirtualSensor(sensor.joint, sensor.offset, tuple(turn))
        for (name, sensor), turn in zip(STANDARD_SENSORS.items(), turns, strict=True)
    }


@pytest.mark.parametrize("facing", [0.0, 2.5])
def test_any_mounting_is_found_from_the_still_start_when_the_facing_is_known(facing):
    recording = virtual_recording(standing_then_reaching(facing), turned_sensors(1))
    unmounted = without_mounting(recording)
    found = calibrate(unmounted, facing=facing)
    error = quaternion.angle(found.bone_from_sensor, recording.bone_from_sensor)
    assert np.degrees(error).max() < 0.1
    assert found.source == "npose found at 0.0 s"


def test_the_mounting_that_the_file_holds_is_kept_unless_frames_are_named():
    recording = virtual_recording(standing_then_reaching(0.3), turned_sensors(3))
    np.testing.assert_allclose(calibrate(recording).bone_from_sensor, recording.bone_from_sensor)
    named = calibrate(recording, pose_at=(0.1, 0.8), facing=0.3)
    error = quaternion.angle(named.bone_from_sensor, recording.bone_from_sensor)
    assert np.degrees(error).max() < 0.1


def test_a_pose_of_the_file_is_used_by_its_name():
    recording = virtual_recording(standing_then_reaching(0.0), turned_sensors(4))
    pose = {"npose": recording.world_from_sensor[0]}
    with_pose = ImuRecording(
        recording.times, recording.world_from_sensor, recording.acceleration, PLACEMENTS, None, pose
    )
    found = calibrate(with_pose, facing=0.0)
    assert found.source == "the file's own npose"
    error = quaternion.angle(found.bone_from_sensor, recording.bone_from_sensor)
    assert np.degrees(error).max() < 0.1


def test_moving_during_the_named_frames_is_told_with_the_sensor():
    recording = virtual_recording(standing_then_reaching(0.0))
    with pytest.raises(CalibrationError, match=r"wrist moved by \d+ degrees during the pose"):
        calibrate(recording, pose_at=(1.0, 3.0))


def test_frames_outside_the_recording_are_told_with_its_length():
    recording = virtual_recording(standing_then_reaching(0.0))
    with pytest.raises(CalibrationError, match=r"no sample between 90 and 91 s.*lasts 4.98 s"):
        calibrate(recording, pose_at=(90.0, 91.0))


def test_a_performer_who_never_stands_still_is_told_what_to_do():
    motion = standing_then_reaching(0.0)
    spin = quaternion.from_axis_angle(Z, 2.0 * motion.times)
    rotations = np.array(motion.rotations)
    rotations[:, 0] = spin
    spinning = Motion(motion.skeleton, motion.root_position, rotations, motion.fps)
    with pytest.raises(CalibrationError, match="never stands still.*--pose-at"):
        calibrate(without_mounting(virtual_recording(spinning)))


def test_a_sensor_that_is_silent_in_the_pose_is_named():
    recording = without_mounting(virtual_recording(standing_then_reaching(0.0)))
    orientation = np.array(recording.world_from_sensor)
    orientation[:60, 2] = np.nan
    silent = ImuRecording(recording.times, orientation, recording.acceleration, PLACEMENTS)
    with pytest.raises(CalibrationError, match="right_wrist sent nothing"):
        calibrate(silent, pose_at=(0.0, 0.5))


def without_mounting(recording: ImuRecording) -> ImuRecording:
    """The same samples as a device sends them: nobody knows how the sensors are mounted."""
    return ImuRecording(
        recording.times, recording.world_from_sensor, recording.acceleration, recording.placements
    )
