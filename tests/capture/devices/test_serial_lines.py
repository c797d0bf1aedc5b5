"""Serial ports: nothing that arrived is lost, unplugging is told, plugging in again is noticed."""

import itertools
import os
import socket
import sys
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pty_sensors import COLUMNS, PtySensor, wait_for

from pallas.capture.devices import serial_lines
from pallas.capture.devices.column_decoder import ColumnDecoder
from pallas.capture.devices.column_template import parse_template
from pallas.capture.devices.lines import LineSplitter
from pallas.capture.devices.serial_lines import SerialLines
from pallas.rig.errors import DeviceError

posix = pytest.mark.skipif(not hasattr(os, "openpty"), reason="there are no pseudo-terminals here")


@pytest.fixture(autouse=True)
def needs_pyserial():
    pytest.importorskip("serial")


@pytest.fixture
def sensor(tmp_path):
    made = PtySensor(tmp_path)
    yield made
    made.close()


@pytest.fixture
def quickly(monkeypatch):
    """Plugged in again, it is found after a moment instead of a second."""
    monkeypatch.setattr(serial_lines, "_AGAIN", 0.05)


def device(port, columns=COLUMNS, **options):
    return SerialLines(port, ColumnDecoder(parse_template(columns), "serial"), **options)


def received(opened):
    return opened.trackers()[0].received if opened.trackers() else 0


@posix
def test_a_sensor_at_200_hz_loses_nothing(sensor):
    with device(sensor.port) as opened:
        sensor.send(401)
        wait_for(lambda: received(opened) == 400)  # the first line may be cut, and is left out
        samples, (state,) = opened.take(), opened.trackers()
    assert [sample.device_time for sample in samples] == pytest.approx(np.arange(1, 401) * 0.005)
    assert all(a.arrival <= b.arrival for a, b in itertools.pairwise(samples))
    assert state.tracker == f"serial {sensor.port}/left"
    assert state.paired
    assert state.address == sensor.port
    assert 0 < state.rate < 400
    assert state.note == ""
    assert opened.error is None


@posix
def test_several_sensors_share_a_port(sensor):
    with device(sensor.port) as opened:
        for n in range(50):
            sensor.send(1, first=n, id="left")
            sensor.send(1, first=n, id="right")
        wait_for(lambda: sum(state.received for state in opened.trackers()) == 99)
        by_name = [sample.tracker.rpartition("/")[2] for sample in opened.take()]
    assert (by_name.count("left"), by_name.count("right")) == (49, 50)


@posix
def test_unplugging_in_mid_take_keeps_what_came_and_plugging_in_again_goes_on(sensor, quickly):
    with device(sensor.port) as opened:
        sensor.send(101)
        wait_for(lambda: received(opened) == 100)
        sensor.unplug()
        wait_for(lambda: opened.error)
        assert isinstance(opened.error, DeviceError)
        assert "was unplugged or switched off; plug it in again" in str(opened.error)
        assert "\n" not in str(opened.error)
        assert len(opened.take()) == 100
        sensor.plug_in()
        wait_for(lambda: opened.error is None)
        sensor.send(51, first=1000)
        wait_for(lambda: received(opened) == 150)
        assert next(sample.device_time for sample in opened.take()) == pytest.approx(5.005)
        assert len(opened.trackers()) == 1


@posix
def test_unplugging_while_it_sends_is_told_and_every_whole_line_is_kept(sensor):
    with device(sensor.port) as opened:
        sensor.write(b"cut off\r\n")
        for n in range(20):
            sensor.send(10, first=10 * n, rate=2000.0)
        wait_for(lambda: received(opened) >= 200)
        sensor.unplug()
        wait_for(lambda: opened.error)
        assert len(opened.take()) == 200


@posix
def test_leaving_while_unplugged_does_not_wait(sensor):
    with device(sensor.port) as opened:
        sensor.unplug()
        wait_for(lambda: opened.error)
    opened.__exit__(None, None, None)


