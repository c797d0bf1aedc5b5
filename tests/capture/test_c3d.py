"""C3D: every machine's numbers, what other programs put in, and ezc3d's own reading beside ours."""

import itertools
import struct
import warnings

import numpy as np
import pytest

from pallas.capture.c3d import parse_c3d, read_c3d
from pallas.capture.c3d_parameters import INTEL, Processor, parse_parameters
from pallas.capture.c3d_writer import format_c3d, write_c3d
from pallas.capture.marker_file import in_our_world
from pallas.capture.textfile import FormatWarning
from pallas.rig import FormatError, OutputError
from pallas.rig.trajectories import MarkerTrajectories

FILES = (
    "markers/odd/walking2.c3d",
    "markers/odd/walking5.c3d",
    "markers/pycgm/Movement_trial.c3d",
    "markers/pycgm/Sample_Static.c3d",
    "markers/biobuddy/static.c3d",
    "markers/biobuddy/right_hip.c3d",
    "markers/biobuddy/right_knee.c3d",
    "markers/cusTom_sidestep/ChgtDirection04.c3d",
)
BODY = np.array([[[100.0, 50, 1], [-100, 40, 2], [0, 0, 1000], [0, 10, 1700]]] * 3)  # mm, z up
NAMES = ["LTOE", "RTOE", "SACR", "HEAD"]


def dec_float(value):
    """VAX F: four times the value in IEEE, its two words swapped."""
    low, high = struct.unpack("<HH", struct.pack("<f", value * 4.0))
    return struct.pack("<HH", high, low)


MACHINES = {  # number in the file: words and floats
    84: (lambda v: struct.pack("<h", v), lambda v: struct.pack("<f", v)),
    85: (lambda v: struct.pack("<h", v), dec_float),
    86: (lambda v: struct.pack(">h", v), lambda v: struct.pack(">f", v)),
}


def c3d(  # noqa: PLR0913 - each is one thing that a test changes
    positions=BODY,
    *,
    names=NAMES,
    machine=84,
    scale=-0.1,
    residuals=None,
    first=1,
    rate=100.0,
    analog=0,
    point=(),
    others=(),
    frames=None,
    used=None,
    missing=(),
):
    """A file made byte by byte, as the format's guide tells; `point` are more parameters of POINT."""
    word, real = MACHINES[machine]
    frames = len(positions) if frames is None else frames
    used = positions.shape[1] if used is None else used
    values = [
        ("USED", used), ("SCALE", scale), ("RATE", rate), ("DATA_START", 4), ("FRAMES", frames),
        ("LABELS", names), ("UNITS", ["mm"]), ("Y_SCREEN", ["+Z"]), *point,
    ]  # fmt: skip
    values = [(name, value) for name, value in values if name not in missing]
    section = b""
    for number, (group, parameters) in enumerate([("POINT", values), *others], start=1):
        section += struct.pack("bb", len(group), -number) + group.encode() + word(3) + b"\0"
        for name, value in parameters:
            body = _value(value, word, real) + b"\0"
            section += (
                struct.pack("bb", len(name), number) + name.encode() + word(2 + len(body)) + body
            )
    head = bytes([2, 0x50]) + b"".join(
        word(n) for n in (used, analog, first, first + frames - 1, 0)
    )
    head += real(scale) + word(4) + word(1 if analog else 0) + real(rate)
    data = b""
    residuals = np.zeros(positions.shape[:2]) if residuals is None else residuals
    for frame, row in zip(positions, residuals, strict=True):
        for place, residual in zip(frame, row, strict=True):
            numbers = [*(place if scale < 0 else place / scale), residual]
            data += b"".join(real(v) if scale < 0 else word(round(v)) for v in numbers)
        data += (real(0.0) if scale < 0 else word(0)) * analog
    section = (bytes([1, 0x50, 2, machine]) + section).ljust(1024, b"\0")
    assert len(section) == 1024
    return head.ljust(512, b"\0") + section + data


def _value(value, word, real):
    if isinstance(value, list):
        width = max(len(cell) for cell in value)
        cells = b"".join(cell.encode().ljust(width) for cell in value)
        return struct.pack("bBBB", -1, 2, width, len(value)) + cells
    if isinstance(value, float):
        return struct.pack("bB", 4, 0) + real(value)
    return struct.pack("bB", 2, 0) + word(value)


