"""Motions in npz and CSV: nothing is lost, nothing is unpickled, damage is told."""

import io
import zipfile

import numpy as np
import pytest

from pallas.capture.motion_csv import (
    format_motion_csv,
    parse_motion_csv,
    read_motion_csv,
    write_motion_csv,
)
from pallas.capture.motion_npz import parse_motion_npz, read_motion_npz, write_motion_npz
from pallas.rig import FormatError, Motion, OutputError, body_skeleton, quaternion


def _motion(frames: int = 6, *, confidence: bool = True) -> Motion:
    random = np.random.default_rng(5)
    return Motion(
        body_skeleton(),
        random.normal(size=(frames, 3)),
        quaternion.normalised(random.normal(size=(frames, 24, 4))),
        59.94,
        random.random((frames, 24)) if confidence else None,
    )


def _same(left: Motion, right: Motion) -> None:
    assert left.skeleton.names == right.skeleton.names
    assert left.skeleton.parents == right.skeleton.parents
    assert left.fps == right.fps
    np.testing.assert_array_equal(left.skeleton.offsets, right.skeleton.offsets)
    np.testing.assert_array_equal(left.skeleton.tips, right.skeleton.tips)
    np.testing.assert_array_equal(left.root_position, right.root_position)
    np.testing.assert_array_equal(left.rotations, right.rotations)
    if left.confidence is None:
        assert right.confidence is None
    else:
        np.testing.assert_array_equal(left.confidence, right.confidence)


@pytest.mark.parametrize("frames", [0, 1, 6])
@pytest.mark.parametrize("confidence", [True, False])
def test_a_motion_comes_back_bit_by_bit(tmp_path, frames: int, confidence: bool):
    motion = _motion(frames, confidence=confidence)
    write_motion_npz(tmp_path / "tanz.npz", motion)
    write_motion_csv(tmp_path / "tanz.csv", motion)
    _same(read_motion_npz(tmp_path / "tanz.npz"), motion)
    _same(read_motion_csv(tmp_path / "tanz.csv"), motion)


def test_the_same_motion_gives_the_same_bytes(tmp_path):
    for name in ("a.npz", "b.npz"):
        write_motion_npz(tmp_path / name, _motion())
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_numpy_alone_reads_the_npz(tmp_path):
    write_motion_npz(tmp_path / "a.npz", _motion())
    with np.load(tmp_path / "a.npz", allow_pickle=False) as arrays:
        assert arrays["names"][0] == "pelvis"
        assert int(arrays["version"]) == 1
        assert arrays["rotations"].shape == (6, 24, 4)


def test_a_motion_that_is_there_is_not_overwritten(tmp_path):
    write_motion_npz(tmp_path / "a.npz", _motion())
    with pytest.raises(OutputError, match="there already"):
        write_motion_npz(tmp_path / "a.npz", _motion(1))


def _npz(**changes: object) -> bytes:
    motion = _motion()
    arrays = {
        "version": 1,
        "names": np.array(motion.skeleton.names),
        "parents": np.array(motion.skeleton.parents),
        "offsets": motion.skeleton.offsets,
        "tips": motion.skeleton.tips,
        "fps": 30.0,
        "root_position": motion.root_position,
        "rotations": motion.rotations,
    }
    file = io.BytesIO()
    kept = {name: array for name, array in (arrays | changes).items() if array is not None}
    np.savez(file, **kept)
    return file.getvalue()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"fps": None}, "lacks fps"),
        ({"version": 2}, "has version 2, this program reads 1"),
        ({"fps": -1.0}, "fps is -1.0"),
        ({"fps": np.array([30.0, 30.0])}, "wrong number of axes"),
        ({"rotations": np.ones((6, 23, 4))}, r"rotations has shape \(6, 23, 4\)"),
        ({"names": np.array(["a"] * 24)}, "1 of them different"),
        ({"names": np.array([b"a", b"b"])}, "expected one text per joint"),
        ({"parents": np.full(24, 1 << 62)}, "no sensible size"),
        ({"offsets": np.full((24, 3), np.inf)}, "no sensible size"),
        ({"offsets": np.array(["a"])}, "expected numbers"),
        ({"names": np.array([{}], dtype=object)}, "expected numbers or text"),
    ],
)
def test_a_wrong_array_is_told(changes: dict[str, object], message: str):
    with pytest.raises(FormatError, match=message):
        parse_motion_npz(_npz(**changes))


def test_a_cut_npz_is_told():
    with pytest.raises(FormatError, match="cut or damaged"):
        parse_motion_npz(_npz()[:-100])


def test_an_array_that_claims_more_than_the_file_holds_takes_no_memory():
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }"
    npy = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("rotations.npy", npy)
    with pytest.raises(FormatError, match="claims shape"):
        parse_motion_npz(file.getvalue())


def test_the_csv_needs_its_skeleton():
    text = format_motion_csv(_motion())
    table_only = "\n".join(line for line in text.splitlines() if not line.startswith("# joint"))
    with pytest.raises(FormatError, match="no lines '# joint"):
        parse_motion_csv(table_only)


def test_without_a_rate_the_csv_is_read_at_that_of_its_clock():
    text = "\n".join(
        line for line in format_motion_csv(_motion()).splitlines() if not line.startswith("# fps")
    )
    assert parse_motion_csv(text).fps == pytest.approx(59.94)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("# fps,59.94", "# fps,none", "line 2: expected frames per second"),
        (
            "# joint,left_hip,pelvis",
            "# joint,left_hip,hips",
            "line 4: joint 'left_hip' has parent 'hips'",
        ),
        ("# joint,left_hip,pelvis", "# joint,left_hip", "line 4: a joint has 7 fields"),
        ("head.qw", "head.w", "no column 'head.qw'"),
    ],
)
def test_a_wrong_line_of_the_csv_is_named(old: str, new: str, message: str):
    with pytest.raises(FormatError, match=message):
        parse_motion_csv(format_motion_csv(_motion()).replace(old, new, 1))
