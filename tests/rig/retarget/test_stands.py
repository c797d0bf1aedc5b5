"""Where standing feet belong, and how hips go there before legs give way."""

import numpy as np
import pytest

from pallas.rig.retarget.footing import hip_moves
from pallas.rig.retarget.stands import stands_of

SOLES = np.array([0.08, 0.08, 0.02, 0.02])
FOOT = np.array([0.0, -0.14, -0.06])
FRAMES = 60


def standing_feet(tilt: np.ndarray, slip: np.ndarray):
    """(T, 4, 3) ankles and balls of feet that slip forward, tilted by angles (T,) with the toes up."""
    cosine, sine = np.cos(tilt), np.sin(tilt)
    foot = np.stack(
        [0.0 * tilt, cosine * FOOT[1] + sine * FOOT[2], cosine * FOOT[2] - sine * FOOT[1]], axis=-1
    )
    ankle = np.stack([0.0 * slip, -slip, 0.08 + 0.0 * slip], axis=-1)
    wide = np.array([0.1, 0.0, 0.0])
    return np.stack([ankle + wide, ankle - wide, ankle + wide + foot, ankle - wide + foot], axis=1)


def stood(points: np.ndarray, left=slice(None), heights=None):
    contacts = np.zeros((len(points), 2), dtype=bool)
    contacts[left, 0] = True
    heights = np.zeros((len(points), 2)) if heights is None else heights
    return stands_of(points, contacts, heights, 60.0, 1.0, SOLES)


def test_a_flat_foot_that_trembles_and_slips_lies_still_on_the_floor():
    random = np.random.default_rng(0)
    points = standing_feet(
        random.normal(0.0, np.radians(0.8), FRAMES), np.linspace(0.0, 0.05, FRAMES)
    )
    places = stood(points).places
    assert np.ptp(places[:, [0, 2]], axis=0).max() < 1e-3
    np.testing.assert_allclose(places[:, 2, 2], 0.02, atol=1e-12)
    np.testing.assert_allclose(places[:, 0, 2], 0.08, atol=1e-3)
    assert np.isnan(places[:, [1, 3]]).all()


def test_a_heel_that_rises_turns_about_a_ball_that_stays():
    tilt = -np.radians(np.linspace(0.0, 35.0, FRAMES))
    points = standing_feet(tilt, np.linspace(0.0, 0.05, FRAMES))
    places = stood(points).places
    assert np.ptp(places[:, 2], axis=0).max() < 1e-12
    foot = places[:, 2] - places[:, 0]
    np.testing.assert_allclose(np.linalg.norm(foot, axis=-1), np.linalg.norm(FOOT), atol=1e-12)
    np.testing.assert_allclose(foot[-20:], (points[:, 2] - points[:, 0])[-20:], atol=1e-9)


def test_a_foot_that_comes_down_on_its_heel_turns_about_what_is_under_the_ankle():
    tilt = np.radians(np.linspace(30.0, 0.0, FRAMES))
    places = stood(standing_feet(tilt, np.zeros(FRAMES))).places
    foot = places[:, 2] - places[:, 0]
    up = np.arctan2(foot[:, 2], -foot[:, 1]) - np.arctan2(FOOT[2], -FOOT[1])
    assert np.degrees(np.ptp(up)) > 25.0
    heel = places[:, 0] - 0.08 * np.stack([0.0 * up, np.sin(up), np.cos(up)], axis=-1)
    assert np.ptp(heel, axis=0).max() < 1e-9


def test_a_foot_may_rise_where_its_stand_ends_but_not_in_between():
    heights = np.zeros((FRAMES, 2))
    heights[[30, -1], 0] = 0.02
    stands = stood(standing_feet(np.zeros(FRAMES), np.zeros(FRAMES)), heights=heights)
    np.testing.assert_allclose(stands.lifts[[30, -1], 0], [0.0, 0.015], atol=1e-12)
    np.testing.assert_allclose(stands.places[-1, 2, 2], 0.035, atol=1e-12)


def legs_over(points: np.ndarray) -> np.ndarray:
    """(T, 2, 3, 3) hips, knees and ankles of legs that are a little bent."""
    ankles = points[:, :2]
    hips, knees = np.array([0.0, 0.05, 0.8]), np.array([0.0, -0.06, 0.4])
    return np.stack([ankles + hips, ankles + knees, ankles], axis=2)


def test_hips_go_against_a_slip_so_that_the_leg_need_not_turn():
    slip = np.linspace(0.0, 0.05, FRAMES)
    points = standing_feet(np.zeros(FRAMES), slip)
    hips, stands = hip_moves(stood(points), legs_over(points), 60.0, kept=False)
    left = stands.places[:, 0] - points[:, 0] - hips
    assert np.abs(stands.places[:, 0] - stands.places[0, 0]).max() < 1e-4
    assert np.abs(left).max() < 2e-3
    np.testing.assert_allclose(hips[:, 1] - hips[0, 1], slip, atol=2e-3)


def test_hips_keep_a_way_that_is_given():
    points = standing_feet(np.zeros(FRAMES), np.linspace(0.0, 0.05, FRAMES))
    points[..., 2] += 0.03
    hips, _ = hip_moves(stood(points), legs_over(points), 60.0, kept=True)
    assert np.abs(hips[:, :2]).max() < 1e-4
    np.testing.assert_allclose(hips[:, 2], -0.03, atol=3e-3)


@pytest.mark.parametrize("frames", [1, 2, 3, 4])
def test_a_few_frames_are_enough(frames):
    points = standing_feet(np.zeros(frames), np.zeros(frames))
    points[..., 2] += 0.01
    hips, _ = hip_moves(stood(points), legs_over(points), 60.0, kept=False)
    np.testing.assert_allclose(hips[:, 2], -0.01, atol=1e-3)
