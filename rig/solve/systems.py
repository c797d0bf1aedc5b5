"""Solving the damped normal equations by their structure."""

import torch
from torch import Tensor

from .equations import Equations

__all__ = ["solve_frames", "solve_whole"]

_FLOOR = 1e-9  # added to the diagonal, so that an unknown that nothing sees stays where it is


def _damped(hessian: Tensor, lambdas: Tensor) -> Tensor:
    diagonal = hessian.diagonal(dim1=-2, dim2=-1)
    return hessian + torch.diag_embed(lambdas[..., None] * diagonal + _FLOOR * (1.0 + diagonal))


def solve_frames(hessian: Tensor, right: Tensor, lambdas: Tensor) -> Tensor:
    """(T, D, K)."""
    factor, _ = torch.linalg.cholesky_ex(_damped(hessian, lambdas))
    return torch.cholesky_solve(right, factor)


def solve_whole(eq: Equations, lambdas: Tensor) -> tuple[Tensor, Tensor]:
    """Step of the frames (T, D) and of the shared unknowns (S,)."""
    right = torch.cat([-eq.gradient[..., None], eq.border], dim=-1)
    if eq.coupling is None:
        solved = solve_frames(eq.hessian, right, lambdas)
    else:
        solved = _solve_chain(_damped(eq.hessian, lambdas), eq.coupling, right)
    if not len(eq.shared):
        return solved[..., 0], eq.shared_gradient
    # Schur complement: (B - C' H^-1 C) s = -h + C' H^-1 g, then step = H^-1 (-g - C s).
    by_border = torch.einsum("tds,tdk->sk", eq.border, solved)
    schur = _damped(eq.shared, lambdas[:1].squeeze(0)) - by_border[:, 1:]
    shared = torch.linalg.solve(schur, -eq.shared_gradient - by_border[:, 0])
    return solved[..., 0] - solved[..., 1:] @ shared, shared


def _solve_chain(diagonal: Tensor, coupling: Tensor, right: Tensor) -> Tensor:
    """Block-tridiagonal (T, D, D) with couplings (T-1, D, D): forward elimination, back substitution."""
    factors: list[Tensor] = []
    values: list[Tensor] = []
    block, value = diagonal[0], right[0]
    for frame in range(len(diagonal)):
        if frame:
            gain = torch.cholesky_solve(coupling[frame - 1], factors[-1]).transpose(-1, -2)
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
