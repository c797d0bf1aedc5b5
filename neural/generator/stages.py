"""Loss terms of the two stages of training, from windows to numbers."""

import torch
from torch import Tensor
from torch.nn import functional

from .losses import TokeniserWeights, tokeniser_losses
from .network import Generator
from .next_scale import SEEN
from .quantiser import LATENTS, SCALES
from .sampler import Windows
from .tokeniser import Tokeniser

__all__ = ["next_scale_terms", "tokeniser_terms"]

PAST = 0.9  # how often the past is known
FUTURE = 0.3  # how often the window after is known, as it is when a gap is filled
_EVENNESS = 0.5  # 0 weighs all tokens alike, 1 all scales


def tokeniser_terms(
    tokeniser: Tokeniser, windows: Windows, weights: TokeniserWeights
) -> tuple[dict[str, Tensor], Tensor]:
    """Terms of a batch, and its latents (N, 16, D) for the codebook to learn from."""
    latents = tokeniser.encode(windows.lower, windows.pelvis)
    quantised = tokeniser.quantise(latents)
    coarse = quantised.latents.reshape(latents.shape)
    # Straight through: what the decoder says of the sum of codes is learnt by the encoder.
    decoded = tokeniser.decode(latents + (coarse - latents).detach(), windows.pelvis)
    whole = latents.unflatten(1, (-1, LATENTS)).flatten(0, 1)
    terms = tokeniser_losses(
        decoded, windows.lower, windows.pelvis, whole, quantised, weights, tokeniser.deviation
    )
    return terms, whole.detach()


def next_scale_terms(
    network: Generator, windows: Windows, random: torch.Generator, slip: float
) -> dict[str, Tensor]:
    """Cross entropy of the middle one of three windows' tokens, in nats per token."""
    with torch.no_grad():
        latents = network.tokeniser.encode(windows.lower, windows.pelvis)
        quantised = network.tokeniser.quantise(latents, random, slip)
    batch = len(latents)
    tokens = quantised.tokens.unflatten(0, (batch, 3))[:, 1]
    inputs = quantised.inputs.unflatten(0, (batch, 3))[:, 1]
    around = quantised.latents.reshape(batch, SEEN, -1)
    known = torch.zeros(batch, SEEN, dtype=torch.bool)
    known[:, :LATENTS] = torch.rand(batch, 1, generator=random) < PAST
    known[:, 2 * LATENTS :] = torch.rand(batch, 1, generator=random) < FUTURE
    logits = network.next_scale(windows.sensed, around, known, inputs)
    losses = functional.cross_entropy(logits.transpose(1, 2), tokens, reduction="none")
    share = torch.cat([torch.full((size,), size**-_EVENNESS) for size in SCALES])
    return {"tokens": (losses * share).sum(1).mean() / share.sum()}
