"""Whatever is sent, parsers give a value or a `PallasError`, and devices go on.

With PALLAS_FUZZ=100000 that many inputs, not hypothesis' but made quickly, go through every parser: half a
minute.
"""

import itertools
import json

import numpy as np
import pytest
from fuzzing import FUZZED, damaged, quickly_damaged
from hypothesis import given
from hypothesis import strategies as st
from ximu3_logs import as_bytes, as_text

from pallas.capture.devices.column_decoder import ColumnDecoder
from pallas.capture.devices.column_template import parse_template
from pallas.capture.devices.lines import LineSplitter
from pallas.capture.devices.opening import KINDS, open_device
from pallas.capture.devices.phone_decoder import PhoneDecoder
from pallas.capture.devices.phone_server import SensorLogger
from pallas.capture.devices.sensor_logger import parse_phone_message
from pallas.capture.devices.text_columns import parse_line
from pallas.capture.devices.udp_text import UdpLines
from pallas.capture.devices.ximu3 import parse_message, parse_ping
from pallas.capture.devices.ximu3_decoder import Ximu3Decoder
from pallas.capture.devices.ximu3_log import read_ximu3_log
from pallas.rig import PallasError
from pallas.rig.errors import DeviceError, FormatError

SENDER = ("127.0.0.1", 1)
QUATERNION = "id,t[us],count,qw,qx,qy,qz,ax[g],ay[g],az[g],battery[%]"
RAW = "id t gx[dps] gy gz ax ay az mx my mz"
LINES = (
    b"left,1000,7,1,0,0,0,0.1,0,1,80",
    b"left,1000,7,0.70710678,0.70710678,0,0,,,,80\r",
    b"nan,nan,0,nan,nan,nan,nan,nan,nan,nan,nan",
)
RAW_LINES = (b"left 1.5 10 0 0 0 0 9.8 0 20 -40", b"right 2 0 0 0 0 9.8 0 nan nan nan")
MESSAGES = (
    as_text("Q", 1000, 1, 0, 0, 0)[:-1],
    as_text("I", 1000, 1, 2, 3, 0, 0, 1)[:-1],
    as_text("L", 1000, 1, 0, 0, 0, 0, 0, 1)[:-1],
    as_text("E", 1000, 0, 0, 1)[:-1],
    as_text("B", 1000, 80, 4, 0)[:-1],
    as_bytes("Q", 1000, 1, 0, 0, 0)[:-1],
    as_bytes("I", 0xDB0A, 1, 2, 3, 0, 0, 1)[:-1],
    as_bytes("W", 1000, 80, -55)[:-1],
    b'{"ping":{"interface":"USB","name":"a","sn":"64F0EDBF"}}',
)
PHONE = json.dumps(
    {
        "messageId": 3,
        "sessionId": "s",
        "deviceId": "ABC",
        "payload": [
            {"name": "gravity", "time": 1, "values": {"x": 0, "y": 0, "z": -9.8}},
            {"name": "orientation", "time": 1, "values": {"qw": 1, "qx": 0, "qy": 0, "qz": 0}},
            {"name": "accelerometer", "time": "1", "x": 1, "y": 2, "z": 3},
            {"name": "battery", "time": 1, "values": {"batteryLevel": 0.5}},
        ],
    }
).encode()


def as_string(content):
    return content.decode("utf-8", "replace")


def check(samples):
    """Orientations are unit or missing, accelerations of sensible size or missing, names are short."""
    for sample in samples:
        length = np.linalg.norm(sample.world_from_sensor)
        assert np.isnan(length) or abs(length - 1) < 1e-6
        size = np.abs(sample.acceleration).max()
        assert np.isnan(size) or size < 1e8
        assert len(sample.tracker) < 150
        assert sample.tracker.isprintable()


def outcome(read, *arguments, allowed=PallasError):
    """What a parser gives; None for an error of the allowed kind, which says something in one line."""
    try:
        return read(*arguments)
    except allowed as error:
        assert str(error)
        assert "\n" not in str(error)
        return None


@FUZZED
@given(text=damaged(QUATERNION.encode(), RAW.encode(), b"t[us/2];qw;qx;qy;qz").map(as_string))
def test_any_template_is_one_or_is_told(text):
    template = outcome(parse_template, text, allowed=DeviceError)
    if template is not None:
        assert template.has("qw") or template.has("gx")


@FUZZED
@given(line=damaged(*LINES))
def test_any_line_is_a_reading_or_is_told(line):
    outcome(parse_line, parse_template(QUATERNION), line, allowed=FormatError)


@FUZZED
@given(lines=st.lists(damaged(*LINES), min_size=1, max_size=20))
def test_any_lines_with_quaternions_become_sound_samples(lines):
    decoder = ColumnDecoder(parse_template(QUATERNION), "udp")
    for n, line in enumerate(lines):
        for heard in outcome(decoder.read, line, "host", n / 100, allowed=FormatError) or ():
            check(heard.samples)


@FUZZED
@given(lines=st.lists(damaged(*RAW_LINES), min_size=1, max_size=40))
def test_any_lines_with_raw_readings_become_sound_samples(lines):
    pytest.importorskip("vqf")
    decoder = ColumnDecoder(parse_template(RAW), "udp", magnetometer=True)
    for n, line in enumerate(lines * 3):
        for heard in outcome(decoder.read, line, "host", n / 100, allowed=FormatError) or ():
            check(heard.samples)


