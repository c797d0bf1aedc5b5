"""VMC in and out: our own pose there and back, and npm's node-osc on the other side."""

import json
import time

import numpy as np
import pytest
from node_peers import Program, need_node, support

from pallas.capture.devices.osc import OscMessage, format_osc_message, parse_osc
from pallas.capture.devices.unity import (
    from_unity,
    from_unity_rotation,
    to_unity,
    to_unity_rotation,
)
from pallas.capture.devices.vmc import VmcReceiver
from pallas.capture.devices.vmc_bones import humanoid_at_rest, humanoid_joints, humanoid_parents
from pallas.capture.devices.vmc_frames import FrameGatherer
from pallas.capture.devices.vmc_sender import VmcSender, vmc_messages
from pallas.rig import Motion, body_skeleton, quaternion
from pallas.rig.errors import DeviceError
from pallas.rig.retarget import match_bones

SKELETON = body_skeleton(1.70)
PERFORMER = ("127.0.0.1", 50_000)
TURN = np.pi / 2


def motion(frames):
    rng = np.random.default_rng(0)
    rotations = quaternion.normalised(rng.normal(size=(frames, 24, 4)))
    return Motion(SKELETON, rng.normal(size=(frames, 3)), rotations, 60.0)


def as_messages(moving, frame):
    return vmc_messages(SKELETON, moving.rotations[frame], moving.root_position[frame], frame / 60)


def bone(name, position=(0, 0, 0), xyzw=(0, 0, 0, 1)):
    return OscMessage("/VMC/Ext/Bone/Pos", (name, *map(float, position), *map(float, xyzw)))


@pytest.fixture
def peer():
    program = Program(str(support("osc_peer.mjs")), str(need_node()))
    yield program
    program.end()


def drained(device, count, seconds=10.0):
    end = time.monotonic() + seconds
    taken = []
    while len(taken) < count:
        assert time.monotonic() < end, f"{len(taken)} of {count} samples came"
        taken += device.take()
        time.sleep(0.005)
    return taken


def test_unitys_front_up_and_left_are_ours():
    front, up, left = np.eye(3)[2], np.eye(3)[1], -np.eye(3)[0]
    np.testing.assert_array_equal(from_unity(front), [0, -1, 0])
    np.testing.assert_array_equal(from_unity(up), [0, 0, 1])
    np.testing.assert_array_equal(from_unity(left), [1, 0, 0])


def test_a_turn_of_unity_moves_points_as_it_does_there():
    # Unity turns clockwise as seen from the tip of the axis: about +y, the front (+z) goes to +x.
    about_y = np.array([0.0, np.sin(TURN / 2), 0.0, np.cos(TURN / 2)])
    ours = from_unity_rotation(about_y)
    front, right = np.array([0.0, 0.0, 1.0]), np.array([1.0, 0.0, 0.0])
    np.testing.assert_allclose(
        quaternion.rotate(ours, from_unity(front)), from_unity(right), atol=1e-12
    )


def test_there_and_back_is_the_same():
    values = np.random.default_rng(0).normal(size=(5, 4))
    np.testing.assert_array_equal(to_unity(from_unity(values[:, :3])), values[:, :3])
    np.testing.assert_array_equal(from_unity_rotation(to_unity_rotation(values)), values)


def test_our_pose_comes_back_from_our_own_messages():
    moving = motion(5)
    world, heads = moving.world()
    receiver = VmcReceiver()
    for frame in range(5):
        for message in as_messages(moving, frame):
            receiver.receive(message, PERFORMER, 1.0 + frame / 60)
    samples = receiver.take()
    assert [round(60 * sample.device_time) for sample in samples] == [0, 1, 2, 3, 4]
    assert len({id(sample.bones) for sample in samples}) == 1
    for frame, sample in enumerate(samples):
        assert sample.performer == "vmc 127.0.0.1"
        for place, name in enumerate(sample.bones.names):
            joint = SKELETON.index(humanoid_joints()[name])
            np.testing.assert_allclose(sample.heads[place], heads[frame, joint], atol=1e-5)
            assert quaternion.angle(sample.rotations[place], world[frame, joint]) < 1e-5
    rest = samples[0].bones.heads - SKELETON.rest_positions[0]
    for place, name in enumerate(samples[0].bones.names):
        joint = SKELETON.index(humanoid_joints()[name])
        expected = SKELETON.rest_positions[joint] - SKELETON.rest_positions[0]
        np.testing.assert_allclose(rest[place], expected, atol=2e-3)


