"""x-IMU3 sensors: text and bytes, checked against the maker's own package and on real logs."""

import socket
import struct
import threading

import numpy as np
import pytest
from pty_sensors import PtySensor, wait_for
from ximu3_logs import as_bytes, as_text, column_rows, messages

from pallas.capture.devices.serial_lines import SerialLines
from pallas.capture.devices.udp_text import UdpLines
from pallas.capture.devices.ximu3 import PING, parse_message, parse_ping
from pallas.capture.devices.ximu3_decoder import Ximu3Decoder
from pallas.rig import FormatError, quaternion

G = 9.80665
HALF = 0.70710678
LEVEL = (1.0, 0, 0, 0)
PELVIS = "imu/xio_lower_body"
FOLDER = "pelvis 64F0EDBF (UDP)"


def decoded(*sent, asks=False):
    """Every `Heard` of some messages, one each 10 ms."""
    decoder = Ximu3Decoder(asks)
    return [
        heard
        for n, message in enumerate(sent)
        for heard in decoder.read(message.rstrip(b"\n"), "port", n / 100)
    ]


def samples_of(*sent, asks=False):
    return [sample for heard in decoded(*sent, asks=asks) for sample in heard.samples]


@pytest.mark.parametrize("write", [as_text, as_bytes])
def test_a_message_says_its_letter_its_time_and_its_numbers(write):
    message = parse_message(write("Q", 1_500_000, 0.5, -0.5, 0.5, -0.5).rstrip(b"\n"))
    assert (message.letter, message.time) == ("Q", 1.5)
    assert message.values == (0.5, -0.5, 0.5, -0.5)


def test_the_examples_of_the_manual_are_read():
    inertial = bytes.fromhex("C9 40420F0000000000" + "00000000" * 5 + "0000803F")
    assert parse_message(inertial) == parse_message(
        b"I,1000000,0.0000,0.0000,0.0000,0.0000,0.0000,1.0000\r"
    )
    signal = bytes.fromhex("D7 40420F0000000000 0000C842 000048C2")
    assert parse_message(signal) == parse_message(b"W,1000000,100.000,-50.0000\r")


def test_bytes_that_look_like_a_line_end_are_escaped():
    written = as_bytes("I", 10 * 256 + 0xDB, *np.frombuffer(bytes([10, 0xDB, 10, 65] * 6), "<f4"))
    assert written.count(b"\n") == 1
    assert parse_message(written[:-1]).time == pytest.approx(2779e-6)


@pytest.mark.parametrize(
    "line", [b"N,1,Hello", b"F,1,an error, two", b"S,1,abc", b'{"time":1}', b"\xce" + b"a" * 9, b""]
)
def test_what_says_nothing_about_movement_is_left_out(line):
    assert parse_message(line) is None


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"Q,1,1,0,0", "message Q with 3 numbers, expected 4"),
        # The maker's own package reads these without a word.
        (b"L,1,1,0,0,0,0,0", "message L with 6 numbers, expected 3 or 7"),
        (b"L,1,1,0,0,0,0,0,0,0", "message L with 8 numbers, expected 3 or 7"),
        (b"L,1,x,0,0", "message L whose numbers are none"),
        (b"Q,1,nan,0,0,0", "message Q whose numbers are none"),
        (b"I,1,999999.9999,0,0,0,0,1", "message I whose numbers are none"),
        (b"Q,-1,1,0,0,0", "message Q without its time"),
        (b"Q", "message Q without its time"),
        (b"Q,9999999999999999999,1,0,0,0", "expected a sensible time"),
        (b"hello", "found 'hello', expected a message of an x-IMU3"),
        (b"q,1,1,0,0,0", "found 'q'"),
        (b"\x80abc", "found the byte 0x80"),
        (b"\xd1" + b"\0" * 7, "message Q of 7 bytes"),
        (b"\xd1" + b"\0" * 23, "message Q of 23 bytes"),
        (b"\xd1\xdbx", "message Q with a false escape, 0xdb 0x78"),
        (b"\xd1\xdb", "message Q that is cut off"),
        (b"Q," + b"1" * 2000, "found 2002 bytes"),
    ],
)  # fmt: skip
def test_a_damaged_message_is_told(line, message):
    with pytest.raises(FormatError, match=message):
        parse_message(line)


