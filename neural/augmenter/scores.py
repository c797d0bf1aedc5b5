"""How far predicted markers are from measured ones, before and after a fixed offset per marker."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ...rig.arrays import Array
from .points import MARKERS
from .segments import segment_frames
from .windows import facing_window

__all__ = ["Score", "local_errors", "offset_of", "score_of", "without"]

_MILLIMETRES = 1000.0


@dataclass(frozen=True, eq=False)
class Score:
    """Errors of one model on one set of trials.

    Attributes:
        rmse: millimetres, root mean square over coordinates, as the source paper has it.
        mpme: millimetres, mean over markers and frames of the distance.
        markers: mean distance of each marker in millimetres, by name; only those that were measured.
    """

    rmse: float
    mpme: float
    markers: dict[str, float]

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return {"rmse_mm": self.rmse, "mpme_mm": self.mpme, "markers_mm": self.markers}


def score_of(errors: Array) -> Score:
    """Of errors (..., 43, 3) in metres; NaN where nothing was measured."""
    flat = _MILLIMETRES * errors.reshape(-1, len(MARKERS), 3)
    distances = np.linalg.norm(flat, axis=-1)
    seen = np.isfinite(distances).any(0)
    means = {name: float(np.nanmean(distances[:, k])) for k, name in enumerate(MARKERS) if seen[k]}
    return Score(float(np.sqrt(np.nanmean(flat**2))), float(np.mean(list(means.values()))), means)


def local_errors(keypoints: Array, errors: Array) -> Array:
    """Errors (B, T, 43, 3) turned from the world into the frames of the markers' segments.

    Args:
        keypoints: (B, T, 19, 3) metres in the world, from which those frames are made.
        errors: metres.
    """
    points = torch.as_tensor(keypoints).float()
    window = facing_window(points, torch.ones(len(points), 2))
    frames = window.world_from_window[:, :, None] @ segment_frames(window.keypoints)[1]
    return np.asarray(np.einsum("...ji,...j->...i", frames.numpy().astype(np.float64), errors))


def offset_of(local: Array) -> Array:
    """The fixed offset (43, 3) that leaves the least; zero for markers that were not measured."""
    flat = local.reshape(-1, len(MARKERS), 3)
    seen = np.isfinite(flat).all(-1)
    total = np.where(seen[..., None], flat, 0.0).sum(0)
    return np.asarray(total / np.maximum(seen.sum(0), 1)[:, None])


def without(local: Array, offset: Array) -> Score:
    """The score that is left."""
    return score_of(local - offset)
