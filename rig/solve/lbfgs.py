"""The source paper's method: PyTorch's L-BFGS over all unknowns of all frames, gradients by autograd.

Hammond et al., "Development of a Pytorch-based Kinematic Engine". Slower than `lm`, and the same objective:
it is here to be compared with, and where a term has no derivatives of its own.
"""

import torch
from torch import Tensor

from .lm import Settings
from .problem import Problem

__all__ = ["minimise"]

_HISTORY = 20
_ROUNDS = 20  # calls of the optimiser; each forgets its history and starts from the last steps


def minimise(
    problem: Problem, pose: Tensor, shared: Tensor, settings: Settings
) -> tuple[Tensor, Tensor, int]:
    """Poses (T, D), shared values (S,) and the number of times the objective was evaluated."""
    unknowns, evaluations = problem.unknowns, 0
    with torch.enable_grad():
        for turn in range(_ROUNDS):
            step = torch.zeros(len(pose), len(unknowns), dtype=torch.float64, requires_grad=True)
            change = torch.zeros_like(shared).requires_grad_()
            start = (pose.detach(), shared.detach())
            optimiser = torch.optim.LBFGS(
                [step, change],
                max_iter=settings.iterations,
                history_size=_HISTORY,
                tolerance_grad=1e-12,
                tolerance_change=1e-12,
                line_search_fn="strong_wolfe",
            )

            def objective(
                step: Tensor = step,
                change: Tensor = change,
                start: tuple[Tensor, Tensor] = start,
                optimiser: torch.optim.LBFGS = optimiser,
                done: float = turn / _ROUNDS,
            ) -> float:
                settings.told(done)
                optimiser.zero_grad()
                total = problem.at(unknowns.stepped(start[0], step), start[1] + change).total()
                total.backward()
                return total.item()

            before = float(optimiser.step(objective))
            evaluations += int(optimiser.state[step]["func_evals"])
            with torch.no_grad():
                pose = unknowns.stepped(start[0], step.detach())
                shared = start[1] + change.detach()
                after = float(problem.at(pose, shared).total())
            if before - after <= settings.tolerance * before:
                break
    return pose, shared, evaluations
