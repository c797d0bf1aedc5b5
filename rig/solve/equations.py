"""The normal equations of a problem at one state, with their structure: frames, chain, border."""

from dataclasses import dataclass

import torch
from torch import Tensor

from .problem import Problem, State

__all__ = ["Equations", "equations_at", "frame_cost", "shared_size", "total_cost"]

_BLOCKS = 4  # dimensions of a block-diagonal derivative


@dataclass(eq=False)
class Equations:
    """H step + C shared = -g and C' step + B shared = -h; H is block-diagonal, or block-tridiagonal."""

    hessian: Tensor  # (T, D, D)
    gradient: Tensor  # (T, D)
    cost: Tensor  # (T,)
    coupling: Tensor | None  # (T-1, D, D), row t and column t + 1
    border: Tensor  # (T, D, S)
    shared: Tensor  # (S, S)
    shared_gradient: Tensor  # (S,)
    total: float


def shared_size(problem: Problem, state: State) -> int:
    """How many unknowns all frames share."""
    return len(state.scales) + sum(len(own) for own in state.own)


def frame_cost(problem: Problem, state: State, start: int) -> Tensor:
    """(T,) cost of the terms that look at one frame at a time."""
    pose = problem.pose(state, start)
    cost = torch.zeros(len(state.root), dtype=torch.float64)
    for term, own in zip(problem.frame_terms, state.own, strict=True):
        cost = cost + term.cost(pose, own)
    return cost


def total_cost(problem: Problem, state: State, start: int) -> float:
    """Cost of everything: frames, neighbours and priors on what is shared."""
    cost = frame_cost(problem, state, start).sum() + _shared_prior(problem, state)[0]
    pose = problem.pose(state, start)
    for term in problem.pair_terms:
        cost = cost + 0.5 * (term.linearise_pairs(pose).residual ** 2).sum()
    return float(cost)


def _shared_prior(problem: Problem, state: State) -> tuple[Tensor, Tensor, Tensor]:
    """Cost (), gradient (S,) and diagonal Hessian (S,) of what keeps shared unknowns in place."""
    frames = len(state.root)
    stiffness = 0.0 if problem.shape is None else problem.shape.weight**2
    away = state.scales - 1.0
    costs = [0.5 * stiffness * (away * away).sum()]
    gradients, diagonals = [stiffness * away], [torch.full_like(away, stiffness)]
    for term, own in zip(problem.frame_terms, state.own, strict=True):
        cost, gradient, diagonal = term.anchor(own)
        costs.append(cost)
        gradients.append(gradient)
        diagonals.append(diagonal)
    total = torch.stack(costs).sum()
    return frames * total, frames * torch.cat(gradients), frames * torch.cat(diagonals)


def equations_at(problem: Problem, state: State, start: int) -> Equations:
    """Linearise every term; `start` is the first of these frames within the terms' arrays."""
    pose = problem.pose(state, start)
    frames, size, shared = len(state.root), problem.size, shared_size(problem, state)
    prior_cost, prior_gradient, prior_diagonal = _shared_prior(problem, state)
    eq = Equations(
        torch.zeros(frames, size, size, dtype=torch.float64),
        torch.zeros(frames, size, dtype=torch.float64),
        torch.zeros(frames, dtype=torch.float64),
        None,
        torch.zeros(frames, size, shared, dtype=torch.float64),
        torch.diag(prior_diagonal),
        prior_gradient.clone(),
        float(prior_cost),
    )
    place = len(state.scales)
    for term, own in zip(problem.frame_terms, state.own, strict=True):
        linear = term.linearise(pose, own)
        transposed = linear.frame.transpose(-1, -2)
        eq.cost += term.cost(pose, own)
        if linear.frame.ndim == _BLOCKS:
            _add_blocks(eq, linear.residual, linear.frame)
            continue
        eq.hessian += transposed @ linear.frame
        eq.gradient += (transposed @ linear.residual[..., None]).squeeze(-1)
        blocks = [(slice(0, len(state.scales)), linear.scales)]
        blocks.append((slice(place, place + len(own)), linear.own))
        _add_shared(eq, linear.residual, transposed, [b for b in blocks if b[1] is not None])
        place += len(own)
    eq.total += float(eq.cost.sum())
    for pair_term in problem.pair_terms:
        _add_pairs(eq, *pair_term.linearise_pairs(pose))
    return eq


def _add_blocks(eq: Equations, residual: Tensor, blocks: Tensor) -> None:
    """Add a term whose derivatives are 3 x 3 blocks on the diagonal."""
    count = blocks.shape[1]
    by_blocks = blocks.transpose(-1, -2)
    eq.gradient += (by_blocks @ residual.unflatten(-1, (count, 3))[..., None]).flatten(1)
    every = torch.arange(count)
    view = eq.hessian.view(len(blocks), count, 3, count, 3)
    view[:, every, :, every, :] += (by_blocks @ blocks).transpose(0, 1)


def _add_shared(
    eq: Equations,
    residual: Tensor,
    transposed: Tensor,
    blocks: list[tuple[slice, Tensor | None]],
) -> None:
    for columns, block in blocks:
        assert block is not None
        eq.border[:, :, columns] += transposed @ block
        eq.shared_gradient[columns] += torch.einsum("trs,tr->s", block, residual)
        for others, other in blocks:
            assert other is not None
            eq.shared[columns, others] += torch.einsum("trs,tru->su", block, other)


def _add_pairs(eq: Equations, residual: Tensor, before: Tensor, after: Tensor) -> None:
    if eq.coupling is None:
        eq.coupling = torch.zeros_like(eq.hessian[:-1])
    by_before, by_after = before.transpose(-1, -2), after.transpose(-1, -2)
    eq.hessian[:-1] += by_before @ before
    eq.hessian[1:] += by_after @ after
    eq.coupling += by_before @ after
    eq.gradient[:-1] += (by_before @ residual[..., None]).squeeze(-1)
    eq.gradient[1:] += (by_after @ residual[..., None]).squeeze(-1)
    eq.total += float(0.5 * (residual * residual).sum())
