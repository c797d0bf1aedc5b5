"""The invertible IK solver S: bone vectors and twists in, 6D rotations out, and exactly back.

Report section 4.3. Equation (7) says P_n = R_n (TP_n - TP_parent) + P_parent. Rotate every joint's basis
by a constant so that its first column lies along the bone to its primary child; then the bone vector
P_child - P_n is the bone's length times the first of the six numbers' two columns, and equation (7) is
linear in the 6D vector. On this well-scaled vector work affine couplings (Dinh et al. 2017, "RealNVP")
with bounded scales, which start as the identity and learn what geometry alone does not say.
`PlainRealNvp` is the same flow without any of this, for the ablation table.
"""

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from ..rig import so3
from .body import bone_basis, bone_lengths

__all__ = ["SOLVERS", "InvertibleIk", "InvertibleIkConfig", "PlainRealNvp", "build_solver"]


@dataclass(frozen=True)
class InvertibleIkConfig:
    """Everything needed to rebuild the solver.

    Attributes:
        n_joints: J; a pose is 6J numbers.
        n_couplings: coupling blocks, each with its own fixed permutation.
        hidden: width of the couplings' networks.
        largest_log_scale: bound of |log s| in each coupling; 0 makes the couplings additive.
    """

    n_joints: int = 13
    n_couplings: int = 6
    hidden: int = 128
    largest_log_scale: float = 0.2

    @property
    def size(self) -> int:
        """Numbers in a pose, in either form."""
        return 6 * self.n_joints


class _Coupling(nn.Module):
    """y1 = x1; y2 = x2 * exp(s(x1)) + t(x1), after a fixed permutation; inverted in closed form.

    As RealNVP has it, s is unbounded and random at first; `tamed` ones are bounded and start as zero.
    """

    permutation: Tensor
    unpermutation: Tensor

    def __init__(self, config: InvertibleIkConfig, seed: int, *, tamed: bool) -> None:
        super().__init__()
        self.n_kept = config.size // 2
        self.bound = config.largest_log_scale if tamed else None
        order = torch.randperm(config.size, generator=torch.Generator().manual_seed(seed))
        self.register_buffer("permutation", order)
        self.register_buffer("unpermutation", order.argsort())
        self.first = nn.Linear(self.n_kept, config.hidden)
        self.middle = nn.Linear(config.hidden, config.hidden)
        self.last = nn.Linear(config.hidden, 2 * (config.size - self.n_kept))
        if tamed:
            nn.init.zeros_(self.last.weight)
            nn.init.zeros_(self.last.bias)

    def _scale_and_shift(self, kept: Tensor) -> tuple[Tensor, Tensor]:
        hidden = nn.functional.silu(self.first(kept))
        hidden = nn.functional.silu(self.middle(hidden))
        log_scale, shift = self.last(hidden).chunk(2, dim=-1)
        if self.bound is not None:
            log_scale = self.bound * torch.tanh(log_scale)
        return log_scale, shift

    def forward(self, x: Tensor) -> Tensor:
        x = x[..., self.permutation]
        kept, changed = x[..., : self.n_kept], x[..., self.n_kept :]
        log_scale, shift = self._scale_and_shift(kept)
        y = torch.cat([kept, changed * log_scale.exp() + shift], dim=-1)
        return y[..., self.unpermutation]

    def inverse(self, y: Tensor) -> Tensor:
        y = y[..., self.permutation]
        kept, changed = y[..., : self.n_kept], y[..., self.n_kept :]
        log_scale, shift = self._scale_and_shift(kept)
        x = torch.cat([kept, (changed - shift) * (-log_scale).exp()], dim=-1)
        return x[..., self.unpermutation]


