"""What the tokeniser's training minimises: rotations, places by forward kinematics, contacts, sliding."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from ...rig.skeleton import body_skeleton
from ..features import NETWORK_FPS, heading_matrix
from .quantiser import Quantised
from .windows import LEGS, legs_from_pelvis, pelvis_from_legs

__all__ = ["TokeniserWeights", "heading_from_legs", "tokeniser_losses"]

_ANKLES_AND_TOES = slice(4, 8)
_ROOT = slice(48, 52)  # velocity and height among the 54 numbers
_CONTACTS = slice(52, 54)


@dataclass(frozen=True)
class TokeniserWeights:
    """How much each term counts."""

    numbers: float = 1.0
    place: float = 10.0
    speed: float = 0.5
    root: float = 1.0
    contact: float = 0.3
    skate: float = 0.5
    commitment: float = 0.25
    scales: float = 1.0


def tokeniser_losses(
    decoded: Tensor,
    lower: Tensor,
    world_from_pelvis: Tensor,
    latents: Tensor,
    quantised: Quantised,
    weights: TokeniserWeights,
    deviation: Tensor,
) -> dict[str, Tensor]:
    """Terms of one batch.

    Args:
        decoded: (B, T, 54) by the tokeniser.
        lower: (B, T, 54) that went in.
        world_from_pelvis: (B, T, 3, 3).
        latents: (N, 16, D) before quantisation.
        quantised: of them.
        weights: of the terms.
        deviation: (54,) of the numbers.
    """
    places, true_places = (heading_from_legs(x, world_from_pelvis) for x in (decoded, lower))
    change = (places.diff(dim=1) - true_places.diff(dim=1)) * NETWORK_FPS
    off = (decoded - lower) / deviation
    partial = (quantised.partial - latents.detach()).square().mean()
    commitment = (latents - quantised.partial.detach()).square().mean()
    return {
        "numbers": weights.numbers * off[..., : _ROOT.start].square().mean(),
        "place": weights.place * (places - true_places).norm(dim=-1).mean(),
        "speed": weights.speed * change.norm(dim=-1).mean(),
        "root": weights.root * off[..., _ROOT].abs().mean(),
        "contact": weights.contact
        * functional.binary_cross_entropy_with_logits(
            decoded[..., _CONTACTS], lower[..., _CONTACTS]
        ),
        "skate": weights.skate * _skate(places, decoded, lower, world_from_pelvis),
        "commitment": weights.commitment * commitment,
        "scales": weights.scales * partial,
    }


def heading_from_legs(lower: Tensor, world_from_pelvis: Tensor) -> Tensor:
    """Joint origins (..., 8, 3) about the pelvis in its heading frame, metres, of the standard body."""
    offsets = torch.tensor(body_skeleton().offsets[LEGS]).to(lower)
    in_pelvis = legs_from_pelvis(pelvis_from_legs(lower), offsets)
    heading_from_pelvis = heading_matrix(world_from_pelvis).transpose(-1, -2) @ world_from_pelvis
    return (heading_from_pelvis[..., None, :, :] @ in_pelvis[..., None]).squeeze(-1)


def _skate(places: Tensor, decoded: Tensor, lower: Tensor, world_from_pelvis: Tensor) -> Tensor:
    """Horizontal speed of standing feet, the lower of heel and ball: the root's and their own about it."""
    world_from_heading = heading_matrix(world_from_pelvis)
    feet = places[..., _ANKLES_AND_TOES, :]
    root = decoded[..., _ROOT.start : _ROOT.start + 3]
    world = (world_from_heading[..., None, :, :] @ feet[..., None]).squeeze(-1)
    moved = (world_from_heading @ root[..., None]).squeeze(-1)[:, 1:, None]
    speed = (moved + world.diff(dim=1) * NETWORK_FPS)[..., :2].norm(dim=-1).unflatten(-1, (2, 2))
    standing = lower[:, 1:, _CONTACTS] * lower[:, :-1, _CONTACTS]
    return (standing * speed.min(dim=2).values).mean()
