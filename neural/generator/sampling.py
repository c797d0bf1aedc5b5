"""Drawing tokens window after window: seeded, tempered, any number of takes at once."""

from collections.abc import Sequence

import torch
from torch import Tensor

from .judge import Judge
from .network import Generator
from .next_scale import SEEN
from .options import GeneratorOptions
from .quantiser import LATENTS, SCALES
from .tokeniser import WINDOW

__all__ = ["draw_window", "draw_windows", "randoms"]


def randoms(options: GeneratorOptions) -> list[torch.Generator]:
    """One source of random numbers per take, the same for take k however many there are."""
    seeds = [(options.seed * 1_000_003 + take) % 2**63 for take in range(options.takes)]
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def draw_windows(
    network: Generator,
    sensed: Tensor,
    options: GeneratorOptions,
    sources: Sequence[torch.Generator],
    before: Tensor | None = None,
    after: Tensor | None = None,
    judge: Judge | None = None,
) -> Tensor:
    """Draw n windows in a row: latents (K, n * 16, D), K as many as there are sources.

    Args:
        network: trained, not training.
        sensed: (64 (n + 2), 51) the upper body, with a window before the first and one after the last.
        options: temperature, top-k and, with a judge, how many are drawn of which one is kept.
        sources: of random numbers, one per take.
        before: (16, D) latents of the window before the first, where it is known.
        after: (16, D) latents of the window after the last, where it is known.
        judge: says which of `options.tries` windows is kept; None keeps the first.
    """
    count = len(sensed) // WINDOW - 2
    takes, width = len(sources), network.tokeniser.config.latent
    tries = 1 if judge is None or options.temperature == 0.0 else options.tries
    nothing = torch.zeros(takes, LATENTS, width)
    past = nothing if before is None else before.expand_as(nothing)
    drawn: list[Tensor] = []
    for index in range(count):
        final = after is not None and index == count - 1
        known = torch.zeros(SEEN, dtype=torch.bool)
        known[:LATENTS] = index > 0 or before is not None
        known[2 * LATENTS :] = final
        future = after.expand_as(nothing) if final and after is not None else nothing
        view = sensed[index * WINDOW : (index + 3) * WINDOW]
        latents = torch.cat([past, nothing, future], dim=1).repeat_interleave(tries, dim=0)
        found = draw_window(network, view, latents, known, options, sources)
        if judge is not None and tries > 1:
            best = judge(index, latents[:, :LATENTS], found).view(takes, tries).argmin(1)
            found = found.unflatten(0, (takes, tries))[torch.arange(takes), best]
        past = found
        drawn.append(past)
    return torch.cat(drawn, dim=1)


def draw_window(
    network: Generator,
    sensed: Tensor,
    latents: Tensor,
    known: Tensor,
    options: GeneratorOptions,
    sources: Sequence[torch.Generator],
) -> Tensor:
    """Draw the middle one of three windows, scale by scale: latents (M, 16, D).

    Args:
        network: trained, not training.
        sensed: (192, 51) the upper body.
        latents: (M, 48, D) of the lower body where it is known, as many for each source of random numbers.
        known: (48,) True where it is.
        options: temperature and top-k.
        sources: of random numbers.
    """
    sensed, known = sensed.expand(len(latents), -1, -1), known.expand(len(latents), -1)
    quantiser = network.tokeniser.quantiser
    here, memory = network.next_scale.look(sensed, latents, known)
    total = torch.zeros_like(latents[:, :LATENTS])
    for scale in range(len(SCALES)):
        inputs = quantiser.input_of(total, scale)
        logits, memory = network.next_scale.step(inputs, here, memory, scale)
        total = total + quantiser.spread(_drawn(logits, options, sources), scale)
    return total


def _drawn(logits: Tensor, options: GeneratorOptions, sources: Sequence[torch.Generator]) -> Tensor:
    """Tokens (M, size) of logits (M, size, codes): the largest of tempered logits plus Gumbel noise."""
    if options.temperature == 0.0:
        return logits.argmax(-1)
    if 0 < options.top_k < logits.shape[-1]:
        least = logits.topk(options.top_k, dim=-1).values[..., -1:]
        logits = logits.masked_fill(logits < least, -torch.inf)
    shape = (len(logits) // len(sources), *logits.shape[1:])
    uniform = torch.cat([torch.rand(shape, generator=source) for source in sources])
    gumbel = -(-uniform.clamp(min=1e-20).log()).clamp(min=1e-20).log()
    return (logits / options.temperature + gumbel).argmax(-1)
