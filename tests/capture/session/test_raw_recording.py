"""From a raw log to a recording: one clock, one grid, calibrated as the take's events say."""

import numpy as np
import pytest
from walks import stepping

from pallas.capture import read_recording
from pallas.capture.calibration import calibrate
from pallas.capture.devices import TrackerSample
from pallas.capture.imu import PLACEMENTS
from pallas.capture.session.frames import FrameAssembler
from pallas.capture.session.raw_log import RawLogWriter, read_raw_log
from pallas.capture.textfile import FormatWarning
from pallas.capture.virtual_imu import virtual_recording
from pallas.rig import FormatError, RecordingError, ShapeError, quaternion

START = 8000.0
UP = np.array([0.0, 0.0, 1.0])
TRACKERS = {placement: f"slimevr {number}" for number, placement in enumerate(PLACEMENTS)}
WALK = virtual_recording(stepping(600), fps=100.0)  # 10 s


def _samples(row: int, *, lost=0.0, skew=0.0, jitter=0.0, timed=True, seed=0):
    """A tracker that measures the walk."""
    random = np.random.default_rng(seed + row)
    times = WALK.times
    device = times * (1.0 + skew) + 3.0 + row if timed else np.full(len(times), np.nan)
    arrivals = np.maximum.accumulate(
        START + times + 0.001 + random.exponential(jitter or 1e-9, len(times))
    )
    name = TRACKERS[PLACEMENTS[row]]
    return [
        TrackerSample(name, float(arrivals[i]), float(device[i]), WALK.world_from_sensor[i, row],
                      WALK.acceleration[i, row], i)
        for i in range(len(times)) if random.random() >= lost
    ]  # fmt: skip


def _logged(path, samples, *events, source="test"):
    with RawLogWriter(path, source=source, force=True) as log:
        log.event("placing", performer="A", trackers=TRACKERS)
        for sample in sorted(samples, key=lambda sample: sample.arrival):
            log.write(sample)
        for kind, fields in events:
            log.event(kind, **fields)
    return read_raw_log(path)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "take.pallas"


def _all(**how):
    return [sample for row in range(4) for sample in _samples(row, **how)]


def _truth(recording, log, row):
    """Where the walk was at the recording's times, at 1000 Hz."""
    fine = virtual_recording(stepping(600), fps=1000.0)
    seconds = recording.times + log.clock - START - 0.001
    turn = quaternion.resample(fine.world_from_sensor[:, row], fine.times, seconds)
    felt = [np.interp(seconds, fine.times, column) for column in fine.acceleration[:, row].T]
    return turn, np.stack(felt, axis=-1)


@pytest.mark.parametrize(
    ("how", "degrees"),
    [
        ({}, 0.05),
        ({"lost": 0.05, "skew": 200e-6, "jitter": 0.004}, 0.6),
        ({"timed": False}, 0.05),
    ],
)
def test_what_was_measured_comes_back_on_an_even_grid(path, how, degrees):
    log = _logged(path, _all(**how))
    recording = log.recording()
    assert recording.placements == PLACEMENTS
    assert recording.fps == pytest.approx(100.0)
    assert recording.times[-1] - recording.times[0] == pytest.approx(10.0, abs=0.05)
    assert not recording.missing[1:-1].any()
    for row in range(4):
        turn, felt = _truth(recording, log, row)
        apart = np.degrees(quaternion.angle(turn, recording.world_from_sensor[:, row]))
        assert np.nanmax(apart) < degrees
        assert np.nanpercentile(np.abs(felt - recording.acceleration[:, row]), 99) < 1.0


def test_what_came_twice_or_out_of_order_changes_nothing(path):
    samples = _all()
    plain = _logged(path, samples).recording()
    random = np.random.default_rng(0)
    twice = [samples[i] for i in random.integers(0, len(samples), 200)]
    late = [
        TrackerSample(s.tracker, s.arrival + random.uniform(0, 0.05), s.device_time,
                      s.world_from_sensor, s.acceleration, s.sequence)
        for s in samples
    ]  # fmt: skip
    for changed in (samples + twice, late):
        recording = _logged(path, changed).recording()
        count = min(len(plain), len(recording))
        apart = quaternion.angle(
            plain.world_from_sensor[:count], recording.world_from_sensor[:count]
        )
        assert np.degrees(np.nanmax(apart)) < 0.3


