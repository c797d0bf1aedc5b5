"""Whatever datagrams are sent, parsers give a value or a `PallasError`, and devices go on.

With PALLAS_FUZZ=100000 that many inputs, not hypothesis' but made quickly, go through every parser and the
device behind it:

    PALLAS_FUZZ=100000 make test ARGS="tests/capture/devices/test_fuzz_packets.py"
"""

import json
import random
import struct
import tracemalloc

import lz4.frame
import numpy as np
import pytest
from fuzzing import FUZZED, damaged, quickly_damaged
from hypothesis import given
from hypothesis import strategies as st

from pallas.capture.devices.mocopi import Mocopi
from pallas.capture.devices.mocopi_packets import parse_mocopi
from pallas.capture.devices.movella_dot import MovellaDot
from pallas.capture.devices.movella_payloads import parse_movella
from pallas.capture.devices.osc import format_osc_bundle, format_osc_message, parse_osc
from pallas.capture.devices.rokoko import Rokoko
from pallas.capture.devices.rokoko_packets import parse_rokoko, rokoko_bones
from pallas.capture.devices.samples import PoseSample
from pallas.capture.devices.slimevr import SlimeVr
from pallas.capture.devices.slimevr_packets import parse_packet
from pallas.capture.devices.threaded import LONGEST_QUEUE, MOST_TRACKERS
from pallas.capture.devices.vmc import VmcReceiver
from pallas.capture.devices.vmc_sender import vmc_messages
from pallas.capture.devices.xsens import XsensMvn
from pallas.capture.devices.xsens_packets import parse_xsens, split_stream
from pallas.rig import PallasError, body_skeleton, quaternion

SENDER = ("127.0.0.1", 1)
STILL = np.tile(quaternion.IDENTITY, (24, 1))


def slimevr(kind, body=b""):
    return struct.pack(">iq", kind, 7) + body


def xsens(kind, size, ids, counter=0x80):
    items = b"".join(struct.pack(f">i{size}f", i, *range(size)) for i in ids)
    return (
        struct.pack(">4s2sIBBIBBBBHH", b"MXTP", b"%02d" % kind, 5, counter, len(ids), 9, *[0] * 6)
        + items
    )


def box(name, content):
    return struct.pack("<I4s", len(content), name) + content


def mocopi_bone(kind, i):
    told = box(b"bnid", struct.pack("<H", i))
    if kind == b"bndt":
        told += box(b"pbid", struct.pack("<H", max(i - 1, 0) if i else 0xFFFF))
    return box(kind, told + box(b"tran", struct.pack("<7f", 0, 0, 0, 1, 0, 0.1, 0)))


def rokoko(written=json.dumps):
    turn = {"position": {"x": 0, "y": 1, "z": 0.5}, "rotation": {"x": 0, "y": 0, "z": 0, "w": 1}}
    body = dict.fromkeys(list(rokoko_bones())[:6], turn)
    scene = {"timestamp": 1.5, "actors": [{"name": "Anna", "body": body}]}
    return written({"version": "3,0", "scene": scene}).encode()


ROTATION, ACCELERATION = (
    struct.pack(">BB4fB", 0, 1, 0, 0, 0.6, 0.8, 0),
    struct.pack(">3fB", 1, 2, 3, 0),
)
HANDSHAKE = struct.pack(">7i", 1, 1, 1, 0, 0, 0, 13) + b"\x03abc" + bytes(range(1, 7))
BONES = vmc_messages(body_skeleton(), STILL, np.zeros(3), 0.5)
VALID = {
    "slimevr": (
        slimevr(3, HANDSHAKE),
        slimevr(17, ROTATION),
        slimevr(4, ACCELERATION),
        slimevr(23, struct.pack(">B7h", 1, *range(7))),
        slimevr(12, struct.pack(">ff", 3.9, 0.5)),
        slimevr(15, b"\0\1\2"),
        slimevr(19, b"\xff\xd3"),
        slimevr(22, b"\0"),
        slimevr(
            100, struct.pack(">Hi", 23, 17) + ROTATION + struct.pack(">Hi", 17, 4) + ACCELERATION
        ),
        slimevr(101, b"\x14\x11" + ROTATION + b"\x0e\x04" + ACCELERATION),
    ),
    "osc": (
        format_osc_bundle(BONES[:8]),
        format_osc_bundle([BONES[1], format_osc_bundle(BONES[3:6])]),
        *BONES[:6],
        format_osc_message("/VMC/Ext/Bone/Pos", "Hips", 1e30, 2, 3, 0, 0, 0, 0),
        b"/a\0\0,bdhTFN[]\0\0\0" + bytes(40),
    ),
    "xsens": (
        xsens(2, 7, range(1, 24)),
        xsens(2, 7, range(1, 9), 0),
        xsens(2, 7, range(9, 24), 0x81),
        xsens(23, 10, (1, 5, 15)),
        xsens(1, 6, (1, 2)),
    ),
    "mocopi": (
        box(b"head", b"x")
        + box(b"skdf", box(b"bons", b"".join(mocopi_bone(b"bndt", i) for i in range(27)))),
        box(
            b"fram",
            box(b"fnum", b"\1\0\0\0")
            + box(b"uttm", struct.pack("<d", 1.7e9))
            + box(b"btrs", b"".join(mocopi_bone(b"btdt", i) for i in range(27))),
        ),
    ),
    "rokoko": (rokoko(), lz4.frame.compress(rokoko())),
    "movella": (
        struct.pack("<I10f", 1000, 1, *range(9)),
        struct.pack("<I10f", 2**32 - 1, *[1e38] * 10),
    ),
}
PARSERS = {
    "slimevr": parse_packet,
    "osc": parse_osc,
    "xsens": parse_xsens,
    "mocopi": parse_mocopi,
    "rokoko": parse_rokoko,
    "movella": parse_movella,
}
DEVICES = {
    "slimevr": SlimeVr,
    "osc": VmcReceiver,
    "xsens": XsensMvn,
    "mocopi": Mocopi,
    "rokoko": Rokoko,
}


