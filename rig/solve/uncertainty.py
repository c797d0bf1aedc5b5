"""How well joints are known: what the measurements leave open, from the curvature of the objective."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from .. import so3
from ..arrays import Array
from .problem import At, Problem
from .systems import frame_equations

__all__ = ["joint_uncertainty"]

_CHUNK = 256
_FLOOR = 1e-6  # added to the curvature, so that what nothing sees is only very uncertain


def joint_uncertainty(problem: Problem, pose: Tensor, joints: Sequence[str]) -> tuple[Array, Array]:
    """Standard deviations of joints' places, every frame by itself, and where the markers are.

    With H the curvature of a frame's terms and J the slope of a joint's place, its covariance is J H^-1 J',
    times the mean squared residual where the terms fit worse than their weights say.

    Args:
        problem: with markers, without unknown shape.
        pose: (T, D) of the solution.
        joints: N names of bodies.

    Returns:
        (T, N) metres, the root of the covariance's trace, and (T, M, 3) metres of all markers.
    """
    spreads, places = [], []
    with torch.inference_mode():
        bodies = problem.places("body", tuple(joints))
        for start in range(0, len(pose), _CHUNK):
            some = pose[start : start + _CHUNK]
            at = problem.at(some, None, slice(start, start + len(some)))
            spreads.append(_spreads(at, bodies))
            marked = at.posed.points(problem.tables.marker_body, at.marker_places)
            places.append(marked.permute(2, 1, 0).numpy())
    return np.concatenate(spreads), np.concatenate(places)


def _spreads(at: At, bodies: Tensor) -> Array:
    hessian, _ = frame_equations(at)
    lower = hessian.tril()
    whole = lower + lower.tril(-1).mT + _FLOOR * torch.eye(lower.shape[-1], dtype=lower.dtype)
    slopes = _slopes(at, bodies)  # (T, N, 3, U)
    factor, _ = torch.linalg.cholesky_ex(whole)
    rows = slopes.flatten(1, 2).mT  # (T, U, 3 N)
    half = torch.linalg.solve_triangular(factor, rows, upper=False)
    variance = half.square().sum(1).unflatten(-1, (len(bodies), 3)).sum(-1)
    counts = sum(getattr(term, "observed", 0) for term in at.problem.frame_terms)
    counted = torch.as_tensor(counts, dtype=torch.float64)[at.frames].clamp(min=1.0)
    worse = (2.0 * at.cost() / counted).clamp(min=1.0)
    return np.asarray((variance * worse[:, None]).sqrt())


def _slopes(at: At, bodies: Tensor) -> Tensor:
    """(T, N, 3, U) of bodies' origins by the unknowns of their frames."""
    unknowns = at.problem.unknowns
    levers = (at.posed.places[:, bodies] - at.reference[:, None]).permute(2, 1, 0)
    carried = at.problem.tables.subtree[unknowns.bodies][:, bodies].T
    angular, linear = at.twists.permute(2, 0, 1).split(3, dim=1)
    slopes = (linear[:, None] - so3.skew(levers) @ angular[:, None]) * carried[:, None]
    return slopes if unknowns.merge is None else slopes @ unknowns.merge