def read(content, **options):
    return in_our_world(parse_c3d(content), **options).markers


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("scale", [-0.1, 0.1])
def test_floats_and_words_of_every_machine_are_read(machine, scale):
    markers = read(c3d(machine=machine, scale=scale))
    np.testing.assert_allclose(markers.positions, BODY / 1000, atol=1e-7)
    assert markers.names == tuple(NAMES)
    assert markers.fps == 100.0


def test_floats_of_a_vax_are_what_its_manual_says():
    one, minus_two_and_a_half = b"\x80\x40\x00\x00", b"\x20\xc1\x00\x00"
    vax = Processor("<", is_dec=True)
    np.testing.assert_array_equal(vax.floats(one + minus_two_and_a_half + bytes(4)), [1, -2.5, 0])


@pytest.mark.parametrize("machine", [84, 85])  # ezc3d reads no files of MIPS machines
@pytest.mark.parametrize("scale", [-0.1, 0.1])
def test_ezc3d_reads_the_same_from_made_files(tmp_path, machine, scale):
    ezc3d = pytest.importorskip("ezc3d", reason="ezc3d is not installed (pip install ezc3d)")
    residuals = np.zeros((3, 4))
    residuals[1, 2] = -1
    path = tmp_path / "a.c3d"
    analog = ("ANALOG", [("USED", 0), ("RATE", 100.0)])
    path.write_bytes(c3d(machine=machine, scale=scale, residuals=residuals, others=[analog]))
    theirs = ezc3d.c3d(str(path))["data"]["points"][:3].transpose(2, 1, 0)
    np.testing.assert_allclose(theirs, parse_c3d(path.read_bytes()).positions, atol=1e-4)


@pytest.mark.parametrize("name", FILES)
def test_ezc3d_reads_the_same_from_every_recording(data, name):
    ezc3d = pytest.importorskip("ezc3d", reason="ezc3d is not installed (pip install ezc3d)")
    theirs = ezc3d.c3d(str(data(name)))
    labels = [label.split(":")[-1] for label in theirs["parameters"]["POINT"]["LABELS"]["value"]]
    ours = parse_c3d(data(name).read_bytes())
    columns = [labels.index(marker) for marker in ours.names]
    points = theirs["data"]["points"][:3].transpose(2, 1, 0)[:, columns]
    np.testing.assert_array_equal(points, ours.positions)
    header = theirs["header"]["points"]
    assert ours.fps == header["frame_rate"]
    assert ours.start == pytest.approx(header["first_frame"] / ours.fps)


@pytest.mark.parametrize(
    ("name", "missing"),
    [("odd/walking2.c3d", 0.50), ("odd/walking5.c3d", 0.46), ("pycgm/Sample_Static.c3d", 0.0)],
)
def test_what_was_not_seen_is_missing(data, name, missing):
    markers = read_c3d(data(f"markers/{name}")).markers
    assert 1 - markers.seen.mean() == pytest.approx(missing, abs=0.006)


def test_angles_forces_moments_and_powers_are_no_markers(data):
    markers = read_c3d(data("markers/pycgm/Movement_trial.c3d")).markers
    assert markers.positions.shape == (323, 159, 3)  # of 239 points, 80 are of these kinds
    assert "LASI" in markers.names
    assert not [n for n in markers.names if n.endswith(("Angles", "Force", "Moment", "Power"))]
    assert not [n for n in markers.names if ":" in n]


def test_a_point_with_a_negative_residual_is_missing():
    residuals = np.zeros((3, 4))
    residuals[1, 2] = -1
    seen = np.isfinite(read(c3d(residuals=residuals)).positions[..., 0])
    np.testing.assert_array_equal(seen, residuals == 0)


def test_a_point_at_exactly_zero_is_missing():
    positions = BODY.copy()
    positions[2, 0] = 0.0
    assert np.isnan(read(c3d(positions)).positions[2, 0]).all()


def test_time_starts_at_the_first_frame():
    assert read(c3d(first=101)).start == 1.0


