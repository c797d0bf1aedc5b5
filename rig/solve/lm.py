"""Levenberg-Marquardt, batched over frames, with the structure of the problem used.

Frames that nothing couples each take or leave their own step and drop out when they are done; coupled frames
and shared unknowns take one step together. Hard bounds hold by an active set: an unknown that is at its bound
and pulled outwards is left out of the step. Levenberg (1944), Marquardt (1963).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..arrays import Array, Mask
from .problem import At, Problem
from .systems import frame_equations, held, solve_frames, solve_whole, system_at

__all__ = ["Settings", "minimise", "minimise_frames", "minimise_one"]

_CHUNK = 512  # frames at a time where nothing couples them: what fits the cache
_LEAST_DAMPING, _MOST_DAMPING, _STUCK = 1e-9, 1e8, 1e4
_RETRY_DAMPING = 1e-3  # at least, once a step of Gauss's has failed
_ROUNDING = 1e-12  # relative; a cost that rises by less has not risen
_SMALLEST_COST = 1e-8  # below it, a fit is as good as exact
_NEAR = 0.2  # a step that lowers the cost by less than this fraction is near the solution
_REACH = (
    0.5  # radians; a longer turn in one step would leave the valley that the equations describe
)
_PATIENCE = 4  # steps of Gauss's after one of Newton's that failed
_TRIES = 2  # of all frames together with the curvature, before it is left out again
_WORTH_PACKING = 0.8  # fraction of frames still at work below which the others are left out


def _nothing(done: float) -> None:
    del done


@dataclass(frozen=True)
class Settings:
    """When to stop, and whom to tell.

    Attributes:
        iterations: at most.
        tolerance: stop when no frame's cost can fall by more than this fraction.
        damping: the first lambda.
        newton: whether the residuals' curvature counts from the first step; otherwise only near the end.
        enough: fraction of the frames still at work that must be done; the others stop where they are.
        told: called now and then with the fraction done, 0 to 1; what it raises ends the fit.
    """

    iterations: int = 30
    tolerance: float = 1e-7
    damping: float = 1e-4
    newton: bool = False
    enough: float = 1.0
    told: Callable[[float], None] = _nothing


def minimise(
    problem: Problem, pose: Tensor, shared: Tensor, settings: Settings
) -> tuple[Tensor, Tensor, int]:
    """Poses (T, D), shared values (S,) and the number of steps tried.

    Poses to start from are brought within the hard bounds first: from outside, every step into them would
    look worse.
    """
    with torch.inference_mode():
        pose = problem.unknowns.within(pose)
        if problem.coupled:
            return _whole(problem, pose, shared, settings)
        fit = _chunks(problem, pose, settings, torch.arange(len(pose)))
        return fit[0], shared, fit[2]


def minimise_frames(
    problem: Problem, pose: Tensor, settings: Settings, frames: Tensor
) -> tuple[Tensor, Tensor, int]:
    """Poses (N, D), costs (N,) and steps tried of frames (N,) of the terms; one may come twice."""
    with torch.inference_mode():
        return _chunks(problem, problem.unknowns.within(pose), settings, frames)


def minimise_one(problem: Problem, pose: Tensor, settings: Settings, frame: int = 0) -> At:
    """A single frame of the terms from one pose (D,): the problem at the pose that was found."""
    with torch.inference_mode():
        start, frames = problem.unknowns.within(pose[None]), torch.tensor([frame])
        state = _Frames(problem, start, frames, settings)
        state.run()
        return state.at


def _chunks(
    problem: Problem, pose: Tensor, settings: Settings, frames: Tensor
) -> tuple[Tensor, Tensor, int]:
    """Poses, costs and the number of steps tried, some frames at a time."""
    if not len(pose):
        return pose, pose.new_zeros(0), 0
    parts: list[tuple[Tensor, Tensor, int]] = []
    for own, which in zip(pose.split(_CHUNK), frames.split(_CHUNK), strict=True):
        settings.told(len(parts) * _CHUNK / len(pose))
        parts.append(_Frames(problem, own, which, settings).run())
    poses, costs, steps = zip(*parts, strict=True)
    return torch.cat(poses), torch.cat(costs), max(steps)


class _Frames:
    """Frames that do not see each other.

    The books about them are numpy's: on few numbers its calls cost a fifth of torch's.
    """

    def __init__(self, problem: Problem, pose: Tensor, frames: Tensor, settings: Settings) -> None:
        self.problem, self.settings = problem, settings
        self.which: Tensor | None = None  # of the result, still at work; None for all
        self.at = problem.at(pose, None, frames)
        self.cost: Array = self.at.cost().numpy()
        self.pose, self.costs = pose, self.cost  # of all, once stored
        self.lambdas = np.full(len(pose), settings.damping)
        self.newton = np.full(len(pose), float(settings.newton))
        self.patience = np.zeros(len(pose), dtype=int)  # steps before Newton's are tried again

    def run(self) -> tuple[Tensor, Tensor, int]:
        """Poses (T, D), costs (T,) and steps tried."""
        steps, working = 0, True
        while working and steps < self.settings.iterations:
            done, steps = self._step(), steps + 1
            working = done.sum() < self.settings.enough * len(done)
            if working and done.mean() > 1.0 - _WORTH_PACKING:
                self._pack(~done)
        self._store()
        return self.pose, torch.from_numpy(self.costs), steps

    def _step(self) -> Mask:
        """Try a step; (T,) True where nothing more is to be gained."""
        hessian, gradient = frame_equations(self.at, torch.from_numpy(self.newton))
        fixed = held(self.problem, self.at.pose, gradient)
        step, foretold = solve_frames(hessian, gradient, torch.from_numpy(self.lambdas), fixed)
        step = self._within_reach(step)
        at = self.at.moved(self.problem.unknowns.stepped(self.at.pose, step))
        cost, gain = at.cost().numpy(), foretold.numpy()
        scale, fell = self.cost.clip(min=_SMALLEST_COST), self.cost - cost
        curved = self.newton > 0.0
        better = (fell >= -_ROUNDING * scale) & np.isfinite(gain)
        least = self.settings.tolerance * scale
        # A step of Newton's that gained what was foretold leaves next to nothing to the following one.
        told = (gain < least) | (curved & (np.abs(fell - gain) < least))
        done: Mask = np.where(better, told, self.lambdas > _STUCK)
        near = fell < _NEAR * self.cost
        self._take(at, cost, better)
        # Far from the solution the curvature may point anywhere; a step of it that failed says so.
        self.patience = np.where(curved & ~better, _PATIENCE, self.patience - better)
        self.newton = (better & near & (self.patience <= 0)).astype(float)
        return done

    def _within_reach(self, step: Tensor) -> Tensor:
        """Steps (T, U), shorter where a joint would turn too far, and zero where there is none."""
        turns = self.problem.unknowns.rotations
        if not turns.shape[0]:
            return torch.nan_to_num(step)
        longest = step.index_select(1, turns).abs_().amax(-1, keepdim=True).nan_to_num_(torch.inf)
        return step.nan_to_num_().mul_((_REACH / longest).clamp_(max=1.0))

    def _take(self, at: At, cost: Array, better: Mask) -> None:
        if better.all():
            self.at, self.cost = at, cost
            self.lambdas = (self.lambdas / 10.0).clip(min=_LEAST_DAMPING)
            return
        self.at = at.mixed(torch.from_numpy(better), self.at)
        self.cost = np.where(better, cost, self.cost)
        harder = (self.lambdas * 8.0).clip(min=_RETRY_DAMPING)
        worse = np.where(self.newton > 0.0, self.lambdas, harder)
        changed = np.where(better, self.lambdas / 10.0, worse)
        self.lambdas = changed.clip(_LEAST_DAMPING, _MOST_DAMPING)

    def _store(self) -> None:
        if self.which is None:
            self.pose, self.costs = self.at.pose, self.cost
        else:
            self.pose = self.pose.index_copy(0, self.which, self.at.pose)
            self.costs = self.costs.copy()
            self.costs[self.which.numpy()] = self.cost

    def _pack(self, working: Mask) -> None:
        """Go on with the frames still at work."""
        self._store()
        kept = torch.from_numpy(working).nonzero().squeeze(-1)
        self.which = kept if self.which is None else self.which[kept]
        self.at = self.at.taken(kept)
        self.cost, self.lambdas = self.cost[working], self.lambdas[working]
        self.newton, self.patience = self.newton[working], self.patience[working]


def _whole(
    problem: Problem, pose: Tensor, shared: Tensor, settings: Settings
) -> tuple[Tensor, Tensor, int]:
    """All frames and shared unknowns take or leave one step."""
    damping, newton, patience = settings.damping, settings.newton, 0
    total, at = _total(problem, pose, shared)
    for step in range(settings.iterations):
        settings.told(step / settings.iterations)
        system = system_at(problem, pose, shared, newton, at)
        fixed = held(problem, pose, system.gradient)
        gain, tries = 0.0, 0
        while damping < _STUCK and not (newton and tries > _TRIES):
            turn, change = solve_whole(system, damping, fixed)
            trial = problem.unknowns.stepped(pose, turn), problem.shared.stepped(shared, change)
            after, there = _total(problem, *trial)
            if after <= total * (1.0 + _ROUNDING):
                gain = (total - after) / max(total, _SMALLEST_COST)
                (pose, shared), total, at = trial, after, there
                # What had to be raised is kept for a step; a tenth of it would fail again.
                damping = damping if tries else max(damping / 10.0, _LEAST_DAMPING)
                break
            damping, tries = max(damping * 8.0, _RETRY_DAMPING), tries + 1
        failed = newton and tries > _TRIES
        if gain < settings.tolerance and not failed:
            return pose, shared, step + 1
        patience = _PATIENCE if failed else patience - 1
        newton = not failed and patience <= 0 and gain < _NEAR
    return pose, shared, settings.iterations


def _total(problem: Problem, pose: Tensor, shared: Tensor) -> tuple[float, At | None]:
    """Cost of everything, some frames at a time; and all of it at once where that is no more."""
    if len(pose) <= _CHUNK:
        at = problem.at(pose, shared)
        return float(at.total()), at
    total, pairs = len(pose) * float(problem.shared.anchor(shared)), problem.pair_terms
    for start in range(0, len(pose), _CHUNK):
        stop = min(start + _CHUNK, len(pose))
        total += float(problem.at(pose[start:stop], shared, slice(start, stop)).cost().sum())
        if pairs:
            last = min(stop + 1, len(pose))
            at = problem.at(pose[start:last], shared, slice(start, last))
            total += sum(float(term.pair_cost(at).sum()) for term in pairs)
    return total, None