def check(samples):
    """Orientations are unit or missing, accelerations and places sensible or missing, names short."""
    for sample in samples:
        pose = isinstance(sample, PoseSample)
        rotations = sample.rotations if pose else sample.world_from_sensor
        lengths = np.linalg.norm(rotations, axis=-1)
        assert (np.isnan(lengths) | (np.abs(lengths - 1) < 1e-6)).all()
        sizes = np.abs(sample.heads if pose else sample.acceleration)
        assert (np.isnan(sizes) | (sizes < 1e9)).all()
        name = sample.performer if pose else sample.tracker
        assert len(name) < 100
        assert name.isprintable()
        if pose:
            assert np.isfinite(sample.bones.heads).all()
            assert len(sample.bones) == len(rotations)


def outcome(read, *arguments):
    """What a parser gives; None for an error, which says something in one line."""
    try:
        return read(*arguments)
    except PallasError as error:
        assert str(error)
        assert "\n" not in str(error)
        return None


def bounded(device):
    assert len(device._tallies) <= MOST_TRACKERS
    assert len(device._queue) <= LONGEST_QUEUE
    for kept in ("_boards", "_bodies", "_performers", "_heard"):
        assert len(getattr(device, kept, ())) <= MOST_TRACKERS
    assert all(len(state.note) < 300 for state in device.trackers())


@pytest.mark.parametrize("kind", VALID)
def test_any_bytes_are_a_packet_or_are_told(kind):
    @FUZZED
    @given(datagram=damaged(*VALID[kind]))
    def check_parser(datagram):
        outcome(PARSERS[kind], datagram)

    check_parser()


@FUZZED
@given(pieces=st.lists(damaged(*VALID["xsens"]), max_size=8))
def test_any_stream_is_cut_into_packets_and_little_is_kept(pieces):
    rest = b""
    for piece in pieces:
        packets, rest = split_stream(rest + piece)
        assert sum(map(len, packets)) + len(rest) <= sum(map(len, pieces))
        assert all(packet.startswith(b"MXTP") for packet in packets)
        assert len(rest) < 70_000
        for packet in packets:
            outcome(parse_xsens, packet)


@pytest.mark.parametrize("kind", DEVICES)
def test_a_device_goes_on_after_any_datagrams(kind):
    @FUZZED
    @given(datagrams=st.lists(damaged(*VALID[kind]), max_size=6))
    def check_device(datagrams):
        device = DEVICES[kind]()
        for n, datagram in enumerate((*VALID[kind], *datagrams, *VALID[kind], *VALID[kind])):
            outcome(device.receive, datagram, SENDER, n / 60)
            device.tick(n / 60)
        samples = device.take()
        check(samples)
        bounded(device)
        assert samples

    check_device()


@pytest.mark.parametrize("kind", DEVICES)
def test_a_crowd_that_sends_anything_fills_no_memory(kind):
    device = DEVICES[kind]()
    rng = random.Random(1)
    tracemalloc.start()
    try:
        for n in range(600):
            if n == 300:
                before, _ = tracemalloc.get_traced_memory()
            sender = (f"10.{n % 200}.{rng.randrange(256)}.7", rng.randrange(1, 65_536))
            outcome(device.receive, rng.choice(VALID[kind]), sender, n / 1000)
            if n % 100 == 0:
                device.take()
        device.take()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    bounded(device)
    assert after - before < 2_000_000  # bytes


@pytest.mark.parametrize("kind", VALID)
def test_a_hundred_thousand_datagrams_break_nothing(kind):
    device = DEVICES[kind]() if kind in DEVICES else MovellaDot("x")
    read = getattr(device, "receive", None)
    for n, datagram in enumerate(quickly_damaged(VALID[kind], seed=len(kind))):
        if read is None:
            device.notified(datagram)
            outcome(PARSERS[kind], datagram)
        else:
            # From a handful of senders, so that some of what they said before still counts.
            outcome(
                read,
                datagram,
                (f"10.0.0.{n % 5}" if n % 7 else f"10.0.{n % 256}.1", n % 3),
                n / 500,
            )
        if n % 100 == 0:
            check(device.take())
            bounded(device) if read else None
    check(device.take())
