"""Live poses: what the offline causal pass says, at any rate, for hours, with feet that stand."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import torch

from pallas.capture.recording import read_recording_file
from pallas.neural.features import sensor_features
from pallas.neural.live.encoder_step import EncoderStep
from pallas.neural.live.stream import Stream, StreamOptions
from pallas.neural.network import Pallas, PallasConfig
from pallas.neural.predict import pose_body
from pallas.neural.root import SOLES
from pallas.neural.weights import EMBEDDED, load_network
from pallas.rig import BODY_JOINTS, Motion, ShapeError, body_skeleton, quaternion, so3

DEMO = Path(__file__).resolve().parents[2] / "neural" / "demo" / "demo.pallas"


@pytest.fixture(scope="module")
def network():
    return load_network(EMBEDDED / "pallas")[0]


@pytest.fixture(scope="module")
def sensed() -> tuple[np.ndarray, np.ndarray]:
    """world_from_bone and accelerations of the demo take, ten seconds at 60 Hz."""
    recording = read_recording_file(DEMO)
    mounted = quaternion.conjugate(recording.bone_from_sensor)
    return quaternion.multiply(recording.world_from_sensor, mounted), np.array(
        recording.acceleration
    )


@pytest.fixture(scope="module")
def live(network, sensed) -> Motion:
    """The demo take, streamed."""
    stream = Stream(network)
    poses = [pose for frame in zip(*sensed, strict=True) for pose in stream.push(*frame)]
    return motion_of(poses)


def motion_of(poses) -> Motion:
    root = np.array([pose.root_position for pose in poses])
    return Motion(body_skeleton(), root, np.array([pose.rotations for pose in poses]), 60.0)


def test_every_frame_is_what_the_offline_causal_pass_says(network, sensed):
    stream = Stream(network)
    said = [stream.predict(*frame) for frame in zip(*sensed, strict=True)]
    bones = so3.from_quaternion(torch.tensor(sensed[0], dtype=torch.float32))
    features = sensor_features(bones, torch.tensor(sensed[1], dtype=torch.float32))
    with torch.inference_mode():
        offline = network(features[None])
    for name in ("sixd", "contacts", "velocity", "height"):
        streamed = np.array([getattr(one, name) for one in said])
        np.testing.assert_allclose(streamed, getattr(offline, name)[0], atol=1e-4, rtol=0)


def test_the_two_hundred_thousandth_frame_is_as_exact_as_the_first(network, sensed):
    bones = so3.from_quaternion(torch.tensor(sensed[0][:450], dtype=torch.float32))
    features = sensor_features(bones, torch.tensor(sensed[1][:450], dtype=torch.float32))
    early, late = EncoderStep(network.encoder), EncoderStep(network.encoder, start=200_000)
    for frame in features.numpy():
        np.testing.assert_allclose(late(frame), early(frame), atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    "switches",
    [{"rotary": "time"}, {"score_scale": "batch"}, {"cross_attention": False}],
)
def test_every_switch_of_the_encoder_streams(switches):
    torch.manual_seed(0)
    encoder = Pallas(PallasConfig()).encoder
    config = encoder.config.__class__(**switches)
    encoder = encoder.__class__(config).eval()
    sensors = torch.randn(80, 4, 12)
    step = EncoderStep(encoder)
    streamed = np.array([step(frame) for frame in sensors.numpy()])
    with torch.inference_mode():
        np.testing.assert_allclose(streamed, encoder(sensors[None])[0], atol=1e-4, rtol=0)


def test_memory_does_not_grow_with_the_frames(network, sensed):
    stream = Stream(network)

    def push(frames: int) -> None:
        for frame in range(frames):
            stream.push(sensed[0][frame], sensed[1][frame])

    push(300)
    tracemalloc.start()
    push(20)
    before = tracemalloc.get_traced_memory()[0]
    push(300)
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 20_000  # bytes; a pose alone, kept for 300 frames, would be 300,000


def test_the_live_body_follows_the_solved_one(network, sensed, live):
    solved = pose_body(network, *sensed, body_skeleton(), 60.0).motion
    angle = np.degrees(quaternion.angle(live.world()[0], solved.world()[0]))[30:]
    upper = [i for i, n in enumerate(BODY_JOINTS) if "spine" in n or "elbow" in n or n == "pelvis"]
    assert angle[:, upper].mean() < 6.0


def test_no_live_sole_is_more_than_a_centimetre_below_the_floor(live):
    points = [BODY_JOINTS.index(f"{s}_{p}") for p in ("ankle", "foot") for s in ("left", "right")]
    depth = SOLES - live.world()[1][:, points, 2]
    assert depth.max() < 0.01


def test_standing_live_feet_slide_less_when_they_are_planted(network, sensed):
    slides = []
    for planted in (True, False):
        stream = Stream(network, options=StreamOptions(plant_feet=planted))
        frames = zip(sensed[0][:300], sensed[1][:300], strict=True)
        poses = [pose for frame in frames for pose in stream.push(*frame)]
        contacts = np.array([pose.contacts[0] for pose in poses]) > 0.8
        toes = motion_of(poses).world()[1][:, [BODY_JOINTS.index("left_foot")], :2]
        speed = np.linalg.norm(np.diff(toes, axis=0), axis=-1)[:, 0] * 60.0
        slides.append(speed[30:][contacts[31:]].mean())
    assert slides[0] < 0.5 * slides[1]


@pytest.mark.parametrize("rate", [25.0, 100.0])
def test_another_rate_gives_sixty_poses_a_second_of_the_same_motion(network, sensed, live, rate):
    times = np.arange(0.0, 3.0, 1.0 / rate)
    own = np.arange(len(sensed[0])) / 60.0
    bones = quaternion.resample(sensed[0], own, times)
    felt = np.stack([np.interp(times, own, c) for c in sensed[1].reshape(len(own), -1).T], axis=-1)
    stream = Stream(network, fps=rate)
    poses = []
    for turn, push in zip(bones, felt.reshape(-1, 4, 3), strict=True):
        poses += stream.push(turn, push)
    assert len(poses) == int((len(times) - 1) / rate * 60.0 + 1e-6) + 1
    np.testing.assert_allclose([pose.time for pose in poses], np.arange(len(poses)) / 60.0)
    angle = quaternion.angle(motion_of(poses).rotations, live.rotations[: len(poses)])
    assert np.degrees(angle).mean() < 3.0


def test_matrices_are_as_good_as_quaternions(network, sensed):
    first, second = Stream(network), Stream(network)
    for turn, push in zip(sensed[0][:20], sensed[1][:20], strict=True):
        (by_quaternion,) = first.push(turn, push)
        (by_matrix,) = second.push(quaternion.to_matrix(turn), push)
    np.testing.assert_allclose(by_matrix.rotations, by_quaternion.rotations, atol=1e-5)


def test_a_silent_sensor_keeps_its_last_orientation(network, sensed):
    stream, held = Stream(network), Stream(network)
    for frame in range(30):
        turn, push = sensed[0][frame].copy(), sensed[1][frame].copy()
        if frame >= 20:
            turn[2], push[2] = np.nan, np.nan
        (pose,) = stream.push(turn, push)
        if frame >= 20:
            turn[2], push[2] = sensed[0][19, 2], 0.0
        (expected,) = held.push(turn, push)
    np.testing.assert_allclose(pose.rotations, expected.rotations)


def test_other_shapes_are_refused_in_one_line(network):
    stream = Stream(network)
    with pytest.raises(ShapeError, match=r"expected \(4, 4\) quaternions or \(4, 3, 3\) matrices"):
        stream.push(np.zeros((3, 4)), np.zeros((4, 3)))
    with pytest.raises(ShapeError, match=r"acceleration has shape \(4, 2\), expected \(4, 3\)"):
        stream.push(np.tile(quaternion.IDENTITY, (4, 1)), np.zeros((4, 2)))
    with pytest.raises(ShapeError, match="positive number of samples"):
        Stream(network, fps=0.0)
