"""The equations of a problem at one state, and their damped solution by structure.

Every step solves (H + lambda diag H) step = -gradient:

- frames that nothing couples: one small Cholesky per frame, each with its own damping;
- terms between neighbours: block-tridiagonal, see `chains`;
- unknowns shared by all frames: the arrowhead, by the Schur complement of the frames' blocks, as in bundle
  adjustment (Triggs et al. 2000).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from .chains import solve_chain
from .equations import Equations
from .problem import At, Problem

__all__ = ["System", "frame_equations", "held", "solve_frames", "solve_whole", "system_at"]

_CHUNK = 256  # frames gathered at a time, to bound memory
_STIFF = 1e30  # on the diagonal of a held unknown
_FLOOR = 1e-9  # added to the diagonal, so that an unknown that nothing sees stays where it is


@dataclass(eq=False)
class System:
    """H step + C shared = -g and C' step + B shared = -h, of all frames together."""

    hessian: Tensor  # (T, U, U), the lower triangle valid
    gradient: Tensor  # (T, U)
    coupling: Tensor | None  # (T-1, U, U), row t and column t + 1
    border: Tensor  # (T, U, S)
    shared: Tensor  # (S, S)
    shared_gradient: Tensor  # (S,)


def _empty(at: At) -> Equations:
    problem = at.problem
    return Equations(problem.unknowns, at.count, len(problem.shared))


def frame_equations(at: At, newton: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Hessian (T, U, U), its lower triangle, and gradient (T, U) of the terms of single frames.

    `newton` (T,) is 1 where the residuals' curvature counts too.
    """
    equations = _empty(at)
    for term in at.problem.frame_terms:
        term.gather(at, equations)
    return equations.reduced(at.twists, newton)


def system_at(
    problem: Problem, pose: Tensor, shared: Tensor, newton: bool = False, at: At | None = None
) -> System:
    """Gather every term at poses (T, D) and shared values (S,), some frames at a time.

    `newton` says whether the residuals' curvature by the frames' own unknowns counts too; `at` is all of it,
    where that is there already and no more than is gathered at a time.
    """
    frames, size, count = len(pose), len(problem.unknowns), len(shared)

    def zeros(*shape: int) -> Tensor:
        return torch.zeros(*shape, dtype=torch.float64)

    total = System(
        zeros(frames, size, size),
        zeros(frames, size),
        zeros(max(frames - 1, 0), size, size) if problem.pair_terms else None,
        zeros(frames, size, count),
        zeros(count, count),
        zeros(count),
    )
    for start in range(0, frames, _CHUNK):
        stop = min(start + _CHUNK, frames)
        if at is None or frames > _CHUNK:
            at = problem.at(pose[start:stop], shared, slice(start, stop))
        _add_frames(total, at, newton)
        if problem.pair_terms:
            # One frame more, for the pair across the border of two chunks.
            last = min(stop + 1, frames)
            pairs = at if last == stop else problem.at(pose[start:last], shared, slice(start, last))
            _add_pairs(total, pairs)
    if count:
        prior = problem.shared.stiffness
        total.shared += torch.diag(frames * prior)
        total.shared_gradient += frames * prior * (shared - problem.shared.first)
    return total


def _add_frames(total: System, at: At, newton: bool) -> None:
    equations = _empty(at)
    for term in at.problem.frame_terms:
        term.gather(at, equations)
    counts = at.pose.new_ones(len(at.pose)) if newton else None
    hessian, gradient = equations.reduced(at.twists, counts)
    total.hessian[at.frames] += hessian
    total.gradient[at.frames] += gradient
    total.border[at.frames] += equations.border
    total.shared += equations.shared
    total.shared_gradient += equations.shared_gradient


def _add_pairs(total: System, at: At) -> None:
    equations = _empty(at)
    for term in at.problem.pair_terms:
        term.gather_pairs(at, equations)
    assert isinstance(at.frames, slice)
    total.hessian[at.frames] += equations.own
    total.gradient[at.frames] += equations.pull
    total.border[at.frames] += equations.border
    total.shared += equations.shared
    total.shared_gradient += equations.shared_gradient
    if equations.coupling is not None and total.coupling is not None:
        total.coupling[at.frames.start : at.frames.stop - 1] += equations.coupling


def held(problem: Problem, pose: Tensor, gradient: Tensor) -> Tensor | None:
    """(T, U) True where an unknown is at a hard bound and pulled outwards; None if there are no bounds."""
    u = problem.unknowns
    if not u.bounded:
        return None
    value = pose.index_select(1, u.coordinates)
    return ((value <= u.low) & (gradient > 0.0)) | ((value >= u.high) & (gradient < 0.0))


def _damp(hessian: Tensor, lambdas: Tensor, fixed: Tensor | None = None) -> Tensor:
    """Damp blocks (T, U, U) in place; held unknowns get stiff, so that the others feel nothing of them."""
    diagonal = hessian.diagonal(dim1=-2, dim2=-1)
    diagonal += lambdas[..., None] * diagonal + _FLOOR * (1.0 + diagonal)
    if fixed is not None:
        diagonal.masked_fill_(fixed, _STIFF)
    return hessian


def solve_frames(
    hessian: Tensor, gradient: Tensor, lambdas: Tensor, fixed: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Steps (T, U), and by how much they are expected to lower the cost (T,); NaN where H is no valley.

    The Hessian is damped in place.
    """
    if fixed is not None:
        gradient = gradient.masked_fill(fixed, 0.0)
    diagonal = hessian.diagonal(dim1=-2, dim2=-1).clone()
    factor, fault = torch.linalg.cholesky_ex(_damp(hessian, lambdas, fixed))
    step = torch.cholesky_solve(gradient[..., None], factor).squeeze(-1).neg_()
    if fixed is not None:
        step.masked_fill_(fixed, 0.0)  # exactly: next to nothing would leave a bound at zero
    if bool(fault.any()):
        step = torch.where(fault[:, None] > 0, torch.nan, step)
    gain = 0.5 * (lambdas * (diagonal * step.square()).sum(-1) - (gradient * step).sum(-1))
    return step, gain


def solve_whole(system: System, lambdas: float, fixed: Tensor | None) -> tuple[Tensor, Tensor]:
    """Step of the frames (T, U) and of the shared unknowns (S,)."""
    damping = torch.full((len(system.hessian),), lambdas, dtype=torch.float64)
    right = torch.cat([-system.gradient[..., None], system.border], dim=-1)
    blocks, coupling = _damp(system.hessian.clone(), damping, fixed), system.coupling
    if fixed is not None:
        right = right.masked_fill(fixed[..., None], 0.0)
    if coupling is None:
        factor, _ = torch.linalg.cholesky_ex(blocks)
        solved = torch.cholesky_solve(right, factor)
    else:
        solved = solve_chain(blocks, coupling, right)
    if fixed is not None:
        solved.masked_fill_(fixed[..., None], 0.0)
    if not len(system.shared):
        return solved[..., 0], system.shared_gradient
    # Schur complement: (B - C' H^-1 C) s = -h + C' H^-1 g, then step = H^-1 (-g - C s).
    by_border = torch.einsum("tus,tuk->sk", right[..., 1:], solved)
    schur = _damp(system.shared.clone(), damping[:1].squeeze(0)) - by_border[:, 1:]
    shared = torch.linalg.solve(schur, -system.shared_gradient - by_border[:, 0])
    return solved[..., 0] - solved[..., 1:] @ shared, shared
