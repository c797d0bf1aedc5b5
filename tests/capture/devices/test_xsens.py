"""MVN's network stream: packets made from a real MVN recording give the recording's pose again."""

import socket
import struct
import time

import numpy as np
import pytest

from pallas.capture.devices.samples import PoseSample, TrackerSample
from pallas.capture.devices.xsens import XsensMvn
from pallas.capture.devices.xsens_packets import FragmentJoiner, parse_xsens, split_stream
from pallas.capture.mvnx import read_mvnx
from pallas.rig import quaternion
from pallas.rig.errors import DeviceError
from pallas.rig.retarget import match_bones

STUDIO = ("127.0.0.1", 4000)
NAMES = [
    *("Pelvis", "L5", "L3", "T12", "T8", "Neck", "Head"),
    *(f"Right{part}" for part in ("Shoulder", "UpperArm", "ForeArm", "Hand")),
    *(f"Left{part}" for part in ("Shoulder", "UpperArm", "ForeArm", "Hand")),
    *(f"Right{part}" for part in ("UpperLeg", "LowerLeg", "Foot", "Toe")),
    *(f"Left{part}" for part in ("UpperLeg", "LowerLeg", "Foot", "Toe")),
]
# x forward, y left, z up of a segment, from the bone's x left, y back, z up.
BONE_FROM_SEGMENT = quaternion.from_axis_angle(np.array([0.0, 0.0, 1.0]), -np.pi / 2)


def packet(kind, rows, sample=1, counter=0x80, milliseconds=500, character=0):
    items = b"".join(struct.pack(f">i{len(row) - 1}f", int(row[0]), *row[1:]) for row in rows)
    header = struct.pack(
        ">4s2sIBBIBBBBHH", b"MXTP", b"%02d" % kind, sample, counter, len(rows), milliseconds,
        character, 23, 0, 0, 0, len(items),
    )  # fmt: skip
    return header + items


def pose_rows(heads, world_from_bone, metres=1.0):
    rotations = quaternion.multiply(world_from_bone, BONE_FROM_SEGMENT)
    return [(place + 1, *(heads[place] / metres), *rotations[place]) for place in range(len(heads))]


@pytest.fixture
def recorded(data):
    """World rotations and heads of a real walk, in the order of MVN's ids."""
    path = next(data("imu/xsens_mvnx").glob("*.mvnx"))
    moving = read_mvnx(path).motion
    order = [moving.skeleton.index(name) for name in NAMES]
    world, heads = moving.world()
    return world[:, order], heads[:, order]


