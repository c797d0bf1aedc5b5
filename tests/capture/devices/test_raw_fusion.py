"""Orientation from gyroscope and accelerometer, against movements that are known."""

import csv
import sys

import numpy as np
import pytest

from pallas.capture.devices.column_decoder import ColumnDecoder
from pallas.capture.devices.column_template import parse_template
from pallas.capture.devices.raw_fusion import RawFusion, RawReading
from pallas.rig import quaternion
from pallas.rig.errors import DeviceError

G = 9.80665
DEGREE = np.pi / 180
UP = np.array([0.0, 0, 1])


@pytest.fixture(autouse=True)
def needs_vqf():
    pytest.importorskip("vqf")


def swing(rate, seconds):
    """Swings about the sensor's x, starting level, and turns about its own z: (T,), (T, 4), (T, 3)."""
    times = np.arange(int(rate * seconds)) / rate
    tilt = 0.7 * np.sin(2 * np.pi * 0.3 * times)
    turn = 0.5 * np.sin(2 * np.pi * 0.2 * times)
    truth = quaternion.multiply(
        quaternion.from_axis_angle(np.array([1.0, 0, 0]), tilt),
        quaternion.from_axis_angle(np.array([0, 0, 1.0]), turn),
    )
    steps = quaternion.multiply(quaternion.conjugate(truth[:-1]), truth[1:])
    rates = quaternion.to_rotation_vector(steps) * rate
    return times, truth, np.concatenate([rates[:1], rates])


def force(world_from_sensor):
    return quaternion.rotate(quaternion.conjugate(world_from_sensor), G * UP)


def fused(times, rates, forces, **options):
    fusion = RawFusion(**options)
    rows = zip(times, rates, forces, strict=True)
    return np.array([q for t, w, f in rows for q in fusion.add(RawReading(t, w, f))])


def tilt_error(found, truth):
    """Degrees between where both say up is."""
    ups = [quaternion.rotate(quaternion.conjugate(q), UP) for q in (found, truth)]
    return np.degrees(np.arccos(np.clip(np.sum(ups[0] * ups[1], axis=-1), -1, 1)))


def test_a_still_sensor_is_level_to_its_accelerometer():
    tilted = quaternion.from_axis_angle(np.array([1.0, 0, 0]), 0.5)
    found = fused(np.arange(500) / 100, np.zeros((500, 3)), np.tile(force(tilted), (500, 1)))
    assert len(found) == 500
    assert tilt_error(found, tilted).max() < 0.5


@pytest.mark.parametrize("rate", [50, 200, 400])
def test_a_swing_is_followed_at_any_rate(rate):
    times, truth, rates = swing(rate, 20)
    found = fused(times, rates, force(truth))
    assert tilt_error(found, truth).max() < 1.0
    # No magnetometer: the heading is the one at the start, and stays.
    turned = quaternion.angle(
        quaternion.multiply(quaternion.conjugate(found[0]), found),
        quaternion.multiply(quaternion.conjugate(truth[0]), truth),
    )
    assert np.degrees(turned).max() < 2.0


def test_lost_readings_are_bridged_by_the_sensors_own_clock():
    times, truth, rates = swing(200, 20)
    kept = np.random.default_rng(1).random(len(times)) > 0.2
    # What a sensor says after a loss is its mean over the loss, near enough.
    found = fused(times[kept], rates[kept], force(truth[kept]))
    assert tilt_error(found, truth[kept]).max() < 2.0


def test_times_of_arrival_in_bursts_do_no_harm():
    times, truth, rates = swing(100, 20)
    bursts = np.ceil(times / 0.05) * 0.05
    found = fused(bursts, rates, force(truth), even=True)
    assert tilt_error(found, truth).max() < 1.5


def test_a_clock_that_starts_again_does_no_harm():
    times, truth, rates = swing(100, 10)
    found = fused(np.where(times < 5, times, times - 5), rates, force(truth))
    assert tilt_error(found, truth).max() < 1.0


def test_the_magnetometer_gives_the_heading_only_when_asked():
    still, field = quaternion.from_axis_angle(UP, 1.0), np.array([0, 20.0, -40.0])  # north and down
    seen = quaternion.rotate(quaternion.conjugate(still), field)
    headings = []
    for magnetometer in (False, True):
        fusion = RawFusion(magnetometer)
        readings = (RawReading(n / 100, np.zeros(3), force(still), seen) for n in range(3000))
        found = [q for reading in readings for q in fusion.add(reading)]
        headings.append(np.degrees(2 * np.arctan2(found[-1][3], found[-1][0])))
    assert abs(headings[0]) < 1.0
    assert headings[1] == pytest.approx(np.degrees(1.0), abs=2.0)


def test_lines_of_raw_readings_become_samples_and_none_is_lost():
    times, truth, rates = swing(100, 10)
    decoder = ColumnDecoder(
        parse_template("t[us],gx[deg/s],gy[deg/s],gz[deg/s],ax[g],ay[g],az[g]"), "serial"
    )
    samples = []
    for t, w, f in zip(times, np.degrees(rates), force(truth) / G, strict=True):
        line = ",".join(map(str, [round(t * 1e6), *w, *f]))
        for heard in decoder.read(line.encode(), "port", t + 0.01):
            samples += heard.samples
    assert [sample.device_time for sample in samples] == pytest.approx(times, abs=1e-6)
    assert [sample.arrival for sample in samples] == pytest.approx(times + 0.01)
    found = np.array([sample.world_from_sensor for sample in samples])
    assert tilt_error(found, truth).max() < 1.0
    assert np.abs([sample.acceleration for sample in samples]).max() < 0.3


def test_real_readings_give_the_tilt_that_the_sensor_itself_computed(data):
    folder = data("imu/xio_lower_body") / "pelvis 64F0EDBF (UDP)"
    inertial, own = (
        np.array(
            [
                [float(cell) for cell in row]
                for row in list(csv.reader((folder / name).read_text().splitlines()))[1:]
            ]
        )
        for name in ("Inertial.csv", "Quaternion.csv")
    )
    found = fused(inertial[:, 0] * 1e-6, inertial[:, 1:4] * DEGREE, inertial[:, 4:] * G)
    rows = np.searchsorted(inertial[:, 0], own[:, 0])
    errors = tilt_error(found[np.minimum(rows, len(found) - 1)], own[:, 1:])
    assert np.median(errors) < 2.0
    assert np.percentile(errors, 95) < 4.0


def test_without_vqf_the_user_is_told_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "vqf", None)
    with pytest.raises(DeviceError, match="need the Python package vqf.*pip install vqf"):
        ColumnDecoder(parse_template("gx,gy,gz,ax,ay,az"), "serial")
    ColumnDecoder(parse_template("qw,qx,qy,qz"), "serial")  # needs none
