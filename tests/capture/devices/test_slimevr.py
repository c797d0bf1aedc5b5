"""The SlimeVR protocol byte by byte: what trackers send, what the server answers."""

import contextlib
import random
import socket
import struct
import time

import numpy as np
import pytest

from pallas.capture.devices.receiver import UdpReceiver
from pallas.capture.devices.slimevr import SlimeVr
from pallas.capture.devices.slimevr_packets import (
    Acceleration,
    Battery,
    Features,
    Handshake,
    Rotation,
    SensorInfo,
    Signal,
    parse_packet,
)
from pallas.rig import quaternion
from pallas.rig.errors import DeviceError

MAC = bytes.fromhex("aabbccddee01")
NAME = "slimevr AA:BB:CC:DD:EE:01"
BOARD = ("192.168.1.31", 6969)
HALF = np.sqrt(0.5)
TURNED = (0.0, 0.0, HALF, HALF)  # x, y, z, w: a quarter turn about z


def packet(kind, number, body=b""):
    return struct.pack(">iq", kind, number) + body


def handshake(protocol=22, mac=MAC, firmware=b"0.7.0"):
    body = struct.pack(">7i", 4, 4, 2, 0, 0, 0, protocol)
    return packet(3, 0, body + bytes([len(firmware)]) + firmware + mac)


def rotation_body(sensor=0, xyzw=TURNED, kind=1):
    return struct.pack(">BB4fB", sensor, kind, *xyzw, 3)


def acceleration_body(sensor=0, xyz=(1.0, 0.0, 0.0)):
    return struct.pack(">3fB", *xyz, sensor)


def both_body(sensor=0):
    half = round(HALF * 2**15)
    return struct.pack(">B7h", sensor, 0, 0, half, half, 128, -256, 64)


def bundle(number, *parts):
    inner = b"".join(struct.pack(">Hi", len(body) + 4, kind) + body for kind, body in parts)
    return packet(100, number, inner)


def compact_bundle(number, *parts):
    inner = b"".join(bytes([len(body) + 1, kind]) + body for kind, body in parts)
    return packet(101, number, inner)


@pytest.fixture
def server(monkeypatch):
    """A server that isn't open: what it would send is in `sent`."""

    def make(*arguments, protocol=22, **options):
        device = SlimeVr(*arguments, **options)
        device.sent = []
        device.receive(handshake(protocol), BOARD, 0.0)
        return device

    monkeypatch.setattr(UdpReceiver, "send", lambda self, data, to: self.sent.append((data, to)))
    return make


def test_a_handshake_tells_who_it_is():
    (message,) = parse_packet(handshake(13)).messages
    assert message == Handshake("AA:BB:CC:DD:EE:01", 13, "0.7.0")
    assert parse_packet(packet(3, 0)).messages == (Handshake("", 0, ""),)  # as old apps send it


def test_rotations_are_read_and_their_order_turned():
    (message,) = parse_packet(packet(17, 5, rotation_body(2))).messages
    assert isinstance(message, Rotation)
    assert message.sensor == 2
    np.testing.assert_allclose(message.world_from_sensor, [HALF, 0, 0, HALF])
    assert parse_packet(packet(17, 5, rotation_body(kind=2))).messages == ()  # a correction


def test_what_makes_no_sense_is_missing():
    nothing = parse_packet(packet(17, 1, rotation_body(xyzw=(0, 0, 0, 0)))).messages[0]
    infinite = parse_packet(packet(17, 1, rotation_body(xyzw=(np.inf, 0, 0, 1)))).messages[0]
    unknown = parse_packet(packet(4, 1, acceleration_body(xyz=(np.nan, 0, 0)))).messages[0]
    assert np.isnan(nothing.world_from_sensor).all()
    assert np.isnan(infinite.world_from_sensor).all()
    assert np.isnan(unknown.acceleration).all()


def test_the_packet_with_both_is_scaled():
    turn, push = parse_packet(packet(23, 7, both_body(1))).messages
    assert isinstance(push, Acceleration)
    assert (turn.sensor, push.sensor) == (1, 1)
    np.testing.assert_allclose(turn.world_from_sensor, [HALF, 0, 0, HALF], atol=1e-4)
    np.testing.assert_array_equal(push.acceleration, [1.0, -2.0, 0.5])