def test_losses_of_a_quarter_of_a_second_are_bridged_and_longer_ones_flagged(path):
    def without(start, end):
        return [
            s for s in _all() if s.tracker != "slimevr 3" or not start < s.arrival - START < end
        ]

    assert not _logged(path, without(3.0, 3.22)).recording().missing[5:-5].any()
    log = _logged(path, without(3.0, 3.6))
    (gap,) = (gap for gap in log.recording().gaps if gap.end - gap.start > 0.1)
    assert gap.placement == "neck"
    assert gap.start + log.clock - START == pytest.approx(3.0, abs=0.02)
    assert gap.end + log.clock - START == pytest.approx(3.6, abs=0.02)


def test_a_take_begins_and_ends_with_all_trackers_unless_one_comes_late(path):
    assert not _logged(path, _all(jitter=0.01)).recording().missing.any()
    late = [s for s in _all() if s.tracker != "slimevr 2" or s.arrival > START + 2.0]
    recording = _logged(path, late).recording()
    (gap,) = recording.gaps
    assert (gap.placement, gap.start) == ("right_wrist", recording.times[0])
    assert gap.end - gap.start == pytest.approx(2.0, abs=0.03)


def test_live_frames_and_the_recording_lie_on_one_grid_and_agree(path):
    samples = sorted(_all(jitter=0.002, skew=100e-6), key=lambda sample: sample.arrival)
    assembler = FrameAssembler(tuple(TRACKERS.values()))
    frames = [f for s in samples for f in assembler.push([s], s.arrival)]
    log = _logged(path, samples)
    recording = log.recording(fps=60.0)
    times = recording.times + log.clock
    rows = [int(np.argmin(np.abs(times - frame.time))) for frame in frames]
    assert max(abs(times[row] - frame.time) for row, frame in zip(rows, frames, strict=True)) < 1e-6
    live = np.array([frame.world_from_sensor for frame in frames])[60:]
    apart = np.degrees(quaternion.angle(live, recording.world_from_sensor[rows][60:]))
    assert np.nanmean(apart) < 0.02
    assert np.nanmax(apart) < 0.5
    # The rate at which it is solved by default begins on the same grid.
    whole = log.recording()
    first = (whole.times[0] + log.clock) * 60
    assert abs(first - round(first)) < 1e-4


HELD = {
    placement: quaternion.from_axis_angle(UP, 0.1 * i) for i, placement in enumerate(PLACEMENTS)
}
MOUNTING = {
    placement: quaternion.from_axis_angle(np.array([1.0, 0, 0]), 0.3 * i)
    for i, placement in enumerate(PLACEMENTS)
}


def test_a_pose_that_was_held_is_the_recordings_own(path):
    pose = ("pose", {"performer": "A", "pose": "tpose", "held": HELD})
    recording = _logged(path, _all(), pose).recording()
    np.testing.assert_allclose(recording.poses["tpose"], list(HELD.values()))
    assert recording.bone_from_sensor is None
    assert calibrate(recording).source == "the file's own tpose"


def test_a_mounting_with_headings_is_put_on_the_data_and_goes_before_the_pose(path):
    pose = ("pose", {"performer": "A", "pose": "npose", "held": HELD})
    heading = dict(zip(PLACEMENTS, [0.5, -0.5, 1.0, 0.0], strict=True))
    mounting = ("mounting", {"performer": "A", "bone_from_sensor": MOUNTING, "heading": heading})
    plain = _logged(path, _all()).recording()
    recording = _logged(path, _all(), pose, mounting).recording()
    np.testing.assert_allclose(recording.bone_from_sensor, list(MOUNTING.values()))
    assert not recording.poses
    assert calibrate(recording).source == "the mounting that the file holds"
    for row, placement in enumerate(PLACEMENTS):
        turn = quaternion.from_axis_angle(UP, heading[placement])
        turned = quaternion.multiply(turn, plain.world_from_sensor[5:-5, row])
        assert quaternion.angle(turned, recording.world_from_sensor[5:-5, row]).max() < 0.01
        felt = quaternion.rotate(turn, plain.acceleration[5:-5, row])
        np.testing.assert_allclose(felt, recording.acceleration[5:-5, row], atol=0.3)


