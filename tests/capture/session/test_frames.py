"""Frames of several trackers on an even grid: on time, and true whatever is lost, late or repeated."""

import tracemalloc

import numpy as np
import pytest

from pallas.capture.devices import TrackerSample
from pallas.capture.session.frames import FrameAssembler
from pallas.rig import ShapeError, quaternion

START = 1000.0
AXES = {"a": [1.0, 0.0, 0.0], "b": [0.0, 0.6, 0.8]}
SPEED = 4.0  # rad/s


def _truth(tracker: str, time):
    seconds = np.asarray(time) - START
    turn = quaternion.from_axis_angle(np.array(AXES[tracker]), np.sin(SPEED * seconds))
    return turn, np.stack([np.sin(seconds), np.cos(seconds), seconds], axis=-1)


def _samples(tracker: str, *, rate=100.0, seconds=4.0, phase=0.0, skew=0.0, late=0.001, start=3.0):
    """A perfect tracker's samples; `late` is one delay or one of each."""
    times = START + phase + np.arange(int(seconds * rate)) / rate
    turns, accelerations = _truth(tracker, times)
    device = start + (times - START) * (1.0 + skew)
    arrivals = times + np.broadcast_to(late, times.shape)
    rows = zip(arrivals.tolist(), device.tolist(), turns, accelerations, strict=True)
    return [TrackerSample(tracker, *row, sequence=count) for count, row in enumerate(rows)]


def _run(samples, *, trackers=("a", "b"), fps=60.0, ticks=0.004, until=0.0):
    """Push samples as they come, looking every few milliseconds; frames and when each was given."""
    assembler = FrameAssembler(trackers, fps)
    samples = sorted(samples, key=lambda sample: sample.arrival)
    found, given = [], []
    end = max(samples[-1].arrival, until) + ticks
    for now in np.arange(samples[0].arrival, end, ticks):
        come = [sample for sample in samples if sample.arrival <= now]
        samples = samples[len(come) :]
        frames = assembler.push(come, float(now))
        found += frames
        given += [now] * len(frames)
    return found, np.array(given)


def _errors(frames, tracker: str, row: int, travel=0.001):
    """Degrees and m/s^2 from the truth."""
    turns = np.array([frame.world_from_sensor[row] for frame in frames])
    felt = np.array([frame.acceleration[row] for frame in frames])
    truth = _truth(tracker, np.array([frame.time for frame in frames]) - travel)
    apart = np.degrees(quaternion.angle(truth[0], turns))
    return apart, np.linalg.norm(truth[1] - felt, axis=-1)


def test_frames_lie_on_an_even_grid_and_are_what_the_trackers_did():
    frames, _ = _run(_samples("a") + _samples("b", rate=77.0, phase=0.003, skew=200e-6))
    times = np.array([frame.time for frame in frames])
    np.testing.assert_allclose(np.diff(times), 1 / 60, atol=1e-9)
    np.testing.assert_allclose(times * 60, np.round(times * 60), atol=1e-6)
    assert len(frames) >= 4 * 60 - 3
    for row, tracker in enumerate("ab"):
        turned, felt = _errors(frames[1:], tracker, row)
        assert turned.max() < 0.1
        assert felt.max() < 0.01
    assert not any(frame.silent.any() for frame in frames[1:])


def test_a_frame_is_given_with_the_first_samples_at_or_after_it():
    frames, given = _run(_samples("a") + _samples("b", phase=0.004), ticks=0.001)
    delays = given - [frame.time for frame in frames]
    assert delays.max() < 0.010 + 0.001 + 0.001  # a step, the packets' travel, and a tick
    newest = np.array([frame.arrival for frame in frames])
    assert np.all(newest <= given)
    assert (given - newest).max() < 0.002


