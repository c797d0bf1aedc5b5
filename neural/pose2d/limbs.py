"""Candidates of limbs: how well the field along the line between two peaks points from one to the other.

Cao et al. 2017, equation 11: the line integral of the field's part along the line, by samples.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from ...rig.arrays import Array, Mask
from .peaks import Peaks

__all__ = ["Candidates", "Ints", "limb_candidates", "limb_scores"]

_SAMPLES: Final = 10
_ALONG: Final = 0.05  # a sample counts as on the limb above this
_MOST_OFF: Final = 0.2  # of the samples that may be off it
Ints = np.typing.NDArray[np.int64]


class Candidates(NamedTuple):
    """M pairs of peaks that may be limbs."""

    limb: Ints  # (M,) which limb
    start: Ints  # (M,) peak at its beginning
    end: Ints  # (M,) peak at its end
    score: Array  # (M,) at most 1

    def chosen(self, which: Mask) -> "Candidates":
        """Some of them."""
        return Candidates(self.limb[which], self.start[which], self.end[which], self.score[which])


def limb_candidates(
    peaks: Peaks, pafs: Array, limbs: Sequence[tuple[int, int]], longest: float | None = None
) -> Candidates:
    """All pairs that could be limbs.

    Args:
        peaks: of all keypoints.
        pafs: (2L, h, w), x and y of each limb.
        limbs: keypoints of the beginnings and ends.
        longest: cells from which on a limb is doubted; half the height of the maps if None.
    """
    every, likely = limb_scores(peaks, pafs, limbs, longest)
    return every.chosen(likely)


def limb_scores(
    peaks: Peaks, pafs: Array, limbs: Sequence[tuple[int, int]], longest: float | None = None
) -> tuple[Candidates, Mask]:
    """Every pair of peaks with its score, and whether it may be a limb.

    The pairs of a limb stand together, those of a beginning one after the other.
    """
    limb, start, end = _pairs(peaks, limbs)
    vector = peaks.place[end] - peaks.place[start]
    length = np.linalg.norm(vector, axis=-1)
    direction = vector / np.maximum(length, 1e-9)[:, None]
    steps = np.linspace(0.0, 1.0, _SAMPLES)
    places = peaks.place[start][:, None] + steps[:, None] * vector[:, None]
    along = np.einsum("msc,mc->ms", _sampled(pafs, limb, places), direction)
    longest = 0.5 * pafs.shape[1] if longest is None else longest
    doubt = np.minimum(longest / np.maximum(length, 1e-9) - 1.0, 0.0)
    score = along.mean(axis=-1) + doubt
    likely = ((along > _ALONG).mean(axis=-1) > 1.0 - _MOST_OFF - 1e-9) & (score > 0.0)
    return Candidates(limb, start, end, score), likely


def _pairs(peaks: Peaks, limbs: Sequence[tuple[int, int]]) -> tuple[Ints, Ints, Ints]:
    """Every limb with every peak of its beginning and every peak of its end."""
    ends = np.array(limbs)
    bounds = np.searchsorted(peaks.point, np.arange(ends.max() + 2))
    first, count = bounds[:-1], np.diff(bounds)
    pairs = count[ends[:, 0]] * count[ends[:, 1]]
    limb = np.repeat(np.arange(len(ends)), pairs)
    place = np.arange(len(limb)) - np.repeat(np.cumsum(pairs) - pairs, pairs)
    of_start, of_end = np.divmod(place, np.maximum(count[ends[limb, 1]], 1))
    return limb, first[ends[limb, 0]] + of_start, first[ends[limb, 1]] + of_end


def _sampled(pafs: Array, limb: Ints, places: Array) -> Array:
    """(M, S, 2) fields of limbs (M,) at places (M, S, 2) in cells, bilinear, at the border at most."""
    height, width = pafs.shape[1:]
    x, y = np.clip(places[..., 0], 0, width - 1), np.clip(places[..., 1], 0, height - 1)
    left, top = x.astype(np.int64), y.astype(np.int64)
    right, bottom = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    u, v = (x - left)[..., None], (y - top)[..., None]
    fields = pafs.reshape(-1, 2, height, width).transpose(0, 2, 3, 1)
    which = limb[:, None]
    upper = fields[which, top, left] * (1 - u) + fields[which, top, right] * u
    lower = fields[which, bottom, left] * (1 - u) + fields[which, bottom, right] * u
    return np.asarray(upper * (1 - v) + lower * v)
