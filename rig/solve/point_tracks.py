"""Keypoints over time, each free of the bones: where they were seen, near the body, and smooth.

Detectors see a point elsewhere on the body in another pose, clothes move, bones bend. So each keypoint is a
point of its own that is pulled to where it was seen and stays near the body; a low-pass takes the detector's
noise out. All keypoints of all frames are one problem.
"""

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from ..arrays import Array
from ..filters import Butterworth, filtered
from ..model.joints import GROUND, Joint, along
from ..model.model import BodyMarker, KinematicModel
from .fit import solve
from .points import Markers
from .poses import StayNear
from .problem import Problem, Term
from .sightings import Sightings

if TYPE_CHECKING:
    from .evidence import Evidence
    from .views import BodyOptions

__all__ = ["point_tracks"]

_NEAR = 0.15  # metres, how far a keypoint may be from its place on the body
_SMOOTH = 8.0  # Hz
_ITERATIONS = 3


@lru_cache(maxsize=1)
def _point() -> KinematicModel:
    """A model of one point that moves freely."""
    joint = Joint("point", GROUND, "point", translations=tuple(along(a, f"t{a}") for a in "xyz"))
    marker = BodyMarker("point", "point", (0.0, 0.0, 0.0))
    return KinematicModel("point", (joint,), markers=(marker,))


def point_tracks(evidence: "Evidence", body: Array, fps: float, options: "BodyOptions") -> Array:
    """(T, P, 3) metres of the keypoints.

    Args:
        evidence: of T frames and P points.
        body: (T, P, 3) metres, where the body has them.
        fps: frames per second.
        options: how much is believed.
    """
    frames, count = body.shape[:2]
    start = np.swapaxes(body, 0, 1).reshape(-1, 3)  # one point after another
    terms = [StayNear(start, 1.0 / _NEAR), *_seen(evidence, options)]
    fit = solve(Problem(_point(), terms), start, iterations=_ITERATIONS, tolerance=1e-4)
    tracks = np.swapaxes(fit.pose.reshape(count, frames, 3), 0, 1)
    if options.smoothness == 0.0 or frames == 1:
        return tracks
    return filtered(tracks, fps, Butterworth(cutoff=min(_SMOOTH / options.smoothness, 0.4 * fps)))


def _seen(evidence: "Evidence", options: "BodyOptions") -> list[Term]:
    found: list[Term] = []
    cameras, count = len(evidence.sure), len(evidence.names)
    if cameras:
        pixels = np.swapaxes(evidence.pixels, 1, 2).reshape(cameras, -1, 1, 2)
        weights = evidence.sure / evidence.spreads[:, None, None]
        weights = np.swapaxes(weights, 1, 2).reshape(cameras, -1, 1)
        moving = evidence.projections.shape[1] > 1
        projections = np.tile(evidence.projections, (1, count if moving else 1, 1, 1))
        found.append(Sightings(("point",), pixels, projections, weights, options.robust))
    if evidence.points is not None and evidence.placed:
        targets = np.swapaxes(evidence.points, 0, 1).reshape(-1, 1, 3)
        sure = evidence.points_sure.T.reshape(-1, 1)
        spread = options.point_spread
        found.append(Markers(("point",), targets, sure / spread, options.robust * spread))
    return found
