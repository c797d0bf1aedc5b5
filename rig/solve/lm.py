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
from ..arrays import Array
from ..errors import ShapeError
from ..motion import Motion
from ..skeleton import Skeleton
from .equations import Equations, equations_at, frame_cost, shared_size, total_cost
from .problem import Problem, State
from .systems import solve_frames, solve_whole

__all__ = ["Solution", "solve"]

_CHUNK = 128  # frames at a time where nothing couples them, to bound memory
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
    cost: Array
    own: tuple[Array, ...]
    iterations: int


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
    coupled = bool(problem.pair_terms) or shared_size(problem, state) > 0
    with torch.no_grad():
        if coupled:
            state, steps = _descend(problem, state, 0, iterations, tolerance, damping, _whole)
        else:
            state, steps = _chunks(problem, state, iterations, tolerance, damping)
        cost = frame_cost(problem, state, 0)
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
_Way = Callable[[Problem, State, Equations, Tensor, int], tuple[State, Tensor, float]]


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
        at = equations_at(problem, state, start)
        state, lambdas, progress = way(problem, state, at, lambdas, start)
        if progress < tolerance:
            return state, step + 1
    return state, iterations


def _each(
    problem: Problem, state: State, equations: Equations, lambdas: Tensor, start: int
) -> tuple[State, Tensor, float]:
    """Every frame takes or leaves its own step."""
    step = solve_frames(equations.hessian, -equations.gradient[..., None], lambdas).squeeze(-1)
    trial = problem.stepped(state, step)
    cost = frame_cost(problem, trial, start)
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
    problem: Problem, state: State, equations: Equations, lambdas: Tensor, start: int
) -> tuple[State, Tensor, float]:
    """All frames and shared unknowns take or leave one step."""
    step, shared = solve_whole(equations, lambdas)
    trial = _with_shared(problem.stepped(state, step), shared)
    total = total_cost(problem, trial, start)
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
