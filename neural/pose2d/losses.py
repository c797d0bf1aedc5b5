"""How far the maps are from what they should be: squared, summed over maps, points and stages.

Cao et al. 2017, equations 5 and 6; the sum over stages is their equation 7.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from .network import Maps

__all__ = ["Wanted", "paf_losses"]


class Wanted(NamedTuple):
    """What the maps of B pictures should be, and what of it counts.

    A weight is 0 where nothing is known: within crowds and people without keypoints, and in the channels of
    keypoints that nobody labelled.
    """

    maps: Maps
    region: Tensor  # (B, 1, h, w)
    confidence: Tensor  # (B, K + 1, 1, 1)
    pafs: Tensor  # (B, 2L, 1, 1)


def paf_losses(found: Sequence[Maps], wanted: Wanted) -> dict[str, Tensor]:
    """`confidence` and `pafs`: each summed over maps, points and stages, the mean of the pictures."""
    pairs = {
        "confidence": (wanted.maps.confidence, wanted.confidence),
        "pafs": (wanted.maps.pafs, wanted.pafs),
    }
    terms = {}
    for name, (target, channels) in pairs.items():
        weight = wanted.region * channels
        stages = [
            (weight * (getattr(maps, name) - target) ** 2).sum(dim=(1, 2, 3)).mean()
            for maps in found
        ]
        terms[name] = torch.stack(stages).sum()
    return terms
