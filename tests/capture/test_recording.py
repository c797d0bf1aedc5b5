"""Our IMU recording: exact, and readable after whatever happened to it."""

import json
from pathlib import Path

import numpy as np
import pytest

from pallas.capture import record_file
from pallas.capture.imu import ImuRecording
from pallas.capture.recording import (
    RecordingWriter,
    parse_recording,
    read_recording_file,
    write_recording_file,
)
from pallas.capture.textfile import FormatWarning
from pallas.rig import FormatError, OutputError, RecordingError, ShapeError, quaternion

PLACEMENTS = ("waist", "left_wrist")
SAMPLE_RECORD = 4 + 4 + 8 * (1 + 7 * 2) + 4


def _recording(samples: int = 10) -> ImuRecording:
    random = np.random.default_rng(3)
    orientation = quaternion.normalised(random.normal(size=(samples, 2, 4)))
    acceleration = random.normal(size=(samples, 2, 3))
    if samples > 4:
        orientation[4, 1] = np.nan
        acceleration[4, 1] = np.nan
    pose = quaternion.normalised(random.normal(size=(2, 4)))
    pose[1] = np.nan
    mounting = quaternion.normalised(random.normal(size=(2, 4)))
    return ImuRecording(
        np.arange(samples) / 100 + 7.0,
        orientation,
        acceleration,
        PLACEMENTS,
        mounting,
        {"npose": pose},
    )


def _same(left: ImuRecording, right: ImuRecording) -> None:
    assert left.placements == right.placements
    for name in ("times", "world_from_sensor", "acceleration", "bone_from_sensor"):
        np.testing.assert_array_equal(getattr(left, name), getattr(right, name))
    assert left.poses.keys() == right.poses.keys()
    for name, pose in left.poses.items():
        np.testing.assert_array_equal(pose, right.poses[name])


@pytest.fixture
def content(tmp_path) -> bytes:
    write_recording_file(tmp_path / "take.pallas", _recording())
    return (tmp_path / "take.pallas").read_bytes()


def _body_start(content: bytes) -> int:
    """Where the first sample starts: after the header and the calibration."""
    return content.index(b"SMPL")


@pytest.mark.parametrize("samples", [0, 1, 5, 10])
def test_a_recording_comes_back_bit_by_bit(tmp_path, samples: int):
    path = tmp_path / "Aufnahme für später.pallas"
    write_recording_file(path, _recording(samples))
    _same(read_recording_file(path), _recording(samples))


def test_the_first_line_tells_what_the_file_is(content: bytes):
    header = json.loads(content.splitlines()[0])
    assert header["format"] == "pallas-imu"
    assert header["version"] == 1
    assert header["placements"] == list(PLACEMENTS)
    assert header["units"]["acceleration"].startswith("m/s^2")


def test_a_file_cut_anywhere_keeps_every_complete_sample(content: bytes):
    start = _body_start(content)
    for cut in range(start + 1, len(content), 17):
        whole, rest = divmod(cut - start, SAMPLE_RECORD)
        if rest:
            with pytest.warns(FormatWarning, match=f"last {rest} bytes"):
                read = parse_recording(content[:cut])
        else:
            read = parse_recording(content[:cut])
        assert len(read) == whole


def test_a_damaged_sample_becomes_a_gap(content: bytes):
    damaged = bytearray(content)
    damaged[_body_start(content) + 3 * SAMPLE_RECORD + 30] ^= 0xFF
    with pytest.warns(FormatWarning, match=r"about 1 samples after 7\.020 s"):
        read = parse_recording(bytes(damaged))
    assert len(read) == 10
    assert read.missing[3].all()
    np.testing.assert_allclose(read.times, _recording().times)
    np.testing.assert_array_equal(read.acceleration[5:], _recording().acceleration[5:])


def test_lost_bytes_in_the_middle_become_a_gap(content: bytes):
    start = _body_start(content)
    with pytest.warns(FormatWarning, match="about 2 samples after"):
        read = parse_recording(
            content[: start + 2 * SAMPLE_RECORD]
            + bytes(2 * SAMPLE_RECORD)
            + content[start + 4 * SAMPLE_RECORD :]
        )
    assert read.missing.all(axis=1).tolist() == [False] * 2 + [True] * 2 + [False] * 6


