"""DeepLabCut's .h5 as pandas 2.3 with PyTables writes it (looked at with h5py), built by h5py alone."""

import builtins
import io

import numpy as np
import pytest
from fuzzing import FUZZED, damaged
from hypothesis import given, settings

from pallas.capture.keypoints.deeplabcut_hdf import parse_deeplabcut_hdf
from pallas.capture.keypoints.files import read_keypoints
from pallas.rig.errors import FormatError, PallasError

h5py = pytest.importorskip("h5py", reason="h5py reads DeepLabCut's .h5 and is not installed")

VALUES = np.arange(18.0).reshape(3, 6) + 0.5
COLUMNS = [
    ("DLC", part, axis) for part in ("left_knee", "right knee") for axis in ("x", "y", "likelihood")
]
# What Python's pickle, protocol 0, makes of these columns.
PICKLED = (
    b"(lp0\n(VDLC\np1\nVleft_knee\np2\nVx\np3\ntp4\na(g1\ng2\nVy\np5\ntp6\na(g1\ng2\nVlikelihood\np7\ntp8\na(g1\n"
    b"Vright knee\np9\ng3\ntp10\na(g1\ng9\ng5\ntp11\na(g1\ng9\ng7\ntp12\na."
)


def content(fill):
    file = io.BytesIO()
    with h5py.File(file, "w") as hdf:
        fill(hdf.create_group("df_with_missing"))
    return file.getvalue()


def fixed(group):
    group["axis1"] = np.arange(3)
    group["block0_values"] = VALUES
    for level in range(3):
        names = list(dict.fromkeys(column[level] for column in COLUMNS))
        group[f"block0_items_level{level}"] = np.array([name.encode() for name in names])
        codes = [names.index(column[level]) for column in COLUMNS]
        group[f"block0_items_label{level}"] = np.array(codes, dtype=np.int8)


def table(group, pickled=PICKLED):
    rows = np.zeros(3, dtype=[("index", "<i8"), ("values_block_0", "<f8", (6,))])
    rows["index"], rows["values_block_0"] = np.arange(3), VALUES
    group.create_dataset("table", data=rows).attrs["values_block_0_kind"] = np.bytes_(pickled)


@pytest.mark.parametrize("layout", [fixed, table])
def test_both_ways_to_write_a_table_are_read(tmp_path, layout):
    path = tmp_path / "video1DLC_resnet50.h5"
    path.write_bytes(content(layout))
    found = read_keypoints(path)
    assert found.layout.names == ("LKnee", "RKnee")
    np.testing.assert_array_equal(found.positions[:, 0, 1], VALUES[:, 3:5])
    np.testing.assert_array_equal(found.confidence[:, 0, 0], VALUES[:, 2])


def test_nothing_in_the_file_is_run(tmp_path):
    bomb = b"cos\nsystem\n(S'touch " + str(tmp_path / "run").encode() + b"'\ntR."
    with pytest.raises(FormatError):
        parse_deeplabcut_hdf(content(lambda group: table(group, bomb)))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("layout", "told"),
    [
        (lambda group: None, "expected DeepLabCut's df_with_missing"),
        (lambda group: table(group, b"(lp0\nI1\na."), "no texts"),
        (lambda group: table(group, b"(lp0\n(VDLC\np1\ntp4\na."), "1 levels of names"),
        (
            lambda group: group.create_dataset("table", data=np.zeros(3)),
            "expected index and values",
        ),
    ],
)
def test_another_table_is_told(layout, told):
    with pytest.raises(FormatError, match=told):
        parse_deeplabcut_hdf(content(layout))


def test_without_h5py_it_says_what_to_install(monkeypatch):
    real = builtins.__import__

    def without(name, *more):
        if name == "h5py":
            raise ImportError
        return real(name, *more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(FormatError, match="pip install h5py"):
        parse_deeplabcut_hdf(b"\x89HDF\r\n")


@settings(FUZZED, max_examples=60)
@given(damaged(content(table), content(fixed)))
def test_a_damaged_file_gives_keypoints_or_an_error(broken):
    try:
        parse_deeplabcut_hdf(broken)
    except PallasError as error:
        assert str(error)
