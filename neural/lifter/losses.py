"""What the lifter is trained for: points within the error that it states itself, motion, contacts, up."""

import torch
from torch import Tensor

from .frames import RATE
from .network import Lifted
from .views import ViewBatch

__all__ = ["lifter_losses"]

_LEAST = 1e-3  # metres, where an error's size gets its gradient from
_MOTION = 0.1  # metres of position are worth a metre per second of so much ...
_CONTACT = 0.1
_UP = 0.5


def lifter_losses(lifted: Lifted, batch: ViewBatch) -> dict[str, Tensor]:
    """Terms to be summed.

    Points: the negative logarithm of the likelihood of an error e whose size is spread as exp(-e / s) / s,
    s stated by the network (Kendall and Gal 2017, "What uncertainties do we need", with another density);
    and the plain error beside it, so that what is hard to see is learnt too.
    """
    error = (lifted.points - batch.points)[..., 1:, :]
    size = torch.sqrt((error * error).sum(-1) + _LEAST**2)
    spread = lifted.spread[..., 1:]
    moved = RATE * (error[:, 1:] - error[:, :-1])
    speed = torch.sqrt((moved * moved).sum(-1) + 1e-4)
    up = torch.nn.functional.normalize(lifted.up, dim=-1)
    return {
        "points": (size.detach() * torch.exp(-spread) + spread).mean() * 0.1 + 10.0 * size.mean(),
        "motion": _MOTION * speed.mean(),
        "contacts": _CONTACT
        * torch.nn.functional.binary_cross_entropy_with_logits(lifted.contacts, batch.contacts),
        "up": _UP * (1.0 - (up * batch.up).sum(-1)).mean(),
    }