def test_a_quaternion_and_its_inertial_message_become_one_sample_whichever_comes_first():
    turned = (HALF, HALF, 0, 0)  # its y points up, its z to the world's -y
    inertial = as_text("I", 1000, 0, 0, 0, 0, 1, 0.5)
    for order in ((0, 1), (1, 0)):
        pair = [as_text("Q", 1000, *turned), inertial]
        later = [as_text("I", 900, 0, 0, 0, 0, 1, 0)]  # tells that accelerations come
        (sample,) = samples_of(*later, *(pair[n] for n in order))
        assert sample.device_time == pytest.approx(0.001)
        np.testing.assert_allclose(sample.world_from_sensor, [HALF, HALF, 0, 0], atol=1e-4)
        np.testing.assert_allclose(sample.acceleration, [0, -0.5 * G, 0], atol=1e-3)


def test_quaternions_alone_come_at_once_without_acceleration():
    (sample,) = samples_of(as_text("Q", 1000, *LEVEL))
    assert np.isnan(sample.acceleration).all()


def test_an_acceleration_that_is_long_past_is_not_taken_for_now():
    sent = [as_text("I", 0, 0, 0, 0, 0, 0, 1)]
    sent += [as_text("Q", n * 10_000, *LEVEL) for n in range(12)]
    samples = samples_of(*sent)
    assert np.isfinite(samples[0].acceleration).all()
    assert np.isnan(samples[-1].acceleration).all()


@pytest.mark.parametrize(
    ("letter", "world"), [("L", [0, -G, 2 * G]), ("E", [0, 2 * G, G])], ids=["sensor", "Earth"]
)
def test_linear_and_earth_accelerations_of_old_and_new_firmware(letter, world):
    turned = (HALF, HALF, 0, 0)
    old = samples_of(as_text(letter, 1000, *turned, 0, 2, 1), as_text("Q", 1000, *turned))
    new = samples_of(
        as_text(letter, 0, 0, 2, 1), as_text("Q", 1000, *turned), as_text(letter, 1000, 0, 2, 1)
    )
    assert len(old) == len(new) == 1
    for sample in (*old, *new):
        np.testing.assert_allclose(sample.acceleration, world, atol=1e-3)


def test_battery_and_signal_are_told():
    battery, signal = decoded(as_text("B", 1, 80, 4.0, 0), as_text("W", 1, 90, -55))
    assert battery.battery == pytest.approx(0.8)
    assert signal.signal == -55


def test_a_sensor_that_sends_no_quaternions_has_its_orientation_computed():
    pytest.importorskip("vqf")
    sent = [as_text("I", n * 10_000, 0, 0, 0, 0, 1, 0) for n in range(400)]
    samples = samples_of(*sent)
    assert len(samples) == 350
    up = quaternion.rotate(samples[-1].world_from_sensor, np.array([0.0, 1, 0]))
    np.testing.assert_allclose(up, [0, 0, 1], atol=1e-2)
    np.testing.assert_allclose(samples[-1].acceleration, 0, atol=0.1)


def test_over_a_wire_it_is_named_by_its_serial_number_and_no_message_is_lost():
    sent = [as_text("Q", n * 10_000, *LEVEL) for n in range(20)]
    answer = b'{"ping":{"interface":"USB","name":"Pelvis","sn":"64F0EDBF"}}\r\n'
    samples = samples_of(*sent[:10], answer, *sent[10:], asks=True)
    assert [sample.tracker for sample in samples] == ["ximu3 64F0EDBF"] * 20
    assert [sample.arrival for sample in samples[:10]] == pytest.approx(np.arange(10) / 100)


def test_one_that_does_not_answer_is_named_by_its_port_after_a_second():
    sent = [as_text("Q", n * 10_000, *LEVEL) for n in range(200)]
    samples = samples_of(*sent, asks=True)
    assert [sample.tracker for sample in samples] == ["ximu3 port"] * 200


@pytest.mark.parametrize(
    "answer", [b"{", b"[]", b'{"ping":1}', b'{"ping":{"sn":7}}', b'{"ping":{"sn":""}}', b"{" * 900]
)
def test_what_is_no_answer_names_nothing(answer):
    assert parse_ping(answer) is None