@pytest.mark.parametrize("metres", [1.0, 0.01])
def test_a_recorded_pose_comes_back_whatever_the_unit(recorded, metres):
    world, heads = recorded
    device = XsensMvn()
    frames = range(0, len(world), max(1, len(world) // 5))
    for sample, frame in enumerate(frames):
        rows = pose_rows(heads[frame], world[frame], metres)
        device.receive(packet(2, rows, sample, milliseconds=10 * sample), STUDIO, 0.01 * sample)
    samples = device.take()
    assert len(samples) == len(frames)
    assert len({id(sample.bones) for sample in samples}) == 1
    for sample, frame in zip(samples, frames, strict=True):
        assert isinstance(sample, PoseSample)
        assert sample.performer == "xsens 127.0.0.1/0"
        assert sample.bones.names == tuple(NAMES)
        assert quaternion.angle(sample.rotations, world[frame]).max() < 1e-5
        np.testing.assert_allclose(sample.heads, heads[frame], atol=1e-4)
        assert sample.device_time == pytest.approx(0.01 * sample.sequence)


def test_the_rest_pose_is_a_t_pose_facing_us(recorded):
    world, heads = recorded
    device = XsensMvn()
    device.receive(packet(2, pose_rows(heads[0], world[0])), STUDIO, 0.0)
    (sample,) = device.take()
    rest = dict(zip(sample.bones.names, sample.bones.heads, strict=True))
    assert rest["LeftHand"][0] > 0.5 > -0.5 > rest["RightHand"][0]
    assert rest["LeftHand"][2] == pytest.approx(rest["LeftUpperArm"][2], abs=0.02)
    assert rest["LeftToe"][1] < rest["LeftFoot"][1] - 0.1
    assert 0.0 <= rest["LeftToe"][2] < 0.05
    assert rest["Head"][2] > 1.2
    # The lengths are those of the recording.
    for bone, parent in enumerate(sample.bones.parents):
        if parent >= 0:
            length = np.linalg.norm(sample.bones.heads[bone] - sample.bones.heads[parent])
            assert length == pytest.approx(
                np.linalg.norm(heads[0, bone] - heads[0, parent]), abs=1e-4
            )
    assert match_bones(sample.bones).unmapped == ()


def test_motion_trackers_are_trackers():
    half = np.sqrt(0.5)
    rows = [(1, half, 0, 0, half, 1.0, 2.0, 3.0, 0, 0, 1), (15, 2.0, 0, 0, 0, 0, 0, 0, 0, 0, 1)]
    device = XsensMvn()
    device.receive(packet(23, rows, sample=9, milliseconds=250, character=1), STUDIO, 2.0)
    pelvis, hand = device.take()
    assert isinstance(pelvis, TrackerSample)
    assert (pelvis.tracker, hand.tracker) == (
        "xsens 127.0.0.1/1 Pelvis",
        "xsens 127.0.0.1/1 LeftHand",
    )
    np.testing.assert_allclose(pelvis.world_from_sensor, [half, 0, 0, half], atol=1e-7)
    np.testing.assert_allclose(pelvis.acceleration, [1.0, 2.0, 3.0])  # global already
    np.testing.assert_allclose(hand.world_from_sensor, quaternion.IDENTITY)  # made a unit
    assert (pelvis.device_time, pelvis.sequence, pelvis.arrival) == (0.25, 9, 2.0)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_fragments_are_joined_in_whatever_order_they_come(recorded, order):
    world, heads = recorded
    rows = pose_rows(heads[0], world[0])
    parts = [
        packet(2, rows[:10], counter=0),
        packet(2, rows[10:20], counter=1),
        packet(2, rows[20:], counter=2 | 0x80),
    ]
    device = XsensMvn()
    for place in order:
        assert device.take() == []
        device.receive(parts[place], STUDIO, 0.0)
    (sample,) = device.take()
    np.testing.assert_allclose(sample.heads, heads[0], atol=1e-5)


def test_a_sample_that_lost_a_fragment_is_lost(recorded):
    world, heads = recorded
    rows = pose_rows(heads[0], world[0])
    device = XsensMvn()
    for sample in (1, 2, 3):
        device.receive(packet(2, rows[:10], sample, counter=0), STUDIO, 0.01 * sample)
        if sample != 2:
            device.receive(packet(2, rows[10:], sample, counter=1 | 0x80), STUDIO, 0.01 * sample)
    assert [sample.sequence for sample in device.take()] == [1, 3]
    assert device.trackers()[0].lost == 1


def test_a_hostile_sender_of_fragments_keeps_little_memory():
    joiner = FragmentJoiner()
    for sample in range(1000):
        piece = parse_xsens(
            packet(2, [(1, 0, 0, 0, 1, 0, 0, 0)], sample, 3, character=sample % 256)
        )
        assert joiner.join(("10.0.0.1", sample), piece) is None
    assert len(joiner._kept) <= 32
    with pytest.raises(DeviceError, match="fragment 100"):
        joiner.join("x", parse_xsens(packet(2, [], counter=100)))


def test_only_the_paired_are_taken():
    device = XsensMvn("0.0.0.0", paired=frozenset({"xsens 127.0.0.1/0 Pelvis"}))
    rows = [(i, 1.0, 0, 0, 0, 0, 0, 0, 0, 0, 1) for i in (1, 15)]
    device.receive(packet(23, rows), STUDIO, 2.0)
    assert [sample.tracker for sample in device.take()] == ["xsens 127.0.0.1/0 Pelvis"]
    assert [state.paired for state in device.trackers()] == [True, False]


def test_poses_of_another_type_say_what_to_switch_on():
    with pytest.raises(DeviceError, match="Quaternion"):
        parse_xsens(packet(1, [(1, 0, 0, 0, 0, 0, 0)]))


@pytest.mark.parametrize("kind", [3, 12, 13, 20, 21, 22, 24, 25])
def test_other_types_are_left_out(kind):
    assert parse_xsens(packet(kind, [(1, 0.0)])) is None


@pytest.mark.parametrize("length", [0, 10, 23, 24, 60])
def test_a_packet_that_was_cut_off_is_refused_in_one_line(length):
    whole = packet(2, [(i, 0, 0, 0, 1, 0, 0, 0) for i in range(1, 24)])
    with pytest.raises(DeviceError, match=r"^[^\n]+$"):
        parse_xsens(whole[:length])


@pytest.mark.parametrize("told", [True, False], ids=["size told", "old version"])
@pytest.mark.parametrize("step", [1, 7, 400])
def test_a_stream_is_cut_into_packets_wherever_it_was_torn(told, step):
    packets = [packet(23, [(i, *[0.5] * 10) for i in range(1, 4)], sample) for sample in range(5)]
    if not told:
        packets = [whole[:22] + bytes(2) + whole[24:] for whole in packets]
    stream = b"MX" + b"noise" + b"".join(packets[:2]) + b"MXnoise" + b"".join(packets[2:])
    found, rest = [], b""
    for place in range(0, len(stream), step):
        whole, rest = split_stream(rest + stream[place : place + step])
        found += whole
    assert found == packets
    assert len(rest) < 24


def test_a_stream_that_never_makes_sense_is_not_kept():
    rest = b""
    for _ in range(100):
        packets, rest = split_stream(rest + b"nonsense" * 100)
        assert packets == []
        assert len(rest) < 4


def test_trackers_come_over_tcp_as_well():
    rows = [(1, 1.0, 0, 0, 0, 1.0, 2.0, 3.0, 0, 0, 1)]
    with XsensMvn(port=0) as device:
        for first in (
            0,
            100,
        ):  # a program that hangs up in the middle of a packet and connects again
            with socket.create_connection(device.address) as program:
                for sample in range(first, first + 50):
                    program.sendall(packet(23, rows, sample))
                program.sendall(packet(23, rows)[:30])
        samples = []
        end = time.monotonic() + 10.0
        while len(samples) < 100:
            assert time.monotonic() < end, f"{len(samples)} of 100 samples came"
            samples += device.take()
            time.sleep(0.005)
    assert [s.sequence for s in samples] == [*range(50), *range(100, 150)]
    assert device.error is None


def test_more_connections_than_few_are_refused():
    with XsensMvn(port=0) as device:
        programs = [socket.create_connection(device.address) for _ in range(12)]
        try:
            programs[0].sendall(packet(23, [(1, 1.0, *[0.0] * 9)]))
            end = time.monotonic() + 10.0
            while not device.take():
                assert time.monotonic() < end
                time.sleep(0.005)
            assert len(device._streams._connections) <= 8
        finally:
            for program in programs:
                program.close()
