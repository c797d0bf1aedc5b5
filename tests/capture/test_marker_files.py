"""Marker files of any kind: the unit, the axis that is up, and how wrong ones are told."""

import warnings
from pathlib import Path

import numpy as np
import pytest

from pallas.capture.axes import z_up_from_y_up
from pallas.capture.marker_file import RawMarkers, in_our_world
from pallas.capture.markers import read_marker_file, read_markers, write_markers
from pallas.capture.textfile import FormatWarning
from pallas.capture.up_axis import UP_AXES, detect_up, from_world, to_world
from pallas.rig import FileError, FormatError, OutputError
from pallas.rig.trajectories import MarkerTrajectories

# Every marker file of the shared data, and its axis that is up as a person sees it.
Y_UP = (
    "augmenter/pairs/augmented_bending_reference.trc",
    "augmenter/pairs/augmented_calf_raise_slow_reference.trc",
    "augmenter/pairs/augmented_drop_jump_reference.trc",
    "augmenter/pairs/augmented_lying_reference.trc",
    "augmenter/pairs/bending.trc",
    "augmenter/pairs/calf_raise_slow.trc",
    "augmenter/pairs/drop_jump.trc",
    "augmenter/pairs/lying.trc",
    "markers/odd/dataWithNaNsOfDifferentCases.trc",
    "markers/odd/gait10dof18musc_walk_CRLF_line_ending.trc",
    "markers/opensim/Gait10dof18musc/subject01_static.trc",
    "markers/opensim/Gait10dof18musc/subject01_walk.trc",
    "markers/opensim/Gait2354_Simbody/subject01_static.trc",
    "markers/opensim/Gait2354_Simbody/subject01_walk1.trc",
    "markers/opensim/Hamner/subject02_running.trc",
    "markers/opensim/Hamner/subject02_static.trc",
    "markers/opensim/Rajagopal/motion_capture_walk.trc",
    "markers/opensim/Rajagopal/static_walk_1.trc",
    "video/pose2sim/openpose/Balancing_for_IK.trc",
    "video/pose2sim/openpose/Standing_for_Scaling.trc",
)
Z_UP = (
    "markers/biobuddy/right_hip.c3d",
    "markers/biobuddy/right_knee.c3d",
    "markers/biobuddy/static.c3d",
    "markers/cusTom_sidestep/ChgtDirection04.c3d",
    "markers/odd/dataWithBlanksForMissingMarkers.trc",
    "markers/odd/std_walking5_markers.trc",
    "markers/odd/walking2.c3d",
    "markers/odd/walking5.c3d",
    "markers/pycgm/Movement_trial.c3d",
    "markers/pycgm/Sample_Static.c3d",
)
# Those in which the lowest marker is far from the zero plane: the origin is not on the floor.
OFF_THE_FLOOR = (
    "augmenter/pairs/augmented_drop_jump_reference.trc",
    "augmenter/pairs/augmented_lying_reference.trc",
    "augmenter/pairs/drop_jump.trc",
    "augmenter/pairs/lying.trc",
    "markers/odd/dataWithNaNsOfDifferentCases.trc",
)
BODY = np.array([[0.1, 0.1, 0.02], [-0.1, 0.0, 0.02], [0.1, 0.1, 0.5], [0, 0, 1.0], [0, 0, 1.7]])


def _world(data, name):
    up = "y" if name in Y_UP else "z"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FormatWarning)
        return read_marker_file(data(name), up=up).markers.positions


def _raw(positions=BODY[None], *, unit="mm", up=None, usual_up="y"):
    names = tuple(f"m{k}" for k in range(positions.shape[1]))
    return RawMarkers(names, positions, 100.0, 0.0, unit, up, usual_up)


def _y_up(scale):
    return from_world(BODY[None], "y") * scale


@pytest.mark.parametrize("up", UP_AXES)
def test_every_axis_is_turned_up_without_a_mirror(up):
    turn = UP_AXES[up]
    assert np.linalg.det(turn) == pytest.approx(1.0)
    axis = np.eye(3)["xyz".index(up[-1])] * (-1 if up[0] == "-" else 1)
    np.testing.assert_array_equal(to_world(axis, up), [0, 0, 1])
    np.testing.assert_allclose(to_world(from_world(BODY, up), up), BODY)


