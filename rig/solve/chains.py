"""Block-tridiagonal equations: every frame is coupled with the next.

Where the blocks are small, every second frame is eliminated at once, which leaves a chain of half the
length, and so on: cyclic reduction (Buzbee, Golub and Nielson 1970), a handful of batched steps. Where they
are large, the processor is busy with a single one, and one frame after another takes half as many operations.
Both are Cholesky's factorisation, in different orders, and as stable. Unknowns that nothing connects are
solved apart.
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
    result = torch.zeros_like(right)
    for places in _separate(diagonal, coupling):
        rows, columns = places[:, :, None], places[:, None, :]
        solve = _in_order if places.shape[1] > _LARGE else _halved
        part = (_taken(diagonal, rows, columns), _taken(coupling, rows, columns), right[:, places])
        result = result.index_copy(1, places.flatten(), solve(*part).flatten(1, 2))
    return result


def _taken(blocks: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """(T, G, N, N) of blocks (T, U, U), which may be all of them."""
    entries = rows * blocks.shape[-1] + columns
    if entries.numel() == blocks.shape[-1] ** 2:
        return blocks[:, None]
    return blocks.flatten(1).index_select(1, entries.flatten()).unflatten(1, entries.shape)


def _separate(diagonal: Tensor, coupling: Tensor) -> list[Tensor]:
    """Unknowns that hang together, as a left leg's do: (G, N) for all G groups of N of them.

    Groups are chains of their own; those of the same size are solved side by side.
    """
    size = diagonal.shape[-1]
    near = (diagonal != 0.0).any(0).tril() | (coupling != 0.0).any(0)
    reach = near | near.T | torch.eye(size, dtype=torch.bool)
    for _ in range(size.bit_length()):
        reach = (reach.double() @ reach.double()) > 0.0
    groups: dict[int, list[int]] = {}
    for unknown, first in enumerate(reach.byte().argmax(-1).tolist()):
        groups.setdefault(first, []).append(unknown)
    sizes = dict.fromkeys(len(group) for group in groups.values())
    return [torch.tensor([g for g in groups.values() if len(g) == size]) for size in sizes]


def _halved(diagonal: Tensor, coupling: Tensor, right: Tensor) -> Tensor:
    """(T, G, N, K) without the odd frames first; each lies between two even ones, or the last after one."""
    frames, size, columns = len(right), right.shape[-2], right.shape[-1]
    if frames == 1:
        factor, _ = torch.linalg.cholesky_ex(diagonal)
        return torch.cholesky_solve(right, factor)
    factor, _ = torch.linalg.cholesky_ex(diagonal[1::2])
    odd, inner = len(factor), len(coupling[1::2])
    after = torch.zeros_like(factor)
    after[:inner] = coupling[1::2]
    known = torch.cat([coupling[::2].mT, after, right[1::2]], dim=-1)
    known = torch.linalg.solve_triangular(factor, known, upper=False)
    # Rows and columns of the frame before, of the frame after, and the right-hand sides.
    product = known.mT @ known
    a, b, c = slice(size), slice(size, 2 * size), slice(2 * size, None)
    kept, values = diagonal[::2].clone(), right[::2].clone()
    kept[:odd] -= product[..., a, a]
    kept[1:] -= product[:inner, ..., b, b]
    values[:odd] -= product[..., a, c]
    values[1:] -= product[:inner, ..., b, c]
    even = _halved(kept, -product[:inner, ..., a, b], values)
    beside = even.new_zeros(*factor.shape[:-2], 2 * size + columns, columns)
    beside[..., a, :], beside[:inner, ..., b, :] = -even[:odd], -even[1:]
    beside[..., c, :] = torch.eye(columns, dtype=right.dtype)
    own = torch.linalg.solve_triangular(factor.mT, known @ beside, upper=True)
    result = torch.empty_like(right)
    result[::2], result[1::2] = even, own
    return result


def _in_order(diagonal: Tensor, coupling: Tensor, right: Tensor) -> Tensor:
    """(T, G, N, K) by forward elimination and back substitution."""
    factors: list[Tensor] = []
    values: list[Tensor] = []
    block, value = diagonal[0], right[0]
    for frame in range(len(diagonal)):
        if frame:
            gain = torch.cholesky_solve(coupling[frame - 1], factors[-1]).mT
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
