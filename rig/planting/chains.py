"""Block-tridiagonal equations in numpy, many chains side by side: feet need no torch."""

import numpy as np

from ..arrays import Array

__all__ = ["solve_chains"]


def solve_chains(diagonal: Array, coupling: Array, right: Array) -> Array:
    """Solve H x = right, H symmetric and positive definite, by cyclic reduction.

    Every second block is eliminated at once, which leaves chains of half the length (Buzbee, Golub and
    Nielson 1970).

    Args:
        diagonal: (N, ..., U, U).
        coupling: (N-1, ..., U, U), rows of block n and columns of block n + 1.
        right: (N, ..., U, K).

    Returns:
        (N, ..., U, K).
    """
    if len(diagonal) == 1:
        return np.linalg.solve(diagonal, right)
    size = diagonal.shape[-1]
    before, inner = coupling[::2], coupling[1::2]
    odd, more = len(before), len(inner)
    after = np.zeros_like(before)
    after[:more] = inner
    known = np.concatenate([before.swapaxes(-1, -2), after, right[1::2]], axis=-1)
    solved = np.linalg.solve(diagonal[1::2], known)
    a, b, c = solved[..., :size], solved[..., size : 2 * size], solved[..., 2 * size :]
    kept, values = diagonal[::2].copy(), right[::2].copy()
    kept[:odd] -= before @ a
    values[:odd] -= before @ c
    back = inner.swapaxes(-1, -2)
    kept[1 : more + 1] -= back @ b[:more]
    values[1 : more + 1] -= back @ c[:more]
    even = solve_chains(kept, -(before @ b)[: len(kept) - 1], values)
    result = np.empty_like(right)
    result[::2] = even
    result[1::2] = c - a @ even[:odd]
    result[1 : 2 * more : 2] -= b[:more] @ even[1 : more + 1]
    return result