class _Flow(nn.Module):
    """The couplings one after the other, (..., J, 6) to (..., J, 6), and back."""

    def __init__(self, config: InvertibleIkConfig, *, tamed: bool) -> None:
        super().__init__()
        self.config = config
        self.couplings = nn.ModuleList(
            _Coupling(config, seed, tamed=tamed) for seed in range(config.n_couplings)
        )

    def _through(self, x: Tensor) -> Tensor:
        x = x.flatten(-2).float()
        for coupling in self.couplings:
            x = coupling(x)
        return x.unflatten(-1, (self.config.n_joints, 6))

    def _back(self, y: Tensor) -> Tensor:
        y = y.flatten(-2).float()
        for coupling in reversed(self.couplings):
            y = cast(_Coupling, coupling).inverse(y)
        return y.unflatten(-1, (self.config.n_joints, 6))


class InvertibleIk(_Flow):
    """S of equations (8) and (9), for J joints.

    Both sides are (..., J, 6). A pose as positions P is [bone direction (3), twist u (3)] per joint, the
    bone vector P_child - P_n of equation (7) divided by its length; a pose as rotations R is the first
    two columns of the rotation matrix in the joint's bone-aligned basis.
    """

    def __init__(self, config: InvertibleIkConfig) -> None:
        super().__init__(config, tamed=True)

    def forward(self, positions: Tensor) -> Tensor:
        """Equation (8), R = S(P): (..., J, 6) bone directions and twists to 6D rotations."""
        return self._through(positions)

    def inverse(self, rotations: Tensor) -> Tensor:
        """Equation (9), P = S'(R): (..., J, 6) 6D rotations to bone directions and twists."""
        return self._back(rotations)

    def positions_of(self, rotations: Tensor) -> Tensor:
        """Equation (7), the positions of known rotations: in this basis the same six numbers."""
        return rotations

    def analytic(self, positions: Tensor) -> Tensor:
        """Equation (7) solved for the rotations, the R with a hat of equation (11): the same six numbers."""
        return positions


class PlainRealNvp(_Flow):
    """The report's solver without preconditioning, behind the same interface.

    Bone vectors are in metres, rotations in the joint's own basis, in which equation (7) is not linear;
    scales are unbounded and nothing starts as the identity. Exact in theory; in float32, after training,
    it is not.
    """

    basis: Tensor
    lengths: Tensor

    def __init__(self, config: InvertibleIkConfig) -> None:
        super().__init__(config, tamed=False)
        self.register_buffer("basis", bone_basis()[: config.n_joints].clone(), persistent=False)
        self.register_buffer("lengths", bone_lengths()[: config.n_joints, None], persistent=False)

    def forward(self, positions: Tensor) -> Tensor:
        """Equation (8), R = S(P): (..., J, 6) bone vectors in metres and twists to 6D rotations."""
        plain = so3.from_sixd(self._through(positions))
        return so3.to_sixd(plain @ self.basis)

    def inverse(self, rotations: Tensor) -> Tensor:
        """Equation (9), P = S'(R): (..., J, 6) 6D rotations to bone vectors in metres and twists."""
        aligned = so3.from_sixd(rotations.float())
        return self._back(so3.to_sixd(aligned @ self.basis.transpose(-1, -2)))

    def positions_of(self, rotations: Tensor) -> Tensor:
        """Equation (7): bone vectors of a standard body, and the second columns as twists."""
        return torch.cat([rotations[..., :3] * self.lengths, rotations[..., 3:]], dim=-1)

    def analytic(self, positions: Tensor) -> Tensor:
        """Equation (7) solved for the rotations, the R with a hat of equation (11)."""
        return torch.cat([positions[..., :3] / self.lengths, positions[..., 3:]], dim=-1)


SOLVERS = ("invertible", "realnvp", "direct")


def build_solver(name: str, config: InvertibleIkConfig) -> InvertibleIk | PlainRealNvp | None:
    """The solver of that name; None for a head that says rotations directly."""
    if name == "direct":
        return None
    return InvertibleIk(config) if name == "invertible" else PlainRealNvp(config)
