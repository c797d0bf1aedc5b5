"""Block-tridiagonal equations, against the same ones written out in full."""

import pytest
import torch
from torch import Tensor

from pallas.rig.solve.chains import solve_chain

MANY = 45  # unknowns per frame, from which the frames are eliminated in order


def chain(frames: int, size: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Blocks of a positive definite matrix: every frame and every pair has residuals of its own."""
    random = torch.Generator().manual_seed(seed)
    own = torch.randn(frames, size, size, dtype=torch.float64, generator=random)
    diagonal = own.mT @ own + 0.1 * torch.eye(size)
    pairs = torch.randn(max(frames - 1, 0), size, 2 * size, dtype=torch.float64, generator=random)
    product = pairs.mT @ pairs
    diagonal[:-1] += product[:, :size, :size]
    diagonal[1:] += product[:, size:, size:]
    return diagonal, product[:, :size, size:]


def written_out(diagonal: Tensor, coupling: Tensor) -> Tensor:
    frames, size = diagonal.shape[:2]
    full = torch.zeros(frames, size, frames, size, dtype=torch.float64)
    for t in range(frames):
        full[t, :, t] = diagonal[t]
    for t in range(frames - 1):
        full[t, :, t + 1], full[t + 1, :, t] = coupling[t], coupling[t].T
    return full.reshape(frames * size, frames * size)


@pytest.mark.parametrize("frames", [1, 2, 3, 4, 5, 8, 13, 64])
@pytest.mark.parametrize(("size", "columns"), [(1, 1), (6, 3), (MANY, 1)])
def test_a_chain_is_solved_as_the_full_matrix_is(frames, size, columns):
    diagonal, coupling = chain(frames, size)
    right = torch.randn(frames, size, columns, dtype=torch.float64)
    expected = torch.linalg.solve(written_out(diagonal, coupling), right.flatten(0, 1))
    found = solve_chain(diagonal, coupling, right)
    torch.testing.assert_close(found, expected.reshape(right.shape), rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("size", [6, MANY])
def test_only_the_lower_triangles_of_the_frames_blocks_are_read(size):
    diagonal, coupling = chain(7, size)
    right = torch.randn(7, size, 2, dtype=torch.float64)
    upper = torch.full_like(diagonal, 1e3).triu(1)
    expected = solve_chain(diagonal, coupling, right)
    torch.testing.assert_close(solve_chain(diagonal.tril() + upper, coupling, right), expected)


def test_unknowns_that_nothing_connects_are_solved_apart_and_put_back_in_their_places():
    # Two groups of three, one of one and one of two, shuffled.
    sizes = (3, 1, 3, 2)
    order = torch.tensor([4, 0, 8, 2, 6, 1, 7, 3, 5])
    diagonal, coupling = torch.zeros(6, 9, 9).double(), torch.zeros(5, 9, 9).double()
    first = 0
    for number, size in enumerate(sizes):
        own, pairs = chain(6, size, number)
        rows = order[first : first + size]
        diagonal[:, rows[:, None], rows], coupling[:, rows[:, None], rows] = own, pairs
        first += size
    right = torch.randn(6, 9, 2, dtype=torch.float64)
    expected = torch.linalg.solve(written_out(diagonal, coupling), right.flatten(0, 1))
    torch.testing.assert_close(
        solve_chain(diagonal.tril(), coupling, right), expected.reshape(6, 9, 2)
    )


def test_unknowns_that_only_a_coupling_connects_are_not_solved_apart():
    diagonal = torch.eye(3).double().repeat(4, 1, 1)
    coupling = torch.zeros(3, 3, 3).double()
    coupling[1, 0, 2] = 0.5
    right = torch.randn(4, 3, 1, dtype=torch.float64)
    expected = torch.linalg.solve(written_out(diagonal, coupling), right.flatten(0, 1))
    torch.testing.assert_close(
        solve_chain(diagonal, coupling, right), expected.reshape(right.shape)
    )


@pytest.mark.parametrize("size", [3, MANY])
def test_gradients_go_through_the_right_hand_side(size):
    diagonal, coupling = chain(6, size)
    right = torch.randn(6, size, 1, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(6, size, 1, dtype=torch.float64)
    (weight * solve_chain(diagonal, coupling, right)).sum().backward()
    # Of a symmetric matrix: the gradient of w' H^-1 b is H^-1 w.
    torch.testing.assert_close(right.grad, solve_chain(diagonal, coupling, weight))


def test_a_long_chain_that_hardly_knows_its_place_is_solved():
    # Differences of neighbours only, but for the first frame, which is pinned: x = 1, 2, 3 ...
    frames = 3000
    diagonal = torch.full((frames, 1, 1), 2.0, dtype=torch.float64)
    diagonal[-1] = 1.0
    coupling = torch.full((frames - 1, 1, 1), -1.0, dtype=torch.float64)
    right = torch.zeros(frames, 1, 1, dtype=torch.float64)
    right[-1] = 1.0
    found = solve_chain(diagonal, coupling, right)
    torch.testing.assert_close(
        found.flatten(), torch.arange(1.0, frames + 1.0).double(), rtol=1e-6, atol=0.0
    )


@pytest.mark.parametrize("size", [2, MANY])
def test_a_matrix_that_is_no_valley_ends_without_an_error(size):
    diagonal, coupling = chain(5, size)
    assert solve_chain(-diagonal, coupling, torch.ones(5, size, 1).double()).shape == (5, size, 1)
