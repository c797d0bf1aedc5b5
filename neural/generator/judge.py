"""Which of several drawn windows fits best: standing feet stand, soles touch the floor, the sensors agree.

Drawn tokens are plausible; physics, the sensor that rides on the pelvis, and the network that saw a longer
past know more. A window's cost is the sum, each in units of what is usual, of how fast standing feet slide,
how far the lower sole is off the floor (in flight, beyond 10 cm), how far the root's gain in speed is off
what the waist's accelerometer felt, and how often a foot stands that the network saw in the air, or the
reverse.
"""

import torch
from torch import Tensor
from torch.nn import functional

from ..features import NETWORK_FPS, heading_matrix
from ..root import SOLES
from .losses import heading_from_legs
from .network import Generator
from .quantiser import LATENTS
from .tokeniser import WINDOW

__all__ = ["Judge", "window_costs"]

SLIDING, FLOATING, FELT = 0.1, 0.02, 0.15  # m/s, metres, m/s: what counts one
STEPPING = 0.25  # share of frames, likewise
FLYING = 0.1  # metres that soles may be off the floor while no foot stands
SPAN = 8  # frames over which gains in speed are compared
_FEET, _VELOCITY, _HEIGHT, _CONTACTS = slice(4, 8), slice(48, 51), 51, slice(52, 54)


class Judge:
    """Costs of windows of one take."""

    def __init__(
        self,
        network: Generator,
        world_from_pelvis: Tensor,
        felt: Tensor | None,
        contacts: Tensor | None,
    ) -> None:
        """Take what the windows must fit.

        Args:
            network: that draws them.
            world_from_pelvis: (64 n, 3, 3).
            felt: (64 n, 3) m/s that the root of a standard body gained from frame to frame, world frame, or
                None where nobody felt it.
            contacts: (64 n, 2) probabilities that the feet stand, by the network that posed the upper body;
                None where none did.
        """
        self.network, self.pelvis = network, world_from_pelvis
        self.felt, self.contacts = felt, contacts

    def __call__(self, index: int, past: Tensor, drawn: Tensor) -> Tensor:
        """(M,) costs of latents (M, 16, D) drawn for window `index`, after those before (M, 16, D)."""
        first = max(index - 1, 0) * WINDOW
        frames = slice(first, (index + 1) * WINDOW)
        latents = torch.cat([past, drawn], dim=1)[:, LATENTS if index == 0 else 0 :]
        pelvis = self.pelvis[frames].expand(len(drawn), -1, -1, -1)
        lower = self.network.tokeniser.decode(latents, pelvis)
        # The last frames before this window count too: there the windows are joined.
        shown = min(WINDOW + SPAN, lower.shape[1])
        felt, seen = (
            None if given is None else given[frames][-shown:]
            for given in (self.felt, self.contacts)
        )
        return window_costs(lower[:, -shown:], pelvis[:, -shown:], felt, seen)


def window_costs(
    lower: Tensor, world_from_pelvis: Tensor, felt: Tensor | None, seen: Tensor | None
) -> Tensor:
    """(M,) costs of decoded lower bodies (M, T, 54), contacts as logits; T is more than `SPAN`.

    The other arguments as `Judge` has them, of the same T frames.
    """
    world_from_heading = heading_matrix(world_from_pelvis)
    places = heading_from_legs(lower, world_from_pelvis)[..., _FEET, :]
    feet = (world_from_heading[..., None, :, :] @ places[..., None]).squeeze(-1)
    velocity = (world_from_heading @ lower[..., _VELOCITY, None]).squeeze(-1)
    standing = lower[..., _CONTACTS].sigmoid()
    moved = (velocity[:, 1:, None] + feet.diff(dim=1) * NETWORK_FPS)[..., :2].norm(dim=-1)
    slower = moved.unflatten(-1, (2, 2)).min(dim=2).values  # heel or ball
    both = standing[:, 1:] * standing[:, :-1]
    sliding = (slower * both).sum((1, 2)) / (both.sum((1, 2)) + 1.0)
    soles = (feet[..., 2] - torch.tensor(SOLES).to(feet)).min(-1).values + lower[..., _HEIGHT]
    in_flight = FLYING * (1.0 - standing.max(-1).values)
    floating = (soles.abs() - in_flight).clamp(min=0.0).mean(1)
    costs: Tensor = sliding / SLIDING + floating / FLOATING
    if felt is not None:
        gained = velocity[:, SPAN:] - velocity[:, :-SPAN]
        expected = functional.avg_pool1d(felt.T[None], SPAN, 1)[0].T[1:] * SPAN
        costs = costs + (gained - expected).norm(dim=-1).mean(1) / FELT
    if seen is not None:
        costs = costs + (standing - seen).abs().mean((1, 2)) / STEPPING
    return costs
