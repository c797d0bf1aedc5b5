"""SlimeVR trackers as the npm package emulates them, against our server."""

import time

import numpy as np
import pytest
from node_peers import slimevr_emulators

from pallas.capture.devices.slimevr import SlimeVr
from pallas.rig import quaternion


def motion(frames, sensors, rate):
    """Each sensor turns about its own axis at its own pace; world accelerations differ as well."""
    times = np.arange(frames)[:, None] / rate
    axes = np.random.default_rng(1).normal(size=(sensors, 3))
    rotation = quaternion.from_rotation_vector(np.sin(times + np.arange(sensors))[..., None] * axes)
    phase = 2.0 * times[..., None] + np.arange(sensors)[:, None] + np.arange(3)
    return rotation, 5.0 * np.sin(phase)


def played(device, emulators, seconds):
    """Everything that came until the file was played and all of it was read, by tracker."""
    emulators.finish(seconds)
    arrived = sum(emulators.sent) - sum(emulators.dropped)
    end = time.monotonic() + seconds
    taken = device.take()
    while len(taken) < arrived:
        assert time.monotonic() < end, f"{len(taken)} of {arrived} samples came"
        time.sleep(0.01)
        taken += device.take()
    samples = {name: [] for name in emulators.trackers}
    for sample in taken:
        samples[sample.tracker].append(sample)
    return samples


def match(samples, rotation):
    """For each sample, the frame that was played."""
    told = np.array([sample.world_from_sensor for sample in samples])
    dots = np.abs(np.einsum("ti,fi->tf", told, rotation))
    return dots.argmax(axis=1), 2.0 * np.arccos(np.clip(dots.max(axis=1), 0.0, 1.0))


@pytest.mark.parametrize("sensors_per_tracker", [1, 2])
def test_what_several_trackers_measure_arrives_whole(sensors_per_tracker):
    frames, sensors, rate = 120, 4, 100.0
    rotation, acceleration = motion(frames, sensors, rate)
    with (
        SlimeVr(port=0) as device,
        slimevr_emulators(
            device.address,
            rotation,
            acceleration,
            rate,
            sensors_per_tracker=sensors_per_tracker,
        ) as emulators,
    ):
        begin = emulators.start()
        samples = played(device, emulators, 30.0)
        states = {state.tracker: state for state in device.trackers()}
    assert emulators.sent == (frames,) * sensors
    assert set(states) == set(emulators.trackers)
    for i, name in enumerate(emulators.trackers):
        own, state = samples[name], states[name]
        place, error = match(own, rotation[:, i])
        assert place.tolist() == list(range(frames))
        assert error.max() < 1e-3  # float32 on the wire
        # The protocol tells an acceleration after its rotation: a sample carries the one before.
        told = np.array([sample.acceleration for sample in own])
        assert np.isnan(told[0]).all()
        np.testing.assert_allclose(told[1:], acceleration[:-1, i], atol=1e-4)
        assert own[0].arrival - begin < 1.0
        assert state.received == frames
        assert (state.lost, state.duplicated, state.reordered) == (0, 0, 0)
        assert state.battery == pytest.approx(0.8)
        assert state.signal == -45.0
        assert state.paired
        assert state.note == ""


def test_losses_are_counted_and_nothing_that_arrived_is_lost():
    frames, sensors, rate = 300, 3, 200.0
    rotation, acceleration = motion(frames, sensors, rate)
    with (
        SlimeVr(port=0) as device,
        slimevr_emulators(
            device.address, rotation, acceleration, rate, loss=0.2, seed=3
        ) as emulators,
    ):
        emulators.start()
        samples = played(device, emulators, 30.0)
        states = {state.tracker: state for state in device.trackers()}
    for name, sent, dropped in zip(
        emulators.trackers, emulators.sent, emulators.dropped, strict=True
    ):
        assert 0.1 < dropped / sent < 0.3
        assert len(samples[name]) == sent - dropped == states[name].received
        # Rotations and accelerations share one count; a rotation's share of the losses is estimated.
        assert states[name].lost == pytest.approx(dropped, abs=0.1 * sent)


def test_beyond_loopback_trackers_wait_until_they_are_paired():
    rotation, acceleration = motion(50, 3, 100.0)
    mine = frozenset({"slimevr 02:50:41:4C:00:01/0"})
    with (
        SlimeVr("0.0.0.0", 0, mine) as device,
        slimevr_emulators(
            ("127.0.0.1", device.address[1]), rotation, acceleration, 100.0
        ) as emulators,
    ):
        end = time.monotonic() + 30.0
        while len(device.trackers()) < 3:
            assert time.monotonic() < end
            time.sleep(0.02)
        states = {state.tracker: state for state in device.trackers()}
        assert {name for name, state in states.items() if state.paired} == mine
        others = set(emulators.trackers) - mine
        assert {states[name].note for name in others} == {"waits to be paired"}
        for name in others:
            device.pair(name)
        emulators.start()
        samples = played(device, emulators, 30.0)
    assert [len(samples[name]) for name in emulators.trackers] == [50, 50, 50]