@posix
def test_a_cut_line_at_the_start_is_normal_and_malformed_ones_are_counted(sensor):
    with device(sensor.port) as opened:
        sensor.write(b"00,0.5,0,0,0,0,1\r\n")
        sensor.send(3)
        sensor.write(b"left,12\r\n\r\nleft,x,1,0,0,0,0,0,1\r\n")
        sensor.send(2)
        wait_for(lambda: received(opened) == 5)
        (state,) = opened.trackers()
    assert state.note == "2 lines not understood: found 'x' in column t, expected a number"


@posix
def test_a_template_that_does_not_fit_is_told_although_no_tracker_is_known(sensor):
    with device(sensor.port, "t,qw,qx,qy,qz") as opened:
        sensor.send(5)
        wait_for(lambda: opened.trackers() and "4 lines" in opened.trackers()[0].note)
        (state,) = opened.trackers()
    assert state.tracker == f"serial {sensor.port}"
    assert state.received == 0
    assert state.note == "4 lines not understood: found 9 values, expected 5"


@posix
def test_a_port_that_another_program_has_is_told(sensor):
    with (
        device(sensor.port),
        pytest.raises(DeviceError, match="another program has it; close that program"),
        device(sensor.port),
    ):
        pass


@posix
def test_bytes_without_a_line_end_fill_no_memory(sensor):
    with device(sensor.port) as opened:
        for _ in range(50):
            sensor.write(b"\xfe" * 1000)
        sensor.write(b"\n")
        sensor.send(10)
        wait_for(lambda: received(opened) == 10)
        assert len(opened._splitter._rest) <= 4096


def test_a_port_that_is_not_there_is_told_with_those_that_are():
    with pytest.raises(
        DeviceError, match="can't be opened: .*; ports found: .*choose another"
    ) as e:
        device("/dev/ttyNONE").__enter__()
    assert "\n" not in str(e.value)


def test_without_pyserial_the_user_is_told_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "serial", None)
    with pytest.raises(DeviceError, match="need the Python package pyserial.*pip install pyserial"):
        device("/dev/ttyUSB0").__enter__()


def test_a_sensor_behind_a_socket_is_read_from_its_first_line_on():
    with socket.create_server(("127.0.0.1", 0)) as server:
        opened = device(f"socket://127.0.0.1:{server.getsockname()[1]}")
        with opened:
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"left,0,1,0,0,0,0,0,1\nleft,5000,1,0,0,0,0")
                connection.sendall(b",0,1\nleft,10000,")
                wait_for(lambda: received(opened) == 2)
            wait_for(lambda: opened.error)
            assert len(opened.take()) == 2


def test_a_loop_is_read():
    with device("loop://") as opened:
        opened._opened.write(b"left,0,1,0,0,0,0,0,1\r\nleft,5000,1,0,0,0,0,0,1\r\n")
        wait_for(lambda: received(opened) == 2)


@posix
def test_two_sensors_at_200_hz_at_once(tmp_path):
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        folder.mkdir()
    sensors = [PtySensor(folder) for folder in folders]
    devices = [device(sensor.port) for sensor in sensors]
    with devices[0], devices[1]:
        threads = [sensor.sending(201) for sensor in sensors]
        for thread in threads:
            thread.join()
        wait_for(lambda: all(received(opened) == 200 for opened in devices))
    for sensor in sensors:
        sensor.close()
    assert not [t for t in threading.enumerate() if t.name.startswith("serial")]


@given(
    st.lists(st.binary(max_size=12).filter(lambda line: b"\n" not in line), max_size=8),
    st.lists(st.integers(0, 60), max_size=6),
)
def test_lines_are_the_same_however_their_bytes_come(lines, cuts):
    stream = b"".join(line + b"\n" for line in lines)
    places = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    for whole, expected in ((True, lines), (False, lines[1:])):
        splitter = LineSplitter(whole)
        pieces = (stream[a:b] for a, b in itertools.pairwise(places))
        assert [line for piece in pieces for line in splitter.split(piece)] == expected