def test_analog_samples_between_the_frames_are_skipped():
    analog = ("ANALOG", [("USED", 3), ("RATE", 200.0)])
    np.testing.assert_allclose(
        read(c3d(analog=6, others=[analog])).positions, BODY / 1000, atol=1e-7
    )


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["Ada:LTOE", "Ada:RTOE", "Ada:SACR", "Ada:HEAD"], ("LTOE", "RTOE", "SACR", "HEAD")),
        (["Ada:LTOE", "Ada:RTOE", "Bob:SACR", "*4"], ("Ada:LTOE", "Ada:RTOE", "Bob:SACR", "*4")),
    ],
)
def test_the_subjects_name_is_dropped_where_all_share_it(names, expected):
    assert read(c3d(names=names)).names == expected


def test_names_beyond_one_parameter_are_read():
    assert read(c3d(names=NAMES[:2], point=[("LABELS2", NAMES[2:])])).names == tuple(NAMES)


def test_points_without_a_name_are_left_out_and_told():
    with pytest.warns(FormatWarning, match="2 of 4 points have no name"):
        assert read(c3d(names=["LTOE", "", "SACR"]), unit="mm").names == ("LTOE", "SACR")


def test_two_points_of_one_name_are_told():
    with pytest.raises(
        FormatError, match="two markers are called 'LTOE', in point 1 and in point 3"
    ):
        read(c3d(names=["LTOE", "RTOE", "LTOE", "HEAD"]))


def test_without_a_statement_the_body_tells_what_is_up():
    file = in_our_world(parse_c3d(c3d(missing=("Y_SCREEN",))))
    assert (file.up, file.how_up) == ("z", "detected")


def test_a_screen_on_its_head_is_told_and_the_body_believed(data):
    with pytest.warns(FormatWarning, match="says that -z is up, but the body stands along z"):
        file = read_c3d(data("markers/biobuddy/static.c3d"))
    assert (file.up, file.how_up) == ("z", "detected")
    head = file.markers.positions[0, file.markers.names.index("HV"), 2]
    assert head == pytest.approx(1.72, abs=0.02)


def test_a_file_that_says_y_up_is_turned():
    markers = MarkerTrajectories(tuple(NAMES), BODY / 1000, 100.0)
    raw = parse_c3d(format_c3d(markers, up="y"))
    assert raw.up == "y"
    assert raw.positions[0, 3, 1] == pytest.approx(1700)
    np.testing.assert_allclose(in_our_world(raw).markers.positions, BODY / 1000, atol=1e-7)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\2\x51" + c3d()[2:], "found no C3D header"),
        (b"\2\x50", "found no C3D header"),
        (b"\xff" + c3d()[1:], "parameters should be in block 255, which the file lacks"),
        (c3d()[:515] + b"\x60" + c3d()[516:], "processor type is 96, expected 84"),
        (c3d()[:-1], "should hold 3 frames of 64 bytes, and ends after 2: it is cut"),
        (c3d()[:1536], "ends after 0: it is cut"),
        (c3d(used=0), "tells of 0 points at 100 frames per second"),
        (c3d(rate=0.0), "4 points at 0 frames per second"),
        (c3d(missing=("LABELS",)), "none of the 4 points is a marker with a name"),
        (c3d(positions=BODY * 1e9), "farther away than any laboratory is large"),
    ],
)
def test_what_is_damaged_is_told(content, message):
    with pytest.raises(FormatError, match=message):
        parse_c3d(content)


def test_a_parameter_that_is_cut_is_told():
    whole = c3d()
    with pytest.raises(FormatError, match=r"parameter 'LABELS' goes beyond the end of the file"):
        parse_parameters(whole[: whole.index(b"LTOE") + 6], 2)


def test_a_huge_parameter_makes_nothing_huge():
    dimensions = bytes([255] * 7)
    name = struct.pack("bb", 1, 1) + b"A" + struct.pack("<H", 100)
    section = bytes([1, 0x50, 1, 84]) + name + struct.pack("bB", 4, 7) + dimensions
    with pytest.raises(FormatError, match="beyond the end"):
        parse_parameters(bytes(512) + section.ljust(512, b"\0"), 2)


def test_parameters_that_point_at_themselves_end():
    section = bytes([1, 0x50, 1, 84]) + struct.pack("bb", 1, -1) + b"A" + struct.pack("<H", 1)
    with pytest.raises(FormatError, match="points to itself"):
        parse_parameters(bytes(512) + section.ljust(512, b"\0"), 2)


