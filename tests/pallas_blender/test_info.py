"""`pallas info` tells what marker files, tables and models hold, and how they were understood."""

import json

import numpy as np
import pytest
from stages import calib_toml, ring, seen, walker, write_openpose

from pallas.capture.markers import write_markers
from pallas.capture.osim_writer import write_osim
from pallas.capture.storage import CoordinateTable, write_storage
from pallas.pallas_blender import cli
from pallas.rig.model import BodyMarker, KinematicModel, free, hinge
from pallas.rig.trajectories import MarkerTrajectories

BODY = np.array([[0.1, 0.1, 0.02], [-0.1, 0.0, 0.02], [0.1, 0.1, 0.5], [0, 0, 1.0], [0, 0, 1.7]])


@pytest.fixture
def markers():
    positions = np.repeat(BODY[None], 4, axis=0)
    positions[1, 2] = np.nan
    return MarkerTrajectories(("LTOE", "RTOE", "LKNE", "SACR", "HEAD"), positions, 100.0, 0.5)


@pytest.mark.parametrize(
    ("suffix", "up", "how"),
    [(".trc", "y", "seen in the data"), (".c3d", "z", "stated in the file")],
)
def test_a_marker_files_unit_and_axes_are_told(tmp_path, capsys, markers, suffix, up, how):
    path = tmp_path / f"walk{suffix}"
    write_markers(path, markers)
    assert cli.main(["info", str(path), "--json"]) == 0
    captured = capsys.readouterr()
    facts = json.loads(captured.out)["markers"]
    assert (facts["frames"], facts["fps"], facts["start"]) == (4, 100.0, 0.5)
    assert (facts["unit"], facts["up"], facts["up_is"]) == ("mm", up, how)
    assert facts["missing_percent"] == pytest.approx(5.0)
    assert facts["least_seen"] == [{"marker": "LKNE", "percent": 75.0}]
    assert captured.err.startswith(f"{path}: markers")


def test_the_up_axis_and_unit_can_be_given(tmp_path, capsys, markers):
    path = tmp_path / "walk.trc"
    write_markers(path, markers)
    assert cli.main(["info", str(path), "--up=-x", "--unit", "m", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)["markers"]
    assert (facts["up"], facts["up_is"], facts["unit"]) == ("-x", "given", "m")


def test_a_wrong_unit_is_one_line_that_says_what_to_do(tmp_path, capsys, markers):
    path = tmp_path / "walk.trc"
    write_markers(path, markers)
    path.write_text(path.read_text().replace("\tmm\t", "\tm\t"))
    assert cli.main(["info", str(path)]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].endswith(
        "as mm they are one of 1.7 m; give the unit of the numbers, as --unit mm"
    )
    assert cli.main(["info", str(path), "--unit", "mm"]) == 0


def test_a_table_is_told(tmp_path, capsys):
    path = tmp_path / "a.mot"
    write_storage(path, CoordinateTable(("knee",), np.arange(3) / 10, np.zeros((3, 1)), True))
    assert cli.main(["info", str(path), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)["table"]
    assert (facts["rows"], facts["end"], facts["in_degrees"]) == (3, 0.2, True)
    assert facts["columns"] == ["knee"]


def test_a_table_of_orientations_is_told(tmp_path, capsys):
    path = tmp_path / "a.sto"
    path.write_text("DataType=Quaternion\nendheader\ntime\tpelvis_imu\n0\t1,0,0,0\n")
    assert cli.main(["info", str(path)]) == 0
    assert "pelvis_imu" in capsys.readouterr().out
    path.write_text("DataType=Quaternion\nendheader\ntime\tpelvis_imu\n0\t1,0,0\n")
    assert cli.main(["info", str(path)]) == 1
    assert "line 4: found '1,0,0', expected w,x,y,z" in capsys.readouterr().err


def test_a_models_coordinates_bodies_and_markers_are_told(tmp_path, capsys):
    joints = (free("root", "pelvis"), hinge("knee", "pelvis", "shank"))
    markers = (BodyMarker("ASIS", "pelvis", (0.1, 0.0, 0.1)),)
    legs = KinematicModel("legs", joints, markers=markers)
    legs = legs.with_coordinates({"knee": {"locked": True}})
    write_osim(tmp_path / "legs.osim", legs)
    assert cli.main(["info", str(tmp_path / "legs.osim"), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)["model"]
    assert (facts["bodies"], facts["markers"]) == (["pelvis", "shank"], ["ASIS"])
    assert facts["locked"] == ["knee"]
    assert len(facts["free_coordinates"]) == 6


def test_keypoints_and_cameras_are_told(tmp_path, capsys):
    cameras = ring(2, lens=(0.1, 0.0, 0.0, 0.0))
    view = seen([walker(4)], cameras)[0]
    write_openpose(tmp_path / "cam1_json", view)
    assert cli.main(["info", str(tmp_path / "cam1_json"), "--json"]) == 0
    captured = capsys.readouterr()
    facts = json.loads(captured.out)["keypoints"]
    assert (facts["layout"], facts["in"]) == ("body_25b", "pictures, pixels")
    (only,) = facts["views"]
    assert (only["frames"], only["fps"], only["most_people"]) == (4, None, 1)
    assert only["median_confidence"] == pytest.approx(0.8)
    assert "fps not stated" in captured.err or "not stated" in captured.err
    calibration = tmp_path / "Calib.toml"
    calibration.write_text(calib_toml(cameras))
    assert cli.main(["info", str(calibration), "--json"]) == 0
    (first, _) = json.loads(capsys.readouterr().out)["calibration"]["cameras"]
    assert first["name"] == "cam_01"
    assert first["image_size"] == [1080, 1920]
    np.testing.assert_allclose(first["position_m"], cameras[0].position, atol=1e-6)


def test_an_empty_folder_is_one_line(tmp_path, capsys):
    assert cli.main(["info", str(tmp_path)]) == 1
    assert capsys.readouterr().err.count("\n") == 1
