"""A model with the sizes that were found of a person, and what poses of some frames tell of the others."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ..model.model import KinematicModel
from ..model.scaling import scaled
from .problem import PairTerm, Problem, Term

__all__ = ["SizedBody", "spread_out"]


@dataclass(frozen=True, eq=False)
class SizedBody:
    """A model, and the sizes and marker places that were found of it; a model of its own is slow to lay out.

    Attributes:
        model: as it was laid out.
        scales: (B, 3) of its bodies; None: it is as large as it is.
        positions: (M, 3) metres of its markers in the unscaled bodies; None: where it has them.
    """

    model: KinematicModel
    scales: Tensor | None = None
    positions: Tensor | None = None

    @classmethod
    def of(cls, problem: Problem, shared: Tensor) -> Self:
        """The model of a problem with the values (S,) of its shape."""
        scales, places = problem.shared.scales(shared), problem.shared.positions(shared)
        if scales is None:
            scales = torch.ones(len(problem.model.bodies), 3, dtype=torch.float64)
        return cls(problem.model, scales, places)

    def problem(self, terms: list[Term | PairTerm]) -> Problem:
        """Where the body's pose is unknown."""
        return Problem(self.model, terms, scales=self.scales, positions=self.positions)

    def fitted(self) -> KinematicModel:
        """The model with its sizes and marker places."""
        if self.scales is None or self.positions is None:
            return self.model
        factors = dict(zip(self.model.bodies[1:], self.scales[1:].numpy(), strict=True))
        return scaled(self.model, factors, self.positions.numpy())


def spread_out(first: Tensor, chosen: npt.NDArray[np.int64], found: Tensor) -> Tensor:
    """Poses (T, D) near the solutions, where those of the chosen frames (K,) were found.

    What the first poses are off by changes slowly.
    """
    frames, off = np.arange(len(first)), (found - first[chosen]).numpy()
    return first + torch.as_tensor(
        np.stack([np.interp(frames, chosen, column) for column in off.T], axis=1)
    )