def test_a_tracker_that_falls_silent_is_waited_for_once_then_bridged_then_missing():
    silent = [s for s in _samples("b") if s.arrival < START + 2.0]
    frames, given = _run(_samples("a") + silent, ticks=0.001)
    times = np.array([frame.time for frame in frames])
    delays = given - times
    held = np.array([frame.silent[1] for frame in frames])
    missing = np.array([np.isnan(frame.world_from_sensor[1]).any() for frame in frames])
    last = silent[-1].arrival
    assert delays[times < last].max() < 0.013
    assert delays.max() < 0.010 + 0.020 + 0.002
    assert delays[times > last + 0.04].max() < 0.013
    np.testing.assert_array_equal(held, times > last)
    np.testing.assert_array_equal(missing, times > last + 0.25)
    bridged = [frame for frame in frames if last < frame.time <= last + 0.25]
    assert all((f.world_from_sensor[1] == silent[-1].world_from_sensor).all() for f in bridged)
    assert np.linalg.norm(bridged[-1].acceleration[1]) == 0.0


def test_who_comes_back_is_there_again_and_a_long_gap_is_not_drawn_through():
    gap = [s for s in _samples("b") if not START + 1.0 < s.arrival < START + 2.0]
    frames, _ = _run(_samples("a") + gap)
    after = [frame for frame in frames if frame.time > START + 2.02]
    assert not any(frame.silent.any() for frame in after)
    between = [frame for frame in frames if START + 1.3 < frame.time < START + 1.99]
    assert all(np.isnan(frame.world_from_sensor[1]).all() for frame in between)


def test_a_tracker_that_starts_again_goes_on_with_its_new_clock_and_count():
    whole = _samples("b", seconds=6.0)
    again = [
        TrackerSample("b", s.arrival, s.device_time - 5.9, s.world_from_sensor, s.acceleration,
                      s.sequence - 320)
        for s in whole if s.arrival > START + 3.2
    ]  # fmt: skip
    before = [s for s in whole if s.arrival < START + 3.0]
    frames, _ = _run(_samples("a", seconds=6.0) + before + again)
    after = [frame for frame in frames if frame.time > START + 3.24]
    assert len(after) > 60 * 2.7
    assert not any(frame.silent[1] for frame in after)
    assert _errors(after, "b", 1)[0].max() < 0.1


def test_a_phone_that_tells_the_time_of_day_is_as_good_as_any():
    samples = _samples("a", start=1.7e9) + _samples("b", start=1.7e9, skew=100e-6)
    frames, _ = _run(samples)
    for row, tracker in enumerate("ab"):
        assert _errors(frames[1:], tracker, row)[0].max() < 0.2


def test_while_nobody_is_heard_there_are_no_frames_and_the_grid_goes_on_after():
    both = _samples("a", seconds=1.0) + _samples("b", seconds=1.0)
    later = [
        TrackerSample(s.tracker, s.arrival + 3600.0, s.device_time + 3600.0, s.world_from_sensor,
                      s.acceleration, s.sequence + 360000)
        for s in both
    ]  # fmt: skip
    frames, _ = _run(both, until=START + 3.0)
    assert frames[-1].time < START + 1.0 + 0.25
    assembler = FrameAssembler(("a", "b"))
    first = assembler.push(both, START + 1.0)
    again = assembler.push(later, START + 3601.0)
    assert len(first) + len(again) < 130
    assert again[-1].time > START + 3600.9
    assert abs(again[-1].time * 60 - round(again[-1].time * 60)) < 1e-6


def test_bursts_losses_repeats_and_overtaking_leave_the_frames_true():
    random = np.random.default_rng(2)
    samples = []
    for tracker in "ab":
        sent = _samples(tracker, seconds=8.0, late=0.001 + random.exponential(0.004, 800))
        kept = [s for s in sent if random.random() > 0.05]
        samples += kept + [kept[i] for i in random.integers(0, len(kept), 40)]
    frames, given = _run(samples, ticks=0.002)
    settled = [frame for frame in frames if frame.time > START + 3.5]
    for row, tracker in enumerate("ab"):
        turned, _ = _errors(settled, tracker, row)
        heard = np.array([not frame.silent[row] for frame in settled])
        assert heard.mean() > 0.95
        assert turned[heard].max() < 0.5
    assert np.median(given - [frame.time for frame in frames]) < 0.020


