"""TRC: every dialect is read, what its header gets wrong is told, and OpenSim reads what is written."""

import numpy as np
import pytest

from pallas.capture.marker_file import in_our_world
from pallas.capture.textfile import FormatWarning
from pallas.capture.trc import parse_trc, read_trc
from pallas.capture.trc_writer import format_trc, write_trc
from pallas.capture.up_axis import from_world
from pallas.rig import FormatError, OutputError
from pallas.rig.trajectories import MarkerTrajectories

KEYS = "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames"
FEET = ["100", "50", "0", "-100", "40", "0", "0", "1000", "0", "0", "1700", "0"]


def _trc(
    *rows, names=("foot", "toe", "hip", "top"), units="mm", rate="100", frames=None, markers=None
):
    """A y-up file; a row is time and three values for each marker."""
    frames = len(rows) if frames is None else frames
    markers = len(names) if markers is None else markers
    lines = [
        "PathFileType\t4\t(X/Y/Z)\ta.trc",
        KEYS,
        f"{rate}\t{rate}\t{frames}\t{markers}\t{units}\t{rate}\t1\t{frames}",
        "Frame#\tTime\t" + "\t\t\t".join(names) + "\t\t",
        "\t\t" + "\t".join(f"{axis}{k + 1}" for k in range(len(names)) for axis in "XYZ"),
        "",
    ]
    lines += ["\t".join([str(k + 1), *row]) for k, row in enumerate(rows)]
    return "\n".join(lines) + "\n"


def _read(text, **options):
    return in_our_world(parse_trc(text), **options)


def test_a_y_up_file_in_millimetres_becomes_metres_with_z_up():
    file = _read(_trc(["0.5", "100", "50", "-30", *FEET[3:]]))
    assert (file.unit, file.up, file.how_up) == ("mm", "y", "detected")
    np.testing.assert_allclose(file.markers.positions[0, 0], [0.1, 0.03, 0.05])
    assert file.markers.fps == 100.0
    assert file.markers.start == 0.5


@pytest.mark.parametrize(
    ("written", "metres"),
    [("m", 1.0), ("cm", 0.01), ("MM", 0.001), ("in", 0.0254), ("Meters", 1.0)],
)
def test_lengths_are_in_the_unit_of_the_header(written, metres):
    row = [str(float(v) / 1000 / metres) for v in FEET]
    positions = _read(_trc(["0", *row], units=written)).markers.positions
    np.testing.assert_allclose(positions[0, 3], [0.0, 0.0, 1.7], atol=1e-12)


def test_a_marker_at_exactly_zero_is_missing():
    positions = _read(_trc(["0", "0", "0.000", "-0", *FEET[3:]])).markers.positions
    assert np.isnan(positions[0, 0]).all()
    assert np.isfinite(positions[0, 1:]).all()


def test_a_marker_with_one_zero_is_there():
    assert np.isfinite(_read(_trc(["0", "0", "50", "0", *FEET[3:]])).markers.positions).all()


@pytest.mark.parametrize(
    "missing", [["", "", ""], ["nan", "NaN", "NAN"], ["1", "2", "nAn"], ["5", "", "6"]]
)
def test_an_empty_cell_or_any_nan_is_missing(missing):
    positions = _read(_trc(["0", *missing, *FEET[3:]])).markers.positions
    assert np.isnan(positions[0, 0]).all()
    assert np.isfinite(positions[0, 1:]).all()


def test_line_ends_of_windows_and_trailing_tabs_change_nothing(tmp_path):
    text = _trc(["0", *FEET], ["0.01", *FEET])
    plain, odd = tmp_path / "plain.trc", tmp_path / "odd.trc"
    plain.write_text(text)
    odd.write_bytes(text.replace("\n", "\t\t\r\n").encode())
    np.testing.assert_array_equal(
        read_trc(odd).markers.positions, read_trc(plain).markers.positions
    )


def test_columns_may_be_separated_by_blanks():
    text = _trc(["0", *FEET]).replace("\t\t", "\t").replace("\t", "  ")
    assert _read(text).markers.names == ("foot", "toe", "hip", "top")


def test_double_tabs_in_the_header_do_not_shift_its_values():
    text = _trc(["0", *FEET])
    head, keys, values, *rest = text.split("\n")
    odd = "\n".join([head, keys, values.replace("\t", "\t\t "), *rest])
    assert _read(odd).unit == "mm"


