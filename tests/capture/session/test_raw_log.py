"""The raw log: everything that came, whatever happens to the program or the file."""

import signal
import subprocess
import sys
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pallas.capture import read_recording
from pallas.capture.devices import PoseSample, TrackerSample
from pallas.capture.session import raw_log_writer
from pallas.capture.session.raw_log import RawLogWriter, parse_raw_log, read_raw_log
from pallas.capture.sources import people_in, read_source
from pallas.capture.textfile import FormatWarning
from pallas.rig import (
    FileError,
    FormatError,
    OutputError,
    PallasError,
    RecordingError,
    ShapeError,
    quaternion,
)
from pallas.rig.retarget.bones import Bones

BONES = Bones(
    ("hips", "head"),
    (-1, 0),
    np.tile(quaternion.IDENTITY, (2, 1)),
    np.array([[0, 0, 1.0], [0, 0, 1.5]]),
    np.array([[0, 0, 1.5], [np.nan] * 3]),
)
CALIBRATED = {"waist": [1.0, 0, 0, 0], "neck": [0.0, 0, 1, 0]}


def _reading(tracker: str, i: int, **changed) -> TrackerSample:
    random = np.random.default_rng(i)
    told = {
        "arrival": 100.0 + 0.01 * i,
        "device_time": 7.0 + 0.01 * i,
        "world_from_sensor": quaternion.normalised(random.normal(size=4)),
        "acceleration": random.normal(size=3),
        "sequence": i,
    }
    return TrackerSample(tracker, **{**told, **changed})


def _pose(i: int, performer="mocopi 192.168.1.20", bones=BONES) -> PoseSample:
    turn = quaternion.from_axis_angle(np.array([0, 0, 1.0]), 0.02 * i)
    heads = np.array([[0.01 * i, 0, 1], [0.01 * i, 0, 1.5]])
    return PoseSample(performer, 50.0 + i / 50, i / 50, bones, np.array([turn] * 2), heads, i)


def _same(left, right) -> None:
    assert type(left) is type(right)
    for name in left.__slots__:
        if name == "bones":
            assert left.bones.names == right.bones.names
            np.testing.assert_array_equal(left.bones.tails, right.bones.tails)
        else:
            np.testing.assert_array_equal(getattr(left, name), getattr(right, name))


