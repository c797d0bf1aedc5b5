"""Recordings that are not what they say: each is told in one line, before it is solved."""

from dataclasses import replace

import numpy as np
import pytest

from pallas.capture.plausibility import check_units, lever_arm
from pallas.capture.virtual_imu import virtual_recording
from pallas.rig import Motion, RecordingError, body_skeleton, quaternion


def swinging_arms() -> Motion:
    """Four seconds of arms that swing about the shoulders at 1 Hz."""
    times = np.arange(240) / 60.0
    skeleton = body_skeleton()
    rotations = np.tile(quaternion.IDENTITY, (240, 24, 1))
    for side in ("left", "right"):
        swing = quaternion.from_axis_angle(np.array([0.0, 0.0, 1.0]), 0.6 * np.sin(6.28 * times))
        rotations[:, skeleton.index(f"{side}_shoulder")] = swing
    return Motion(skeleton, np.tile([0.0, 0.0, 0.92], (240, 1)), rotations, 60.0)


RECORDING = virtual_recording(swinging_arms())


def test_a_good_recording_passes_and_its_wrists_are_an_arm_away():
    check_units(RECORDING)
    assert 0.2 < lever_arm(RECORDING) < 0.8


def test_accelerations_in_g_are_told_by_how_the_wrists_turn():
    in_g = replace(RECORDING, acceleration=RECORDING.acceleration / 9.80665)
    with pytest.raises(RecordingError, match="as if in g; expected m/s"):
        check_units(in_g)


@pytest.mark.parametrize(("gravity", "unit"), [(9.81, "m/s"), (1.0, "in g")])
def test_gravity_that_was_not_taken_out_is_told(gravity, unit):
    scale = gravity / 9.81
    heavy = replace(
        RECORDING, acceleration=RECORDING.acceleration * scale + np.array([0.0, 0.0, gravity])
    )
    with pytest.raises(RecordingError, match=f"gravity.*{unit}"):
        check_units(heavy)


def test_degrees_in_place_of_quaternions_are_told():
    degrees = replace(RECORDING, world_from_sensor=RECORDING.world_from_sensor * 57.3)
    with pytest.raises(RecordingError, match="length 57.3, expected unit quaternions"):
        check_units(degrees)


def test_a_recording_of_nothing_but_gaps_is_told():
    silent = replace(RECORDING, world_from_sensor=np.full_like(RECORDING.world_from_sensor, np.nan))
    with pytest.raises(RecordingError, match="every orientation of the recording is missing"):
        check_units(silent)
