"""Headings that drift apart: found where a take repeats itself, left alone where it says nothing."""

import numpy as np

from pallas.capture.heading_drift import estimate_heading_drift, without_heading_drift
from pallas.rig import quaternion

UP, X, Y = np.array([0.0, 0.0, 1.0]), np.eye(3)[0], np.eye(3)[1]
FPS = 20.0


def swinging(seconds: float) -> tuple[np.ndarray, np.ndarray]:
    """Times, and bones of somebody who turns slowly on the spot and swings both arms."""
    times = np.arange(int(seconds * FPS)) / FPS
    bones = np.empty((len(times), 4, 4))
    heading = quaternion.from_axis_angle(UP, 0.3 * times)
    bones[:, 0] = heading
    look = quaternion.from_axis_angle(UP, 0.2 * np.sin(0.7 * times))
    bones[:, 3] = quaternion.multiply(heading, look)
    for column, sign in ((1, 1.0), (2, -1.0)):
        hanging = quaternion.from_axis_angle(Y, sign * np.pi / 2)
        swing = quaternion.from_axis_angle(X, 0.8 + 0.6 * np.sin(5.0 * times + column))
        bones[:, column] = quaternion.multiply(heading, quaternion.multiply(swing, hanging))
    return times, bones


def drifting(times: np.ndarray, bones: np.ndarray, rates: np.ndarray) -> np.ndarray:
    turned = quaternion.from_axis_angle(UP, times[:, None] * rates)
    return quaternion.multiply(turned, bones)


def test_a_drift_of_ten_degrees_a_minute_is_found_within_two():
    times, bones = swinging(150.0)
    rates = np.radians([0.0, 10.0, -10.0, 10.0]) / 60.0
    found = estimate_heading_drift(times, drifting(times, bones, rates))
    np.testing.assert_allclose(np.degrees(60.0 * (found - rates)), 0.0, atol=2.0)


def test_where_nothing_drifts_nothing_is_found():
    times, bones = swinging(150.0)
    found = estimate_heading_drift(times, bones)
    np.testing.assert_allclose(np.degrees(60.0 * found), 0.0, atol=1.0)


def test_what_all_sensors_share_can_not_be_seen():
    times, bones = swinging(150.0)
    together = drifting(times, bones, np.full(4, np.radians(10.0) / 60.0))
    np.testing.assert_allclose(
        estimate_heading_drift(times, together), estimate_heading_drift(times, bones), atol=1e-3
    )


def test_a_short_or_silent_take_says_nothing():
    times, bones = swinging(10.0)
    np.testing.assert_array_equal(estimate_heading_drift(times, bones), 0.0)
    np.testing.assert_array_equal(estimate_heading_drift(times, np.full_like(bones, np.nan)), 0.0)


def test_a_drift_that_is_known_is_taken_out_of_turns_and_vectors():
    times, bones = swinging(5.0)
    rates = np.array([0.0, 0.1, -0.2, 0.3])
    felt = np.tile([1.0, 2.0, 3.0], (len(times), 4, 1))
    turned = quaternion.from_axis_angle(UP, times[:, None] * rates)
    back, pushed = without_heading_drift(
        times, rates, drifting(times, bones, rates), quaternion.rotate(turned, felt)
    )
    assert quaternion.angle(back, bones).max() < 1e-6
    np.testing.assert_allclose(pushed, felt, atol=1e-12)