def test_state_packets_are_read():
    assert parse_packet(packet(12, 1, struct.pack(">ff", 3.9, 0.75))).messages == (Battery(0.75),)
    assert parse_packet(packet(12, 1, struct.pack(">f", 0.5))).messages == (Battery(0.5),)
    assert parse_packet(packet(12, 1, struct.pack(">ff", 3.9, 75.0))).messages == ()
    assert parse_packet(packet(15, 1, b"\x01\x01\x04")).messages == (SensorInfo(1, 1),)
    assert parse_packet(packet(19, 1, b"\xff\xd3")).messages == (Signal(255, -45),)
    assert parse_packet(packet(22, 1, b"\x00")).messages == (Features(),)
    assert parse_packet(packet(0, 9)).messages == ()


@pytest.mark.parametrize("bundled", [bundle, compact_bundle])
def test_bundles_hold_packets_without_numbers(bundled):
    read = parse_packet(
        bundled(8, (17, rotation_body(0)), (4, acceleration_body(0)), (17, rotation_body(1)))
    )
    assert read.number == 8
    assert [type(message) for message in read.messages] == [Rotation, Acceleration, Rotation]


@pytest.mark.parametrize(
    "datagram",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"hello", id="no header"),
        pytest.param(packet(17, 1, b"\0\0"), id="a rotation cut off"),
        pytest.param(packet(4, 1, b"\0" * 11), id="an acceleration cut off"),
        pytest.param(packet(100, 1, b"\x00\xff\x00"), id="a bundle cut off"),
        pytest.param(packet(100, 1, b"\x00"), id="half a length"),
        pytest.param(packet(100, 1, b"\x00\x02\x00\x11"), id="half a kind"),
        pytest.param(packet(101, 1, b"\x05\x11"), id="a compact bundle cut off"),
    ],
)
def test_what_was_cut_off_is_refused_in_one_line(datagram):
    with pytest.raises(DeviceError, match=r"^[^\n]+$"):
        parse_packet(datagram)


def test_a_handshake_is_answered_and_features_and_sensors_too(server):
    device = server()
    device.receive(packet(22, 0, b"\0"), BOARD, 0.1)
    device.receive(packet(15, 1, b"\x00\x01\x04"), BOARD, 0.1)
    answer, features, seen = (data for data, _ in device.sent)
    assert answer == b"\x03Hey OVR =D 5" + bytes(51)
    assert features == bytes.fromhex("00000016000000000000000003")
    assert seen == bytes.fromhex("0000000f0001")
    assert {to for _, to in device.sent} == {BOARD}


def test_heartbeats_and_pings_every_half_second_while_the_tracker_is_there(server):
    device = server()
    device.sent.clear()
    for tenth in range(31):
        device.receive(packet(0, tenth), BOARD, tenth / 10)
        device.tick(tenth / 10)
    kinds = [struct.unpack(">i", data[:4])[0] for data, _ in device.sent]
    assert kinds.count(1) == kinds.count(10) == 7
    device.sent.clear()
    for tenth in range(31, 400):
        device.tick(tenth / 10)
    last = 3.0 + 10.0
    assert len(device.sent) == pytest.approx(2 * (last - 3.0) / 0.5, abs=2)


@pytest.mark.parametrize(
    ("protocol", "world"),
    [
        # Measured along the sensor's own x; the sensor is turned by a quarter, so x is the world's y.
        pytest.param(22, [0.0, 1.0, 0.0], id="new"),
        # Before 22 the acceleration is a quarter turn ahead: its x is the sensor's -y, the world's x.
        pytest.param(21, [1.0, 0.0, 0.0], id="old"),
        pytest.param(13, [1.0, 0.0, 0.0], id="older"),
    ],
)
def test_accelerations_are_turned_into_the_world(server, protocol, world):
    device = server(protocol=protocol)
    device.receive(bundle(1, (17, rotation_body()), (4, acceleration_body())), BOARD, 0.1)
    (sample,) = device.take()
    np.testing.assert_allclose(sample.acceleration, world, atol=1e-7)