@FUZZED
@given(line=damaged(*MESSAGES))
def test_any_bytes_are_a_message_of_an_ximu3_or_are_told(line):
    outcome(parse_message, line, allowed=FormatError)
    number = parse_ping(line)
    assert number is None or number.isprintable()


@FUZZED
@given(lines=st.lists(damaged(*MESSAGES), min_size=1, max_size=40), asks=st.booleans())
def test_any_messages_of_an_ximu3_become_sound_samples(lines, asks):
    decoder = Ximu3Decoder(asks)
    for n, line in enumerate(lines * 3):
        for heard in outcome(decoder.read, line, "port", n / 50, allowed=FormatError) or ():
            check(heard.samples)
            assert heard.battery is None or 0 <= heard.battery <= 1


@FUZZED
@given(bodies=st.lists(damaged(PHONE), min_size=1, max_size=4), apple=st.booleans())
def test_any_bodies_of_phones_become_sound_samples(bodies, apple):
    decoder = PhoneDecoder("ios" if apple else "auto")
    for body in bodies:
        message = outcome(parse_phone_message, body, allowed=FormatError)
        for heard in decoder.read(message, 0.0) if message else ():
            check(heard.samples)


@FUZZED
@given(pieces=st.lists(damaged(*(line + b"\n" for line in LINES + MESSAGES)), max_size=20))
def test_a_stream_of_anything_is_split_and_never_kept(pieces):
    splitter = LineSplitter(whole=False, longest=256)
    for piece in pieces:
        assert all(b"\n" not in line for line in splitter.split(piece))
        assert len(splitter._rest) <= 256


@FUZZED
@given(datagrams=st.lists(damaged(b"\n".join(LINES)), min_size=1, max_size=5))
def test_a_device_goes_on_after_any_datagram(datagrams):
    device = UdpLines(ColumnDecoder(parse_template(QUATERNION), "udp"))
    for n, datagram in enumerate(datagrams):
        device.receive(datagram, SENDER, n / 10)
    device.receive(b"\nlast,1,0,1,0,0,0,0,0,1,50", SENDER, 9.0)
    samples = device.take()
    check(samples)
    assert samples[-1].tracker == "udp 127.0.0.1/last"
    assert len(device.trackers()) <= 64


@FUZZED
@given(bodies=st.lists(damaged(PHONE), min_size=1, max_size=4))
def test_a_phone_server_goes_on_after_any_body(bodies):
    device = SensorLogger()
    for body in bodies:
        device.receive(body, "127.0.0.1")
    last = json.loads(PHONE) | {"deviceId": "last", "messageId": 0}
    assert device.receive(json.dumps(last).encode(), "127.0.0.1")
    samples = device.take()
    check(samples)
    assert samples[-1].tracker == "phone last"


@FUZZED
@given(spec=damaged(*(kind.example.encode() for kind in KINDS.values())).map(as_string))
def test_any_spec_is_a_device_or_is_told(spec):
    device = outcome(open_device, spec, allowed=DeviceError)
    assert device is None or device.name


ROWS = b"Timestamp (us),W,X,Y,Z\n" + b"".join(b"%d,1,0,0,0\n" % (n * 20_000) for n in range(5))


@FUZZED
@given(rows=damaged(ROWS))
def test_any_file_of_an_ximu3_log_is_samples_or_is_told(tmp_path, rows):
    (tmp_path / "Quaternion.csv").write_bytes(rows)
    log = outcome(read_ximu3_log, tmp_path)
    check(log.samples() if log else ())


def decode_lines(decoder, source):
    """Reads lines one after the other as one decoder does, and checks what they become."""
    arrivals = itertools.count()

    def read(line):
        for heard in decoder.read(line, source, next(arrivals) / 100):
            check(heard.samples)

    return read


def decode_phones(decoder):
    def read(body):
        for heard in decoder.read(parse_phone_message(body), 0.0):
            check(heard.samples)

    return read


def raw_decoder():
    pytest.importorskip("vqf")
    return ColumnDecoder(parse_template(RAW), "udp", magnetometer=True)


PARSERS = {
    "templates": (
        lambda: lambda b: parse_template(as_string(b)),
        (QUATERNION.encode(), RAW.encode()),
    ),
    "lines": (lambda: decode_lines(ColumnDecoder(parse_template(QUATERNION), "udp"), "h"), LINES),
    "raw lines": (lambda: decode_lines(raw_decoder(), "h"), RAW_LINES),
    "x-IMU3 by UDP": (lambda: decode_lines(Ximu3Decoder(asks=False), "h"), MESSAGES),
    "x-IMU3 by wire": (lambda: decode_lines(Ximu3Decoder(asks=True), "p"), MESSAGES),
    "phones": (lambda: decode_phones(PhoneDecoder()), (PHONE,)),
    "specs": (
        lambda: lambda b: open_device(as_string(b)),
        tuple(kind.example.encode() for kind in KINDS.values()),
    ),
}


@pytest.mark.parametrize("name", PARSERS)
def test_very_many_inputs_give_a_value_or_an_error(name):
    make, valid = PARSERS[name]
    read = make()
    for content in quickly_damaged(valid, seed=name):
        outcome(read, content)
