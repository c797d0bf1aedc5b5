"""Any bytes give a value or a `PallasError`, whatever is in them."""

import io
import zlib
from collections.abc import Callable
from types import MappingProxyType

import numpy as np
import pytest
from asf_documents import AMC, ASF
from fuzzing import an_edit, edited
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pallas.capture.asf import parse_asf
from pallas.capture.asf_amc import parse_amc
from pallas.capture.bvh import format_bvh, parse_bvh
from pallas.capture.c3d import parse_c3d
from pallas.capture.c3d_writer import format_c3d
from pallas.capture.formats import read_motion, read_recording
from pallas.capture.imu import ImuRecording
from pallas.capture.imu_csv import format_imu_csv, parse_imu_csv
from pallas.capture.marker_file import in_our_world
from pallas.capture.markers import read_markers
from pallas.capture.motion_csv import format_motion_csv, parse_motion_csv
from pallas.capture.motion_npz import parse_motion_npz, write_motion_npz
from pallas.capture.mvnx import parse_mvnx
from pallas.capture.orientation_table import parse_quaternions, read_quaternions
from pallas.capture.recording import parse_recording, write_recording_file
from pallas.capture.storage import parse_storage, read_storage
from pallas.capture.trc import parse_trc
from pallas.capture.trc_writer import format_trc
from pallas.rig import Motion, PallasError, Skeleton, quaternion
from pallas.rig.trajectories import MarkerTrajectories

pytestmark = [
    # What is guessed or repaired is told by warnings; numpy tells of odd but legal headers.
    pytest.mark.filterwarnings("ignore::pallas.capture.textfile.FormatWarning"),
    pytest.mark.filterwarnings("ignore:Reading `.npy`:UserWarning"),
]
QUICK = settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

SKELETON = Skeleton(
    ("hips", "spine", "leg"),
    (-1, 0, 0),
    np.array([[0, 0, 0.9], [0, 0, 0.3], [0.1, 0, 0]]),
    np.array([[np.nan] * 3, [0, 0, 0.5], [0, 0, -0.9]]),
)
MOTION = Motion(
    SKELETON, np.array([[0, 0, 0.9]] * 3), np.tile(quaternion.IDENTITY, (3, 3, 1)), 30.0
)
RECORDING = ImuRecording(
    np.arange(4) / 50,
    np.tile(quaternion.IDENTITY, (4, 2, 1)),
    np.zeros((4, 2, 3)),
    ("waist", "neck"),
    np.tile(quaternion.IDENTITY, (2, 1)),
    {"npose": np.tile(quaternion.IDENTITY, (2, 1))},
)
MARKERS = MarkerTrajectories(
    ("LTOE", "RTOE", "SACR", "HEAD"),
    np.array([[[0.1, 0, 0], [np.nan, 0, 0], [0, 0.1, 1.0], [0, 0, 1.7]]] * 3),
    100.0,
)
MOT = """Coordinates
version=1
nRows=2
nColumns=3
inDegrees=yes
endheader
time\tknee\tslide
0.0\t90\t0.5
0.5\t-45\tnan
"""
STO = """DataRate=100
DataType=Quaternion
endheader
time\tpelvis_imu\ttibia_imu
0\t1,0,0,0\t0.6,0.8,0,0
0.01\t1,0,0,0\tnan
"""
MVNX = """<?xml version="1.0"?><mvnx xmlns="http://www.xsens.com/mvn/mvnx"><subject label="A" frameRate="60">
<segments><segment label="Pelvis"><points><point label="j"><pos_b>0 0 1</pos_b></point></points></segment>
<segment label="Head"><points/></segment></segments><sensors><sensor label="Head"/></sensors>
<joints><joint label="j"><connector1>Pelvis/j</connector1><connector2>Head/j</connector2></joint></joints>
<frames><frame time="0" index="0" type="normal"><orientation>1 0 0 0 1 0 0 0</orientation>
<position>0 0 0 0 0 1</position><sensorOrientation>1 0 0 0</sensorOrientation>
<sensorFreeAcceleration>0 0 0</sensorFreeAcceleration></frame></frames></subject></mvnx>"""


def _text(parse: Callable[[str], object]) -> Callable[[bytes], object]:
    return lambda content: parse(content.decode("utf-8", "replace"))


def _as_bytes(write: Callable[..., None], value: object, folder) -> bytes:
    path = folder / "valid.npz"
    write(path, value)
    return path.read_bytes()


@pytest.fixture(scope="module")
def valid(tmp_path_factory) -> MappingProxyType:
    """A small valid file of every format."""
    npz = _as_bytes(write_motion_npz, MOTION, tmp_path_factory.mktemp("npz"))
    take = _as_bytes(write_recording_file, RECORDING, tmp_path_factory.mktemp("take"))
    return MappingProxyType(
        {
            "bvh": format_bvh(MOTION).encode(),
            "asf": ASF.encode(),
            "amc": AMC.encode(),
            "mvnx": MVNX.encode(),
            "imu_csv": format_imu_csv(RECORDING).encode(),
            "motion_csv": format_motion_csv(MOTION).encode(),
            "npz": npz,
            "pallas": take,
            "trc": format_trc(MARKERS).encode(),
            "c3d": format_c3d(MARKERS),
            "mot": MOT.encode(),
            "sto": STO.encode(),
        }
    )


