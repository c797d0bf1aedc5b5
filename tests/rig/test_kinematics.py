"""Forward kinematics against poses known by hand, a second formulation, and its own gradient."""

import math

import numpy as np
import pytest
import torch

from pallas.rig import (
    Motion,
    ShapeError,
    Skeleton,
    body_skeleton,
    forward_kinematics,
    local_rotations,
    quaternion,
    so3,
)

ARM = Skeleton(("shoulder", "elbow"), (-1, 0), np.array([[0.0, 0, 0], [1.0, 0, 0]]))


def test_a_quarter_turn_of_the_shoulder_swings_the_elbow_onto_the_y_axis():
    turn = torch.stack([so3.exp(torch.tensor([0.0, 0.0, math.pi / 2])), torch.eye(3)])
    _, origins = forward_kinematics(ARM, turn, torch.zeros(3))
    torch.testing.assert_close(origins[1], torch.tensor([0.0, 1.0, 0.0]))


def test_identity_rotations_give_the_rest_pose():
    skeleton = body_skeleton()
    identity = torch.eye(3, dtype=torch.float64).expand(24, 3, 3)
    root = torch.tensor(skeleton.offsets[0].copy())
    _, origins = forward_kinematics(skeleton, identity, root)
    np.testing.assert_allclose(origins, skeleton.rest_positions, atol=1e-15)


def test_torch_and_numpy_put_every_joint_in_the_same_place():
    random = np.random.default_rng(1)
    rotations = quaternion.normalised(random.normal(size=(2, 7, 24, 4)))
    root = random.normal(size=(2, 7, 3))
    skeleton = body_skeleton()
    turned, origins = forward_kinematics(
        skeleton, so3.from_quaternion(torch.tensor(rotations)), torch.tensor(root)
    )
    for batch in range(2):
        motion = Motion(skeleton, root[batch], rotations[batch], 60.0)
        world, positions = motion.world()
        np.testing.assert_allclose(origins[batch], positions, atol=1e-12)
        np.testing.assert_allclose(turned[batch], quaternion.to_matrix(world), atol=1e-12)


def test_the_gradient_reaches_rotations_root_and_bone_lengths():
    vectors = torch.randn(3, 2, 3, dtype=torch.float64, requires_grad=True)
    root = torch.randn(3, 3, dtype=torch.float64, requires_grad=True)
    offsets = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)

    def origins(v: torch.Tensor, r: torch.Tensor, o: torch.Tensor) -> torch.Tensor:
        return forward_kinematics(ARM, so3.exp(v), r, o)[1]

    assert torch.autograd.gradcheck(origins, (vectors, root, offsets))


def test_local_rotations_undo_forward_kinematics():
    skeleton = body_skeleton()
    local = so3.exp(torch.randn(5, 24, 3, dtype=torch.float64))
    world, _ = forward_kinematics(skeleton, local, torch.zeros(5, 3, dtype=torch.float64))
    torch.testing.assert_close(local_rotations(skeleton, world), local)


def test_a_wrong_joint_count_is_told_with_both_shapes():
    with pytest.raises(ShapeError, match=r"\(3, 3, 3\).*2 joints"):
        forward_kinematics(ARM, torch.eye(3).expand(3, 3, 3), torch.zeros(3))