def test_apart_a_rotation_takes_the_newest_acceleration_while_it_is_new(server):
    device = server()
    device.receive(packet(17, 1, rotation_body()), BOARD, 0.10)
    device.receive(packet(4, 2, acceleration_body()), BOARD, 0.10)
    device.receive(packet(17, 3, rotation_body(xyzw=(0, 0, 0, 1))), BOARD, 0.11)
    device.receive(packet(17, 4, rotation_body()), BOARD, 0.50)
    before, after, late = device.take()
    assert np.isnan(before.acceleration).all()
    # In the world by the rotation that it was measured with, not by the one that it came before.
    np.testing.assert_allclose(after.acceleration, [0.0, 1.0, 0.0], atol=1e-7)
    assert np.isnan(late.acceleration).all()


def test_every_sensor_of_a_tracker_is_one_of_its_own(server):
    device = server()
    device.receive(compact_bundle(1, (23, both_body(0)), (23, both_body(1))), BOARD, 0.1)
    device.receive(packet(12, 2, struct.pack(">ff", 3.9, 0.5)), BOARD, 0.1)
    device.receive(packet(19, 3, b"\x01\xd3"), BOARD, 0.1)
    samples = device.take()
    assert [sample.tracker for sample in samples] == [f"{NAME}/0", f"{NAME}/1"]
    assert np.isnan(samples[0].device_time)  # the protocol has no clock
    assert [sample.sequence for sample in samples] == [1, 1]
    states = device.trackers()
    assert [state.battery for state in states] == [0.5, 0.5]
    assert [state.signal for state in states] == [None, -45.0]


def test_the_trackers_own_count_tells_losses(server):
    device = server()
    for number in (1, 2, 4, 4, 3, 7):
        device.receive(packet(23, number, both_body()), BOARD, 0.01 * number)
    (state,) = device.trackers()
    assert (state.received, state.lost, state.duplicated, state.reordered) == (5, 2, 1, 1)


def test_a_tracker_that_was_restarted_is_the_same_and_loses_nothing(server):
    device = server()
    for number in range(1, 50):
        device.receive(packet(23, number, both_body()), BOARD, 0.01 * number)
    device.receive(
        handshake(), ("192.168.1.99", 5000), 5.0
    )  # another address: it was given a new one
    for number in range(1, 50):
        device.receive(packet(23, number, both_body()), ("192.168.1.99", 5000), 5.0 + 0.01 * number)
    (state,) = device.trackers()
    assert (state.received, state.lost, state.duplicated) == (98, 0, 0)
    assert state.address == "192.168.1.99:5000"


def test_losses_of_before_a_restart_stay_counted(server):
    device = server()
    for number in (1, 2, 5):
        device.receive(packet(23, number, both_body()), BOARD, 0.01 * number)
    device.receive(handshake(), BOARD, 5.0)
    for number in (0, 1, 2):
        device.receive(packet(23, number, both_body()), BOARD, 5.1 + 0.01 * number)
    (state,) = device.trackers()
    assert (state.received, state.lost) == (6, 2)


def test_nobody_takes_over_a_tracker_that_is_there(server):
    device = server()
    device.receive(packet(23, 1, both_body()), BOARD, 0.5)
    device.sent.clear()
    device.receive(handshake(), ("192.168.1.66", 6969), 0.6)
    device.receive(packet(23, 2, both_body()), ("192.168.1.66", 6969), 0.7)
    assert device.sent == []
    assert len(device.take()) == 1
    assert "another sender" in device.trackers()[0].note


def test_beyond_loopback_only_paired_trackers_are_answered(server):
    device = server("0.0.0.0")
    device.receive(packet(23, 1, both_body()), BOARD, 0.1)
    assert device.sent == []
    assert device.take() == []
    (state,) = device.trackers()
    assert (state.tracker, state.paired, state.note) == (f"{NAME}/0", False, "waits to be paired")
    device.pair(f"{NAME}/0")
    device.receive(handshake(), BOARD, 1.0)
    device.receive(packet(23, 1, both_body()), BOARD, 1.1)
    assert len(device.sent) == 1
    assert len(device.take()) == 1
    assert device.trackers()[0].note == ""


def test_a_named_second_sensor_is_enough_to_answer_its_tracker(server):
    device = server("0.0.0.0", paired=frozenset({f"{NAME}/1"}))
    device.receive(compact_bundle(1, (23, both_body(0)), (23, both_body(1))), BOARD, 0.1)
    assert [sample.tracker for sample in device.take()] == [f"{NAME}/1"]