def test_y_up_is_turned_as_everywhere_else():
    np.testing.assert_array_equal(to_world(BODY, "y"), z_up_from_y_up(BODY))


@pytest.mark.parametrize("up", ["y", "z"])
@pytest.mark.parametrize("name", Y_UP + Z_UP)
def test_every_recording_stands_whichever_of_y_and_z_is_up(data, name, up):
    assert detect_up(from_world(_world(data, name), up)) == up


@pytest.mark.parametrize("up", ["x", "-x", "-y", "-z"])
@pytest.mark.parametrize("name", [n for n in Y_UP + Z_UP if n not in OFF_THE_FLOOR])
def test_a_recording_on_the_floor_stands_whatever_is_up(data, name, up):
    assert detect_up(from_world(_world(data, name), up)) == up


@pytest.mark.parametrize("name", OFF_THE_FLOOR)
def test_a_recording_off_the_floor_is_never_taken_to_stand_on_x_or_on_its_head(data, name):
    for up in ("x", "-x", "-y", "-z"):
        assert detect_up(from_world(_world(data, name), up)) in ("y", "z", None)


@pytest.mark.parametrize(
    "positions",
    [
        np.full((3, 4, 3), np.nan),
        np.zeros((0, 4, 3)),
        np.zeros((3, 4, 3)),
        np.random.default_rng(0).uniform(0.2, 1.0, (50, 30, 3)),  # a cube
        BODY[None] * [1, 1, 0.05],
        BODY[None, :2],
    ],
)
def test_what_is_no_standing_body_is_left_open(positions):
    assert detect_up(positions) is None


def test_where_the_body_does_not_tell_the_usual_axis_is_up():
    cube = np.random.default_rng(0).uniform(200, 1000, (50, 30, 3))
    for usual in ("y", "z"):
        file = in_our_world(_raw(cube, usual_up=usual))
        assert (file.up, file.how_up) == (usual, "assumed")


def test_an_axis_that_is_given_is_taken():
    file = in_our_world(_raw(_y_up(1000)), up="-x")
    assert (file.up, file.how_up) == ("-x", "given")


def test_an_axis_that_the_file_says_is_taken_and_doubts_are_told():
    with pytest.warns(
        FormatWarning, match="says that z is up, but the body is longest along y; taken"
    ):
        file = in_our_world(_raw(_y_up(1000), up="z"))
    assert (file.up, file.how_up) == ("z", "stated")


def test_an_axis_that_is_none_is_told():
    with pytest.raises(FormatError, match="no up axis 'north'; expected one of: y, z, x, -y"):
        in_our_world(_raw(_y_up(1000)), up="north")


@pytest.mark.parametrize(
    ("said", "true"),
    [("m", "mm"), ("mm", "m"), ("cm", "m"), ("m", "cm"), ("in", "m"), ("mm", "inch")],
)
def test_a_wrong_unit_is_told_with_the_one_that_fits(said, true):
    numbers = {"m": 1.0, "cm": 100.0, "mm": 1000.0, "inch": 1 / 0.0254}[true]
    raw = _raw(_y_up(numbers), unit=said)
    if (said, true) == ("mm", "inch"):  # 6.6 cm could be a hand: 25 times, not 100
        with pytest.warns(FormatWarning, match="a body of 0.066 m; as inch they are one of 1.7 m"):
            in_our_world(raw)
        return
    with pytest.raises(
        FormatError, match=rf"as {true} they are one of 1\.7 m; give .*--unit {true}"
    ):
        in_our_world(raw)


def test_a_unit_ten_times_off_may_be_right_and_is_told():
    with pytest.warns(
        FormatWarning, match="unit is mm, which makes the markers a body of 0.17 m; as cm"
    ):
        assert in_our_world(_raw(_y_up(170 / 1.7), unit="mm")).unit == "mm"