SAMPLES = (
    _reading("slimevr AA/0", 0),
    _reading("Gerät für links", 1, device_time=np.nan, sequence=None),
    _reading("slimevr AA/0", 2, acceleration=np.full(3, np.nan)),
    _pose(0),
    _pose(1),
    _pose(2, "VMC"),
    _reading("slimevr AA/0", 3, sequence=2**62),
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "take.pallas"


@pytest.fixture
def content(path) -> bytes:
    with RawLogWriter(path, source="slimevr", name="jump", notes="cold") as log:
        log.event("placing", performer="A", trackers={"waist": "slimevr AA/0"}, time=99.0)
        for sample in SAMPLES:
            log.write(sample)
        log.event("pose", pose="npose", held={"waist": np.array([1.0, 0, 0, np.nan])}, quality=0.9)
    return path.read_bytes()


def test_all_that_came_comes_back_bit_by_bit(path, content):
    log = read_raw_log(path)
    assert (log.source, log.name, log.notes) == ("slimevr", "jump", "cold")
    assert log.trackers == ("slimevr AA/0", "Gerät für links")
    assert log.performers == ("A", "mocopi 192.168.1.20", "VMC")
    found = list(log.samples())
    ordered = sorted(SAMPLES, key=lambda sample: sample.arrival)
    assert len(found) == len(ordered)
    for sample, read in zip(ordered, found, strict=True):
        _same(sample, read)
    placing, pose = log.events
    assert (placing.kind, placing.time, placing.text("performer")) == ("placing", 99.0, "A")
    assert placing.texts("trackers") == {"waist": "slimevr AA/0"}
    assert pose.fields["held"] == {"waist": [1.0, 0.0, 0.0, None]}
    assert pose.quaternions("held") == {}


def test_the_name_and_notes_may_be_given_at_the_end(path):
    with RawLogWriter(path, source="s", notes="first") as log:
        log.event("take", name="walk 2", notes="")
    read = read_raw_log(path)
    assert (read.name, read.notes) == ("walk 2", "first")


def test_a_file_that_is_there_is_kept(path, content):
    with pytest.raises(OutputError, match="is there already"):
        RawLogWriter(path, source="s")
    assert path.read_bytes() == content
    RawLogWriter(path, source="s", force=True).close()
    assert len(path.read_bytes()) < len(content)


def test_what_can_not_be_written_is_told(path, tmp_path):
    with pytest.raises(OutputError, match="can't be written"):
        RawLogWriter(tmp_path / "no" / "take.pallas", source="s")
    log = RawLogWriter(path, source="s")
    with pytest.raises(RecordingError, match="too long"):
        log.event("take", notes="x" * 70_000)
    wrong = PoseSample("p", 1.0, 1.0, BONES, np.zeros((3, 4)), np.zeros((3, 3)))
    with pytest.raises(ShapeError, match="of 2 bones"):
        log.write(wrong)
    log.close()
    log.close()
    log.tick()
    with pytest.raises(OutputError, match="closed"):
        log.write(SAMPLES[0])
    assert len(list(read_raw_log(path).samples())) == 0


def test_more_senders_than_anybody_wears_are_refused(path):
    with RawLogWriter(path, source="s") as log:
        for i in range(1000):
            log.write(_reading(f"t{i}", i))
        with pytest.raises(RecordingError, match="pair fewer"):
            log.write(_reading("one more", 0))
    assert len(read_raw_log(path).trackers) == 1000


def test_a_quiet_second_is_flushed_by_a_tick(path, monkeypatch):
    now = 100.0
    monkeypatch.setattr(raw_log_writer.clock, "monotonic", lambda: now)
    log = RawLogWriter(path, source="s")
    log.write(SAMPLES[0])
    log.tick()
    assert len(read_raw_log(path).readings) == 0
    now = 101.0
    log.tick()
    assert len(read_raw_log(path).readings) == 1
    log.close()


_WRITES_FOR_EVER = """
import sys, time
import numpy as np
from pallas.capture.devices import TrackerSample
from pallas.capture.session.raw_log import RawLogWriter
log = RawLogWriter(sys.argv[1], source="test")
count = 0
while True:
    now = time.monotonic()
    log.write(TrackerSample("a", now, count / 100, np.array([1.0, 0, 0, 0]), np.zeros(3), count))
    count += 1
    print(now, flush=True)
    time.sleep(0.002)
"""


def test_kill_9_costs_the_last_second_at_most(path):
    with subprocess.Popen(
        [sys.executable, "-c", _WRITES_FOR_EVER, str(path)], stdout=subprocess.PIPE, text=True
    ) as program:
        written = [float(program.stdout.readline())]
        while written[-1] - written[0] < 1.6:
            written.append(float(program.stdout.readline()))
        program.send_signal(signal.SIGKILL)
        written += [float(line) for line in program.stdout if line.endswith("\n")]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FormatWarning)  # the last record may be cut
        kept = read_raw_log(path).readings["arrival"]
    assert kept.tolist() == written[: len(kept)]
    assert written[-1] - kept[-1] < 1.0


@pytest.mark.parametrize("share", [0.2, 0.5, 0.77, 0.999])
def test_a_file_that_was_cut_keeps_what_is_whole(content, share):
    start = content.index(b"\n") + 1
    cut = start + int(share * (len(content) - start))
    with pytest.warns(FormatWarning, match="at the end"):
        log = parse_raw_log(content[:cut])
    whole = parse_raw_log(content)
    assert 0 <= len(log.readings) <= len(whole.readings)
    kept = [s for s in whole.samples() if s.arrival in {one.arrival for one in log.samples()}]
    for left, right in zip(log.samples(), kept, strict=True):
        _same(left, right)


def test_damage_in_the_middle_costs_the_records_it_hits(content):
    place = content.index(b"READ") + 40
    damaged = content[:place] + b"\xff\x00\xff" + content[place + 3 :]
    with pytest.warns(FormatWarning, match="in the middle"):
        log = parse_raw_log(damaged)
    assert len(log.readings) == 3
    assert len(log.poses) == 3


def test_without_its_skeleton_a_pose_is_left_out_and_without_its_name_a_tracker_has_a_number(
    content,
):
    place = content.index(b"SKEL") + 20
    with pytest.warns(FormatWarning) as told:
        log = parse_raw_log(content[:place] + b"\xff" + content[place + 1 :])
    assert {str(w.message) for w in told} >= {"a pose without its skeleton is left out"}
    assert len(log.poses) == 1
    place = content.index(b"SNDR") + 10
    with pytest.warns(FormatWarning, match="in the middle"):
        log = parse_raw_log(content[:place] + b"\xff" + content[place + 1 :])
    assert log.trackers == ("tracker 0", "Gerät für links")


@pytest.mark.parametrize(
    ("old", "new"),
    [(b"pallas-imu", b"pallas-umi"), (b'"version": 2', b'"version": 3'), (b"{", b"")],
)
def test_another_header_is_refused(content, old, new):
    with pytest.raises(FormatError, match="no raw log's header"):
        parse_raw_log(content.replace(old, new, 1))


