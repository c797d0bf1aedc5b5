import numpy as np
import pytest
from stages import camera

from pallas.capture.cameras.camera import Camera
from pallas.capture.cameras.lens import distorted, undistorted
from pallas.capture.cameras.rays import typical
from pallas.rig.errors import ShapeError

GRID = np.stack(np.meshgrid(np.linspace(-0.5, 0.5, 9), np.linspace(-0.6, 0.6, 9)), -1).reshape(
    -1, 2
)
LENSES = {
    "radial": [-0.28, 0.07, 0.0, 0.0],
    "five": [-0.28, 0.07, 0.001, -0.0005, 0.01],
    "rational": [0.1, -0.05, 1e-3, 2e-3, 0.01, 0.2, 0.03, 0.004],
    "prism": [0.1, -0.05, 1e-3, 2e-3, 0.01, 0.2, 0.03, 0.004, 1e-3, 2e-3, -1e-3, 5e-4],
}


def test_the_radial_part_by_hand():
    """At x = 0.3, y = 0.4, r² = 0.25: the factor is 1 + 0.1 * 0.25 + 0.2 * 0.0625 = 1.0375."""
    shown = distorted(np.array([0.3, 0.4]), np.array([0.1, 0.2, 0, 0]))
    np.testing.assert_allclose(shown, [0.31125, 0.415], atol=1e-15)


def test_the_tangential_part_by_hand():
    """p1 = 0.01 adds 0.0024 to x and p1 (r² + 2 y²) = 0.0057 to y; p2 = 0.02 adds 0.0086 and 0.0048."""
    one = distorted(np.array([0.3, 0.4]), np.array([0, 0, 0.01, 0]))
    other = distorted(np.array([0.3, 0.4]), np.array([0, 0, 0, 0.02]))
    np.testing.assert_allclose(one, [0.3024, 0.4057], atol=1e-15)
    np.testing.assert_allclose(other, [0.3086, 0.4048], atol=1e-15)


def test_a_fisheye_without_coefficients_shows_angles():
    """45 degrees from the axis, which a straight lens shows at 1, are at pi / 4."""
    shown = distorted(np.array([1.0, 0.0]), np.zeros(4), fisheye=True)
    np.testing.assert_allclose(shown, [np.pi / 4, 0.0])


@pytest.mark.parametrize("name", LENSES)
def test_what_the_lens_does_is_undone(name):
    lens = np.array(LENSES[name])
    np.testing.assert_allclose(undistorted(distorted(GRID, lens), lens), GRID, atol=1e-8)


def test_a_fisheye_is_undone():
    lens = np.array([0.05, -0.01, 0.003, -0.0004])
    wide = GRID * 4.0
    back = undistorted(distorted(wide, lens, fisheye=True), lens, fisheye=True)
    np.testing.assert_allclose(back, wide, atol=1e-7)


def test_opencv_shows_the_same():
    cv2 = pytest.importorskip("cv2")
    for lens in LENSES.values():
        points = np.column_stack([GRID, np.ones(len(GRID))])
        theirs, _ = cv2.projectPoints(points, np.zeros(3), np.zeros(3), np.eye(3), np.array(lens))
        np.testing.assert_allclose(distorted(GRID, np.array(lens)), theirs[:, 0], atol=1e-12)


def test_where_a_lens_shows_nothing_there_is_no_point():
    """With k1 = -0.3 nothing is shown further out than 0.703; a point of the picture at 2 shows nothing."""
    assert np.isnan(undistorted(np.array([2.0, 0.0]), np.array([-0.3, 0, 0, 0]))).all()


def test_missing_points_stay_missing():
    points = np.array([[0.1, 0.1], [np.nan, np.nan]])
    found = undistorted(points, np.array([-0.2, 0, 0, 0]))
    assert np.isfinite(found[0]).all()
    assert np.isnan(found[1]).all()


def test_what_a_camera_looks_at_is_in_the_middle_of_its_picture():
    one = camera((3, -4, 2), "one", target=(0.5, 0.2, 1.0))
    np.testing.assert_allclose(one.project(np.array([0.5, 0.2, 1.0])), [540, 960], atol=1e-9)
    np.testing.assert_allclose(one.position, [3, -4, 2], atol=1e-12)


def test_up_in_the_world_is_up_in_the_picture():
    one = camera((0, -4, 1), "one", target=(0, 0, 1))
    low, high = one.project(np.array([[0, 0, 1.0], [0, 0, 2.0]]))
    np.testing.assert_allclose(high - low, [0, -1700 / 4], atol=1e-9)


def test_what_is_behind_a_camera_is_not_seen():
    assert np.isnan(camera((0, -4, 1), "one").project(np.array([0, -5.0, 1]))).all()


def test_undistorted_pixels_are_those_of_the_projection():
    one = camera((3, -4, 2), "one", lens=(-0.2, 0.05, 0.001, -0.002))
    points = np.random.default_rng(0).normal((0, 0, 1), 0.5, (20, 3))
    straight = points @ one.projection[:, :3].T + one.projection[:, 3]
    np.testing.assert_allclose(
        one.undistorted(one.project(points)), straight[:, :2] / straight[:, 2:], atol=1e-4
    )


def test_a_ray_passes_through_what_it_shows():
    one = camera((3, -4, 2), "one", lens=(-0.2, 0.05, 0.001, -0.002))
    point = np.array([0.3, 0.4, 1.2])
    away = point - one.position
    np.testing.assert_allclose(one.rays(one.project(point)), away / np.linalg.norm(away), atol=1e-8)


def test_rays_of_pixels_without_distortion_are_those_of_the_pixels_with_it():
    lens = camera((4.0, 1.0, 1.5), "one", lens=(0.1, -0.05, 0.001, 0.002))
    pixels = np.array([[[100.0, 200.0], [900.0, 1500.0]], [[540.0, 960.0], [np.nan, np.nan]]])
    rays = lens.rays(pixels)
    np.testing.assert_allclose(lens.straight_rays(lens.undistorted(pixels)), rays, atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(rays[0], axis=-1), 1.0)


def test_the_typical_distance_is_the_median_of_those_that_are_known():
    for count in (6, 7):
        values = np.array([np.nan, *range(count), np.nan])
        assert typical(values) == np.median(range(count))
    assert np.isnan(typical(np.array([1.0, 2.0, np.nan])))


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"matrix": np.diag([-1.0, 1, 1])}, "focal lengths"),
        ({"camera_from_world": np.diag([1.0, 1, 2])}, "no rotation"),
        ({"camera_from_world": np.diag([1.0, 1, -1])}, "no rotation"),
        ({"translation": np.array([np.nan, 0, 0])}, "not finite"),
        ({"distortion": np.zeros(3)}, "3 distortion coefficients"),
    ],
)
def test_an_impossible_camera_is_refused(changed, told):
    good = {"matrix": np.eye(3), "camera_from_world": np.eye(3), "translation": np.zeros(3)}
    with pytest.raises(ShapeError, match=told):
        Camera("one", **(good | changed))
