"""The invertible solver: exact both ways with the weights that ship, and it says what geometry says."""

import math

import pytest
import torch

from pallas.neural.body import (
    POSED,
    bone_basis,
    joint_positions,
    posed_from_world,
    world_from_posed,
)
from pallas.neural.invertible_ik import InvertibleIk, InvertibleIkConfig
from pallas.neural.weights import EMBEDDED, load_network
from pallas.rig import body_skeleton, forward_kinematics, local_rotations, so3


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