def test_a_unit_that_is_given_is_not_doubted():
    file = in_our_world(_raw(_y_up(1000), unit="m"), unit="mm")
    assert file.unit == "mm"
    np.testing.assert_allclose(file.markers.positions[0], BODY, atol=1e-12)
    assert np.nanmax(in_our_world(_raw(_y_up(1000)), unit="m").markers.positions) == 1700.0


def test_without_a_unit_the_one_that_fits_is_taken_and_told():
    with pytest.warns(FormatWarning, match="says no unit; taken as cm"):
        assert in_our_world(_raw(_y_up(100), unit="")).unit == "cm"
    with pytest.raises(FormatError, match="says no unit of length; give the unit"):
        in_our_world(_raw(_y_up(1e6), unit=""))


def test_two_people_across_a_laboratory_are_no_wrong_unit():
    two = np.concatenate([BODY, BODY + np.array([8.0, 0, 0])])[None]
    assert in_our_world(_raw(two, unit="m"), up="z").markers.positions[0, 5, 0] == pytest.approx(
        8.1
    )


def test_a_few_markers_say_nothing_of_the_unit():
    assert in_our_world(_raw(BODY[None, :3] * 1e-3, unit="mm")).unit == "mm"


@pytest.fixture
def markers():
    return MarkerTrajectories(tuple("abcde"), np.repeat(BODY[None], 3, axis=0), 120.0, 0.5)


@pytest.mark.parametrize("suffix", [".trc", ".c3d", ".TRC"])
def test_markers_come_back_by_suffix_and_by_content(tmp_path, markers, suffix):
    path = tmp_path / f"gehen 歩く{suffix}"
    write_markers(path, markers)
    for name in (path, path.rename(tmp_path / "file.unknown")):
        back = read_markers(name if name.exists() else tmp_path / "file.unknown")
        assert back.names == markers.names
        assert (back.fps, back.start) == (120.0, 0.5)
        np.testing.assert_allclose(back.positions, markers.positions, atol=1e-7)


def test_the_axis_of_the_file_is_the_usual_one_unless_told(tmp_path, markers):
    for name, options, up in (
        ("a.trc", {}, "y"), ("a.c3d", {}, "z"), ("b.trc", {"up": "z"}, "z"), ("b.c3d", {"up": "y"}, "y"),
    ):  # fmt: skip
        write_markers(tmp_path / name, markers, **options)
        assert read_marker_file(tmp_path / name).up == up


@pytest.mark.parametrize("suffix", [".trc", ".c3d"])
def test_what_can_t_be_read_names_the_file_once(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    with pytest.raises(FileError, match="does not exist"):
        read_markers(path)
    for content in (b"", b"nothing useful"):
        path.write_bytes(content)
        with pytest.raises(FormatError) as caught:
            read_markers(path)
        assert str(caught.value).count(str(path)) == 1
        assert "\n" not in str(caught.value)


def test_other_kinds_are_told_what_is_known(tmp_path, markers):
    path = tmp_path / "song.mp3"
    path.write_bytes(b"ID3 something")
    with pytest.raises(
        FileError, match=r"no known format of markers .*'\.mp3'\); exp.* one of: \.trc, \.c3d"
    ):
        read_markers(path)
    with pytest.raises(
        FormatError, match=r"can't be written as '\.mot'; expected one of: \.trc, \.c3d"
    ):
        write_markers(tmp_path / "a.mot", markers)


@pytest.mark.parametrize("suffix", [".trc", ".c3d"])
def test_a_folder_that_can_t_be_written_to_is_told(tmp_path, suffix, monkeypatch, markers):
    def refuse(self: Path, *arguments: object, **options: object) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "write_text", refuse)
    monkeypatch.setattr(Path, "write_bytes", refuse)
    with pytest.raises(OutputError, match=f"a{suffix} can't be written: Permission denied"):
        write_markers(tmp_path / f"a{suffix}", markers)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".trc", ".c3d"])
def test_the_same_markers_give_the_same_bytes(tmp_path, suffix, markers):
    (tmp_path / "b").mkdir()
    for path in (tmp_path / f"a{suffix}", tmp_path / "b" / f"a{suffix}"):
        write_markers(path, markers)
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / "b" / f"a{suffix}").read_bytes()