def _random(frames, count, **options):
    positions = np.random.default_rng(3).uniform(0.1, 1.7, (frames, count, 3))
    positions[:, 0][::2] = np.nan
    return MarkerTrajectories(tuple(f"marker {k}" for k in range(count)), positions, **options)


SIZES = [
    _random(5, 3, fps=60.0),
    _random(4, 600, fps=59.94, start=10.0),  # names in three parameters
    _random(70_000, 1, fps=100.0, start=1.0),  # frames beyond a word
    _random(2, 2, fps=100.0, start=1000.0),  # a first frame beyond a word
]


@pytest.mark.parametrize("markers", SIZES)
def test_what_is_written_comes_back(markers, tmp_path):
    write_c3d(tmp_path / "a.c3d", markers)
    file = read_c3d(tmp_path / "a.c3d", unit="mm")
    assert (file.up, file.how_up) == ("z", "stated")
    assert file.markers.names == markers.names
    assert file.markers.fps == pytest.approx(markers.fps, rel=1e-7)
    assert file.markers.start == pytest.approx(markers.start, abs=0.5 / markers.fps)
    np.testing.assert_allclose(file.markers.positions, markers.positions, atol=1e-7)


@pytest.mark.parametrize("markers", SIZES)
def test_ezc3d_reads_what_is_written(markers, tmp_path):
    ezc3d = pytest.importorskip("ezc3d", reason="ezc3d is not installed (pip install ezc3d)")
    write_c3d(tmp_path / "a.c3d", markers)
    theirs = ezc3d.c3d(str(tmp_path / "a.c3d"))
    points = theirs["data"]["points"][:3].transpose(2, 1, 0)
    np.testing.assert_allclose(points / 1000, markers.positions, atol=1e-7)
    labels = theirs["parameters"]["POINT"]
    lists = [labels[key]["value"] for key in ("LABELS", "LABELS2", "LABELS3") if key in labels]
    assert tuple(itertools.chain(*lists)) == markers.names


def test_opensim_reads_what_is_written(tmp_path):
    opensim = pytest.importorskip(
        "opensim", reason="OpenSim is not installed (requirements/peers.txt)"
    )
    if not hasattr(opensim, "C3DFileAdapter"):
        pytest.skip("this OpenSim was built without its reader of C3D")
    write_c3d(tmp_path / "a.c3d", SIZES[0])
    adapter = opensim.C3DFileAdapter()
    table = adapter.getMarkersTable(adapter.read(str(tmp_path / "a.c3d")))
    assert tuple(table.getColumnLabels()) == SIZES[0].names


@pytest.mark.parametrize(
    ("markers", "message"),
    [
        (
            _random(2, 1, fps=60.0, start=-1.0),
            "the markers start at -1 s; C3D counts frames from time 0",
        ),
        (_random(0, 1, fps=60.0), "0 frames of 1 markers can't be written as C3D"),
        (MarkerTrajectories(("a" * 128,), np.ones((1, 1, 3)), 60.0), "a name of over 127 letters"),
        (
            MarkerTrajectories(
                tuple("a" * 100 + str(k) for k in range(2000)), np.ones((1, 2000, 3)), 60.0
            ),
            "names of 2000 markers need too much room",
        ),
    ],
)
def test_what_the_format_has_no_room_for_is_told(markers, message):
    with pytest.raises(FormatError, match=message):
        format_c3d(markers)


def test_a_file_that_is_there_stays_unless_forced(tmp_path):
    write_c3d(tmp_path / "a.c3d", SIZES[0])
    with pytest.raises(OutputError, match="is there already"):
        write_c3d(tmp_path / "a.c3d", SIZES[0])
    write_c3d(tmp_path / "a.c3d", SIZES[0], force=True)
    assert [path.name for path in tmp_path.iterdir()] == ["a.c3d"]


def test_frames_that_the_header_gets_wrong_are_those_that_fit():
    content = bytearray(c3d())
    content[8:10] = struct.pack("<h", 999)  # the header's last frame
    with pytest.warns(FormatWarning, match="differ; 3 frames fit"):
        assert len(parse_c3d(bytes(content)).positions) == 3


def test_words_have_no_sign():
    assert INTEL.words(b"\xff\xff").tolist() == [65535.0]


def test_reading_is_silent_where_nothing_is_odd():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read(c3d())
