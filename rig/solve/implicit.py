"""Gradients through a fit: how its solution changes with what it was fitted to.

At a solution the gradient of the objective is zero whatever the measurements are, so by the implicit function
theorem d(unknowns) = -H^-1 d(gradient), with the exact Hessian H, the residuals' curvature included. One step
of Newton's from the solution, with H held fixed, has the solution's value and exactly that derivative; every
parameter that the terms were built of (targets, weights, offsets) or that the problem was given (scales,
marker places) receives it by ordinary autograd.
"""

import torch
from torch import Tensor

from .fit import coupled, solve
from .problem import Problem
from .systems import System, held, solve_whole

__all__ = ["attached", "solve_with_gradient"]

_CLASSES = 3  # frames that share no neighbour are differentiated together


def solve_with_gradient(
    problem: Problem,
    initial: Tensor,
    *,
    method: str = "lm",
    iterations: int = 100,
) -> tuple[Tensor, Tensor]:
    """Fit, and let gradients through.

    Args:
        problem: whose terms are built of tensors that require gradients.
        initial: (T, D) poses to start from.
        method: as in `solve`.
        iterations: at most; gradients are right only at a solution.

    Returns:
        Poses (T, D) and shared values (S,) of the problem's shape, with gradients.

    Raises:
        ShapeError: as in `solve`.
    """
    fit = solve(problem, initial.detach(), method=method, iterations=iterations, tolerance=1e-14)
    return attached(problem, torch.as_tensor(fit.pose), torch.as_tensor(fit.shared))


def attached(problem: Problem, pose: Tensor, shared: Tensor) -> tuple[Tensor, Tensor]:
    """A solution (T, D) and (S,) with the derivatives of a solution; unknowns at hard bounds have none."""
    unknowns = problem.unknowns
    with torch.enable_grad():
        step = torch.zeros(len(pose), len(unknowns), dtype=torch.float64, requires_grad=True)
        change = torch.zeros_like(shared).requires_grad_()
        total = problem.at(unknowns.stepped(pose, step), shared + change).total()
        gradient, by_shared = _gradients(total, step, change)
        system = _curvature(problem, gradient, by_shared, step, change)
        fixed = held(problem, pose, gradient.detach())
        turn, shift = solve_whole(system, 0.0, fixed)
        return coupled(problem, unknowns.stepped(pose, turn)), shared + shift


def _gradients(total: Tensor, step: Tensor, change: Tensor) -> tuple[Tensor, Tensor]:
    found = torch.autograd.grad(total, (step, change), create_graph=True, allow_unused=True)
    gradient, by_shared = found
    assert gradient is not None
    return gradient, torch.zeros_like(change) if by_shared is None else by_shared


def _second(value: Tensor, by: Tensor) -> Tensor:
    """Gradient of a number, zero where it does not depend."""
    if not value.requires_grad:
        return torch.zeros_like(by)
    (found,) = torch.autograd.grad(value, by, retain_graph=True, allow_unused=True)
    return torch.zeros_like(by) if found is None else found


def _curvature(
    problem: Problem, gradient: Tensor, by_shared: Tensor, step: Tensor, change: Tensor
) -> System:
    """The exact Hessian, in blocks, with the gradients still attached."""
    frames, size = step.shape
    hessian = torch.zeros(frames, size, size, dtype=torch.float64)
    coupling = torch.zeros(max(frames - 1, 0), size, size, dtype=torch.float64)
    for unknown in range(size):
        for place in range(min(_CLASSES, frames)):
            rows = _second(gradient[place::_CLASSES, unknown].sum(), step)
            own = torch.arange(place, frames, _CLASSES)
            hessian[own, unknown] = rows[own]
            before = own[own < frames - 1]
            coupling[before, unknown] = rows[before + 1]
    columns = [_second(by_shared[k], step) for k in range(len(change))]
    border = torch.stack(columns, -1) if columns else step.new_zeros(frames, size, 0)
    corner = [_second(by_shared[k], change) for k in range(len(change))]
    return System(
        hessian,
        gradient,
        coupling if problem.pair_terms else None,
        border.detach(),
        torch.stack(corner).detach() if corner else change.new_zeros(0, 0),
        by_shared,
    )
