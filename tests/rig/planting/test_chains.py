"""Chains of equations in numpy: the same as the whole matrix solved at once."""

import numpy as np
import pytest

from pallas.rig.planting.chains import solve_chains


@pytest.mark.parametrize("blocks", [1, 2, 3, 4, 7, 32])
def test_a_chain_has_the_solution_of_its_whole_matrix(blocks):
    random = np.random.default_rng(blocks)
    size = 3
    whole = np.zeros((size * blocks, size * blocks))
    coupling = random.normal(size=(blocks - 1, size, size))
    for k, block in enumerate(coupling):
        rows, columns = slice(size * k, size * (k + 1)), slice(size * (k + 1), size * (k + 2))
        whole[rows, columns], whole[columns, rows] = block, block.T
    whole += 20.0 * np.eye(len(whole))
    diagonal = np.stack(
        [whole[size * k : size * (k + 1)][:, size * k : size * (k + 1)] for k in range(blocks)]
    )
    right = random.normal(size=(blocks, size, 2))
    found = solve_chains(diagonal, coupling, right)
    np.testing.assert_allclose(
        found.reshape(-1, 2), np.linalg.solve(whole, right.reshape(-1, 2)), atol=1e-12
    )
