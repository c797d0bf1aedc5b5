import numpy as np
import pytest
from fuzzing import FUZZED, damaged
from hypothesis import given
from stages import calib_toml, ring

from pallas.capture.cameras.files import parse_calibration, read_calibration
from pallas.capture.cameras.matching import matched
from pallas.rig.errors import FormatError, PallasError, RecordingError

TOML = calib_toml(ring(2, lens=(-0.1, 0.02, 0.001, -0.001)))
QCA = """<?xml version='1.0' encoding='ASCII'?>
<calibration type="regular"><cameras>
<camera active="1" serial="A"><fov_video bottom="1919" left="0" right="1087" top="0"/>
<transform r11="1" r12="0" r13="0"
 r21="0" r22="0" r23="1" r31="0" r32="-1" r33="0" x="100" y="-2000" z="1500"/>
<intrinsic centerPointU="32000" centerPointV="64000" focalLengthU="64000" focalLengthV="128000"
 radialDistortion1="-6.4" radialDistortion2="0.64" radialDistortion3="0" skew="0" tangentalDistortion1="0"
 tangentalDistortion2="0.064"/></camera>
<camera active="0" serial="off"/></cameras></calibration>"""


def test_a_camera_of_pose2sim_is_read_as_it_was_written():
    for told, found in zip(
        ring(2, lens=(-0.1, 0.02, 0.001, -0.001)), parse_calibration(TOML), strict=True
    ):
        assert (found.name, found.size) == (told.name, told.size)
        np.testing.assert_allclose(found.projection, told.projection, atol=1e-9)
        np.testing.assert_allclose(found.distortion, told.distortion)


def test_a_camera_of_qualisys_by_hand():
    """It stands 2 m behind the origin, looks along y, and a 64th of a pixel is its unit."""
    (found,) = parse_calibration(QCA)
    assert (found.name, found.size) == ("A", (1088, 1920))
    np.testing.assert_allclose(found.position, [0.1, -2.0, 1.5], atol=1e-12)
    np.testing.assert_allclose(found.matrix, [[1000, 0, 500], [0, 2000, 1000], [0, 0, 1]])
    np.testing.assert_allclose(found.distortion, [-0.1, 0.01, 0.0, 0.001, 0.0])
    ahead = found.project(np.array([0.1, 8.0, 1.5]))
    np.testing.assert_allclose(ahead, [500, 1000], atol=1e-9)
    higher = found.project(np.array([0.1, 8.0, 1.6]))
    assert higher[1] < ahead[1]


def test_both_calibrations_of_the_shared_cameras_are_the_same(data):
    """Pose2Sim made the one of the other."""
    folder = data("video/pose2sim/openpose")
    theirs = read_calibration(folder / "Calib_qualisys.toml")
    ours = read_calibration(folder / "Calib.qca.txt")
    for one, other in zip(theirs, ours, strict=True):
        assert (one.name, one.size) == (other.name, other.size)
        np.testing.assert_allclose(one.projection, other.projection, atol=1e-9)
        np.testing.assert_allclose(one.distortion, other.distortion[:4], atol=1e-12)


def test_a_world_with_y_up_is_turned(tmp_path):
    path = tmp_path / "Calib.toml"
    path.write_text(TOML)
    (one, _), (other, _) = read_calibration(path), read_calibration(path, up="y")
    # What the file calls (1, 2, 3) is (1, -3, 2) here.
    np.testing.assert_allclose(
        other.project(np.array([0.1, -0.3, 0.2])), one.project(np.array([0.1, 0.2, 0.3])), atol=1e-9
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a = [", "no TOML"),
        ("[metadata]\nerror = 0.0", "found 0 cameras \\(it holds metadata\\)"),
        (TOML.replace("translation", "moved"), "no translation"),
        (TOML.replace("[[1700.0", '[["f"'), "something else than numbers"),
        (TOML.replace("[[1700.0", "[[0.0"), "focal lengths"),
        (TOML.replace('"cam_02"', '"cam_01"'), "two cameras are called 'cam_01'"),
        ("<calibration/>", "0 active cameras"),
        (QCA.replace("<transform", "<other"), "no <transform>"),
        (QCA.replace('r11="1"', 'r11="2"'), "no rotation"),
        (QCA.replace('"64000"', '"many"', 1), "expected a number"),
    ],
)
def test_what_is_wrong_in_a_calibration_is_told(text, told):
    with pytest.raises(FormatError, match=told):
        parse_calibration(text)


@FUZZED
@given(damaged(TOML.encode(), QCA.encode()))
def test_any_bytes_give_cameras_or_an_error(content):
    try:
        parse_calibration(content.decode("utf-8", "replace"))
    except PallasError as error:
        assert str(error)


def test_views_find_their_cameras_by_number():
    assert matched(["pose_cam2_json", "pose_cam1_json"], ["cam_01", "cam_02", "cam_03"]) == (1, 0)


def test_views_find_their_cameras_by_name():
    assert matched(["right", "Left"], ["left", "right"]) == (1, 0)


def test_views_of_other_names_are_taken_in_order():
    assert matched(["a", "b"], ["x", "y"]) == (0, 1)


def test_too_few_cameras_are_told():
    with pytest.raises(RecordingError, match="3 views \\(a, b, c\\) and 2 cameras \\(x, y\\)"):
        matched(["a", "b", "c"], ["x", "y"])
