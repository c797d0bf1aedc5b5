"""IMU recordings in CSV: exact on the way out and back, and wrong lines are named."""

import numpy as np
import pytest

from pallas.capture.imu import ImuRecording
from pallas.capture.imu_csv import format_imu_csv, parse_imu_csv, read_imu_csv, write_imu_csv
from pallas.rig import FormatError, quaternion

TEXT = """# pallas imu,1
# pose,npose,waist,0,1,0,0
# mounting,waist,1,0,0,0
time,waist.qw,waist.qx,waist.qy,waist.qz,waist.ax,waist.ay,waist.az
0.00,1,0,0,0,0.5,0,-1
0.01,0,0,0,1,,,
0.02,1,0,0,0,0,0,0
"""


def test_columns_are_read_by_name():
    recording = parse_imu_csv(TEXT)
    assert recording.placements == ("waist",)
    np.testing.assert_array_equal(recording.times, [0, 0.01, 0.02])
    np.testing.assert_array_equal(recording.world_from_sensor[1, 0], [0, 0, 0, 1])
    np.testing.assert_array_equal(recording.acceleration[0, 0], [0.5, 0, -1])
    np.testing.assert_array_equal(recording.poses["npose"], [[0, 1, 0, 0]])
    np.testing.assert_array_equal(recording.bone_from_sensor, [[1, 0, 0, 0]])


def test_an_empty_cell_is_a_missing_value():
    assert parse_imu_csv(TEXT).missing[:, 0].tolist() == [False, True, False]


def test_semicolons_tabs_line_ends_and_blank_lines_do_not_matter():
    for odd in (
        TEXT.replace(",", ";"),
        TEXT.replace(",", "\t"),
        TEXT.replace("\n", "\r\n"),
        TEXT.replace("\n", "\n\n"),
        TEXT.replace(",", " , "),
    ):
        np.testing.assert_array_equal(parse_imu_csv(odd).times, [0, 0.01, 0.02])


def test_other_columns_and_their_order_do_not_matter():
    rows = [line.split(",") for line in TEXT.splitlines()[3:]]
    text = "\n".join(
        ",".join(["battery" if i == 0 else "80", *reversed(r)]) for i, r in enumerate(rows)
    )
    np.testing.assert_array_equal(
        parse_imu_csv(text).world_from_sensor, parse_imu_csv(TEXT).world_from_sensor
    )


def test_rounded_quaternions_are_brought_to_unit_length_and_zeros_are_missing():
    text = TEXT.replace("0.00,1,0,0,0", "0.00,0.70,0.70,0,0").replace(
        "0.02,1,0,0,0", "0.02,0,0,0,0"
    )
    recording = parse_imu_csv(text)
    np.testing.assert_allclose(recording.world_from_sensor[0, 0, :2], np.sqrt(0.5))
    assert np.isnan(recording.world_from_sensor[2]).all()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("0.02,1", "0.01,1", "line 7: time is 0.01, expected one after 0.01"),
        ("0.02,1", ",1", "line 7: time is nan"),
        ("0.01,0,0,0,1", "0.01,0,0,0,one", "line 6: found 'one', expected a number"),
        ("0.02,1,0,0,0,0,0,0", "0.02,1,0", "line 7 has 3 values, expected 8: the file is cut"),
        ("0.02,1,0", "0.02,57,12", "line 7: the quaternion of 'waist' has length 58.2"),
        ("waist.az", "waist.a", "no column 'waist.az'"),
        ("waist.az", "waist.ay", "line 4: two columns have the same name"),
        ("time,", "t,", "no column 'time'"),
        ("# pose,npose,waist", "# pose,npose,head", "line 2: expected the name of a sensor"),
        (".q", ".r", "no column that ends in '.qw'"),
    ],
)
def test_a_wrong_line_is_named(old: str, new: str, message: str):
    with pytest.raises(FormatError, match=message):
        parse_imu_csv(TEXT.replace(old, new))


def test_a_recording_comes_back_bit_by_bit(tmp_path):
    random = np.random.default_rng(0)
    orientation = quaternion.normalised(random.normal(size=(20, 2, 4)))
    orientation[3, 0] = np.nan
    pose = quaternion.normalised(random.normal(size=(2, 4)))
    pose[1] = np.nan
    take = ImuRecording(
        np.cumsum(random.random(20) + 0.001),
        orientation,
        random.normal(size=(20, 2, 3)),
        ("waist", 'the "left", wrist'),
        quaternion.normalised(random.normal(size=(2, 4))),
        {"tpose": pose},
    )
    path = tmp_path / "ärm.csv"
    write_imu_csv(path, take)
    back = read_imu_csv(path)
    assert back.placements == take.placements
    for name in ("times", "world_from_sensor", "acceleration", "bone_from_sensor"):
        np.testing.assert_array_equal(getattr(back, name), getattr(take, name))
    np.testing.assert_array_equal(back.poses["tpose"], pose)


def test_the_written_header_is_the_documented_one():
    assert format_imu_csv(parse_imu_csv(TEXT)).splitlines()[3] == TEXT.splitlines()[3]
