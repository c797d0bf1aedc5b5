"""One line of text opens any device; a wrong one says what is allowed."""

import math

import numpy as np
import pytest
from pty_sensors import COLUMNS, PtySensor, wait_for

from pallas.capture.devices.opening import KINDS, open_device
from pallas.capture.devices.phone_server import SensorLogger
from pallas.capture.devices.replay import Replay
from pallas.capture.devices.serial_lines import SerialLines
from pallas.capture.devices.udp_text import UdpLines
from pallas.capture.formats import write_recording
from pallas.capture.imu import ImuRecording
from pallas.rig import quaternion
from pallas.rig.errors import DeviceError

Q = "columns=qw,qx,qy,qz"
# Default ports of programs and devices.
PORTS = {"slimevr": 6969, "vmc": 39539, "xsens": 9763, "mocopi": 12351, "rokoko": 14043}


@pytest.mark.parametrize("word", PORTS)
def test_listeners_are_made_with_their_default_port_on_loopback(word):
    device = open_device(word)
    assert device.name == f"{word} 127.0.0.1:{PORTS[word]}"


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ("slimevr:0.0.0.0", "slimevr 0.0.0.0:6969"),
        ("slimevr:0.0.0.0:7000", "slimevr 0.0.0.0:7000"),
        ("SlimeVR: ", "slimevr 127.0.0.1:6969"),
        ("slimevr::7000", "slimevr 127.0.0.1:7000"),
        ("slimevr:[::1]:7000", "slimevr ::1:7000"),
        ("slimevr:[::1]", "slimevr ::1:6969"),
        (f"udp?{Q}", "udp 127.0.0.1:9000"),
        (f"udp:9100?{Q}", "udp 127.0.0.1:9100"),
        (f"udp:0.0.0.0:9100?{Q}", "udp 0.0.0.0:9100"),
        (f"serial:/dev/ttyUSB0?{Q}", "serial /dev/ttyUSB0"),
        (f"serial:COM3?{Q}&baud=9600", "serial COM3"),
        (f"serial:tcp://10.0.0.1:7000?{Q}", "serial socket://10.0.0.1:7000"),
        ("ximu3:/dev/ttyACM0", "ximu3 /dev/ttyACM0"),
        ("ximu3:tcp://10.0.0.1:7000", "ximu3 socket://10.0.0.1:7000"),
        ("ximu3:udp://0.0.0.0:8010", "ximu3 0.0.0.0:8010"),
        ("ximu3:udp://", "ximu3 127.0.0.1:8001"),
        ("phone", "phone 127.0.0.1:8000"),
        ("movella:D4:22:CD:00:00:01", "movella D4:22:CD:00:00:01"),
        ("phone:0.0.0.0:8080?platform=ios", "phone 0.0.0.0:8080"),
        ("replay:C:\\takes\\a.pallas?speed=2&loop=yes", "replay C:\\takes\\a.pallas"),
    ],
)
def test_addresses_are_read(spec, name):
    assert open_device(spec).name == name


def test_options_reach_their_device(tmp_path):
    serial = open_device(f"serial:/dev/ttyUSB0?baud=9600&{Q}")
    assert isinstance(serial, SerialLines)
    assert serial.baud == 9600
    assert isinstance(open_device("ximu3:udp://:8001"), UdpLines)
    assert isinstance(open_device("phone"), SensorLogger)
    playing = open_device(f"replay:{tmp_path}/take.pallas?speed=max&loop=yes")
    assert isinstance(playing, Replay)
    assert (playing._speed, playing._loop) == (math.inf, True)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("", "'' is no device; expected one of: slimevr, vmc, xsens, mocopi, rokoko, serial, udp"),
        (
            "kinect:1",
            "'kinect:1' is no device; expected one of: .*, phone, ximu3, movella, replay$",
        ),
        ("slimevr:host:port", "slimevr has the port 'port', expected 0 to 65535"),
        ("slimevr:host:70000", "slimevr has the port '70000', expected 0 to 65535"),
        ("slimevr?speed=2", "slimevr has no option 'speed=2'; allowed: none"),
        (
            f"serial:/dev/ttyUSB0?{Q}&parity=odd",
            "no option 'parity=odd'; allowed: baud=…, columns=…",
        ),
        ("serial:/dev/ttyUSB0", "serial needs to know what stands in a line; expected such as"),
        (f"serial?{Q}", r"serial needs a port, expected such as serial:/dev/ttyUSB0\?columns"),
        (f"serial:/dev/ttyUSB0?{Q}&baud=fast", "serial has baud='fast', expected a number"),
        (f"serial:/dev/ttyUSB0?{Q}&baud=0", "serial has baud=0, expected such as 115200"),
        (f"udp?{Q}&magnetometer=maybe", "magnetometer='maybe', expected yes or no"),
        ("udp?columns=roll", "column 1 is 'roll'; allowed"),
        ("phone?platform=nokia", "platform='nokia', expected auto, ios or android"),
        ("ximu3", "ximu3 needs a port, expected such as ximu3:/dev/ttyACM0"),
        ("movella", "movella needs a Bluetooth address, expected movella:D4:22"),
        ("replay", "replay needs a file, expected such as"),
        ("replay:a.pallas?speed=x", "replay has speed='x', expected a number"),
        ("replay:a.pallas?speed=0", "speed is 0.0, expected 0.01 to 1000, or max"),
        ("replay:a.pallas?loop", "replay has no option 'loop'; allowed: speed=…, loop=…"),
    ],
)
def test_what_cannot_be_opened_is_told(spec, message):
    with pytest.raises(DeviceError, match=message) as caught:
        open_device(spec)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("word", KINDS)
def test_every_example_opens(word):
    assert open_device(KINDS[word].example).name.startswith(word)


def test_a_serial_sensor_is_opened_and_read_by_one_line(tmp_path):
    pytest.importorskip("serial")
    sensor = PtySensor(tmp_path)
    with open_device(f"serial:{sensor.port}?baud=115200&columns={COLUMNS}") as device:
        sensor.send(11)
        wait_for(lambda: device.trackers() and device.trackers()[0].received == 10)
    sensor.close()


def test_a_file_with_a_question_mark_in_its_name_is_played(tmp_path):
    path = tmp_path / "what?.csv"
    one = ImuRecording(
        np.arange(3) / 100, np.tile(quaternion.IDENTITY, (3, 1, 1)), np.zeros((3, 1, 3)), ("waist",)
    )
    write_recording(path, one)
    with open_device(f"replay:{path}") as device:
        wait_for(lambda: device.finished)
        assert len(device.take()) == 3
