"""Matrix rotations in torch: group axioms, exactness near zero and half a turn, gradients."""

import math

import torch

from pallas.rig import so3

torch.manual_seed(0)
VECTORS = torch.randn(50, 3, dtype=torch.float64)


def test_exponentials_are_rotations():
    matrices = so3.exp(VECTORS)
    eye = torch.eye(3, dtype=torch.float64).expand_as(matrices)
    torch.testing.assert_close(matrices @ matrices.transpose(-1, -2), eye)
    torch.testing.assert_close(torch.linalg.det(matrices), torch.ones(50, dtype=torch.float64))


def test_logarithm_undoes_the_exponential_from_tiny_to_nearly_half_a_turn():
    directions = VECTORS / VECTORS.norm(dim=-1, keepdim=True)
    for size in (0.0, 1e-9, 1e-4, 0.5, 3.0, 3.14):
        vectors = directions * size
        torch.testing.assert_close(so3.log(so3.exp(vectors)), vectors, atol=1e-7, rtol=0)


def test_the_gradient_of_the_exponential_holds_at_zero_and_elsewhere():
    for vectors in (VECTORS[:4], torch.zeros(2, 3, dtype=torch.float64)):
        assert torch.autograd.gradcheck(so3.exp, vectors.clone().requires_grad_())


def test_sixd_comes_back_and_repairs_what_is_not_orthogonal():
    matrices = so3.exp(VECTORS)
    torch.testing.assert_close(so3.from_sixd(so3.to_sixd(matrices)), matrices)
    skewed = so3.to_sixd(matrices) * 2.5
    skewed[..., 3:] += 0.7 * skewed[..., :3]
    torch.testing.assert_close(so3.from_sixd(skewed), matrices)


def test_geodesic_is_the_angle_between():
    turns = so3.exp(torch.tensor([[0.0, 0.0, 0.3], [0.0, 0.0, -0.4]]))
    torch.testing.assert_close(so3.geodesic(turns[0], turns[1]), torch.tensor(0.7))
    half = so3.exp(torch.tensor([math.pi, 0.0, 0.0]))
    torch.testing.assert_close(so3.geodesic(torch.eye(3), half), torch.tensor(math.pi))


def test_the_cross_product_matrix_crosses():
    a, b = VECTORS[:25], VECTORS[25:]
    expected = torch.linalg.cross(a, b)
    torch.testing.assert_close((so3.skew(a) @ b[..., None]).squeeze(-1), expected)


def test_turns_compose_and_compare_as_their_matrices_do():
    first, second = VECTORS[:25], 1.7 * VECTORS[25:]
    for size in (0.0, 1e-9, 1e-5, 1.0, 2.0):
        together = so3.exp(first) @ so3.exp(size * second)
        torch.testing.assert_close(so3.exp(so3.composed(first, size * second)), together)
        torch.testing.assert_close(
            so3.relative(first, so3.log(together)), so3.log(so3.exp(size * second))
        )
    assert so3.composed(first, second).norm(dim=-1).max() <= math.pi + 1e-12


def test_the_gradients_of_composed_and_compared_turns_hold_at_zero_and_elsewhere():
    for first in (VECTORS[:4], torch.zeros(4, 3, dtype=torch.float64)):
        for second in (VECTORS[4:8], torch.zeros(4, 3, dtype=torch.float64)):
            given = (first.clone().requires_grad_(), second.clone().requires_grad_())
            assert torch.autograd.gradcheck(so3.composed, given)
            assert torch.autograd.gradcheck(so3.relative, given)
