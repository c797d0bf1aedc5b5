"""Posing a whole take: smooth, on its own skeleton, above the floor."""

from pathlib import Path

import numpy as np
import torch

from pallas.capture.recording import read_recording_file
from pallas.neural import predict
from pallas.neural.baselines import MeanPose
from pallas.neural.body import POSED, posed_from_world
from pallas.neural.network import ROOT_OUTPUTS, read_outputs
from pallas.neural.predict import pose_body
from pallas.rig import body_skeleton, quaternion

DEMO = Path(__file__).resolve().parents[2] / "neural" / "demo" / "demo.pallas"


class Shaking(torch.nn.Module):
    """A body in its T-pose whose every number shakes by noise from frame to frame."""

    def forward(self, sensors: torch.Tensor):
        frames = sensors.shape[1]
        rest = posed_from_world(torch.eye(3).expand(24, 3, 3)).flatten()
        outputs = torch.cat([rest, torch.zeros(ROOT_OUTPUTS)]).expand(1, frames, -1)
        noise = torch.randn(outputs.shape, generator=torch.Generator().manual_seed(0))
        return read_outputs(outputs + 0.05 * noise)


def bones(frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Upright bones that do not move."""
    return np.tile(quaternion.IDENTITY, (frames, 4, 1)), np.zeros((frames, 4, 3))


def turning_per_frame() -> float:
    """Mean degrees by which the shaking body's joints turn from frame to frame."""
    motion = pose_body(Shaking(), *bones(200), body_skeleton(), 60.0).motion
    return float(np.degrees(quaternion.angle(motion.rotations[1:], motion.rotations[:-1])).mean())


def test_noise_from_frame_to_frame_is_smoothed_away(monkeypatch):
    smooth = turning_per_frame()
    monkeypatch.setattr(predict, "over_time", lambda values, fps: values)
    assert smooth < 0.25 * turning_per_frame()


def test_no_joint_is_ever_below_the_floor_even_upside_down():
    orientation, acceleration = bones(60)
    half_turn = quaternion.from_axis_angle(np.array([1.0, 0.0, 0.0]), np.pi - 0.1)
    for frame in range(20, 60):
        orientation[frame] = half_turn
    network = MeanPose(torch.zeros(6 * len(POSED) + ROOT_OUTPUTS))
    network.outputs[: 6 * len(POSED)] = posed_from_world(
        quaternion_matrix(half_turn).expand(24, 3, 3)
    ).flatten()
    motion = pose_body(network, orientation, acceleration, body_skeleton(), 60.0).motion
    assert motion.world()[1][..., 2].min() > -1e-3


def quaternion_matrix(turn: np.ndarray) -> torch.Tensor:
    return torch.tensor(quaternion.to_matrix(turn), dtype=torch.float32)


def test_the_motion_stands_on_the_skeleton_that_was_given():
    recording = read_recording_file(DEMO)
    child = body_skeleton(1.1)
    turned = quaternion.multiply(
        recording.world_from_sensor, quaternion.conjugate(recording.bone_from_sensor)
    )
    motion = pose_body(Shaking(), turned, np.array(recording.acceleration), child, 60.0).motion
    assert motion.skeleton is child
    assert 0.3 < motion.root_position[:, 2].mean() < 0.75
