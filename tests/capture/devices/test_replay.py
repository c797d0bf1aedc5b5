"""A recording that plays as if it were sent now: all of it, at the asked pace, again if asked."""

import math
import time

import numpy as np
import pytest
from pty_sensors import wait_for
from ximu3_logs import column_rows

from pallas.capture.devices import replay
from pallas.capture.devices.played import read_played
from pallas.capture.devices.replay import Replay
from pallas.capture.devices.samples import TrackerSample
from pallas.capture.formats import read_recording, write_recording
from pallas.capture.imu import ImuRecording
from pallas.capture.session.raw_log import RawLog, RawLogWriter
from pallas.rig import quaternion
from pallas.rig.errors import DeviceError

MVNX = "imu/xsens_mvnx/test_mocap.mvnx"
STO = "imu/opensense/orientation_quats.sto"


def recording(samples=30, rate=100.0, start=50.0):
    times = start + np.arange(samples) / rate
    turn = quaternion.from_axis_angle(np.array([0.0, 0, 1]), times - start)
    rotations = np.stack([turn, quaternion.conjugate(turn)], axis=1)
    acceleration = np.stack([np.outer(times - start, [1.0, 2, 3])] * 2, axis=1)
    return ImuRecording(times, rotations, acceleration, ("waist", "neck"))


def played(device):
    """All of its samples, once it has finished."""
    taken = []

    def done():
        taken.extend(device.take())
        return device.finished

    wait_for(done, 30.0)
    return taken + device.take()


def test_every_sample_of_every_sensor_comes_with_its_own_time():
    source = recording()
    with Replay(source, math.inf) as device:
        samples = played(device)
        states = device.trackers()
    assert [sample.tracker for sample in samples] == ["waist", "neck"] * 30
    for sensor, name in enumerate(source.placements):
        own = [sample for sample in samples if sample.tracker == name]
        np.testing.assert_array_equal([s.device_time for s in own], source.times)
        np.testing.assert_array_equal(
            [s.world_from_sensor for s in own], source.world_from_sensor[:, sensor]
        )
        np.testing.assert_array_equal([s.acceleration for s in own], source.acceleration[:, sensor])
    assert [state.received for state in states] == [30, 30]
    assert device.error is None


@pytest.mark.parametrize("speed", [0.5, 1.0, 4.0])
def test_it_plays_at_the_asked_pace(speed):
    source = recording(samples=21)  # 0.2 s
    began = time.monotonic()
    with Replay(source, speed) as device:
        waits = np.array([sample.arrival for sample in played(device)]) - began
    ideal = np.repeat(source.times - source.times[0], 2) / speed
    assert (waits >= ideal - 1e-6).all()  # never early
    assert (waits < ideal + 5.0).all()


def test_missing_measurements_are_not_sent():
    source = recording()
    rotations, acceleration = source.world_from_sensor.copy(), source.acceleration.copy()
    rotations[5:10, 1], acceleration[5:10, 1] = np.nan, np.nan
    acceleration[20, 0] = np.nan  # an orientation without acceleration is sent
    holed = ImuRecording(source.times, rotations, acceleration, source.placements)
    with Replay(holed, math.inf) as device:
        samples = played(device)
    names = [sample.tracker for sample in samples]
    assert (names.count("waist"), names.count("neck")) == (30, 25)


def test_a_loop_goes_on_without_a_seam_in_its_times():
    with Replay(recording(samples=10), math.inf, loop=True) as device:
        samples = []
        wait_for(lambda: samples.extend(device.take()) or len(samples) >= 100)
    times = np.array([sample.device_time for sample in samples if sample.tracker == "neck"])
    np.testing.assert_allclose(np.diff(times), 0.01, atol=1e-9)
    assert not device.finished


def test_nothing_is_dropped_while_nobody_takes(monkeypatch):
    monkeypatch.setattr(replay, "LONGEST_QUEUE", 20)
    with Replay(recording(), math.inf) as device:
        wait_for(lambda: len(device._queue) == 20)
        time.sleep(0.05)
        assert len(device._queue) == 20
        assert len(played(device)) == 60
        assert device.dropped == 0


def test_leaving_in_the_middle_does_not_wait():
    began = time.monotonic()
    with Replay(recording(samples=3, rate=0.001)):
        pass
    assert time.monotonic() - began < 5.0


def test_it_plays_again_from_the_start():
    device = Replay(recording(), math.inf)
    for _ in range(2):
        with device:
            assert len(played(device)) == 60


@pytest.mark.parametrize("suffix", [".pallas", ".csv"])
def test_our_own_recordings_are_played_from_their_files(tmp_path, suffix):
    path = tmp_path / f"take{suffix}"
    write_recording(path, recording())
    with Replay(path, math.inf) as device:
        samples = played(device)
        np.testing.assert_allclose(device.played.times, recording().times)
    assert len(samples) == 60
    assert device.name == f"replay {path}"
    assert device.trackers()[0].address == path.name