def test_a_take_of_poses_is_a_source_for_retargeting(path):
    with RawLogWriter(path, source="mocopi") as log:
        for i in range(101):
            log.write(_pose(i))
        for i in range(10):
            log.write(_pose(i, "other"))
    assert people_in(path) == ("mocopi 192.168.1.20", "other")
    source = read_source(path)
    assert (len(source), source.fps, source.bones.names) == (101, 50.0, ("hips", "head"))
    assert source.name == "take mocopi 192.168.1.20"
    np.testing.assert_allclose(source.heads[:, 0, 0], 0.01 * np.arange(101), atol=1e-6)
    assert len(read_source(path, fps=25.0, person="other")) == 5
    with pytest.raises(FormatError, match="poses that another program solved; retarget it"):
        read_recording(path)
    with pytest.raises(FormatError, match="no person 'third'"):
        read_source(path, person="third")


def test_a_skeleton_that_is_told_again_is_the_same(path):
    again = Bones(BONES.names, BONES.parents, BONES.rotations, BONES.heads, BONES.tails)
    other = Bones(("a", "b"), BONES.parents, BONES.rotations, BONES.heads, BONES.tails)
    with RawLogWriter(path, source="mocopi") as log:
        for i in range(20):
            log.write(_pose(i, bones=(BONES, again)[i % 2]))
        log.write(_pose(20, bones=other))
    with pytest.warns(FormatWarning, match="1 of 21 poses have another skeleton"):
        assert len(read_source(path)) == 20


def test_a_take_of_trackers_is_no_motion(path):
    with RawLogWriter(path, source="s") as log:
        log.write(SAMPLES[0])
    with pytest.raises(FormatError, match="solve it first"):
        read_source(path)
    with pytest.raises(FileError, match="does not exist"):
        read_raw_log(path.with_name("none"))


@given(data=st.data())
@settings(max_examples=120, deadline=None)
def test_any_damage_gives_a_log_or_an_error_of_ours(fuzzed, data):
    content = bytearray(fuzzed)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, max(len(content) - 1, 0)))
        kind = data.draw(st.sampled_from(["flip", "cut", "insert", "drop"]))
        if kind == "flip" and content:
            content[place] ^= data.draw(st.integers(1, 255))
        elif kind == "insert":
            content[place:place] = data.draw(st.binary(max_size=100))
        elif kind == "cut":
            del content[max(place, 1) :]
        else:
            del content[place : place + data.draw(st.integers(1, 200))]
    _read(bytes(content))


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(
            st.sampled_from(["waist", "neck", "slimevr AA/0", "npose", "x"]), inner, max_size=4
        )
    ),
    max_leaves=8,
)
_NUMBERS = st.one_of(st.floats(), st.sampled_from([100.0, 100.01, 1e300, -1e300, 5e-324]))


@given(data=st.data())
@settings(max_examples=120, deadline=None)
def test_any_samples_and_events_give_a_recording_or_an_error_of_ours(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("fuzz") / "take.pallas"
    with RawLogWriter(path, source="fuzz") as log:
        for _ in range(data.draw(st.integers(0, 6))):
            if data.draw(st.booleans()):
                numbers = data.draw(st.lists(_NUMBERS, min_size=9, max_size=9))
                tracker = data.draw(st.sampled_from(["slimevr AA/0", "b"]))
                values = np.array(numbers[2:6]), np.array(numbers[6:])
                sequence = data.draw(st.none() | st.integers(0, 2**64))
                log.write(TrackerSample(tracker, *numbers[:2], *values, sequence))
            else:
                keys = (
                    "trackers",
                    "held",
                    "bone_from_sensor",
                    "heading",
                    "drift",
                    "performer",
                    "pose",
                )
                fields = {
                    key: data.draw(_JSON) for key in data.draw(st.sets(st.sampled_from(keys)))
                }
                kinds = st.sampled_from(["placing", "pose", "mounting", "heading", "take", "gap"])
                log.event(data.draw(kinds), time=data.draw(_NUMBERS), **fields)
    _read(path.read_bytes())


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("log") / "take.pallas"
    with RawLogWriter(path, source="s") as log:
        log.event("placing", performer="A", trackers={"waist": "slimevr AA/0", "neck": "b"})
        for i in range(5):
            log.write(_reading("slimevr AA/0", i))
            log.write(_reading("b", i))
            log.write(_pose(i))
        log.event("mounting", bone_from_sensor=CALIBRATED, heading={"waist": 0.1, "neck": 0.2})
    return path.read_bytes()


def _read(content: bytes) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FormatWarning)
        try:
            log = parse_raw_log(content)
        except PallasError:
            return
        list(log.samples())
        for make in (log.recording, log.motion):
            try:
                make()
            except PallasError:
                continue