def test_readings_that_came_in_one_packet_without_times_all_count():
    turns, felt = _truth("a", START + np.arange(400) / 100)
    samples = [
        TrackerSample("a", START + 0.05 * (i // 5 + 1), np.nan, turns[i], felt[i])
        for i in range(400)
    ]
    assembler = FrameAssembler(("a",))
    for sample in samples:
        assembler.push([sample], sample.arrival)
    assert len(assembler._tracks["a"].turns.times) < 30
    np.testing.assert_array_equal(assembler._tracks["a"].turns.readings[-1][1], turns[-1])


def test_without_times_a_reading_that_was_overtaken_is_left_out():
    samples = [
        TrackerSample("a", s.arrival, np.nan, s.world_from_sensor, s.acceleration, s.sequence)
        for s in _samples("a", seconds=1.0)
    ]
    late = TrackerSample(
        "a", samples[50].arrival + 0.001, np.nan, np.array([0.0, 1, 0, 0]), np.zeros(3), 48
    )
    with_late, _ = _run([*samples, late], trackers=("a",))
    without, _ = _run(samples, trackers=("a",))
    np.testing.assert_array_equal(
        [frame.world_from_sensor for frame in with_late],
        [frame.world_from_sensor for frame in without],
    )


def test_orientation_and_acceleration_may_come_in_packets_of_their_own():
    none = np.full(4, np.nan), np.full(3, np.nan)
    samples = []
    for s in _samples("a"):
        samples.append(TrackerSample("a", s.arrival, s.device_time, s.world_from_sensor, none[1]))
        samples.append(TrackerSample("a", s.arrival, s.device_time, none[0], s.acceleration))
    frames, _ = _run(samples, trackers=("a",))
    turned, felt = _errors(frames[1:], "a", 0)
    assert turned.max() < 0.1
    assert felt[:-2].max() < 0.01


def test_strangers_are_left_out_and_nothing_gives_nothing():
    assembler = FrameAssembler(("a",))
    assert assembler.push([], START) == []
    assert assembler.push(_samples("b"), START + 5.0) == []
    assert FrameAssembler(()).push(_samples("a"), START) == []


@pytest.mark.parametrize("fps", [0.0, -1.0, np.nan, np.inf])
def test_a_rate_that_is_none_is_refused(fps):
    with pytest.raises(ShapeError, match="expected a positive number"):
        FrameAssembler(("a",), fps)


def test_memory_does_not_grow_however_long_it_runs():
    assembler = FrameAssembler(("a", "b"), fps=20.0)
    turn, felt = quaternion.IDENTITY, np.zeros(3)

    def run(first: int, count: int) -> None:
        for i in range(first, first + count):
            time = START + i / 20  # a second is kept of every one, so few readings make a long time
            samples = [TrackerSample("a", time, i / 20, turn, felt, i)]
            if i % 3:  # the other one has a third less, and long silences
                samples += [TrackerSample("b", time, i / 20, turn, felt, i)] * (i % 200 < 140)
            assembler.push(samples, time)

    run(0, 2600)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    run(2600, 1000)
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 100_000


def test_a_sender_that_floods_one_moment_fills_no_memory():
    assembler = FrameAssembler(("a", "b"))
    random = np.random.default_rng(0)
    assembler.push([TrackerSample("b", START, 0.0, quaternion.IDENTITY, np.zeros(3))], START)
    for device in random.uniform(0.0, 0.001, 20000).tolist():
        assembler.push(
            [TrackerSample("a", START + 0.001, device, quaternion.IDENTITY, np.zeros(3))], START
        )
    assert len(assembler._tracks["a"].turns.times) <= 2048
