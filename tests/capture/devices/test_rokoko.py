"""Rokoko Studio's stream: actors in our axes, whatever the version and the compression."""

import json

import lz4.frame
import numpy as np
import pytest

from pallas.capture.devices import rokoko_packets
from pallas.capture.devices.rokoko import Rokoko
from pallas.capture.devices.rokoko_packets import parse_rokoko, rokoko_bones
from pallas.capture.devices.unity import to_unity, to_unity_rotation
from pallas.capture.devices.vmc_bones import humanoid_standing
from pallas.rig import quaternion
from pallas.rig.errors import DeviceError
from pallas.rig.retarget import match_bones

STUDIO = ("127.0.0.1", 4000)
BODY = [
    name
    for name in rokoko_bones()
    if not any(f in name for f in ["Thumb", "Index", "Middle", "Ring", "Little"])
]


def standing():
    """Heads of a person in a T-pose and the rotations of Studio's avatar, our axes."""
    heads = {name: humanoid_standing()[rokoko_bones()[name].humanoid] for name in BODY}
    return heads, {name: rokoko_bones()[name].rest for name in BODY}


def body_of(heads, rotations):
    bones = {}
    for name in heads:
        position, rotation = to_unity(heads[name]), to_unity_rotation(rotations[name])
        bones[name] = {
            "position": dict(zip("xyz", position.tolist(), strict=True)),
            "rotation": dict(zip("xyzw", rotation.tolist(), strict=True)),
        }
    return bones


def version_3(bodies, time=1.5):
    actors = [
        {"name": name, "meta": {"hasBody": True}, "body": body} for name, body in bodies.items()
    ]
    scene = {"timestamp": time, "actors": actors, "props": []}
    return json.dumps({"version": "3,0", "fps": 60, "scene": scene}).encode()


def version_2(bodies, time=1.5):
    actors = [{"name": name, "isLive": True, **body} for name, body in bodies.items()]
    return json.dumps(
        {
            "version": "2,0",
            "timestamp": time,
            "props": [],
            "trackers": [],
            "faces": [],
            "actors": actors,
        }
    ).encode()


@pytest.mark.parametrize("written", [version_2, version_3])
@pytest.mark.parametrize("packed", [bytes, lz4.frame.compress])
def test_an_actor_comes_back(written, packed):
    heads, rotations = standing()
    device = Rokoko()
    device.receive(packed(written({"Anna": body_of(heads, rotations)})), STUDIO, 2.0)
    (sample,) = device.take()
    assert sample.performer == "rokoko 127.0.0.1 Anna"
    assert sample.device_time == 1.5
    assert sample.bones.names == tuple(BODY)
    for place, name in enumerate(BODY):
        np.testing.assert_allclose(sample.heads[place], heads[name], atol=1e-9)
        np.testing.assert_allclose(
            sample.bones.rotations[place], sample.rotations[place], atol=1e-9
        )
    np.testing.assert_allclose(sample.bones.heads[:, :2], sample.heads[:, :2], atol=1e-9)
    assert match_bones(sample.bones).unmapped == ()


def test_every_bone_of_the_t_pose_points_along_its_own_minus_y():
    # As Studio's avatar is built: the table of its rotations agrees with where its bones lead.
    heads, rotations = standing()
    chains = [("leftUpperArm", "leftLowerArm"), ("rightLowerArm", "rightHand"), ("leftUpLeg", "leftLeg"),
              ("rightLeg", "rightFoot"), ("spine", "chest")]  # fmt: skip
    for bone, child in chains:
        along = heads[child] - heads[bone]
        told = quaternion.rotate(rotations[bone], np.array([0.0, 0.0, 1.0]))
        # Unity's own y axis of a bone is the z axis of ours: both worlds have theirs upwards.
        np.testing.assert_allclose(-told, along / np.linalg.norm(along), atol=2e-2)