def test_damage_before_the_first_sample_is_told(content: bytes):
    damaged = bytearray(content)
    damaged[_body_start(content) + 30] ^= 0xFF
    with pytest.warns(FormatWarning, match="at the start"):
        assert len(parse_recording(bytes(damaged))) == 9


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"pallas-imu", b"pallas-umi", "no recording's header"),
        (b'"version": 1', b'"version": 9', "has version 9, this program reads 1 and 2"),
        (b'"left_wrist"', b'"waist"', "2 placements, 1 of them different"),
        (b'"placements"', b'"place"', "no list of placements"),
        (b"{", b"", "no recording's header"),
    ],
)
def test_a_damaged_header_is_an_error(content: bytes, old: bytes, new: bytes, message: str):
    with pytest.raises(FormatError, match=message):
        parse_recording(content.replace(old, new, 1))


def test_what_was_written_can_be_read_while_it_is_being_written(tmp_path, monkeypatch):
    now = 100.0
    monkeypatch.setattr(record_file.clock, "monotonic", lambda: now)
    path, take = tmp_path / "live.pallas", _recording()
    writer = RecordingWriter(path, PLACEMENTS)
    writer.write(0.0, take.world_from_sensor[0], take.acceleration[0])
    now = 101.5
    writer.write(0.01, take.world_from_sensor[1], take.acceleration[1])
    # No close: the program crashed here.
    assert len(read_recording_file(path)) == 2
    writer.close()


def test_calibration_may_come_in_the_middle_and_the_last_counts(tmp_path):
    path, take = tmp_path / "live.pallas", _recording()
    with RecordingWriter(path, PLACEMENTS) as writer:
        writer.write(0.0, take.world_from_sensor[0], take.acceleration[0])
        writer.write_pose("tpose", take.world_from_sensor[0])
        writer.write_pose("tpose", take.world_from_sensor[1])
        writer.write_mounting(take.world_from_sensor[2])
    read = read_recording_file(path)
    np.testing.assert_array_equal(read.poses["tpose"], take.world_from_sensor[1])
    np.testing.assert_array_equal(read.bone_from_sensor, take.world_from_sensor[2])


def test_a_sample_must_come_later_than_the_one_before(tmp_path):
    take = _recording()
    with RecordingWriter(tmp_path / "live.pallas", PLACEMENTS) as writer:
        writer.write(0.5, take.world_from_sensor[0], take.acceleration[0])
        for time in (0.5, 0.4, np.nan):
            with pytest.raises(RecordingError, match="strictly increase"):
                writer.write(time, take.world_from_sensor[0], take.acceleration[0])
        with pytest.raises(ShapeError, match="acceleration"):
            writer.write(0.6, take.world_from_sensor[0], take.acceleration[0, :1])


def test_a_pose_with_an_endless_name_is_refused(tmp_path):
    with (
        RecordingWriter(tmp_path / "live.pallas", PLACEMENTS) as writer,
        pytest.raises(RecordingError, match="shorten its name"),
    ):
        writer.write_pose("n" * 2000, _recording().world_from_sensor[0])


def test_a_recording_that_is_there_is_not_overwritten(tmp_path):
    path = tmp_path / "take.pallas"
    write_recording_file(path, _recording())
    for write in (
        lambda: write_recording_file(path, _recording(1)),
        lambda: RecordingWriter(path, PLACEMENTS),
    ):
        with pytest.raises(OutputError, match="there already"):
            write()
    assert len(read_recording_file(path)) == 10


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(OutputError, match="can't be written"):
        RecordingWriter(tmp_path / "nowhere" / "take.pallas", PLACEMENTS)
    with pytest.raises(OutputError, match="does not exist"):
        write_recording_file(tmp_path / "nowhere" / "take.pallas", _recording())


def test_a_full_disk_is_told():
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full on this system")
    with pytest.raises(OutputError, match="/dev/full can't be written: No space left"):
        RecordingWriter("/dev/full", PLACEMENTS, force=True)
