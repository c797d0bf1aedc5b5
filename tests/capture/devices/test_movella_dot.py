"""Movella DOT: its bytes; and a stand-in for the Bluetooth package, for want of a radio."""

import struct
import sys
import time
import types

import numpy as np
import pytest

from pallas.capture.devices.movella_dot import MovellaDot
from pallas.capture.devices.movella_payloads import parse_movella
from pallas.rig.errors import DeviceError

ADDRESS = "D4:22:CD:00:00:01"
HALF = np.sqrt(0.5)


def payload(microseconds=1_500_000, acceleration=(1.0, -2.0, 3.0)):
    values = (HALF, 0.0, 0.0, HALF, *acceleration, 10.0, 20.0, 30.0)
    return struct.pack("<I10f", microseconds, *values)


@pytest.mark.parametrize(("mode", "size"), [(26, 44), (3, 32), (2, 36)])
def test_time_orientation_and_free_acceleration_are_read(mode, size):
    reading = parse_movella(payload()[:size], mode)
    assert reading.time == 1.5
    np.testing.assert_allclose(reading.world_from_sensor, [HALF, 0, 0, HALF], atol=1e-7)
    np.testing.assert_allclose(reading.acceleration, [1.0, -2.0, 3.0])


def test_bytes_written_by_hand_are_read():
    # 0x00000064 us; 1.0 is 00 00 80 3f in little-endian float32, 0.5 is 00 00 00 3f, -2.0 is 00 00 00 c0.
    one, zero, half, minus_two = "0000803f", "00000000", "0000003f", "000000c0"
    told = bytes.fromhex("64000000" + one + 3 * zero + half + zero + minus_two)
    reading = parse_movella(told, 3)
    assert reading.time == pytest.approx(100e-6)
    np.testing.assert_array_equal(reading.world_from_sensor, [1, 0, 0, 0])
    np.testing.assert_array_equal(reading.acceleration, [0.5, 0.0, -2.0])


def test_the_mode_without_acceleration_leaves_it_missing():
    assert np.isnan(parse_movella(payload()[:20], 5).acceleration).all()


@pytest.mark.parametrize(("told", "mode"), [(b"", 26), (payload()[:43], 26), (payload(), 7)])
def test_what_is_no_reading_is_refused_in_one_line(told, mode):
    with pytest.raises(DeviceError, match=r"^[^\n]+$"):
        parse_movella(told, mode)


def test_without_bleak_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "bleak", None)
    with pytest.raises(DeviceError, match="pip install bleak"), MovellaDot(ADDRESS):
        pass


class Sensor:
    """What bleak's client looks like, with a sensor behind it that sends three readings."""

    written: list[bytes] = []  # noqa: RUF012 - shared on purpose: the device makes its own client

    def __init__(self, address):
        if address != ADDRESS:
            raise OSError(f"device {address} was not found")

    async def __aenter__(self):
        return self

    async def __aexit__(self, *rest):
        return None

    async def read_gatt_char(self, uuid):
        return bytearray([87, 0])

    async def start_notify(self, uuid, notify):
        assert uuid == "15172002-4947-11e9-8646-d663bd873d93"
        self.notify = notify

    async def write_gatt_char(self, uuid, data, response):
        self.written.append(bytes(data))
        if data[1] == 1:
            for step in range(3):
                self.notify(0, bytearray(payload(20_000 * step)))
            self.notify(0, bytearray(b"short"))


@pytest.fixture
def bleak(monkeypatch):
    Sensor.written.clear()
    monkeypatch.setitem(sys.modules, "bleak", types.SimpleNamespace(BleakClient=Sensor))


def test_a_sensor_is_started_read_and_stopped(bleak):
    with MovellaDot(ADDRESS) as device:
        end = time.monotonic() + 5.0
        samples = []
        while len(samples) < 3:
            assert time.monotonic() < end
            samples += device.take()
            time.sleep(0.01)
        (state,) = device.trackers()
    assert [sample.device_time for sample in samples] == [0.0, 0.02, 0.04]
    assert samples[0].tracker == f"movella {ADDRESS}"
    assert state.battery == 0.87
    assert state.note.startswith("1 packet not understood")
    assert Sensor.written == [b"\x01\x01\x1a", b"\x01\x00\x1a"]
    assert device.error is None


def test_a_sensor_that_cannot_be_reached_is_told(bleak):
    with MovellaDot("00:00:00:00:00:00") as device:
        end = time.monotonic() + 5.0
        while device.error is None:
            assert time.monotonic() < end
            time.sleep(0.01)
    assert "was not found; expected a sensor that is switched on" in str(device.error)