READERS: dict[str, Callable[[bytes], object]] = {
    "bvh": _text(parse_bvh),
    "asf": _text(parse_asf),
    "amc": _text(lambda text: parse_amc(parse_asf(ASF), text)),
    "mvnx": _text(parse_mvnx),
    "imu_csv": _text(parse_imu_csv),
    "motion_csv": _text(parse_motion_csv),
    "npz": parse_motion_npz,
    "pallas": parse_recording,
    "trc": _text(lambda text: in_our_world(parse_trc(text))),
    "c3d": lambda content: in_our_world(parse_c3d(content)),
    "mot": _text(parse_storage),
    "sto": _text(parse_quaternions),
}
# What breaks parsers: absurd counts and sizes, not-numbers, brackets, and other formats' words.
NASTY = (
    b"-1", b"0", b"1e308", b"-1e309", b"nan", b"inf", b"999999999", b"99999999999999999999", b"{", b"}",
    b"\n", b"\r", b"\0", b"\xff\xfe", b'"', b"<", b"</frame>", b"&#0;", b"1_0", b"--", b",", b";", b"#",
    b"CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation", b"JOINT a { OFFSET 0 0 0",
    b"SMPL", b"CALB", b"\x93NUMPY", b"PK\x03\x04", b"Frames: 999999999", b"order", b"begin", b"end",
    b"\t", b"\xc2\x85", b"Frame#\tTime\ta\n", b"endheader\n", b"nRows=", b"\xff\xff\xff\x7f", b"\x02\x50",
)  # fmt: skip


def _check(read: Callable[[bytes], object], content: bytes) -> None:
    try:
        value = read(content)
    except PallasError as error:
        assert str(error)
    else:
        if isinstance(value, Motion):
            value.world()  # what was read can be used


@pytest.mark.parametrize("name", READERS)
@QUICK
@given(edits=st.lists(an_edit(NASTY), min_size=1, max_size=4))
def test_a_damaged_file_gives_a_value_or_an_error(valid, name: str, edits: list):
    _check(READERS[name], edited(valid[name], edits))


@pytest.mark.parametrize("name", READERS)
@QUICK
@given(content=st.binary(max_size=300) | st.lists(st.sampled_from(NASTY)).map(b" ".join))
def test_any_bytes_give_a_value_or_an_error(name: str, content: bytes):
    _check(READERS[name], content)


@pytest.mark.parametrize("name", READERS)
def test_the_valid_files_are_valid(valid, name: str):
    READERS[name](valid[name])


@QUICK
@given(
    content=st.binary(max_size=200),
    suffix=st.sampled_from(
        [".bvh", ".npz", ".csv", ".mvnx", ".pallas", ".trc", ".c3d", ".mot", ".x", ""]
    ),
)
def test_any_file_gives_a_value_or_an_error(tmp_path, content: bytes, suffix: str):
    path = tmp_path / f"file{suffix}"
    path.write_bytes(content)
    for read in (read_motion, read_recording, read_markers, read_storage, read_quaternions):
        try:
            read(path)
        except PallasError as error:
            assert str(path) in str(error)


@settings(QUICK, max_examples=400)
@given(
    edits=st.lists(
        st.tuples(
            st.integers(0, 1600),
            st.sampled_from([0, 1, 2, 127, 128, 254, 255]) | st.integers(0, 255),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_any_byte_of_a_c3d_may_be_wrong(valid, edits: list[tuple[int, int]]):
    content = bytearray(valid["c3d"])
    for place, value in edits:
        content[min(place, len(content) - 1)] = value
    try:
        raw = parse_c3d(bytes(content))
    except PallasError as error:
        assert str(error)
    else:
        # Nothing is made that is larger than what the file holds.
        assert raw.positions.nbytes <= 4 * len(content)


@QUICK
@given(payload=st.binary(max_size=60) | st.lists(st.sampled_from(NASTY)).map(b" ".join))
def test_a_calibration_record_may_hold_anything(valid, payload: bytes):
    record = b"CALB" + len(payload).to_bytes(4, "little") + payload
    _check(parse_recording, valid["pallas"] + record + zlib.crc32(record).to_bytes(4, "little"))


@QUICK
@given(
    name=st.sampled_from(["version", "names", "parents", "offsets", "fps", "rotations"]),
    kind=st.sampled_from(["<f8", "<i4", "<U5", "|S3", "<c16", "|b1", "<M8[s]"]),
    shape=st.lists(st.integers(0, 4), max_size=3),
)
def test_an_npz_may_hold_arrays_of_any_type_and_shape(name: str, kind: str, shape: list[int]):
    arrays = {
        "version": 1,
        "names": np.array(SKELETON.names),
        "parents": np.array(SKELETON.parents),
        "offsets": SKELETON.offsets,
        "tips": SKELETON.tips,
        "fps": 30.0,
        "root_position": MOTION.root_position,
        "rotations": MOTION.rotations,
    }
    file = io.BytesIO()
    np.savez(file, **(arrays | {name: np.zeros(shape, dtype=kind)}))
    _check(parse_motion_npz, file.getvalue())


def test_ten_thousand_nested_joints_are_read_without_recursion():
    depth = 10_000
    opened = "JOINT a { OFFSET 0 0.01 0 CHANNELS 0 " * depth
    text = (
        f"HIERARCHY ROOT r {{ OFFSET 0 0 0 CHANNELS 1 Xrotation {opened} {'}' * (depth + 1)}\n"
        "MOTION\nFrames: 1\nFrame Time: 0.01\n90\n"
    )
    assert len(parse_bvh(text, unit="cm").skeleton) == depth + 1


def test_a_file_full_of_false_records_is_searched_quickly():
    header = b'{"format": "pallas-imu", "version": 1, "placements": ["a"]}\n'
    assert len(parse_recording(header + b"SMPL" * 200_000)) == 0
