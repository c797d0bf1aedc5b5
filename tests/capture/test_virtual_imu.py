"""Virtual sensors against motions whose acceleration is known."""

import math

import numpy as np
import pytest

from pallas.capture.imu import PLACEMENTS
from pallas.capture.virtual_imu import (
    STANDARD_SENSORS,
    ImuErrors,
    VirtualSensor,
    second_derivative,
    virtual_recording,
)
from pallas.rig import Motion, Skeleton, body_skeleton, quaternion

POINT = Skeleton(("box",), (-1,), np.zeros((1, 3)))


def swinging(fps: float, seconds: float = 4.0) -> Motion:
    """A body that sways, turns and swings its arms: smooth, and the same at every rate."""
    times = np.arange(int(seconds * fps) + 1) / fps
    skeleton = body_skeleton()
    vectors = np.zeros((len(times), 24, 3))
    vectors[:, 0, 2] = 0.8 * np.sin(2.0 * times)
    vectors[:, skeleton.index("left_shoulder"), 1] = 0.9 * np.sin(2 * np.pi * 1.1 * times)
    vectors[:, skeleton.index("right_elbow"), 2] = 0.7 * np.sin(2 * np.pi * 1.7 * times + 1)
    root = np.stack([0.3 * np.sin(3 * times), 0.5 * times, 0.9 + 0.02 * np.cos(9 * times)], -1)
    return Motion(skeleton, root, quaternion.from_rotation_vector(vectors), fps)


def test_a_box_on_a_circle_feels_the_centripetal_acceleration():
    times = np.arange(400) / 100
    radius, speed = 0.5, 3.0
    path = np.stack([radius * np.cos(speed * times), radius * np.sin(speed * times), 0 * times], -1)
    motion = Motion(POINT, path, np.tile(quaternion.IDENTITY, (400, 1, 1)), 100.0)
    recording = virtual_recording(motion, {"box": VirtualSensor("box")}, smoothing=0.005)
    inside = slice(60, -60)
    np.testing.assert_allclose(
        recording.acceleration[inside, 0], -(speed**2) * path[inside], atol=0.01
    )


def test_constant_velocity_is_no_acceleration_up_to_the_ends():
    path = np.outer(np.arange(50) / 30, [1.0, -2.0, 0.5])
    assert np.abs(second_derivative(path, 30.0, 0.02)).max() < 1e-9


@pytest.mark.parametrize("source_fps", [30.0, 60.0, 100.0])
def test_every_frame_rate_of_one_motion_gives_the_same_acceleration(source_fps):
    reference = virtual_recording(swinging(240.0), fps=60.0)
    recording = virtual_recording(swinging(source_fps), fps=60.0)
    inside = slice(20, -20)
    difference = recording.acceleration[inside] - reference.acceleration[inside]
    largest = np.abs(reference.acceleration[inside]).max()
    assert np.abs(difference).max() < 0.01 * largest
    assert quaternion.angle(recording.world_from_sensor, reference.world_from_sensor).max() < 0.02


def test_a_mounting_turns_the_orientation_and_leaves_the_world_acceleration_alone():
    quarter = (math.sqrt(0.5), 0.0, 0.0, math.sqrt(0.5))
    straight = virtual_recording(swinging(60.0), {"neck": VirtualSensor("neck")})
    turned = virtual_recording(
        swinging(60.0), {"neck": VirtualSensor("neck", bone_from_sensor=quarter)}
    )
    relative = quaternion.multiply(
        quaternion.conjugate(straight.world_from_sensor), turned.world_from_sensor
    )
    assert quaternion.angle(relative, np.array(quarter)).max() < 1e-9
    np.testing.assert_allclose(straight.acceleration, turned.acceleration)


def test_errors_have_the_size_that_was_asked_for_and_come_from_the_seed():
    errors = ImuErrors(
        acceleration_noise=0.1, orientation_noise=0.02, heading_drift=0.1, dropout=0.05, seed=3
    )
    motion = swinging(60.0, seconds=20.0)
    clean = virtual_recording(motion)
    noisy, again = (virtual_recording(motion, errors=errors) for _ in range(2))
    np.testing.assert_array_equal(noisy.acceleration, again.acceleration)
    assert 0.03 < noisy.missing.mean() < 0.07
    tilt = quaternion.angle(clean.world_from_sensor, noisy.world_from_sensor)
    assert 0.01 < np.nanmean(tilt) < 0.1
    # The error wanders: from one sample to the next it moves far less than it is large.
    assert np.nanmedian(np.abs(np.diff(tilt, axis=0))) < 0.2 * np.nanmedian(tilt)


def test_the_standard_sensors_are_the_four_that_pallas_reads():
    assert tuple(STANDARD_SENSORS) == PLACEMENTS
    assert virtual_recording(swinging(30.0)).placements == PLACEMENTS


@pytest.mark.parametrize("frames", [1, 2, 5])
def test_the_shortest_motions_are_recorded_too(frames):
    recording = virtual_recording(swinging(60.0).clipped(0, frames))
    assert len(recording) == frames
    assert np.isfinite(recording.acceleration).all()
