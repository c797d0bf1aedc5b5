"""Block-tridiagonal equations: every frame is coupled with the next.

Where the blocks are small, every second frame is eliminated at once, which leaves a chain of half the
length, and so on: cyclic reduction (Buzbee, Golub and Nielson 1970), a handful of batched steps. Where they
are large, the processor is busy with a single one, and one frame after another takes half as many operations.
Both are Cholesky's factorisation, in different orders, and as stable.
"""

import torch
from torch import Tensor

__all__ = ["solve_chain"]

_LARGE = 40  # unknowns per frame


def solve_chain(diagonal: Tensor, coupling: Tensor, right: Tensor) -> Tensor:
    """Solve H x = right, H symmetric and positive definite; gradients go through `right`.

    Args:
        diagonal: (T, U, U), of which the lower triangle is read.
        coupling: (T-1, U, U), rows of frame t and columns of frame t + 1.
        right: (T, U, K).

    Returns:
        (T, U, K); far off or not finite where H is not positive definite.
    """
    solve = _in_order if diagonal.shape[-1] > _LARGE else _halved
    return solve(diagonal, coupling, right)


def _halved(diagonal: Tensor, coupling: Tensor, right: Tensor) -> Tensor:
    """Without the odd frames first; each of them lies between two even ones, or the last after one."""
    frames, size = right.shape[:2]
    if frames == 1:
        factor, _ = torch.linalg.cholesky_ex(diagonal)
        return torch.cholesky_solve(right, factor)
    factor, _ = torch.linalg.cholesky_ex(diagonal[1::2])
    odd, inner = len(factor), len(coupling[1::2])
    after = right.new_zeros(odd, size, size)
    after[:inner] = coupling[1::2]
    known = torch.cat([coupling[::2].transpose(-1, -2), after, right[1::2]], dim=-1)
    known = torch.linalg.solve_triangular(factor, known, upper=False)
    product = known.transpose(-1, -2) @ known  # (odd, 2U + K, 2U + K): left, right, own
    kept, values = diagonal[::2].clone(), right[::2].clone()
    kept[:odd] -= product[:, :size, :size]
    kept[1:] -= product[:inner, size : 2 * size, size : 2 * size]
    values[:odd] -= product[:, :size, 2 * size :]
    values[1:] -= product[:inner, size : 2 * size, 2 * size :]
    even = _halved(kept, -product[:inner, :size, size : 2 * size], values)
    beside = right.new_zeros(odd, 2 * size + right.shape[-1], right.shape[-1])
    beside[:, :size], beside[:inner, size : 2 * size] = -even[:odd], -even[1:]
    beside[:, 2 * size :] = torch.eye(right.shape[-1], dtype=right.dtype)
    own = torch.linalg.solve_triangular(factor.transpose(-1, -2), known @ beside, upper=True)
    result = torch.empty_like(right)
    result[::2], result[1::2] = even, own
    return result


def _in_order(diagonal: Tensor, coupling: Tensor, right: Tensor) -> Tensor:
    """Forward elimination, back substitution."""
    factors: list[Tensor] = []
    values: list[Tensor] = []
    block, value = diagonal[0], right[0]
    for frame in range(len(diagonal)):
        if frame:
            gain = torch.cholesky_solve(coupling[frame - 1], factors[-1]).T
            block = diagonal[frame] - gain @ coupling[frame - 1]
            value = right[frame] - gain @ values[-1]
        factor, _ = torch.linalg.cholesky_ex(block)
        factors.append(factor)
        values.append(value)
    result = [torch.cholesky_solve(values[-1], factors[-1])]
    for frame in range(len(diagonal) - 2, -1, -1):
        rest = values[frame] - coupling[frame] @ result[-1]
        result.append(torch.cholesky_solve(rest, factors[frame]))
    return torch.stack(result[::-1])
