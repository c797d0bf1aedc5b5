"""Residual quantisation over scales: a window's latents as 1 + 2 + 4 + 8 + 16 tokens of one codebook.

Each scale describes, at its own resolution, what the coarser ones left over (Tian et al. 2024, "Visual
Autoregressive Modeling", algorithms 1 and 2, here over time instead of over an image).
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["LATENTS", "SCALES", "TOKENS", "Quantised", "Quantiser", "scale_slices"]

SCALES: tuple[int, ...] = (1, 2, 4, 8, 16)
LATENTS = SCALES[-1]  # places of a window at the finest scale
TOKENS = sum(SCALES)
_DECAY = 0.99  # of the codebook's moving averages
_DEAD = 0.05  # of an even share; a code that is used less is moved to where the data is
_NEARBY = 8  # codes that a slip of the quantiser chooses from


@dataclass(frozen=True)
class Quantised:
    """What became of latents (N, 16, D).

    Attributes:
        tokens: (N, 31) code numbers, coarse scales first; the nearest, where the quantiser slipped too.
        inputs: (N, 31, D) what is known before each scale's tokens: the sum of coarser scales, resampled.
        latents: (N, 16, D) the sum of all scales.
        partial: (5, N, 16, D) the sum after each scale.
    """

    tokens: Tensor
    inputs: Tensor
    latents: Tensor
    partial: Tensor


def scale_slices() -> list[slice]:
    """Where each scale's tokens lie among the 31."""
    stops = torch.tensor(SCALES).cumsum(0).tolist()
    return [slice(stop - size, stop) for size, stop in zip(SCALES, stops, strict=True)]


class Quantiser(nn.Module):
    """A codebook shared by all scales, kept by moving averages, and a small convolution per scale."""

    codebook: Tensor
    counts: Tensor
    sums: Tensor

    def __init__(self, codes: int, width: int) -> None:
        super().__init__()
        self.register_buffer("codebook", torch.randn(codes, width) * 0.5)
        self.register_buffer("counts", torch.zeros(codes))  # so the first batch fills the codebook
        self.register_buffer("sums", torch.zeros(codes, width))
        self.smooth = nn.ModuleList(nn.Conv1d(width, width, 3, padding=1) for _ in SCALES)

    def forward(
        self, latents: Tensor, random: torch.Generator | None = None, slip: float = 0.0
    ) -> Quantised:
        """Quantise latents (N, 16, D).

        Args:
            latents: of N windows.
            random: draws the slips.
            slip: probability that a place gets another code near it instead of the nearest; finer scales
                then mend it, as they must when the transformer errs.
        """
        tokens: list[Tensor] = []
        total = torch.zeros_like(latents)
        inputs, partial = [], []
        for scale, size in enumerate(SCALES):
            inputs.append(_resampled(total, size))
            rest = _resampled(latents.detach() - total.detach(), size)
            near = self._nearest(rest, _NEARBY if slip else 1)
            tokens.append(near[..., 0])
            total = total + self.spread(_slipped(near, random, slip), scale)
            partial.append(total)
        return Quantised(torch.cat(tokens, 1), torch.cat(inputs, 1), total, torch.stack(partial))

    def spread(self, tokens: Tensor, scale: int) -> Tensor:
        """What one scale's tokens (N, size) add to the latents: (N, 16, D)."""
        wide = functional.interpolate(
            self.codebook[tokens].transpose(1, 2), size=LATENTS, mode="linear", align_corners=False
        )
        smooth: Tensor = 0.5 * wide + 0.5 * self.smooth[scale](wide)
        return smooth.transpose(1, 2)

    def input_of(self, total: Tensor, scale: int) -> Tensor:
        """What is known (N, size, D) before the tokens of `scale`, from the coarser ones' sum (N, 16, D)."""
        return _resampled(total, SCALES[scale])

    def latents(self, tokens: Tensor) -> Tensor:
        """The sum of all scales (N, 16, D) of tokens (N, 31)."""
        parts = [self.spread(tokens[:, part], k) for k, part in enumerate(scale_slices())]
        return torch.stack(parts).sum(0)

    def _nearest(self, vectors: Tensor, count: int) -> Tensor:
        """Code numbers (N, size, count) nearest to vectors (N, size, D), the nearest first."""
        distance = torch.cdist(vectors.flatten(0, 1), self.codebook)
        near = distance.topk(min(count, len(self.codebook)), largest=False).indices
        return near.unflatten(0, vectors.shape[:2])

    @torch.no_grad()
    def learn(self, latents: Tensor, random: torch.Generator) -> None:
        """Move codes to the means of what they stand for, and dead ones to random vectors of the batch."""
        total, seen, chosen = torch.zeros_like(latents), [], []
        for scale, size in enumerate(SCALES):
            rest = _resampled(latents - total, size)
            tokens = self._nearest(rest, 1)[..., 0]
            total = total + self.spread(tokens, scale)
            seen.append(rest.flatten(0, 1))
            chosen.append(tokens.flatten())
        vectors, codes = torch.cat(seen), torch.cat(chosen)
        counts = torch.zeros_like(self.counts).index_add_(0, codes, torch.ones(len(codes)))
        sums = torch.zeros_like(self.sums).index_add_(0, codes, vectors)
        self.counts.lerp_(counts, 1.0 - _DECAY)
        self.sums.lerp_(sums, 1.0 - _DECAY)
        even = self.counts.sum() / len(self.counts)
        dead = self.counts < _DEAD * even
        picked = torch.randint(len(vectors), (int(dead.sum()),), generator=random)
        self.counts[dead] = even
        self.sums[dead] = vectors[picked] * even
        self.codebook.copy_(self.sums / self.counts[:, None])


def _resampled(latents: Tensor, size: int) -> Tensor:
    """Mean over equal parts: (N, 16, D) to (N, size, D)."""
    return latents.unflatten(1, (size, -1)).mean(2)


def _slipped(near: Tensor, random: torch.Generator | None, slip: float) -> Tensor:
    """Of the nearest codes (N, size, count) the first, or with probability `slip` any."""
    if slip == 0.0:
        return near[..., 0]
    other = torch.randint(near.shape[-1], near.shape[:2], generator=random)
    slips = torch.rand(near.shape[:2], generator=random) < slip
    return near.gather(-1, (other * slips)[..., None])[..., 0]