@pytest.mark.parametrize("time_first", [True, False])
def test_a_frame_is_given_as_soon_as_it_is_whole(time_first):
    gatherer = FrameGatherer()
    given = []
    for frame in range(4):
        said = [bone("Hips"), bone("Spine"), bone("Head")]
        said.insert(0 if time_first else 3, OscMessage("/VMC/Ext/T", (frame / 60,)))
        for place, message in enumerate(said):
            told = gatherer.hear(message, frame / 60)
            if told is not None:
                given.append((frame, place, round(60 * told.time)))
    # The first is known to be over when the second begins; from then on none waits.
    assert given == [(1, 0, 0), (1, 3, 1), (2, 3, 2), (3, 3, 3)]


def test_a_stall_of_the_sender_tears_no_frame():
    gatherer = FrameGatherer()
    given = []
    for frame in range(6):
        said = [OscMessage("/VMC/Ext/T", (frame / 60,)), bone("Hips"), bone("Spine"), bone("Head")]
        for place, message in enumerate(said):
            told = gatherer.hear(message, 10.0 * frame + place)  # a second between any two
            if told is not None:
                given.append((frame, place, round(60 * told.time)))
    assert given == [(1, 0, 0), *((frame, 3, frame) for frame in range(1, 6))]


def test_a_lost_bone_keeps_its_pose_a_quarter_of_a_second():
    turned = (0.0, np.sin(TURN / 2), 0.0, np.cos(TURN / 2))
    gatherer = FrameGatherer()
    frames = []
    for frame in range(40):
        said = [bone("Hips"), *([bone("Spine", xyzw=turned)] if frame < 5 else []), bone("Head")]
        frames += [f for m in said if (f := gatherer.hear(m, frame / 60)) is not None]
    has_spine = ["Spine" in frame.names for frame in frames]
    assert 17 <= sum(has_spine) <= 20
    assert has_spine == sorted(has_spine, reverse=True)
    assert len(frames) >= 38


def test_lengths_that_are_not_told_are_those_of_a_person():
    receiver = VmcReceiver()
    for now in (1.0, 1.1):
        for name in ("Hips", "Spine", "LeftUpperLeg", "LeftLowerLeg", "LeftFoot"):
            receiver.receive(_sent(bone(name)), PERFORMER, now)
    (sample,) = receiver.take()[:1]
    foot, hips = sample.bones.heads[sample.bones.index("LeftFoot")], sample.bones.heads[0]
    assert hips[2] - foot[2] == pytest.approx(0.497 * 1.70, abs=1e-6)


def test_humanoid_bones_are_found_by_retargeting():
    found = match_bones(humanoid_at_rest({name: np.zeros(3) for name in humanoid_parents()}))
    assert set(found.unmapped) == {"Jaw", "LeftEye", "RightEye"}
    assert found.bones["left_forearm"] == ("LeftLowerArm",)
    assert found.bones["right_pinky_3"] == ("RightLittleDistal",)


def test_programs_on_one_computer_are_told_apart_and_a_restart_is_not():
    receiver = VmcReceiver()
    moving = motion(3)
    for frame in range(3):
        for port in (1, 2):
            for message in as_messages(moving, frame):
                receiver.receive(message, ("127.0.0.1", port), frame / 60)
    assert {sample.performer for sample in receiver.take()} == {"vmc 127.0.0.1", "vmc 127.0.0.1 #2"}
    for frame in range(3):
        for message in as_messages(moving, frame):
            receiver.receive(message, ("127.0.0.1", 3), 10.0 + frame / 60)
    assert {sample.performer for sample in receiver.take()} == {"vmc 127.0.0.1"}