def test_a_real_mvnx_plays_as_it_was_measured(data):
    source = read_recording(data(MVNX))
    with Replay(data(MVNX), math.inf) as device:
        samples = played(device)
    assert len(samples) == np.sum(
        ~(np.isnan(source.world_from_sensor).any(-1) & np.isnan(source.acceleration).any(-1))
    )
    assert {sample.tracker for sample in samples} == set(source.placements)
    last = [s for s in samples if s.tracker == source.placements[0]][-1]
    np.testing.assert_array_equal(last.world_from_sensor, source.world_from_sensor[-1, 0])


def test_a_real_table_of_orientations_plays_without_accelerations(data):
    source = read_played(data(STO))
    with Replay(data(STO), math.inf) as device:
        samples = played(device)
    assert len(samples) == np.isfinite(source.world_from_sensor).all(-1).sum()
    assert all(np.isnan(sample.acceleration).all() for sample in samples)


def test_device_times_run_with_the_pace():
    with Replay(recording(samples=5), 4.0) as device:
        samples = played(device)
    times = np.array([sample.device_time for sample in samples if sample.tracker == "neck"])
    np.testing.assert_allclose(np.diff(times), 0.0025, atol=1e-12)


def test_a_raw_log_plays_every_sample_when_it_came_by_its_own_name(tmp_path):
    source = recording(samples=20)
    written = [
        TrackerSample(
            f"slimevr AA/{sensor}",
            10.0 + n * 0.01 + 0.003 * sensor,
            math.nan if sensor else 500 + n * 0.01,
            source.world_from_sensor[n, sensor],
            source.acceleration[n, sensor],
            n,
        )
        for n in range(20)
        for sensor in range(2)
    ]
    path = tmp_path / "take.pallas"
    with RawLogWriter(path, source="slimevr") as log:
        for sample in written:
            log.write(sample)
    began = time.monotonic()
    with Replay(path) as device:
        samples = played(device)
        assert isinstance(device.played, RawLog)
    assert [sample.tracker for sample in samples] == [sample.tracker for sample in written]
    assert [sample.sequence for sample in samples] == [sample.sequence for sample in written]
    for told, was in zip(samples, written, strict=True):
        np.testing.assert_array_equal(told.world_from_sensor, was.world_from_sensor)
        np.testing.assert_equal(told.device_time, was.device_time)
        assert told.arrival - began >= was.arrival - 10.0 - 1e-6


def test_a_real_log_of_seven_x_imu3_plays_every_quaternion(data):
    folder = data("imu/xio_lower_body")
    with Replay(folder, math.inf) as device:
        samples = played(device)
        states = device.trackers()
    sensors = [inner for inner in folder.iterdir() if inner.is_dir()]
    assert {state.tracker for state in states} == {inner.name for inner in sensors}
    for sensor in sensors:
        rows = column_rows(sensor / "Quaternion.csv")
        own = [sample for sample in samples if sample.tracker == sensor.name]
        assert len(own) >= len(rows) - 1  # the last may still wait for its acceleration
        np.testing.assert_allclose(
            [sample.device_time for sample in own], rows[: len(own), 0] * 1e-6, atol=1e-9
        )
        assert np.isfinite([sample.acceleration for sample in own]).all(axis=1).mean() > 0.95
    times = [sample.device_time for sample in samples]
    assert times == sorted(times)


def test_a_damaged_x_imu3_log_is_told_by_file_and_line(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "Quaternion.csv").write_text("Timestamp (us),W,X,Y,Z\n1000,1,0,0,0\n2000,1,0,0\n")
    with pytest.raises(DeviceError, match=r"Quaternion.csv: line 3: found a message Q with 3 numb"):
        Replay(tmp_path).__enter__()
    with pytest.raises(DeviceError, match="holds logs of 0 x-IMU3 sensors, expected 1 to 64"):
        Replay(tmp_path / "empty").__enter__()


@pytest.mark.parametrize("speed", [0.0, -1.0, 1e9, math.nan])
def test_a_speed_that_cannot_be_is_told(speed):
    with pytest.raises(DeviceError, match="speed is .*, expected 0.01 to 1000, or max"):
        Replay(recording(), speed)


def test_a_file_that_cannot_be_played_is_told(tmp_path):
    with pytest.raises(DeviceError, match="can't be played: .*none.pallas does not exist"):
        Replay(tmp_path / "none.pallas").__enter__()
    with pytest.raises(DeviceError, match="it holds no samples"):
        Replay(recording(samples=0)).__enter__()
    with pytest.raises(DeviceError, match="is not open"):
        _ = Replay(tmp_path / "none.pallas").played