def test_who_never_shook_hands_is_not_heard(server):
    device = server()
    device.receive(packet(23, 1, both_body()), ("192.168.1.66", 6969), 0.1)
    assert device.take() == []


def test_an_error_of_a_sensor_is_told(server):
    device = server()
    device.receive(packet(15, 1, b"\x00\x02\x04"), BOARD, 0.1)
    assert "has an error" in device.trackers()[0].note


def test_a_hostile_crowd_pushes_out_no_tracker_that_is_there(server):
    device = server()
    for number in range(1, 3):
        device.receive(packet(23, number, both_body()), BOARD, 0.1)
    for stranger in range(3000):
        mac = bytes([2, 0, 0, 0, *divmod(stranger, 256)])
        address = (f"10.0.{stranger // 256}.{stranger % 256}", 6969)
        device.receive(handshake(mac=mac), address, 0.2)
        device.receive(packet(23, 1, both_body(stranger % 256)), address, 0.2)
    for number in range(3, 10):
        device.receive(packet(23, number, both_body()), BOARD, 0.3)
    assert len(device._boards) <= 64
    assert len(device._tallies) <= 64
    (state,) = [state for state in device.trackers() if state.tracker == f"{NAME}/0"]
    assert state.received == 9


def test_a_tracker_connects_over_the_network_and_stays():
    with (
        SlimeVr(port=0) as device,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as tracker,
    ):
        tracker.settimeout(5.0)
        tracker.sendto(handshake(), device.address)
        assert tracker.recv(2000).startswith(b"\x03Hey OVR =D 5")
        kinds = [struct.unpack(">i", tracker.recv(2000)[:4])[0] for _ in range(4)]
        assert sorted(kinds) == [1, 1, 10, 10]
        for number in range(10):
            tracker.sendto(packet(23, number, both_body()), device.address)
        tracker.sendto(b"nonsense", device.address)
        end = time.monotonic() + 5.0
        while not device.trackers()[0].note:
            assert time.monotonic() < end
            time.sleep(0.005)
        samples = device.take()
    assert [sample.sequence for sample in samples] == list(range(10))
    assert quaternion.angle(samples[0].world_from_sensor, np.array([HALF, 0, 0, HALF])) < 1e-3


def test_a_tracker_that_was_connected_a_moment_ago_goes_on_when_the_port_opens_again():
    device = SlimeVr(port=0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as tracker:
        tracker.settimeout(5.0)
        with device:
            tracker.sendto(handshake(), device.address)
            tracker.recv(2000)
        with device:
            tracker.sendto(packet(23, 500, both_body()), device.address)
            end = time.monotonic() + 5.0
            while not (samples := device.take()):
                assert time.monotonic() < end
                time.sleep(0.005)
            (state,) = device.trackers()
    assert len(samples) == 1
    assert state.lost == 0  # nobody listened to what was sent in between


def test_a_tracker_still_connects_after_a_flood_of_anything():
    rng = random.Random(1)
    junk = [rng.randbytes(rng.randrange(1500)) for _ in range(100)]
    junk += [handshake(mac=rng.randbytes(6)) for _ in range(100)] + [
        packet(23, 1, both_body())
    ] * 10
    with SlimeVr(port=0) as device, contextlib.ExitStack() as stack:
        crowd = [
            stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(20)
        ]
        for number in range(5000):
            crowd[number % 20].sendto(rng.choice(junk), device.address)
        tracker = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        tracker.settimeout(0.5)
        for _ in range(40):  # as trackers do: again and again until the server answers
            tracker.sendto(handshake(), device.address)
            with contextlib.suppress(TimeoutError):
                assert tracker.recv(2000).startswith(b"\x03Hey OVR =D 5")
                break
        tracker.sendto(packet(23, 1, both_body()), device.address)
        end = time.monotonic() + 10.0
        samples = []
        while f"{NAME}/0" not in {sample.tracker for sample in samples}:
            assert time.monotonic() < end
            samples += device.take()
            time.sleep(0.005)
        assert device.error is None
        assert len(device.trackers()) <= 64
        assert len(device._boards) <= 64