def test_no_blank_line_between_header_and_numbers_is_needed():
    assert len(_read(_trc(["0", *FEET]).replace("\n\n", "\n")).markers) == 1


def test_a_row_whose_last_empty_cells_were_cut_off_lacks_these_markers():
    with pytest.warns(FormatWarning, match="1 lines end early, the first is line 7"):
        positions = _read(_trc(["0", *FEET[:9]], ["0.01", *FEET])).markers.positions
    assert np.isnan(positions[0, 3]).all()
    assert np.isfinite(positions[1]).all()


@pytest.mark.parametrize("row", [["0", *FEET[:-1]], ["0", *FEET, "1"], ["0", *FEET, "", "1"]])
def test_a_row_cut_within_a_marker_or_too_long_names_its_line(row):
    with pytest.raises(FormatError, match=r"line 8 has \d+ values, expected 14"):
        _read(_trc(["0", *FEET], row))


def test_a_word_among_the_numbers_names_its_line():
    with pytest.raises(FormatError, match="line 7: found 'abc', expected a number"):
        _read(_trc(["0", "abc", *FEET[1:]]))


def test_counts_that_lie_are_told_and_what_is_there_is_read():
    with pytest.warns(FormatWarning, match="header says 50 frames, there are 2; these are read"):
        assert len(_read(_trc(["0", *FEET], ["0.01", *FEET], frames=50)).markers) == 2
    with pytest.warns(FormatWarning, match="header says 9 markers, there are 4"):
        assert len(_read(_trc(["0", *FEET], markers=9)).markers.names) == 4


def test_two_markers_of_one_name_are_told_with_their_columns():
    with pytest.raises(FormatError, match="two markers are called 'a', in column 3 of line 4 and"):
        _read(_trc(["0", *FEET], names=("a", "b", "a", "c")))


def test_a_marker_without_a_name_is_told():
    with pytest.raises(FormatError, match="names 3 markers, .* has 12 columns .*number 2 has"):
        _read(_trc(["0", *FEET], names=("a", "", "c", "d")))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nothing useful", "found no line that starts with Frame#"),
        ("Frame#\tTime\n", "line 1 names no marker"),
        (_trc(), "holds no frame"),
        (_trc(["", *FEET]), "line 7: the time is missing"),
        (
            _trc(["0", *FEET], units="furlong"),
            "unknown unit 'furlong', expected mm, cm, m or in; give",
        ),
    ],
)
def test_what_is_no_trc_is_told(text, message):
    with pytest.raises(FormatError, match=message):
        _read(text)


def test_a_name_with_blanks_in_it_is_one_name():
    names = _read(_trc(["0", *FEET], names=("left foot", "b", "c", "d"))).markers.names
    assert names[0] == "left foot"


def test_missing_markers_have_empty_cells_and_come_back(tmp_path):
    positions = np.random.default_rng(1).uniform(0.1, 1.7, (5, 3, 3))
    positions[2, 1] = positions[4, 2] = np.nan
    markers = MarkerTrajectories(("a", "b c", "d.1"), positions, 59.94, 1.25)
    write_trc(tmp_path / "a.trc", markers)
    back = read_trc(tmp_path / "a.trc", up="y").markers
    assert back.names == markers.names
    assert (back.fps, back.start) == (59.94, 1.25)
    np.testing.assert_allclose(back.positions, positions, atol=1e-9)
    assert "\t\t\t\t" in (tmp_path / "a.trc").read_text().splitlines()[-1]


@pytest.mark.parametrize("up", ["x", "y", "z", "-x", "-y", "-z"])
@pytest.mark.parametrize("unit", ["mm", "cm", "m", "inch"])
def test_what_is_written_with_any_axis_up_and_in_any_unit_comes_back(up, unit):
    positions = np.random.default_rng(2).uniform(0.1, 1.7, (2, 4, 3))
    markers = MarkerTrajectories(("a", "b", "c", "d"), positions, 100.0)
    raw = parse_trc(format_trc(markers, up=up, unit=unit))
    np.testing.assert_allclose(in_our_world(raw, up=up).markers.positions, positions, atol=1e-9)


def test_a_marker_written_at_the_origin_is_not_missing_when_read():
    markers = MarkerTrajectories(("a", "b"), np.array([[[0.0, 0, 0], [1e-12, -1e-12, 0]]]), 100.0)
    text = format_trc(markers)
    back = in_our_world(parse_trc(text), up="y").markers.positions
    np.testing.assert_allclose(back, np.zeros((1, 2, 3)), atol=2e-9)
    assert "-0.000" not in text


