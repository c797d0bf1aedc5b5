"""Feet that stand: terms for heels and toes that neither slide nor leave the floor."""

import numpy as np

from ..arrays import Array
from ..skeleton import Skeleton
from .contacts import Contacts
from .floor import Floor
from .problem import PairTerm, Term

__all__ = ["contacts"]

_HEEL_BACK = 0.35  # of the length from ankle to toe joint
_SLIDE = 0.03  # metres per second, of a foot that stands
_SOLE = 0.01 / 1.70  # under the toe joint, of the standard body's height; feet scale it


def contacts(
    skeleton: Skeleton, standing: Array, fps: float, floor: float | None
) -> list[Term | PairTerm]:
    """Terms for heel and toes of both feet.

    Args:
        skeleton: the 24-joint body.
        standing: (T, 2) 0 to 1, of the left and the right foot.
        fps: frames per second.
        floor: metres, its height; None where not known.
    """
    bodies, offsets = [], []
    for side in ("left", "right"):
        toe = skeleton.offsets[skeleton.index(f"{side}_foot")]
        bodies += [f"{side}_ankle"] * 2
        offsets += [toe, toe * np.array([1.0, -_HEEL_BACK, 1.0])]
    each = np.repeat(standing, 2, axis=1)
    found: list[Term | PairTerm] = []
    if len(standing) > 1:
        found.append(Contacts(bodies, each, np.array(offsets), weights=fps / _SLIDE))
    if floor is not None:
        sole = _SOLE * float(skeleton.rest_positions[0, 2]) / 0.54
        found.append(Floor(bodies, floor + sole, np.array(offsets), weights=100.0 * each))
    return found
