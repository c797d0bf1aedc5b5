"""Any file is read by the end of its name or by its content, and bad paths are told in one line."""

from pathlib import Path

import numpy as np
import pytest

from pallas.capture import formats
from pallas.capture.formats import read_motion, read_recording, write_motion, write_recording
from pallas.capture.imu import ImuRecording
from pallas.rig import FileError, FormatError, Motion, OutputError, body_skeleton, quaternion


def _motion() -> Motion:
    rotations = np.tile(quaternion.IDENTITY, (3, 24, 1))
    return Motion(body_skeleton(), np.array([[0, 0, 0.9]] * 3), rotations, 30.0)


def _recording() -> ImuRecording:
    orientation = np.tile(quaternion.IDENTITY, (3, 2, 1))
    return ImuRecording(np.arange(3) / 60, orientation, np.zeros((3, 2, 3)), ("waist", "neck"))


@pytest.fixture
def folder(tmp_path) -> Path:
    """A folder whose name has spaces and letters beyond ASCII."""
    folder = tmp_path / "Müllers Aufnahmen 日本"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("suffix", [".bvh", ".npz", ".csv", ".BVH"])
def test_a_motion_comes_back_by_its_suffix_and_by_its_content(folder: Path, suffix: str):
    write_motion(folder / f"tanz{suffix}", _motion())
    assert len(read_motion(folder / f"tanz{suffix}")) == 3
    (folder / f"tanz{suffix}").rename(folder / "tanz.unknown")
    assert read_motion(folder / "tanz.unknown").fps == 30.0


@pytest.mark.parametrize("suffix", [".pallas", ".csv"])
def test_a_recording_comes_back_by_its_suffix_and_by_its_content(folder: Path, suffix: str):
    write_recording(folder / f"take 1{suffix}", _recording())
    assert read_recording(folder / f"take 1{suffix}").placements == ("waist", "neck")
    (folder / f"take 1{suffix}").rename(folder / "take")
    assert len(read_recording(folder / "take")) == 3


def test_an_mvnx_is_a_recording_and_a_motion(data, tmp_path):
    path = data("imu/xsens_mvnx/test_mocap.mvnx")
    assert len(read_recording(path)) == len(read_motion(path)) == 112
    copy = tmp_path / "suit.xml"
    copy.write_bytes(path.read_bytes())
    assert len(read_recording(copy)) == 112


def test_an_amc_finds_its_skeleton(tmp_path):
    amc = tmp_path / "07_01.amc"
    with pytest.raises(FileError, match=r"found 0 \.asf files beside it, expected 07\.asf"):
        formats.find_asf(amc)
    (tmp_path / "somebody.asf").touch()
    assert formats.find_asf(amc).name == "somebody.asf"
    (tmp_path / "08.asf").touch()
    with pytest.raises(FileError, match="found 2"):
        formats.find_asf(amc)
    (tmp_path / "07.asf").touch()
    assert formats.find_asf(amc).name == "07.asf"


def test_an_unknown_file_is_told_which_formats_are_known(tmp_path):
    path = tmp_path / "song.mp3"
    path.write_bytes(b"ID3 something")
    with pytest.raises(
        FileError, match=r"'\.mp3'\); an IMU recording can be: \.pallas, \.csv, \.mvnx"
    ):
        read_recording(path)
    with pytest.raises(FileError, match=r"a motion can be: \.bvh, \.amc, \.npz, \.csv, \.mvnx"):
        read_motion(path)


def test_a_motion_is_not_taken_for_a_recording(tmp_path):
    write_motion(tmp_path / "a.bvh", _motion())
    with pytest.raises(FormatError, match="holds a motion, expected an IMU recording"):
        read_recording(tmp_path / "a.bvh")
    write_recording(tmp_path / "a.csv", _recording())
    with pytest.raises(FormatError, match="expected a motion written by PALLAS"):
        read_motion(tmp_path / "a.csv")


def test_a_suffix_that_can_t_be_written_is_told(tmp_path):
    with pytest.raises(FormatError, match=r"'\.fbx'; expected one of: \.bvh, \.npz, \.csv"):
        write_motion(tmp_path / "a.fbx", _motion())
    with pytest.raises(FormatError, match=r"expected one of: \.pallas, \.csv"):
        write_recording(tmp_path / "a", _recording())


@pytest.mark.parametrize("suffix", [".bvh", ".npz", ".csv", ".mvnx", ".pallas", ".what"])
def test_missing_empty_and_foreign_files_are_told(folder: Path, suffix: str):
    read = read_recording if suffix == ".pallas" else read_motion
    path = folder / f"a{suffix}"
    with pytest.raises(FileError, match="does not exist"):
        read(path)
    path.touch()
    with pytest.raises(FormatError, match=r"is empty \(0 bytes\)") as caught:
        read(path)
    assert str(caught.value).count(str(path)) == 1
    path.unlink()
    path.mkdir()
    with pytest.raises(FileError, match="is a folder"):
        read(path)


@pytest.mark.parametrize("suffix", [".bvh", ".csv", ".mvnx"])
def test_text_in_another_encoding_names_the_byte_and_the_line(tmp_path, suffix: str):
    path = tmp_path / f"a{suffix}"
    path.write_bytes("HIERARCHY\nROOT Hüfte".encode("latin-1"))
    with pytest.raises(FormatError, match=r"not UTF-8 text \(byte 0xfc in line 2\)"):
        read_motion(path)


def test_every_message_names_the_file(folder: Path):
    for suffix in (".bvh", ".npz", ".csv", ".mvnx"):
        path = folder / f"broken{suffix}"
        path.write_bytes(b"nothing useful")
        with pytest.raises(FormatError) as caught:
            read_motion(path)
        assert str(caught.value).count(str(path)) == 1
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", [".bvh", ".npz", ".csv", ".pallas"])
def test_a_folder_that_can_t_be_written_to_is_told(tmp_path, suffix: str, monkeypatch):
    def refuse(self: Path, *arguments: object, **options: object) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "open", refuse)
    monkeypatch.setattr(Path, "write_text", refuse)
    monkeypatch.setattr(Path, "touch", refuse)
    path = tmp_path / f"a{suffix}"
    with pytest.raises(OutputError, match=f"a{suffix} can't be written: Permission denied"):
        if suffix == ".pallas":
            write_recording(path, _recording())
        else:
            write_motion(path, _motion())
    assert list(tmp_path.iterdir()) == []
