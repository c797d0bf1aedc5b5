"""Pickles of other programs: arrays come out, and nothing in them is run."""

import collections
import io
import os
import pickle  # noqa: TID251  # written here, never read
import struct
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from smpl_files import as_joblib, as_pkl, body_arrays

from pallas.capture.safe_pickle import parse_object_npy, parse_pickle, parse_torch, read_pickled
from pallas.rig import FormatError, PallasError

torch = pytest.importorskip("torch")
PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
QUICK = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


class Runs:
    """Runs a command when an ordinary reader loads it."""

    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


@pytest.fixture
def trap(tmp_path):
    """An object whose loading makes a file, and whether it did."""
    made = tmp_path / "made"
    yield Runs(f"touch {made}")
    assert not made.exists()


def same(first, second):
    np.testing.assert_equal(first, second)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_plain_values_and_arrays_come_out_as_they_went_in(protocol):
    value = {
        "columns first": np.arange(6.0).reshape(2, 3).T,
        "text": ["ü\n", b"\x00\xff", np.array(["a", "bc"])],
        "numbers": (1, -(10**30), 2.5, True, None, np.float32(0.5), np.int64(7)),
        3: {"set": {1, 2}, "frozen": frozenset({"a"})},
        "big-endian": np.array([1, 2], dtype=">i4"),
        "none": np.zeros((0, 3)),
        "ordered": collections.OrderedDict(a=1),
        "default": collections.defaultdict(dict, {"a": 1}),
    }
    read = parse_pickle(pickle.dumps(value, protocol))
    same(read["columns first"], value["columns first"])
    same(read["text"], value["text"])
    assert read["numbers"] == value["numbers"]
    assert read[3] == value[3]
    same(read["big-endian"], [1, 2])
    assert read["none"].shape == (0, 3)
    assert read["ordered"] == read["default"] == {"a": 1}