def test_a_heading_that_is_reset_counts_from_then_on_and_drifts_on(path):
    first = (
        "mounting",
        {"time": START + 1.0, "bone_from_sensor": MOUNTING, "heading": {"neck": 0.2}},
    )
    reset = ("heading", {"time": START + 5.0, "heading": {"neck": 0.5}, "drift": {"neck": 0.01}})
    plain = _logged(path, _all(), first).recording()
    log = _logged(path, _all(), first, reset)
    recording = log.recording()
    turn = quaternion.multiply(
        recording.world_from_sensor[:, 3], quaternion.conjugate(plain.world_from_sensor[:, 3])
    )
    angle = 2.0 * np.arcsin(turn[:, 3] * np.sign(turn[:, 0]))
    passed = recording.times + log.clock - START - 5.0
    inside = ~recording.missing[:, 3] & ~plain.missing[:, 3]
    expected = np.where(passed < 0.0, 0.0, 0.3 + 0.01 * passed)
    np.testing.assert_allclose(angle[inside], expected[inside], atol=0.01)
    np.testing.assert_allclose(
        recording.world_from_sensor[:, 0], plain.world_from_sensor[:, 0], atol=0.01
    )


def test_a_sensor_that_slipped_and_was_calibrated_again_goes_on_as_if_mounted_as_before(path):
    slip = quaternion.from_axis_angle(np.array([0.0, 1.0, 0.0]), 0.7)
    samples = []
    for s in _all():
        turn = s.world_from_sensor
        if s.tracker == "slimevr 1" and s.arrival > START + 5.0:
            turn = quaternion.multiply(turn, slip)
        samples.append(
            TrackerSample(s.tracker, s.arrival, s.device_time, turn, s.acceleration, s.sequence)
        )
    slipped = MOUNTING | {"left_wrist": quaternion.multiply(MOUNTING["left_wrist"], slip)}
    first = ("mounting", {"time": START + 1.0, "bone_from_sensor": MOUNTING})
    again = ("mounting", {"time": START + 5.001, "bone_from_sensor": slipped})
    plain = _logged(path, _all(), first).recording()
    recording = _logged(path, samples, first, again).recording()
    np.testing.assert_allclose(recording.bone_from_sensor, plain.bone_from_sensor)
    apart = quaternion.angle(plain.world_from_sensor[:, 1], recording.world_from_sensor[:, 1])
    assert np.nanpercentile(apart, 99) < 0.02


def test_events_count_in_the_order_of_their_times_however_they_were_written(path):
    first = (
        "mounting",
        {"time": START + 1.0, "bone_from_sensor": MOUNTING, "heading": {"neck": 0.2}},
    )
    reset = ("heading", {"time": START + 5.0, "heading": {"neck": 0.5}})
    last = ("heading", {"time": START + 7.0, "heading": {"waist": 0.3}})
    plain = _logged(path, _all(), first, reset, last).recording()
    mixed = _logged(path, _all(), last, first, reset).recording()
    np.testing.assert_array_equal(plain.world_from_sensor, mixed.world_from_sensor)
    np.testing.assert_array_equal(plain.bone_from_sensor, mixed.bone_from_sensor)