def test_real_messages_over_a_port_become_the_log_again(data, tmp_path):
    """Text at the log's own numbers through a pseudo-terminal: all of it, level where it stood."""
    pytest.importorskip("serial")
    folder = data(PELVIS) / FOLDER
    sensor = PtySensor(tmp_path)
    with SerialLines(sensor.port, Ximu3Decoder(asks=True), kind="x-IMU3", word="ximu3") as device:
        wait_for(lambda: PING in sensor.read())
        sensor.write(b'\r\n{"ping":{"interface":"USB","name":"Pelvis","sn":"64F0EDBF"}}\r\n')
        thread = threading.Thread(
            target=lambda: [sensor.write(as_text(*m[:2], *m[2])) for m in messages(folder)]
        )
        thread.start()
        thread.join()
        quaternions = column_rows(folder / "Quaternion.csv")
        wait_for(
            lambda: device.trackers() and device.trackers()[0].received >= len(quaternions) - 1
        )
        samples, (state,) = device.take(), device.trackers()
    sensor.close()
    assert state.tracker == "ximu3 64F0EDBF"
    assert state.note == ""
    n = len(samples)
    np.testing.assert_allclose(
        [s.device_time for s in samples], quaternions[:n, 0] * 1e-6, atol=1e-9
    )
    found = np.array([s.world_from_sensor for s in samples])
    expected = quaternion.normalised(quaternions[:n, 1:])
    assert np.degrees(quaternion.angle(found, expected)).max() < 0.02  # four decimal places
    # The first second: the pelvis stands, so its linear acceleration is small and gravity is gone.
    still = np.array([s.acceleration for s in samples[:50]])
    assert np.abs(still).max() < 0.5


def test_several_sensors_send_to_one_udp_port_as_bytes(data):
    folder = data(PELVIS) / FOLDER
    sent = messages(folder)[:400]
    with (
        UdpLines(Ximu3Decoder(asks=False), port=0, kind="x-IMU3", word="ximu3") as device,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one,
    ):
        for first in range(0, 400, 4):
            datagram = b"".join(as_bytes(*m[:2], *m[2]) for m in sent[first : first + 4])
            one.sendto(datagram, device.address)
        quaternions = [message for message in sent if message[0] == "Q"]
        wait_for(
            lambda: device.trackers() and device.trackers()[0].received >= len(quaternions) - 1
        )
        (state,) = device.trackers()
    assert (state.tracker, state.kind, state.note) == ("ximu3 127.0.0.1", "x-IMU3", "")


def peer_values(tmp_path, content):
    """What the maker's package reads of messages, by letter: (microseconds, values)."""
    ximu3 = pytest.importorskip("ximu3")
    path = tmp_path / "log.ximu3"
    path.write_bytes(content)
    found = []
    connection = ximu3.Connection(ximu3.FileConnectionConfig(str(path)))
    axes = ("x", "y", "z")
    names = {
        "quaternion": ("Q", ("w", *axes)),
        "inertial": ("I", tuple(f"{s}_{a}" for s in ("gyroscope", "accelerometer") for a in axes)),
        "magnetometer": ("M", axes),
        "battery": ("B", ("percentage", "voltage")),
        "rssi": ("W", ("percentage", "power")),
        "temperature": ("T", ("temperature",)),
        "high_g_accelerometer": ("H", axes),
        "linear_acceleration": ("L", axes),
        "earth_acceleration": ("E", axes),
    }

    def reader(letter, fields):
        return lambda m: found.append((letter, m.timestamp, tuple(getattr(m, f) for f in fields)))

    callbacks = [reader(letter, fields) for letter, fields in names.values()]
    for name, callback in zip(names, callbacks, strict=True):
        getattr(connection, f"add_{name}_callback")(callback)
    done = threading.Event()
    if hasattr(connection, "add_end_of_file_callback"):
        connection.add_end_of_file_callback(lambda *_: done.set())
    connection.open()
    expected = content.count(b"\n")
    wait_for(lambda: len(found) >= expected)
    connection.close()
    return found


@pytest.mark.parametrize("write", [as_text, as_bytes])
def test_messages_are_read_as_the_makers_own_package_reads_them(tmp_path, write):
    rng = np.random.default_rng(3)
    counts = {"Q": 4, "I": 6, "M": 3, "B": 3, "W": 2, "T": 1, "H": 3, "L": 3, "E": 3}
    content, ours = b"", []
    for n in range(200):
        letter = rng.choice(list(counts))
        values = np.round(rng.normal(0, 10, counts[letter]), 4)
        message = write(letter, int(rng.integers(0, 2**40)) + n, *values)
        content += message
        read = parse_message(message[:-1])
        ours.append((letter, read.time, read.values))
    theirs = peer_values(tmp_path, content)
    assert len(theirs) == 200
    for (letter, time, values), (peer_letter, microseconds, peer_numbers) in zip(
        ours, theirs, strict=True
    ):
        assert letter == peer_letter
        assert time == pytest.approx(microseconds * 1e-6, abs=1e-9)
        assert values[: len(peer_numbers)] == pytest.approx(peer_numbers, rel=1e-6)


def test_floats_are_little_endian():
    assert as_bytes("T", 1, 25.0)[-5:-1] == struct.pack("<f", 25.0)
