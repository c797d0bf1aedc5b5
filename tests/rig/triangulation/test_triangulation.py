import numpy as np
import pytest

from pallas.rig.errors import ShapeError
from pallas.rig.filters.gaps import close_gaps
from pallas.rig.triangulation.linear import reprojected, triangulated
from pallas.rig.triangulation.robust import triangulate

POINTS = np.array([[0.2, 0.1, 3.0], [-0.4, 0.3, 5.0], [0.0, -0.2, 4.0]])


def at(x, y=0.0, focal=1000.0):
    """A camera at (x, y, 0) that looks along z."""
    matrix = np.array([[focal, 0, 500], [0, focal, 400], [0, 0, 1.0]])
    return matrix @ np.column_stack([np.eye(3), [-x, -y, 0.0]])


CAMERAS = np.stack([at(-1), at(0, 1), at(1), at(0.5, -1)])


def shown():
    return reprojected(POINTS, CAMERAS)[0]


def test_a_point_straight_ahead_is_at_the_principal_point():
    pixels, depth = reprojected(np.array([[0.0, 1.0, 2.0]]), CAMERAS[1:2])
    np.testing.assert_allclose(pixels[0, 0], [500, 400])
    np.testing.assert_allclose(depth, [[2.0]])


def test_a_metre_aside_at_two_metres_is_half_a_focal_length_aside():
    pixels, _ = reprojected(np.array([[1.0, 1.0, 2.0]]), CAMERAS[1:2])
    np.testing.assert_allclose(pixels[0, 0], [1000, 400])


def test_two_cameras_give_the_point_back_exactly():
    found = triangulated(shown(), CAMERAS, np.array([[1.0, 0, 1, 0]] * 3))
    np.testing.assert_allclose(found, POINTS, atol=1e-9)


def test_one_camera_gives_no_point():
    assert np.isnan(triangulated(shown(), CAMERAS, np.array([[1.0, 0, 0, 0]] * 3))).all()


def test_parallel_rays_give_no_point():
    pixels = np.broadcast_to([500.0, 400.0], (1, 4, 2))
    assert np.isnan(triangulated(pixels, CAMERAS, np.array([[1.0, 0, 1, 0]]))).all()


def test_rays_that_meet_behind_a_camera_give_no_point():
    assert np.isnan(triangulated(-shown() + [1000, 800], CAMERAS, np.ones((3, 4)))).all()


def test_a_surer_camera_pulls_more():
    pixels = shown()
    pixels[:, 3] += 10.0
    doubted = triangulated(pixels, CAMERAS, np.array([[1, 1, 1, 0.1]] * 3))
    trusted = triangulated(pixels, CAMERAS, np.ones((3, 4)))
    assert np.linalg.norm(doubted - POINTS) < 0.1 * np.linalg.norm(trusted - POINTS)


def test_what_becomes_small_is_the_distance_in_pixels():
    """The reference is a search for the least reprojection error."""
    least_squares = pytest.importorskip("scipy.optimize").least_squares
    pixels = shown() + np.random.default_rng(1).normal(0, 2.0, (3, 4, 2))
    found = triangulated(pixels, CAMERAS, np.ones((3, 4)))
    for point, seen in zip(found, pixels, strict=True):
        best = least_squares(
            lambda x, s=seen: (reprojected(x[None], CAMERAS)[0][0] - s).ravel(), point
        )
        assert (
            np.linalg.norm(best.x - point) < 1e-3
        )  # the noise moves it by a hundred times as much


def test_a_camera_that_disagrees_is_left_out_and_named():
    pixels = shown()
    pixels[1, 2] += [80.0, -40.0]
    found = triangulate(pixels, np.ones((3, 4)), CAMERAS, threshold=5.0)
    np.testing.assert_allclose(found.points, POINTS, atol=1e-6)
    assert np.argwhere(found.left_out).tolist() == [[1, 2]]
    assert found.errors[1, 2] == pytest.approx(np.hypot(80, 40), abs=0.1)
    assert found.error.max() < 1e-6


def test_two_of_four_cameras_may_be_wrong():
    pixels = shown()
    pixels[0, 0] += [90.0, 30.0]
    pixels[0, 3] += [-20.0, 120.0]
    found = triangulate(pixels, np.ones((3, 4)), CAMERAS, threshold=5.0)
    np.testing.assert_allclose(found.points, POINTS, atol=1e-6)
    assert np.flatnonzero(found.left_out[0]).tolist() == [0, 3]


def test_where_no_two_agree_there_is_no_point():
    pixels = shown()
    pixels[0] += np.random.default_rng(0).normal(0, 300, (4, 2))
    found = triangulate(pixels, np.ones((3, 4)), CAMERAS, threshold=1.0, min_cameras=3)
    assert np.isnan(found.points[0]).all()
    assert not found.used[0].any()
    np.testing.assert_allclose(found.points[1:], POINTS[1:], atol=1e-6)


def test_frames_and_keypoints_keep_their_shape():
    pixels = np.broadcast_to(shown(), (2, 5, 3, 4, 2))
    found = triangulate(pixels, np.ones((2, 5, 3, 4)), CAMERAS, threshold=5.0)
    assert found.points.shape == (2, 5, 3, 3)
    assert found.errors.shape == (2, 5, 3, 4)


def test_nothing_gives_nothing():
    found = triangulate(np.empty((0, 4, 2)), np.empty((0, 4)), CAMERAS, threshold=5.0)
    assert found.points.shape == (0, 3)


def test_unseen_and_unsure_keypoints_do_not_count():
    pixels, sure = shown(), np.ones((3, 4))
    pixels[0, 0], sure[1, 1] = np.nan, 0.1
    found = triangulate(pixels, sure, CAMERAS, threshold=5.0, min_confidence=0.3)
    assert found.used.sum(axis=1).tolist() == [3, 3, 4]
    assert not found.left_out.any()


def test_one_camera_for_a_point_is_refused():
    with pytest.raises(ShapeError, match="at least 2"):
        triangulate(shown(), np.ones((3, 4)), CAMERAS, threshold=5.0, min_cameras=1)


def test_a_gap_in_a_parabola_is_closed_on_it():
    time = np.arange(30.0)
    track = np.stack([0.01 * time**2, time, 0 * time], -1)[:, None]
    holed = track.copy()
    holed[12:16] = np.nan
    closed, where = close_gaps(holed, 4)
    assert np.flatnonzero(where[:, 0]).tolist() == [12, 13, 14, 15]
    assert np.abs(closed - track).max() < 0.04  # a straight line is off by 0.0625


def test_longer_gaps_and_both_ends_stay():
    track = np.ones((20, 1, 3))
    track[:2], track[5:10], track[-3:] = np.nan, np.nan, np.nan
    closed, where = close_gaps(track, 4)
    assert not where.any()
    np.testing.assert_array_equal(np.isnan(closed), np.isnan(track))
