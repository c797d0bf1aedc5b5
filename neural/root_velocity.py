"""How fast the root moves: three witnesses weighed by how far each can be trusted.

The model is a velocity that changes by the waist's acceleration plus white noise, and is observed by
standing feet (the root moves against them) and by the network. A whole take is the Rauch-Tung-Striebel
smoother (1965) of it, solved as the tridiagonal least squares that it is; a stream is the Kalman filter
(1960), its forward half.
"""

from dataclasses import dataclass

import numpy as np
import torch

from ..rig.arrays import Array
from ..rig.solve.chains import solve_chain

__all__ = ["VelocityFilter", "VelocityNoise", "VelocityWitness", "smooth_velocity"]

_LEAST = 1e-9  # information of the network's velocity where feet say all


@dataclass(frozen=True)
class VelocityNoise:
    """Standard deviations, chosen on validation clips; the same for both horizontal axes.

    Attributes:
        acceleration: m/s^2, of the change from frame to frame; with a sensed acceleration, of its error.
        unsensed: m/s^2, the same where no acceleration is known.
        network: m/s, of what the network says, counted per frame although its errors last longer.
        foot: m/s, of a foot that surely stands; then the network is not asked.
    """

    acceleration: float = 1.0
    unsensed: float = 10.0
    network: float = 2.0
    foot: float = 0.05


@dataclass(frozen=True)
class VelocityWitness:
    """What is known of T frames.

    Attributes:
        network: (T, 3) m/s.
        feet: (T, 2, 3) m/s, the root's velocity if the left or the right foot stands still.
        trust: (T, 2) from 0 to 1, how surely each stands.
        change: (T, 3) m/s gained since the frame before by the sensed acceleration, or None.
    """

    network: Array
    feet: Array
    trust: Array
    change: Array | None

    def observed(self, noise: VelocityNoise) -> tuple[Array, Array]:
        """Information (T,) and information times velocity (T, 3) of all witnesses together."""
        by_foot = self.trust / noise.foot**2
        free = 1.0 - np.minimum(self.trust.sum(-1), 1.0)
        by_network = free / noise.network**2 + _LEAST
        pull = (by_foot[..., None] * self.feet).sum(-2) + by_network[..., None] * self.network
        return by_foot.sum(-1) + by_network, pull


def smooth_velocity(
    witness: VelocityWitness, fps: float, noise: VelocityNoise | None = None
) -> Array:
    """The likeliest velocities (T, 3) of a whole take, m/s."""
    noise = noise or VelocityNoise()
    information, pull = witness.observed(noise)
    stiff = _stiffness(noise, fps, sensed=witness.change is not None)
    diagonal, right = information.copy(), pull.copy()
    diagonal[:-1] += stiff
    diagonal[1:] += stiff
    if witness.change is not None:
        right[1:] += stiff * witness.change[1:]
        right[:-1] -= stiff * witness.change[1:]
    coupling = np.full(len(diagonal) - 1, -stiff)
    found = solve_chain(
        torch.from_numpy(diagonal)[:, None, None],
        torch.from_numpy(coupling)[:, None, None],
        torch.from_numpy(right)[:, None],
    )
    result: Array = found[:, 0].numpy()
    return result


class VelocityFilter:
    """The same for a stream: each frame's velocity from that frame and those before."""

    def __init__(self, fps: float, noise: VelocityNoise | None = None) -> None:
        self.noise, self.fps = noise or VelocityNoise(), fps
        self.velocity: Array = np.zeros(3)
        self._information = 0.0

    def __call__(self, witness: VelocityWitness) -> Array:
        """Velocity (3,) m/s of the next frame, of which `witness` holds one."""
        stiff = _stiffness(self.noise, self.fps, sensed=witness.change is not None)
        if witness.change is not None:
            self.velocity = self.velocity + witness.change[0]
        prior = self._information * stiff / (self._information + stiff)
        information, pull = witness.observed(self.noise)
        self._information = prior + float(information[0])
        self.velocity = (prior * self.velocity + pull[0]) / self._information
        return self.velocity


def _stiffness(noise: VelocityNoise, fps: float, *, sensed: bool) -> float:
    """Information of one frame's change of velocity, 1 / (m/s)^2."""
    deviation = (noise.acceleration if sensed else noise.unsensed) / fps
    return 1.0 / deviation**2
