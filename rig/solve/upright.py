"""Which way is up, asked of the model: a person's pelvis stands upright most of the time."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch

from ..arrays import Array
from ..model.kinematics import bodies_in_world
from ..model.model import KinematicModel
from ..trajectories import MarkerTrajectories
from .marker_ik import MarkerFit, MarkerOptions, fit_markers

__all__ = ["likeliest_up", "uprightness"]

_FRAMES = 8  # that tell
_AS_GOOD = 1.25  # times the least error, and
_MORE = 1e-3  # metres more, up to which another axis fits as well
_CLEARLY = 0.3  # by how much the cosine of the best axis must be above the next


def uprightness(fit: MarkerFit) -> float:
    """Median cosine of the angle by which the root's body leans from where the default pose has it up."""
    default = torch.as_tensor(np.array(fit.model.default_pose))
    at_rest, _ = bodies_in_world(fit.model, default)
    posed, _ = bodies_in_world(fit.model, torch.as_tensor(fit.pose[~fit.weak]))
    up = at_rest[1].T @ torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64)
    return float((posed[:, 1, 2] @ up).median())


def likeliest_up(
    model: KinematicModel,
    candidates: Mapping[str, MarkerTrajectories],
    options: MarkerOptions | None = None,
) -> tuple[str, bool]:
    """Of one recording read with several axes up, the one that suits the model, and whether it clearly does.

    A few frames are fitted under each. A root of six degrees of freedom follows any turn of the markers, so
    that all fit alike; then the model should stand. A planar one fits only what is right.

    Args:
        model: to fit.
        candidates: by axis; the first one is taken if there is no telling.
        options: of the fit; sizes and marker places stay known.
    """
    options = replace(options or MarkerOptions(), shape=None, pins=None, smoothness=0.0)
    fits = {up: fit_markers(model, _few(each), options) for up, each in candidates.items()}
    least = min(fit.rms for fit in fits.values())
    lean = {up: uprightness(fit) for up, fit in fits.items() if fit.rms <= _AS_GOOD * least + _MORE}
    first, *others = sorted(lean, key=lambda up: -lean[up])
    if not others or lean[first] > lean[others[0]] + _CLEARLY:
        return first, True
    return next(iter(candidates)), False


def _few(markers: MarkerTrajectories) -> MarkerTrajectories:
    """Frames that show most, from the whole recording."""
    seen: Array = np.isfinite(markers.positions).all(-1).sum(1)
    good = np.flatnonzero(seen >= 0.75 * seen.max(initial=0))
    chosen = good[np.unique(np.linspace(0, len(good) - 1, _FRAMES).astype(int))]
    return replace(markers, positions=markers.positions[chosen])
