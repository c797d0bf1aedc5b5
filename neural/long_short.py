"""Cross attention of long and short time series: the long history asks, the last frames answer.

Report section 4.2.2. At frame t the queries are frames t, t - 8, ... over `long_span`; keys and values
are the last `short_span` frames. The answers are pooled by trained weights, one per query.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .attention import RmsNorm, attend, literal_scale, rotary

__all__ = ["LongShortConfig", "LongShortCrossAttention"]

_FEW = 16  # new frames up to which asking one by one is cheaper than all together
_CHUNK = 512  # new frames at a time; memory grows with the square


@dataclass(frozen=True)
class LongShortConfig:
    """Sizes, as the encoder's config names them."""

    features: int
    width: int
    n_heads: int
    long_span: int
    long_stride: int
    short_span: int
    literal: bool = False

    @property
    def n_queries(self) -> int:
        """Queries per frame."""
        return self.long_span // self.long_stride


class LongShortCrossAttention(nn.Module):
    """(B, N, features) of seen frames to what the long history learns of the last ones."""

    def __init__(self, config: LongShortConfig) -> None:
        super().__init__()
        self.config = config
        self.norm = RmsNorm(config.features)
        self.query = nn.Linear(config.features, config.width, bias=False)
        self.key_value = nn.Linear(config.features, 2 * config.width, bias=False)
        self.pool = nn.Parameter(torch.zeros(config.n_heads, config.n_queries))
        self.out = nn.Linear(config.width, config.features, bias=False)

    def forward(self, fused: Tensor, n_new: int) -> Tensor:
        """Attend for the last `n_new` of the frames (B, N, features): (B, n_new, features)."""
        normed = self.norm(fused)
        place = torch.arange(fused.shape[1], device=fused.device)
        query, key, value = (
            part.unflatten(-1, (self.config.n_heads, -1)).transpose(1, 2)
            for part in (self.query(normed), *self.key_value(normed).chunk(2, dim=-1))
        )
        query, key = rotary(query, place), rotary(key, place)
        few = n_new <= _FEW or self.config.literal
        pooled = self._one_by_one if few else self._together
        parts = []
        for stop in range(fused.shape[1] - n_new, fused.shape[1], _CHUNK):
            last = min(stop + _CHUNK, fused.shape[1])
            seen = slice(max(0, stop - self.config.long_span), last)
            parts.append(pooled(query[:, :, seen], key[:, :, seen], value[:, :, seen], last - stop))
        heads = torch.cat(parts, dim=2)  # (B, H, n_new, head_dim)
        out: Tensor = self.out(heads.transpose(1, 2).flatten(-2))
        return out

    def _shares(self, asking: Tensor) -> Tensor:
        """(H, n_new, Q) weights of the queries asked by frames (n_new, Q); before the start none asks."""
        return self.pool[:, None, :].masked_fill(asking < 0, -torch.inf).softmax(-1)

    def _asking(self, n_frames: int, n_new: int, device: torch.device) -> Tensor:
        """(n_new, Q) frames that ask for each of the last ones."""
        now = torch.arange(n_frames - n_new, n_frames, device=device)[:, None]
        steps = torch.arange(self.config.n_queries, device=device) * self.config.long_stride
        return now - steps

    def _one_by_one(self, query: Tensor, key: Tensor, value: Tensor, n_new: int) -> Tensor:
        """The definition: every new frame gathers its queries, keys and values; (B, H, n_new, head_dim)."""
        n_frames = query.shape[2]
        asking = self._asking(n_frames, n_new, query.device)
        now = torch.arange(n_frames - n_new, n_frames, device=query.device)[:, None]
        answering = now - torch.arange(self.config.short_span, device=query.device)  # (n_new, K)
        q = query[:, :, asking.clamp(min=0)]  # (B, H, n_new, Q, head_dim)
        k, v = key[:, :, answering.clamp(min=0)], value[:, :, answering.clamp(min=0)]
        scale = literal_scale(len(query)) if self.config.literal else None
        heads = attend(q, k, v, (answering >= 0)[:, None, :], scale)
        return torch.einsum("bhnqd,hnq->bhnd", heads, self._shares(asking).to(heads.dtype))

    def _together(self, query: Tensor, key: Tensor, value: Tensor, n_new: int) -> Tensor:
        """The same for many new frames at once: every pair of frames is scored only once.

        With E[a, b] = exp(score of query a and key b), frame t, its window W[b, t] and the share
        w[t, a] of a query, the answer is sum_b V[b] W[b, t] sum_a w[t, a] E[a, b] / Z[a, t] with
        Z[a, t] = sum_b E[a, b] W[b, t]. Query and frame differ by whole strides, so both sums run
        within frames of one residue, an eighth of all pairs. The score subtracted is the largest of
        all that query a gives, not that of one window, so E is in double precision: trained scores lie
        up to 200 apart, and a float's exponential would vanish after 87, this one after 345.
        """
        stride, span = self.config.long_stride, self.config.short_span
        n_frames = query.shape[2]
        place = torch.arange(-(-n_frames % stride), n_frames, device=query.device)
        before = len(place) - n_frames  # frames to make whole strides; never seen
        query, key, value = (
            nn.functional.pad(part, (0, 0, before, 0)) for part in (query, key, value)
        )
        lag = place[None, :] - place[:, None]  # [a, t] = t - a
        window = ((lag >= 0) & (lag < span) & (place >= 0)[:, None]).double()  # W[b, t]
        near = (lag > -span) & (
            lag < self.config.long_span
        )  # keys that some frame asks query a about
        scores = (query @ key.transpose(-1, -2)) * query.shape[-1] ** -0.5
        scores = scores.double().masked_fill(~near, -torch.inf)
        e = (scores - scores.amax(-1, keepdim=True).detach()).exp()  # (B, H, a, b)
        e = e.unflatten(2, (-1, stride)).transpose(
            2, 3
        )  # (B, H, residue, u, b): a = stride u + residue
        z = e @ window.unflatten(1, (-1, stride)).permute(2, 0, 1)  # (B, H, residue, u, v)
        g = self._shares_by_residue(place) / z.clamp_min(1e-150)
        mixed = (g.transpose(-1, -2) @ e).transpose(2, 3).flatten(2, 3) * window.T  # (B, H, t, b)
        return mixed[:, :, -n_new:].to(value.dtype) @ value

    def _shares_by_residue(self, place: Tensor) -> Tensor:
        """(H, residue, u, v) share of query stride u + residue in frame stride v + residue."""
        stride, n_queries = self.config.long_stride, self.config.n_queries
        asking = place[:, None] - torch.arange(n_queries, device=place.device) * stride
        shares = self._shares(asking.where(place[:, None] >= 0, 0))  # (H, t, Q)
        shares = shares.unflatten(1, (-1, stride)).transpose(1, 2)  # (H, residue, v, Q)
        n = shares.shape[2]
        steps = torch.arange(n, device=place.device)
        ago = steps[None, :] - steps[:, None]  # [u, v]
        asked = (ago >= 0) & (ago < n_queries)
        return shares[:, :, steps[None, :], ago.clamp(0, n_queries - 1)] * asked