def test_a_file_that_is_there_stays_unless_forced(tmp_path):
    markers = MarkerTrajectories(("a",), np.ones((1, 1, 3)), 100.0)
    write_trc(tmp_path / "a.trc", markers)
    with pytest.raises(OutputError, match="is there already"):
        write_trc(tmp_path / "a.trc", markers)
    write_trc(tmp_path / "a.trc", markers, force=True)
    assert [path.name for path in tmp_path.iterdir()] == ["a.trc"]


@pytest.mark.parametrize("options", [{"unit": "furlong"}, {"up": "w"}])
def test_a_unit_or_axis_that_no_trc_has_is_told(options):
    markers = MarkerTrajectories(("a",), np.ones((1, 1, 3)), 100.0)
    with pytest.raises(FormatError, match="expected one of: "):
        format_trc(markers, **options)


def test_a_name_that_would_break_the_columns_is_told():
    markers = MarkerTrajectories(("a\tb",), np.ones((1, 1, 3)), 100.0)
    with pytest.raises(FormatError, match="without tabs"):
        format_trc(markers)


@pytest.mark.parametrize(
    ("name", "shape", "fps", "missing"),
    [
        ("dataWithNaNsOfDifferentCases", (5, 14), 250.0, 5),
        ("dataWithBlanksForMissingMarkers", (464, 40), 250.0, 15005),
        ("gait10dof18musc_walk_CRLF_line_ending", (10, 41), 60.0, 0),
    ],
)
def test_odd_files_are_read_without_a_word(data, name, shape, fps, missing):
    markers = read_trc(data(f"markers/odd/{name}.trc")).markers
    assert markers.positions.shape == (*shape, 3)
    assert markers.fps == fps
    assert np.isnan(markers.positions[..., 0]).sum() == missing


def test_names_at_odd_columns_and_a_wrong_rate_are_read(data):
    with pytest.warns(
        FormatWarning, match="times are irregular .* drawn between them at 25 per second"
    ):
        markers = read_trc(data("markers/odd/std_walking5_markers.trc")).markers
    assert markers.names[:3] == ("LTH3", "T10", "LTB2")
    assert markers.positions.shape == (111, 40, 3)


def test_the_file_that_says_fifty_frames_has_twenty_five(data):
    with pytest.warns(FormatWarning, match="header says 50 frames, there are 25"):
        markers = read_trc(data("video/pose2sim/openpose/Standing_for_Scaling.trc")).markers
    assert len(markers) == 25
    assert markers.start == pytest.approx(1 / 60)


def test_the_missing_marker_of_the_runner_is_missing(data):
    markers = read_trc(data("markers/opensim/Hamner/subject02_running.trc")).markers
    assert [name for name, seen in zip(markers.names, markers.seen, strict=True) if seen < 1] == [
        "L.Bicep"
    ]


@pytest.mark.parametrize(
    "name",
    [
        "markers/opensim/Hamner/subject02_running.trc",
        "markers/odd/dataWithBlanksForMissingMarkers.trc",
        "markers/opensim/Rajagopal/motion_capture_walk.trc",
    ],
)
def test_opensim_reads_what_we_write_and_what_we_read_alike(data, tmp_path, name):
    opensim = pytest.importorskip(
        "opensim", reason="OpenSim is not installed (requirements/peers.txt)"
    )
    opensim.Logger.removeFileSink()  # it would write a log where the tests run
    file = read_trc(data(name))
    markers = file.markers
    write_trc(tmp_path / "a.trc", markers)
    for path, up, exact in ((tmp_path / "a.trc", "y", 1e-6), (data(name), file.up, 1e-9)):
        table = opensim.TimeSeriesTableVec3(str(path))
        flat = table.flatten()  # keeps its memory while numpy looks at it
        theirs = flat.getMatrix().to_numpy().reshape(markers.positions.shape).copy()
        theirs[(theirs == 0).all(axis=-1)] = np.nan
        assert tuple(table.getColumnLabels()) == markers.names
        np.testing.assert_allclose(theirs, from_world(markers.positions, up) * 1000, atol=exact)
        np.testing.assert_allclose(table.getIndependentColumn(), markers.times, atol=6e-4)
    theirs = opensim.MarkerData(str(tmp_path / "a.trc"))
    assert (theirs.getNumFrames(), theirs.getNumMarkers()) == markers.positions.shape[:2]
    assert theirs.getDataRate() == markers.fps
