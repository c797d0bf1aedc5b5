"""Levenberg-Marquardt, batched over frames, with the structure of the problem used.

Every step solves the damped normal equations (H + lambda diag H) step = -gradient:

- frames that nothing couples: one small Cholesky per frame, each frame with its own damping;
- terms between neighbours: block-tridiagonal, by forward elimination and back substitution;
- unknowns shared by all frames: the arrowhead, by the Schur complement of the frames' blocks.

Levenberg (1944), Marquardt (1963); the arrowhead as in bundle adjustment (Triggs et al. 2000).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from .. import quaternion, so3
from ..errors import ShapeError
from ..motion import Motion
from ..skeleton import Skeleton
from .problem import Problem, State

__all__ = ["Solution", "solve"]

_BLOCKS = 4  # dimensions of a block-diagonal derivative
_CHUNK = 128  # frames at a time where nothing couples them, to bound memory
_FLOOR = 1e-9  # added to the diagonal, so that an unknown that nothing sees stays where it is
_LEAST_DAMPING, _MOST_DAMPING, _STUCK = 1e-9, 1e8, 1e4
_ROUNDING = 1e-12  # relative; a cost that rises by less has not risen
_SMALLEST_COST = 1e-12


@dataclass(frozen=True, eq=False)
class Solution:
    """What a fit found.

    Attributes:
        motion: the fitted motion, on the fitted skeleton.
        cost: (T,) half the weighted sum of squares per frame, terms between frames left out.
        own: per term, the values it shares over all frames (the marker offsets of free `Points`).
        iterations: how many steps were tried.
    """

    motion: Motion
    cost: np.ndarray
    own: tuple[np.ndarray, ...]
    iterations: int


@dataclass(eq=False)
class _Equations:
    hessian: Tensor  # (T, D, D)
    gradient: Tensor  # (T, D)
    cost: Tensor  # (T,)
    coupling: Tensor | None  # (T-1, D, D), row t and column t + 1
    border: Tensor  # (T, D, S)
    shared: Tensor  # (S, S)
    shared_gradient: Tensor  # (S,)
    total: float


def solve(
    problem: Problem,
    initial: Motion,
    *,
    method: str = "lm",
    iterations: int = 20,
    tolerance: float = 1e-6,
    damping: float = 1e-3,
) -> Solution:
    """Fit a motion to the terms of a problem.

    Args:
        problem: what is fitted.
        initial: T frames of the problem's skeleton to start from.
        method: "lm".
        iterations: at most.
        tolerance: stop when no frame's cost falls by more than this fraction.
        damping: the first lambda.

    Returns:
        The motion at the initial's rate; joints that may not move have exactly their rotations.

    Raises:
        ShapeError: the motion is of another skeleton, a term of another length, or the method is unknown.
    """
    if method != "lm":
        raise ShapeError(f"no method {method!r}; there is: lm")
    _check(problem, initial)
    state = _state(problem, initial)
    coupled = bool(problem.pair_terms) or _shared_size(problem, state) > 0
    with torch.no_grad():
        if coupled:
            state, steps = _descend(problem, state, 0, iterations, tolerance, damping, _whole)
        else:
            state, steps = _chunks(problem, state, iterations, tolerance, damping)
        cost = _frame_cost(problem, state, 0)
    return Solution(
        _motion(problem, state, initial), cost.numpy(), tuple(o.numpy() for o in state.own), steps
    )


def _check(problem: Problem, initial: Motion) -> None:
    if initial.skeleton.names != problem.skeleton.names:
        raise ShapeError("the initial motion is of another skeleton than the problem")
    for term in problem.terms:
        for name in ("targets", "rotations"):
            array = getattr(term, name, None)
            if array is not None and len(array) != len(initial):
                raise ShapeError(
                    f"{type(term).__name__} has {len(array)} frames, the motion {len(initial)}"
                )


def _state(problem: Problem, initial: Motion) -> State:
    rotations = so3.from_quaternion(torch.tensor(np.array(initial.rotations)))
    root = torch.tensor(np.array(initial.root_position))
    scales = torch.ones(len(problem.group_offsets), dtype=torch.float64)
    return State(rotations, root, scales, tuple(term.initial() for term in problem.frame_terms))


def _shared_size(problem: Problem, state: State) -> int:
    return len(state.scales) + sum(len(own) for own in state.own)


def _motion(problem: Problem, state: State, initial: Motion) -> Motion:
    rotations = np.array(initial.rotations)
    moved = so3.to_quaternion(state.rotations[:, problem.joints]).numpy()
    rotations[:, problem.joints] = moved
    offsets = problem.offsets(state.scales).numpy()
    skeleton = problem.skeleton
    if len(state.scales):
        skeleton = Skeleton(skeleton.names, skeleton.parents, offsets, skeleton.tips)
    return Motion(skeleton, state.root.numpy(), quaternion.continuous(rotations), initial.fps)


def _chunks(
    problem: Problem, state: State, iterations: int, tolerance: float, damping: float
) -> tuple[State, int]:
    """Frames do not see each other: solve them chunk by chunk."""
    rotations, roots, most = [], [], 0
    for start in range(0, len(state.root), _CHUNK):
        part = slice(start, start + _CHUNK)
        piece = replace(state, rotations=state.rotations[part], root=state.root[part])
        piece, steps = _descend(problem, piece, start, iterations, tolerance, damping, _each)
        rotations.append(piece.rotations)
        roots.append(piece.root)
        most = max(most, steps)
    if not rotations:
        return state, 0
    return replace(state, rotations=torch.cat(rotations), root=torch.cat(roots)), most


# A way to use a step: (problem, state, equations, damping, start) -> new state, damping, progress.
_Way = Callable[[Problem, State, _Equations, Tensor, int], tuple[State, Tensor, float]]


def _descend(
    problem: Problem,
    state: State,
    start: int,
    iterations: int,
    tolerance: float,
    damping: float,
    way: _Way,
) -> tuple[State, int]:
    lambdas = torch.full((len(state.root),), damping, dtype=torch.float64)
    for step in range(iterations):
        equations = _equations(problem, state, start)
        state, lambdas, progress = way(problem, state, equations, lambdas, start)
        if progress < tolerance:
            return state, step + 1
    return state, iterations


def _each(
    problem: Problem, state: State, equations: _Equations, lambdas: Tensor, start: int
) -> tuple[State, Tensor, float]:
    """Every frame takes or leaves its own step."""
    step = _solve_frames(equations.hessian, -equations.gradient[..., None], lambdas).squeeze(-1)
    trial = problem.stepped(state, step)
    cost = _frame_cost(problem, trial, start)
    better = cost <= equations.cost * (1.0 + _ROUNDING)
    chosen = replace(
        state,
        rotations=torch.where(better[:, None, None, None], trial.rotations, state.rotations),
        root=torch.where(better[:, None], trial.root, state.root),
    )
    gain = (equations.cost - cost) / equations.cost.clamp(min=_SMALLEST_COST)
    # A frame whose step failed is not done until only tiny steps are left to try.
    gain = torch.where(better, gain, torch.where(lambdas < _STUCK, torch.inf, 0.0))
    return chosen, _adapted(lambdas, better), float(gain.max())


def _whole(
    problem: Problem, state: State, equations: _Equations, lambdas: Tensor, start: int
) -> tuple[State, Tensor, float]:
    """All frames and shared unknowns take or leave one step."""
    step, shared = _solve_whole(equations, lambdas)
    trial = _with_shared(problem.stepped(state, step), shared)
    total = _total_cost(problem, trial, start)
    if not total <= equations.total * (1.0 + _ROUNDING):
        gain = np.inf if float(lambdas[0]) < _STUCK else 0.0
        return state, _adapted(lambdas, torch.zeros(len(lambdas), dtype=torch.bool)), gain
    gain = (equations.total - total) / max(equations.total, _SMALLEST_COST)
    return trial, _adapted(lambdas, torch.ones(len(lambdas), dtype=torch.bool)), gain


def _adapted(lambdas: Tensor, better: Tensor) -> Tensor:
    changed = torch.where(better, lambdas / 5.0, lambdas * 4.0)
    return changed.clamp(_LEAST_DAMPING, _MOST_DAMPING)


def _with_shared(state: State, step: Tensor) -> State:
    sizes = [len(state.scales), *(len(own) for own in state.own)]
    scales, *own = step.split(sizes)
    return replace(
        state,
        scales=state.scales + scales,
        own=tuple(old + new for old, new in zip(state.own, own, strict=True)),
    )


def _frame_cost(problem: Problem, state: State, start: int) -> Tensor:
    pose = problem.pose(state, start)
    cost = torch.zeros(len(state.root), dtype=torch.float64)
    for term, own in zip(problem.frame_terms, state.own, strict=True):
        cost = cost + term.cost(pose, own)
    return cost


def _total_cost(problem: Problem, state: State, start: int) -> float:
    cost = _frame_cost(problem, state, start).sum() + _shared_prior(problem, state)[0]
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


def _equations(problem: Problem, state: State, start: int) -> _Equations:
    pose = problem.pose(state, start)
    frames, size, shared = len(state.root), problem.size, _shared_size(problem, state)
    prior_cost, prior_gradient, prior_diagonal = _shared_prior(problem, state)
    eq = _Equations(
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


def _add_blocks(eq: _Equations, residual: Tensor, blocks: Tensor) -> None:
    """Add a term whose derivatives are 3 x 3 blocks on the diagonal."""
    count = blocks.shape[1]
    by_blocks = blocks.transpose(-1, -2)
    eq.gradient += (by_blocks @ residual.unflatten(-1, (count, 3))[..., None]).flatten(1)
    every = torch.arange(count)
    view = eq.hessian.view(len(blocks), count, 3, count, 3)
    view[:, every, :, every, :] += (by_blocks @ blocks).transpose(0, 1)


def _add_shared(
    eq: _Equations,
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


def _add_pairs(eq: _Equations, residual: Tensor, before: Tensor, after: Tensor) -> None:
    if eq.coupling is None:
        eq.coupling = torch.zeros_like(eq.hessian[:-1])
    by_before, by_after = before.transpose(-1, -2), after.transpose(-1, -2)
    eq.hessian[:-1] += by_before @ before
    eq.hessian[1:] += by_after @ after
    eq.coupling += by_before @ after
    eq.gradient[:-1] += (by_before @ residual[..., None]).squeeze(-1)
    eq.gradient[1:] += (by_after @ residual[..., None]).squeeze(-1)
    eq.total += float(0.5 * (residual * residual).sum())


def _damped(hessian: Tensor, lambdas: Tensor) -> Tensor:
    diagonal = hessian.diagonal(dim1=-2, dim2=-1)
    return hessian + torch.diag_embed(lambdas[..., None] * diagonal + _FLOOR * (1.0 + diagonal))


def _solve_frames(hessian: Tensor, right: Tensor, lambdas: Tensor) -> Tensor:
    """(T, D, K)."""
    factor, _ = torch.linalg.cholesky_ex(_damped(hessian, lambdas))
    return torch.cholesky_solve(right, factor)


def _solve_whole(eq: _Equations, lambdas: Tensor) -> tuple[Tensor, Tensor]:
    """Step of the frames (T, D) and of the shared unknowns (S,)."""
    right = torch.cat([-eq.gradient[..., None], eq.border], dim=-1)
    if eq.coupling is None:
        solved = _solve_frames(eq.hessian, right, lambdas)
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
    factors, values = [], []
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
