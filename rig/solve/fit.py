"""One call for every problem: choose a method, check what was given, say what was found."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ..arrays import Array
from ..errors import ShapeError
from . import lbfgs, lm, starts
from .lm import Settings
from .problem import Problem

__all__ = ["METHODS", "Fit", "coupled", "minimised", "solve", "solve_recording"]

_Method = Callable[[Problem, Tensor, Tensor, Settings], tuple[Tensor, Tensor, int]]
METHODS: dict[str, _Method] = {"lm": lm.minimise, "lbfgs": lbfgs.minimise}


@dataclass(frozen=True, eq=False)
class Fit:
    """What a fit found.

    Attributes:
        pose: (T, D) radians and metres, coupled coordinates where their drivers put them.
        cost: (T,) half the weighted squares of every frame, terms between frames left out.
        total: cost of everything.
        scales: (B, 3) of the bodies, the ground first.
        positions: (M, 3) metres, of the model's markers in the unscaled bodies.
        shared: (S,) values of the problem's shape.
        iterations: how many steps were tried, or how often `lbfgs` evaluated the objective.
    """

    pose: Array
    cost: Array
    total: float
    scales: Array
    positions: Array
    shared: Array
    iterations: int


def solve(
    problem: Problem,
    initial: npt.ArrayLike | Tensor,
    *,
    method: str = "lm",
    iterations: int | None = None,
    tolerance: float = 1e-7,
    damping: float = 1e-4,
    progress: Callable[[float], None] | None = None,
) -> Fit:
    """Fit poses, and the shape if it is unknown, to the terms of a problem.

    Args:
        problem: what is fitted.
        initial: (T, D) poses to start from, or (D,) the same for every frame of the terms.
        method: "lm", or "lbfgs" as in the source paper.
        iterations: at most; 100 steps of `lm`, 500 of `lbfgs` unless told.
        tolerance: stop when no frame's cost falls by more than this fraction.
        damping: the first lambda of `lm`.
        progress: called now and then with the fraction done, 0 to 1; what it raises ends the fit.

    Raises:
        ShapeError: the poses or terms do not fit the model or each other, or the method is unknown.
    """
    settings = Settings(iterations or (500 if method == "lbfgs" else 100), tolerance, damping)
    settings = settings if progress is None else replace(settings, told=progress)
    return _found(problem, *minimised(problem, _checked(problem, initial), method, settings))


def minimised(
    problem: Problem, pose: Tensor, method: str, settings: Settings
) -> tuple[Tensor, Tensor, int]:
    """Poses (T, D), shared values (S,) and steps, without what else a `Fit` says.

    Raises:
        ShapeError: the method is unknown.
    """
    if method not in METHODS:
        raise ShapeError(f"no method {method!r}; there are: {', '.join(METHODS)}")
    return METHODS[method](problem, pose, problem.shared.first, settings)


def solve_recording(problem: Problem, initial: npt.ArrayLike | Tensor | None = None) -> Fit:
    """Fit every frame of a recording from one pose, however far from it they are.

    Frames are solved on their own first, few of them, then those between; terms over time and unknown sizes
    follow from there.

    Args:
        problem: with at least one term that was measured for a number of frames.
        initial: (D,) pose to begin with; the model's default pose if None.

    Raises:
        ShapeError: no term has frames, or the pose does not fit the model.
    """
    pose = _checked(problem, problem.model.default_pose if initial is None else initial)
    if not any(term.frames for term in problem.frame_terms):
        raise ShapeError("no term was measured for any frame, expected markers, points or sensors")
    alone = replace(problem, terms=problem.frame_terms, shape=None) if problem.coupled else problem
    poses, _ = starts.solve_recording(alone, pose[0], Settings())
    if problem.coupled:
        return solve(problem, poses)
    return _found(problem, poses, problem.shared.first, 0)


def _found(problem: Problem, pose: Tensor, shared: Tensor, steps: int) -> Fit:
    with torch.no_grad():
        at = problem.at(pose, shared)
        scales = torch.ones(len(problem.model.bodies), 3) if at.scales is None else at.scales
        given = problem.positions
        positions = problem.shared.positions(shared) if given is None else given.detach()
        return Fit(
            coupled(problem, pose).numpy(),
            at.cost().numpy(),
            float(at.total()),
            scales.double().numpy(),
            positions.numpy(),
            shared.numpy(),
            steps,
        )


def _checked(problem: Problem, initial: npt.ArrayLike | Tensor) -> Tensor:
    count = len(problem.model.coordinates)
    given = initial.detach() if isinstance(initial, Tensor) else initial
    pose = torch.as_tensor(np.array(given, dtype=np.float64))
    measured = {
        len_ for term in problem.terms if (len_ := getattr(term, "frames", None)) is not None
    }
    if pose.ndim == 1 and pose.shape[0] == count:
        pose = pose.expand(max(measured, default=1), count)
    if pose.ndim != 2 or pose.shape[1] != count or not bool(torch.isfinite(pose).all()):
        raise ShapeError(
            f"the first poses have shape {tuple(pose.shape)}, expected finite numbers (frames, {count})"
        )
    for frames in measured - {len(pose)}:
        raise ShapeError(
            f"a term was measured for {frames} frames and the first poses are {len(pose)}; "
            "expected the same number"
        )
    return problem.unknowns.within(pose.clone())


def coupled(problem: Problem, pose: Tensor) -> Tensor:
    """Poses (T, D) with coupled coordinates where their drivers put them."""
    tables = problem.tables
    if tables.couplings is None:
        return pose
    values, _ = tables.couplings.evaluate(pose.T[tables.drivers])
    return pose.index_copy(1, tables.coupled, values.T)
