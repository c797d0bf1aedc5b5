"""mocopi's poses, on recorded packets of the app."""

import socket
import struct
import time

import numpy as np
import pytest

from pallas.capture.devices.mocopi import Mocopi
from pallas.capture.devices.mocopi_packets import parse_mocopi
from pallas.rig import quaternion
from pallas.rig.errors import DeviceError
from pallas.rig.retarget import match_bones

PHONE = ("192.168.1.20", 4000)


@pytest.fixture
def skeleton(data):
    return data("imu/mocopi/sample_skdf.bin").read_bytes()


@pytest.fixture
def frame(data):
    return data("imu/mocopi/sample_fram.bin").read_bytes()


def changed(packet, bone, transform, number=None):
    """The packet with another rotation and position of one bone, and another frame number."""
    place = packet.index(b"bnid" + struct.pack("<H", bone)) + 6 + 8
    packet = packet[:place] + struct.pack("<7f", *transform) + packet[place + 28 :]
    if number is not None:
        place = packet.index(b"fnum") + 4
        packet = packet[:place] + struct.pack("<I", number) + packet[place + 4 :]
    return packet


def test_the_skeleton_stands_upright_facing_us(skeleton, frame):
    device = Mocopi()
    device.receive(skeleton, ("127.0.0.1", 1), 1.0)
    device.receive(frame, ("127.0.0.1", 1), 1.1)
    (sample,) = device.take()
    assert sample.performer == "mocopi 127.0.0.1"
    assert len(sample.bones) == 27
    heads = dict(zip(sample.bones.names, sample.heads, strict=True))
    np.testing.assert_allclose(heads["root"], [0.0, 0.0, 0.93293], atol=1e-4)
    assert heads["head"][2] > 1.5
    assert heads["l_hand"][0] > 0.6 > -0.6 > heads["r_hand"][0]  # the performer's left at +x
    assert heads["l_toes"][1] < heads["l_foot"][1] - 0.1  # facing -y
    assert 0.0 < heads["l_toes"][2] < 0.05
    assert quaternion.angle(sample.rotations, quaternion.IDENTITY).max() < 1e-6
    np.testing.assert_allclose(sample.bones.heads, sample.heads, atol=1e-6)
    assert sample.sequence == 1
    assert sample.device_time == pytest.approx(1.7e9, rel=0.1)  # the phone's clock


def test_its_bones_are_found_by_retargeting(skeleton, frame):
    device = Mocopi()
    device.receive(skeleton, ("127.0.0.1", 1), 1.0)
    device.receive(frame, ("127.0.0.1", 1), 1.1)
    found = match_bones(device.take()[0].bones)
    assert found.unmapped == ()
    assert found.bones["left_forearm"] == ("l_low_arm",)
    assert found.bones["hips"] == ("root",)


def test_a_bent_elbow_moves_the_hand_in_our_axes(skeleton, frame):
    # A quarter turn about y (up) of the left elbow: seen from above counter-clockwise in their world, so
    # that the forearm, which points to +x, points to -z, which is backwards: our +y.
    half = np.sqrt(0.5)
    bent = changed(frame, 13, (0.0, half, 0.0, half, 0.2921, 0.0006, 0.0014), number=2)
    device = Mocopi()
    device.receive(skeleton, ("127.0.0.1", 1), 1.0)
    device.receive(bent, ("127.0.0.1", 1), 1.1)
    (sample,) = device.take()
    elbow, hand = (sample.heads[sample.bones.index(name)] for name in ("l_low_arm", "l_hand"))
    np.testing.assert_allclose(hand - elbow, [0.0, 0.2423, 0.0], atol=2e-3)


def test_without_a_skeleton_the_first_frame_tells_the_lengths(skeleton, frame):
    with_it, without = Mocopi(), Mocopi()
    with_it.receive(skeleton, ("127.0.0.1", 1), 1.0)
    for device in (with_it, without):
        device.receive(frame, ("127.0.0.1", 1), 1.1)
    (told,), (guessed,) = with_it.take(), without.take()
    assert guessed.bones.names == told.bones.names
    assert guessed.bones.parents == told.bones.parents
    np.testing.assert_allclose(guessed.bones.heads, told.bones.heads, atol=1e-4)


def test_the_same_skeleton_told_again_keeps_the_same_bones(skeleton, frame):
    device = Mocopi()
    for number in range(4):
        device.receive(skeleton, ("127.0.0.1", 1), 1.0 + number)
        identity = (0.0, 0.0, 0.0, 1.0, 0.0, 0.9, 0.0)
        device.receive(changed(frame, 0, identity, number), ("127.0.0.1", 1), 1.1 + number)
    samples = device.take()
    assert len(samples) == 4
    assert len({id(sample.bones) for sample in samples}) == 1


def test_lost_frames_are_counted_by_its_number(frame):
    device = Mocopi()
    identity = (0.0, 0.0, 0.0, 1.0, 0.0, 0.9, 0.0)
    for number in (5, 6, 9, 9, 8):
        device.receive(changed(frame, 0, identity, number), ("127.0.0.1", 1), 0.02 * number)
    (state,) = device.trackers()
    assert (state.received, state.lost, state.duplicated, state.reordered) == (4, 1, 1, 1)


def test_only_paired_phones_are_taken(frame):
    device = Mocopi("0.0.0.0", paired=frozenset({"mocopi 192.168.1.20"}))
    for host in ("192.168.1.20", "192.168.1.21"):
        device.receive(frame, (host, 4000), 1.0)
    assert [sample.performer for sample in device.take()] == ["mocopi 192.168.1.20"]


def test_recorded_packets_arrive_over_the_network(skeleton, frame):
    with (
        Mocopi(port=0) as device,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone,
    ):
        for packet in (skeleton, frame, frame[:100], b"hello"):
            phone.sendto(packet, device.address)
        end = time.monotonic() + 5.0
        while not (device.trackers() and device.trackers()[0].note):
            assert time.monotonic() < end
            time.sleep(0.005)
        assert len(device.take()) == 1
        assert "not understood" in device.trackers()[0].note


@pytest.mark.parametrize("length", [0, 4, 40, 100, 900, 1590])
def test_a_packet_that_was_cut_off_is_refused_in_one_line(frame, length):
    with pytest.raises(DeviceError, match=r"^[^\n]+$"):
        parse_mocopi(frame[:length])