def test_who_is_not_paired_is_not_taken():
    receiver = VmcReceiver("0.0.0.0", paired=frozenset({"vmc 192.168.1.2"}))
    for host in ("192.168.1.2", "192.168.1.3"):
        for frame in range(3):
            for message in as_messages(motion(3), frame):
                receiver.receive(message, (host, 1), frame / 60)
    assert {sample.performer for sample in receiver.take()} == {"vmc 192.168.1.2"}
    assert [state.note for state in receiver.trackers()] == ["", "waits to be paired"]


def test_node_osc_sends_and_we_take_the_pose(peer):
    moving = motion(12)
    world, heads = moving.world()
    peer.told("listening")
    with VmcReceiver(port=0) as device:
        for frame in range(12):
            said = [
                [m.address, *m.arguments]
                for datagram in as_messages(moving, frame)
                for m in parse_osc(datagram)
            ]
            # node-osc sends whole numbers as integers: so it does with 0 and 1 here.
            port = device.address[1]
            if frame % 2:
                peer.say(json.dumps({"to": port, "bundle": said}))
            else:
                for message in said:
                    peer.say(json.dumps({"to": port, "message": message}))
        samples = drained(device, 12)
    for frame, sample in enumerate(samples):
        hips, wrist = sample.bones.index("Hips"), sample.bones.index("LeftHand")
        joint = SKELETON.index("left_wrist")
        np.testing.assert_allclose(sample.heads[hips], heads[frame, 0], atol=1e-5)
        np.testing.assert_allclose(sample.heads[wrist], heads[frame, joint], atol=1e-5)
        assert quaternion.angle(sample.rotations[wrist], world[frame, joint]) < 1e-5


def test_node_osc_hears_what_we_send(peer):
    port = peer.told("listening")["port"]
    about_x = quaternion.from_axis_angle(np.array([1.0, 0.0, 0.0]), TURN)
    rotations = np.tile(quaternion.IDENTITY, (24, 1))
    rotations[SKELETON.index("left_elbow")] = about_x
    rotations[SKELETON.index("head")] = np.nan
    with VmcSender("127.0.0.1", port) as sender:
        sender.send(rotations, np.array([1.0, 2.0, 3.0]), 0.5)
        said = [peer.told("message")["values"] for _ in range(3 + 21)]
    assert said[:2] == [["/VMC/Ext/OK", 1], ["/VMC/Ext/T", 0.5]]
    assert said[2] == ["/VMC/Ext/Root/Pos", "root", 0, 0, 0, 0, 0, 0, 1]
    bones = {values[1]: values[2:] for values in said[3:]}
    assert set(bones) == set(humanoid_joints()) - {"Head"}
    assert bones["Hips"] == [-1.0, 3.0, -2.0, 0, 0, 0, 1]
    # A turn about our x is one about Unity's x: mirrored axis, mirrored sense.
    half = np.sqrt(0.5)
    np.testing.assert_allclose(bones["LeftLowerArm"][3:], [half, 0, 0, half], atol=1e-6)
    # The left upper leg starts 8.5 cm to the left, which is -x in Unity, and 3.7 cm below the hips.
    np.testing.assert_allclose(bones["LeftUpperLeg"][:3], [-0.085, -0.0374, 0.0], atol=1e-6)


def test_sending_where_nobody_listens_does_no_harm():
    with VmcSender("127.0.0.1", 9) as sender:
        for frame in range(20):
            sender.send(np.tile(quaternion.IDENTITY, (24, 1)), np.zeros(3), frame / 60)


def test_an_address_that_cannot_be_is_told():
    with pytest.raises(DeviceError, match="no computer nowhere.invalid:39539"):
        VmcSender("nowhere.invalid")


def _sent(message):
    return format_osc_message(message.address, *message.arguments)