def test_a_python_2_pickle_is_read_with_its_bytes_as_text():
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR(I1\n(I2\ntcnumpy\ndtype\n"
        b"(S'f8'\nI0\nI1\ntR(I3\nS'<'\nNNNI-1\nI-1\nI0\ntbI00\n"
        b"S'\\x00\\x00\\x00\\x00\\x00\\x00\\xf0?\\x00\\x00\\x00\\x00\\x00\\x00\\x00@'\ntb"
    )
    same(parse_pickle(b"(dS'a'\n" + array + b"sS'b'\nL5L\nsS'c'\nI01\ns.")["a"], [1.0, 2.0])


def test_the_same_object_twice_is_read_once():
    array = np.arange(3.0)
    read = parse_pickle(pickle.dumps([array, array]))
    assert read[0] is read[1]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_command_in_a_pickle_is_refused_and_not_run(trap, protocol):
    content = pickle.dumps({"pose": np.zeros(3), "x": [trap]}, protocol)
    with pytest.raises(FormatError, match=r"posix\.system|nt\.system"):
        parse_pickle(content)


@pytest.mark.parametrize(
    "content",
    [
        b"cos\nsystem\n(S'touch made'\ntR.",
        b"(S'touch made'\nios\nsystem\n.",
        b"(cos\nsystem\nS'touch made'\no.",
        b"c__builtin__\neval\n(S'1'\ntR.",
        b"cbuiltins\ngetattr\n(cnumpy\nndarray\nS'tofile'\ntR.",
        b"cnumpy.testing._private.utils\nrunstring\n.",
        b"csubprocess\nPopen\n.",
        b"cpallas.capture.safe_pickle\nread_pickled\n.",
    ],
)
def test_no_way_to_name_a_function_runs_it(content):
    with pytest.raises(FormatError):
        parse_pickle(content)


def test_a_command_in_any_file_is_refused_and_not_run(trap, tmp_path):
    held = {"pred_rotmat": np.zeros(3), "x": trap}
    np.save(tmp_path / "a.npy", held)
    torch.save(held, tmp_path / "a.pt")
    torch.save(held, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    (tmp_path / "a.pkl").write_bytes(as_joblib(held))
    for name in ("a.npy", "a.pt", "old.pt", "a.pkl"):
        with pytest.raises(FormatError, match=rf"{name}.*system.*nothing of it was run"):
            read_pickled(tmp_path / name)


def test_what_joblib_wrote_is_read():
    held = collections.defaultdict(dict)
    held[np.int64(2)]["pose"] = np.arange(6, dtype=np.float32).reshape(2, 3)
    held[np.int64(2)]["frame_ids"] = np.array([4, 5])
    read = parse_pickle(as_joblib(held))
    same(read, {2: {"pose": [[0, 1, 2], [3, 4, 5]], "frame_ids": [4, 5]}})


@pytest.mark.parametrize("new", [True, False])
def test_what_torch_saved_is_read(new):
    whole = torch.arange(24.0).reshape(2, 3, 4)
    value = {
        "whole": whole,
        "view": whole[1, :, 1:3],
        "turned": whole.permute(2, 0, 1),
        "one for all": torch.ones(1).expand(5),
        "half": torch.tensor([0.5], dtype=torch.float16),
        "counts": torch.tensor([1, 2]),
        "flag": torch.tensor(True),
        "parameter": torch.nn.Parameter(torch.ones(2)),
        "none": torch.zeros(0, 3),
    }
    file = io.BytesIO()
    torch.save(value, file, _use_new_zipfile_serialization=new)
    read = parse_torch(file.getvalue())
    assert set(read) == set(value)
    for name, tensor in value.items():
        same(read[name], tensor.detach().numpy())


def test_tensors_in_a_numpy_file_are_read():
    file = io.BytesIO()
    np.save(file, {"pred_trans": torch.arange(6.0).reshape(2, 1, 3)}, allow_pickle=True)
    same(parse_object_npy(file.getvalue())["pred_trans"], [[[0, 1, 2]], [[3, 4, 5]]])


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_arrays_of_chumpy_and_scipy_are_read(protocol):
    arrays = body_arrays(24)
    read = parse_pickle(as_pkl(arrays, protocol))
    for name, array in arrays.items():
        same(read[name], array)


def test_scipy_itself_is_read():
    sparse = pytest.importorskip("scipy.sparse")
    matrix = sparse.random(5, 7, 0.4, format="csc", random_state=0)
    same(parse_pickle(pickle.dumps(matrix)), matrix.toarray())
    same(parse_pickle(pickle.dumps(matrix.tocsr())), matrix.toarray())


def nested(depth):
    """Tuples in tuples, each twice: a hash or a text of it would take 2**depth steps."""
    return b")q\x00" + b"h\x00h\x00\x86q\x00" * depth


@pytest.mark.parametrize(
    "content",
    [
        b"}" + nested(64) + b"Ns.",
        b"\x8f(" + nested(64) + b"\x90.",
        nested(64) + b")R.",
        nested(64) + b"X\x01\x00\x00\x00a\x93.",
        b"cnumpy\ndtype\n" + nested(64) + b"\x85R.",
        b"]q\x00h\x00a.",
        b"(" * 5000 + b"t" * 4999 + b".",
        b"\x8e" + struct.pack("<Q", 1 << 62) + b".",
        b"r\xff\xff\xff\xff.",
        b"I" + b"9" * 100_000 + b"\n.",
    ],
    ids=["key", "set", "call", "name", "dtype", "ring", "deep", "long", "memo", "digits"],
)
def test_a_trap_for_time_or_memory_ends_at_once(content):
    with pytest.raises(FormatError):
        parse_pickle(content)


def test_a_structure_that_shares_its_parts_stays_small():
    value = parse_pickle(nested(60) + b".")
    assert value[0] is value[1]


@pytest.mark.parametrize("shape", [(1 << 40,), (1 << 20, 1 << 20), (-1,), (3, 0.5), ("a",)])
def test_an_array_larger_than_its_bytes_is_refused(shape):
    content = pickle.dumps(np.zeros(3), 2)
    state = pickle.dumps(shape, 2)[2:-1]
    assert b"K\x03\x85" in content
    with pytest.raises(FormatError):
        parse_pickle(content.replace(b"K\x03\x85", state.split(b"q\x00")[0]))


def test_a_tensor_beyond_its_storage_is_refused():
    file = io.BytesIO()
    torch.save(torch.arange(4.0), file)
    with zipfile.ZipFile(io.BytesIO(file.getvalue())) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    short = io.BytesIO()
    with zipfile.ZipFile(short, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content[:8] if "/data/0" in name else content)
    with pytest.raises(FormatError):
        parse_torch(short.getvalue())


@pytest.mark.parametrize("count", [-1, 3, 1 << 40, (1 << 63) - 1])
def test_an_old_file_that_claims_more_numbers_than_it_has_is_refused(count):
    file = io.BytesIO()
    torch.save(torch.arange(2.0), file, _use_new_zipfile_serialization=False)
    content, numbers = file.getvalue()[:-16], file.getvalue()[-8:]
    with pytest.raises(FormatError, match="cut in the numbers"):
        parse_torch(content + struct.pack("<q", count) + numbers)


def test_a_compressed_file_says_so(tmp_path):
    path = tmp_path / "a.pkl"
    path.write_bytes(b"x\x9c\x00\x01")
    with pytest.raises(FormatError, match="without compression"):
        read_pickled(path)


@pytest.fixture(scope="module")
def valid():
    """Small valid files: pickles of every protocol, of joblib and torch, and an npy."""
    value = {"a": np.arange(6.0).reshape(2, 3), "b": [1, "x", (2.5, None)], "c": {"d": b"y"}}
    npy, new, old = io.BytesIO(), io.BytesIO(), io.BytesIO()
    np.save(npy, value, allow_pickle=True)
    tensors = {"a": torch.ones(2, 3), "b": [torch.zeros(2, dtype=torch.int64)]}
    torch.save(tensors, new)
    torch.save(tensors, old, _use_new_zipfile_serialization=False)
    pickles = [pickle.dumps(value, protocol) for protocol in PROTOCOLS]
    return [
        *((parse_pickle, content) for content in pickles),
        (parse_pickle, as_joblib(value)),
        (parse_pickle, as_pkl(dict.fromkeys(("J_regressor", "shapedirs", "posedirs"), np.eye(2)))),
        (parse_object_npy, npy.getvalue()),
        (parse_torch, new.getvalue()),
        (parse_torch, old.getvalue()),
    ]


def check(read, content):
    try:
        read(content)
    except PallasError as error:
        assert str(error)
        assert "\n" not in str(error)


edit = st.tuples(
    st.sampled_from(["cut", "insert", "replace", "delete"]),
    st.floats(0, 1),
    st.binary(min_size=1, max_size=6)
    | st.sampled_from(
        [b"R", b"b", b"cos\nsystem\n", b"\x93", b"u", b"Q", b"\x8a\xff", b"t", b"(", b"0"]
    ),
)


def edited(content, edits):
    for kind, place, piece in edits:
        at = int(place * len(content))
        if kind == "cut":
            content = content[:at]
        elif kind == "delete":
            content = content[:at] + content[at + len(piece) :]
        else:
            content = content[:at] + piece + content[at + (kind == "replace") * len(piece) :]
    return content


@settings(QUICK, max_examples=500)
@given(which=st.integers(0, 99), edits=st.lists(edit, min_size=1, max_size=4))
def test_a_damaged_pickle_gives_a_value_or_an_error(valid, which, edits):
    read, content = valid[which % len(valid)]
    check(read, edited(content, edits))


@QUICK
@given(content=st.binary(max_size=300))
def test_any_bytes_give_a_value_or_an_error(content):
    for read in (parse_pickle, parse_object_npy, parse_torch):
        check(read, content)


def test_every_cut_gives_an_error(valid):
    for read, content in valid:
        for length in range(0, len(content) - 1, max(1, len(content) // 60)):
            with pytest.raises(FormatError):
                read(content[:length])