def test_a_tracker_that_replaced_another_is_calibrated_by_what_was_told_of_it(path):
    before = ("mounting", {"bone_from_sensor": MOUNTING})
    spare = ("placing", {"performer": "A", "trackers": {"waist": "spare"}})
    back = ("placing", {"performer": "A", "trackers": {"waist": "slimevr 0"}})
    late = (
        "mounting",
        {"bone_from_sensor": {"waist": [0.0, 1.0, 0.0, 0.0]}, "heading": {"neck": 0.1}},
    )
    log = _logged(path, _all(), spare, before, back, late)
    recording = log.recording()
    assert recording.placements == PLACEMENTS
    np.testing.assert_allclose(recording.bone_from_sensor[0], [0.0, 1.0, 0.0, 0.0])
    np.testing.assert_allclose(recording.bone_from_sensor[1], MOUNTING["left_wrist"])


def test_trackers_may_be_named_otherwise_and_then_only_the_pose_holds(path):
    mounting = ("mounting", {"bone_from_sensor": MOUNTING})
    pose = ("pose", {"pose": "npose", "held": HELD})
    swapped = dict(TRACKERS, left_wrist=TRACKERS["right_wrist"], right_wrist=TRACKERS["left_wrist"])
    log = _logged(path, _all(), pose, mounting)
    recording = log.recording(swapped)
    assert recording.bone_from_sensor is None
    np.testing.assert_allclose(recording.poses["npose"][1], HELD["right_wrist"])
    assert log.recording(TRACKERS).bone_from_sensor is not None
    with pytest.raises(RecordingError, match="no tracker 'x' in the take; there are: slimevr"):
        log.recording({"waist": "x"})


def test_without_events_trackers_go_by_their_own_names(path):
    with RawLogWriter(path, source="test") as log:
        for sample in _samples(0):
            log.write(sample)
    assert read_recording(path).placements == ("slimevr 0",)


def test_two_performers_are_read_one_by_one(path):
    two = {"waist": "slimevr 2", "neck": "slimevr 3"}
    with RawLogWriter(path, source="test") as log:
        log.event("placing", performer="Ada", trackers={"waist": "slimevr 0", "neck": "slimevr 1"})
        log.event("placing", performer="Bo", trackers=two)
        log.event("pose", performer="Bo", pose="npose", held=HELD)
        for sample in _all():
            log.write(sample)
    log = read_raw_log(path)
    assert log.performers == ("Ada", "Bo")
    with pytest.warns(FormatWarning, match="holds Ada and Bo; read is Ada"):
        first = log.recording()
    assert (first.placements, dict(first.poses)) == (("waist", "neck"), {})
    second = log.recording(performer="Bo")
    expected = WALK.world_from_sensor[500, 2:]
    assert quaternion.angle(second.world_from_sensor[500], expected).max() < 0.2
    np.testing.assert_allclose(second.poses["npose"], [HELD["waist"], HELD["neck"]])
    with pytest.raises(RecordingError, match="nobody called 'Cy' wears trackers.*Ada, Bo"):
        log.recording(performer="Cy")


def test_what_can_not_be_a_take_is_told(path):
    with RawLogWriter(path, source="test") as log:
        log.event("take", name="empty")
    with pytest.raises(FormatError, match="no readings"):
        read_recording(path)
    samples = _all()
    log = _logged(path, samples)
    for fps in (0.0, np.nan, np.inf):
        with pytest.raises(ShapeError, match="expected a positive number"):
            log.recording(fps=fps)
    far = TrackerSample("slimevr 0", 9e8, np.nan, quaternion.IDENTITY, np.zeros(3))
    with pytest.raises(RecordingError, match=r"\d+ readings span 9e\+08 s"):
        _logged(path, [*samples, far]).recording()


def test_a_minute_of_eight_trackers_is_read_in_seconds(path):
    turns = np.tile(quaternion.IDENTITY, (8, 1))
    with RawLogWriter(path, source="test") as log:
        for i in range(6000):
            for tracker in range(8):
                log.write(
                    TrackerSample(f"t{tracker}", i / 100, i / 100, turns[tracker], np.zeros(3), i)
                )
    recording = read_recording(path)
    assert recording.world_from_sensor.shape == (6000, 8, 4)
    assert not recording.missing[:-1].any()
