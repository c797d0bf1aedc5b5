"""The invertible solver: exact both ways with the weights that ship, and it says what geometry says."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from pallas.capture import formats
from pallas.capture.virtual_imu import virtual_recording
from pallas.neural.body import (
    POSED,
    bone_basis,
    joint_positions,
    posed_from_world,
    world_from_posed,
)
from pallas.neural.features import heading_matrix, sensor_features
from pallas.neural.invertible_ik import InvertibleIk, InvertibleIkConfig, PlainRealNvp, build_solver
from pallas.neural.network import Pallas, PallasConfig
from pallas.neural.slack import slack_report
from pallas.neural.solve import solve
from pallas.neural.training.dataset import Batch
from pallas.neural.training.losses import Weights, invertible_ik_losses
from pallas.neural.weights import EMBEDDED, load_network
from pallas.rig import body_skeleton, forward_kinematics, local_rotations, so3

DEMO = Path(__file__).resolve().parents[2] / "neural" / "demo" / "demo.pallas"


def random_world(frames: int) -> torch.Tensor:
    """World rotations in which the head follows the neck and the hands the wrists."""
    generator = torch.Generator().manual_seed(0)
    rotations = so3.exp(torch.randn(frames, 24, 3, generator=generator))
    names = body_skeleton().names
    for follower, leader in (
        ("head", "neck"),
        ("left_hand", "left_wrist"),
        ("right_hand", "right_wrist"),
    ):
        rotations[:, names.index(follower)] = rotations[:, names.index(leader)]
    return rotations


@pytest.fixture(scope="module")
def trained() -> InvertibleIk:
    return load_network(EMBEDDED / "pallas")[0].invertible_ik


@pytest.fixture(scope="module")
def recorded() -> tuple[torch.Tensor, torch.Tensor]:
    """Of the demo take: upper body poses as rotations, and what the trained network says as positions."""
    motion = solve(formats.read_recording(DEMO)).motion.resampled(60.0)
    world = so3.from_quaternion(torch.tensor(motion.world()[0], dtype=torch.float32))
    heading = heading_matrix(world[:, 0]).transpose(-1, -2)
    poses = posed_from_world(heading[:, None] @ world)[:, :13]
    felt = virtual_recording(motion)
    bones = so3.from_quaternion(torch.tensor(felt.world_from_sensor, dtype=torch.float32))
    features = sensor_features(bones, torch.tensor(felt.acceleration, dtype=torch.float32))
    with torch.no_grad():
        said = load_network(EMBEDDED / "pallas")[0](features[None]).positions[0]
    return poses, said


@torch.no_grad()
def test_the_trained_solver_is_exact_both_ways_on_a_recording(trained, recorded):
    for numbers in recorded:
        assert len(numbers) > 500
        assert (trained.inverse(trained(numbers)) - numbers).abs().max() < 1e-5
        assert (trained(trained.inverse(numbers)) - numbers).abs().max() < 1e-5


@torch.no_grad()
@pytest.mark.parametrize("size", [1.0, 3.0])
def test_the_trained_solver_is_exact_both_ways_on_random_input(trained, size):
    x = size * torch.randn(5000, 13, 6, generator=torch.Generator().manual_seed(3))
    assert (trained.inverse(trained(x)) - x).abs().max() < 1e-5
    assert (trained(trained.inverse(x)) - x).abs().max() < 1e-5


@torch.no_grad()
def test_the_trained_solver_is_exact_both_ways_on_poses(trained):
    poses = posed_from_world(random_world(2000))[:, :13]
    assert (trained.inverse(trained(poses)) - poses).abs().max() < 1e-5
    assert (trained(trained.inverse(poses)) - poses).abs().max() < 1e-5


@torch.no_grad()
def test_the_trained_solver_has_learnt_something_and_still_says_where_the_bones_are(trained):
    poses = posed_from_world(random_world(500))[:, :13]
    assert (trained(poses) - poses).abs().max() > 1e-4
    bones = trained.inverse(poses)[..., :3]
    assert (bones - poses[..., :3]).square().mean().sqrt() < 0.2


def test_before_training_the_solver_is_equation_7_itself():
    solver = InvertibleIk(InvertibleIkConfig())
    poses = posed_from_world(random_world(10))[:, :13]
    torch.testing.assert_close(solver(poses), poses)


def test_the_first_column_is_the_direction_to_the_primary_child():
    skeleton = body_skeleton()
    rotations = random_world(4)
    offsets = torch.tensor(skeleton.offsets.copy(), dtype=torch.float32)
    positions = joint_positions(rotations, offsets)
    sixd = posed_from_world(rotations)
    for joint, child in (
        ("left_elbow", "left_wrist"),
        ("spine3", "neck"),
        ("right_hip", "right_knee"),
    ):
        bone = positions[:, skeleton.index(child)] - positions[:, skeleton.index(joint)]
        direction = bone / bone.norm(dim=-1, keepdim=True)
        torch.testing.assert_close(sixd[:, POSED.index(joint), :3], direction, atol=1e-5, rtol=0)


def test_a_pose_comes_back_from_its_six_numbers():
    rotations = random_world(20)
    torch.testing.assert_close(
        world_from_posed(posed_from_world(rotations)), rotations, atol=1e-5, rtol=0
    )


def test_positions_agree_with_forward_kinematics():
    skeleton = body_skeleton()
    rotations = random_world(6)
    offsets = torch.tensor(skeleton.offsets.copy(), dtype=torch.float32)
    _, origins = forward_kinematics(
        skeleton, local_rotations(skeleton, rotations), torch.zeros(6, 3)
    )
    torch.testing.assert_close(joint_positions(rotations, offsets), origins, atol=1e-5, rtol=0)


def test_every_basis_is_a_rotation():
    basis = bone_basis().double()
    eye = torch.eye(3, dtype=torch.float64).expand_as(basis)
    torch.testing.assert_close(basis @ basis.transpose(-1, -2), eye, atol=1e-6, rtol=0)
    torch.testing.assert_close(
        torch.linalg.det(basis), torch.ones(len(POSED), dtype=torch.float64), atol=1e-6, rtol=0
    )


def test_the_scales_stay_within_their_bound():
    config = InvertibleIkConfig(n_joints=2, n_couplings=1)
    solver = InvertibleIk(config)
    torch.nn.init.constant_(solver.couplings[0].last.bias, 100.0)
    x = torch.zeros(1, 2, 6)
    x[..., 0] = 1.0
    stretched = solver(x + 1.0) - solver(x)
    assert stretched.max() <= math.exp(config.largest_log_scale) + 1e-4


def example_batch(frames: int = 5) -> Batch:
    world = random_world(frames)[None]
    offsets = torch.tensor(body_skeleton().offsets.copy(), dtype=torch.float32)
    zero = torch.zeros(1, frames)
    return Batch(
        sensor_features(world[:, :, [0, 18, 19, 12]], torch.zeros(1, frames, 4, 3)),
        posed_from_world(world),
        world,
        offsets[None, None],
        zero[..., None].expand(-1, -1, 2),
        zero[..., None].expand(-1, -1, 3),
        zero,
    )


@pytest.mark.parametrize("solver", ["invertible", "realnvp"])
def test_both_losses_compare_with_equation_7_and_weigh_the_analytic_solution(solver):
    torch.manual_seed(0)
    network, batch = Pallas(PallasConfig(solver=solver)), example_batch()
    prediction = network(batch.sensors)

    def forward(alpha: float) -> float:
        weights = Weights(alpha=alpha, forward=1.0)
        return float(invertible_ik_losses(network, prediction, batch, weights)["forward"].detach())

    solved, true = prediction.sixd[..., :13, :], batch.sixd[..., :13, :]
    analytic = network.invertible_ik.analytic(prediction.positions)
    expected = (solved - true).square().mean() - (solved - analytic).square().mean()
    assert forward(1.0) - forward(0.0) == pytest.approx(float(expected.detach()), abs=1e-4)
    inverse = invertible_ik_losses(network, prediction, batch, Weights(inverse=1.0))["inverse"]
    found = network.invertible_ik.inverse(true)[..., :3]
    bones = network.invertible_ik.positions_of(true)[..., :3]
    torch.testing.assert_close(inverse, (found - bones).square().mean())


def test_the_plain_solver_has_bones_in_metres_and_is_its_own_inverse_while_untrained():
    torch.manual_seed(1)
    solver = PlainRealNvp(InvertibleIkConfig())
    batch = example_batch()
    poses = batch.sixd[0, :, :13]
    positions = solver.positions_of(poses)
    left_elbow = POSED.index("left_elbow")
    skeleton = body_skeleton()
    forearm = np.linalg.norm(skeleton.offsets[skeleton.index("left_wrist")])
    lengths = positions[:, left_elbow, :3].norm(dim=-1)
    torch.testing.assert_close(lengths, torch.full_like(lengths, float(forearm)))
    torch.testing.assert_close(solver.analytic(positions), poses)
    torch.testing.assert_close(solver(solver.inverse(poses)), poses, atol=1e-4, rtol=0)


def test_a_direct_head_has_no_solver_and_no_such_losses():
    network, batch = Pallas(PallasConfig(solver="direct")), example_batch()
    prediction = network(batch.sensors)
    assert build_solver("direct", InvertibleIkConfig()) is None
    assert prediction.positions is None
    assert prediction.sixd.shape == (1, 5, 21, 6)
    assert invertible_ik_losses(network, prediction, batch, Weights()) == {}


def test_before_training_the_slack_is_the_twist_and_nothing_else():
    poses = posed_from_world(random_world(4000))[:, :13]
    for row in slack_report(InvertibleIk(InvertibleIkConfig()), poses):
        assert row.by_twist == pytest.approx(1.0, abs=1e-6)
        # Random rotations: a second column is across its own bone, and knows nothing of the others'.
        assert row.by_bones < 0.2
        assert row.turns_about_bone > 60.0
        assert row.turns_bone < 1e-2 * row.turns_about_bone
