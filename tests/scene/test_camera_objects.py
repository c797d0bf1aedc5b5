"""Blender's cameras show a point where the calibrated ones do."""

import numpy as np
import pytest

pytestmark = pytest.mark.blender
bpy = pytest.importorskip("bpy")

from bpy_extras.object_utils import world_to_camera_view  # noqa: E402  after the skip
from mathutils import Matrix, Vector  # noqa: E402
from stages import camera, ring, standing  # noqa: E402

from pallas.capture.cameras.camera import Camera  # noqa: E402
from pallas.capture.cameras.files import read_calibration  # noqa: E402
from pallas.rig import PallasError  # noqa: E402
from pallas.scene.camera_objects import (  # noqa: E402
    add_camera,
    lens_bend,
    look_through,
    plane_points,
    read_camera,
    resized,
)

POINTS = standing()


def shown(scene, item, points):
    """Pixels where Blender shows points, counted from the centre of the upper left one."""
    width, height = look_through(scene, item)
    bpy.context.view_layer.update()
    seen = np.array([world_to_camera_view(scene, item, Vector(point)) for point in points])
    return np.stack([seen[:, 0] * width - 0.5, (1.0 - seen[:, 1]) * height - 0.5], axis=-1)


def off_centre(size, fx, fy, cx, cy):
    one = camera((2.5, -3.5, 1.2), "cam", size=size)
    matrix = np.array([[fx, 0.0, cx], [0.0, fy, cy], [0.0, 0.0, 1.0]])
    return Camera("cam", matrix, one.camera_from_world, one.translation, size=size)


@pytest.mark.parametrize(
    "made",
    [
        off_centre((1920, 1080), 1500.0, 1500.0, 959.5, 539.5),
        off_centre((1920, 1080), 1500.0, 1500.0, 900.0, 600.0),
        off_centre((1080, 1920), 1700.0, 1690.0, 532.9, 948.1),
        off_centre((640, 640), 500.0, 540.0, 300.0, 350.0),
    ],
    ids=["centred", "shifted", "portrait", "high pixels"],
)
def test_a_point_is_seen_within_a_hundredth_of_a_pixel(scene, made):
    item = add_camera(made, scene.collection)
    np.testing.assert_allclose(shown(scene, item, POINTS), made.project(POINTS), atol=0.01)


def test_cameras_of_a_real_calibration_project_as_they_do(scene, data):
    for made in read_calibration(data("video/pose2sim/openpose/Calib_qualisys.toml")):
        item = add_camera(made, scene.collection)
        expected = made.without_lens.project(POINTS)
        np.testing.assert_allclose(shown(scene, item, POINTS), expected, atol=0.01)
        assert 0.0 < lens_bend(made) < 1.0  # these lenses were corrected in the camera


def test_a_camera_is_read_back_as_it_was(scene):
    made = ring(1, lens=(-0.2, 0.05, 0.001, 0.002))[0]
    item = add_camera(made, scene.collection)
    bpy.context.view_layer.update()
    again = read_camera(item)
    assert (again.name, again.size, again.fisheye) == (made.name, made.size, made.fisheye)
    np.testing.assert_array_equal(again.matrix, made.matrix)
    np.testing.assert_array_equal(again.distortion, made.distortion)
    np.testing.assert_allclose(again.project(POINTS), made.project(POINTS), atol=0.01)


def test_a_camera_whose_parent_is_moved_and_scaled_sees_what_moved_along_in_the_same_place(scene):
    made = ring(1)[0]
    parent = bpy.data.objects.new("parent", None)
    scene.collection.objects.link(parent)
    item = add_camera(made, scene.collection, parent)
    placing = Matrix.Translation((3, -1, 2)) @ Matrix.Rotation(0.7, 4, "Z") @ Matrix.Scale(1.2, 4)
    parent.matrix_basis = placing
    bpy.context.view_layer.update()
    moved = np.array([placing @ Vector(point) for point in POINTS])
    np.testing.assert_allclose(read_camera(item).project(moved), made.project(POINTS), atol=0.01)


def test_a_pixel_on_the_plane_before_the_camera_is_seen_at_that_pixel(scene):
    made = off_centre((1080, 1920), 1700.0, 1690.0, 532.9, 948.1)
    item = add_camera(made, scene.collection)
    pixels = np.array([[0.0, 0.0], [1079.0, 10.0], [300.0, 1500.0]])
    bpy.context.view_layer.update()
    points = [item.matrix_world @ Vector(point) for point in plane_points(made, pixels, 0.25)]
    np.testing.assert_allclose(shown(scene, item, points), pixels, atol=0.01)


def test_a_bent_lens_is_told_in_pixels():
    straight, bent = ring(1)[0], ring(1, lens=(-0.2, 0.0, 0.0, 0.0))[0]
    assert lens_bend(straight) < 1e-9
    corner = np.array([0.0, 0.0])
    assert lens_bend(bent) == pytest.approx(np.linalg.norm(bent.undistorted(corner)), rel=0.1)


def test_a_clip_that_was_cut_keeps_its_pixels_and_a_scaled_one_is_told():
    made = camera((0, -4, 1), "cam_01", size=(1088, 1920))
    assert resized(made, (1088, 1920)) == (made, "")
    cut, told = resized(made, (1080, 1920))
    assert cut.size == (1080, 1920)
    assert "1080 x 1920" in told
    np.testing.assert_array_equal(cut.project(POINTS), made.project(POINTS))
    same, told = resized(made, (544, 960))
    assert same is made
    assert "size that was calibrated" in told


def test_other_cameras_are_refused(scene):
    item = bpy.data.objects.new("mine", bpy.data.cameras.new("mine"))
    with pytest.raises(PallasError, match="'mine' is no camera of a calibration"):
        read_camera(item)