def test_a_raised_arm_is_raised_and_its_lengths_stay():
    heads, rotations = standing()
    device = Rokoko()
    device.receive(version_3({"Anna": body_of(heads, rotations)}), STUDIO, 1.0)
    # A quarter turn that takes the left (+x) up (+z): about the front (-y), counter-clockwise.
    lift = quaternion.from_axis_angle(np.array([0.0, 1.0, 0.0]), -np.pi / 2)
    shoulder = heads["leftUpperArm"]
    for name in ("leftUpperArm", "leftLowerArm", "leftHand"):
        rotations[name] = quaternion.multiply(lift, rotations[name])
        heads[name] = shoulder + quaternion.rotate(lift, heads[name] - shoulder)
    device.receive(version_3({"Anna": body_of(heads, rotations)}), STUDIO, 1.1)
    first, second = device.take()
    assert first.bones is second.bones
    hand = second.heads[second.bones.index("leftHand")]
    assert hand[2] - shoulder[2] == pytest.approx((0.172 + 0.146) * 1.70)


def test_without_positions_the_lengths_are_those_of_a_person():
    heads, rotations = standing()
    nowhere = {name: np.zeros(3) for name in heads} | {"hip": np.array([1.0, 2.0, 0.9])}
    device = Rokoko()
    device.receive(version_3({"Anna": body_of(nowhere, rotations)}), STUDIO, 1.0)
    (sample,) = device.take()
    for place, name in enumerate(BODY):
        expected = heads[name] - heads["hip"] + [1.0, 2.0, 0.9]
        np.testing.assert_allclose(sample.heads[place], expected, atol=1e-9)


def test_two_actors_of_one_stream_are_two_performers():
    body = body_of(*standing())
    device = Rokoko("0.0.0.0", paired=frozenset({"rokoko 10.0.0.5 Ben"}))
    device.receive(version_3({"Anna": body, "Ben": body}), ("10.0.0.5", 1), 1.0)
    assert [state.tracker for state in device.trackers()] == [
        "rokoko 10.0.0.5 Anna",
        "rokoko 10.0.0.5 Ben",
    ]
    assert [sample.performer for sample in device.take()] == ["rokoko 10.0.0.5 Ben"]


def test_a_bone_that_is_no_number_is_missing():
    body = body_of(*standing())
    device = Rokoko()
    device.receive(version_3({"Anna": body}), STUDIO, 1.0)
    body["head"]["rotation"]["w"] = "?"
    device.receive(version_3({"Anna": body}), STUDIO, 1.1)
    _, sample = device.take()
    head = sample.bones.index("head")
    assert np.isnan(sample.rotations[head]).all()
    assert np.isfinite(np.delete(sample.rotations, head, axis=0)).all()


def test_without_lz4_it_says_what_to_install(monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(rokoko_packets, "import_module", missing)
    with pytest.raises(DeviceError, match="pip install lz4"):
        parse_rokoko(lz4.frame.compress(b"{}"))


def test_a_small_packet_that_would_fill_the_memory_is_refused():
    bomb = lz4.frame.compress(bytes(10_000_000))
    assert len(bomb) < 65_000
    with pytest.raises(DeviceError, match="more than 1048576 bytes"):
        parse_rokoko(bomb)


@pytest.mark.parametrize(
    "datagram",
    [b"", b"hello", b"[]", b"3", b"{}", b'{"scene": 3}', b'{"actors": 3}', b"[" * 60_000, b"\xff\xfe",
     b'{"timestamp": 1' + b"0" * 5000 + b"}", lz4.frame.compress(b"{}")[:-5]],
)  # fmt: skip
def test_what_is_no_frame_is_refused_in_one_line(datagram):
    with pytest.raises(DeviceError, match=r"^[^\n]+$"):
        parse_rokoko(datagram)


def test_actors_that_are_none_are_left_out():
    frame = {"actors": [3, {}, {"name": 4, "hip": {}}, {"name": "x", "hip": 3}]}
    assert parse_rokoko(json.dumps(frame).encode()) == []
