"""Of the ways to say the same turn by three angles, the one that people expect."""

from typing import Final

import numpy as np

from ..arrays import Array
from ..model import KinematicModel

__all__ = ["plain_turns"]

_WHOLE: Final = 2.0 * np.pi
_SHOULDERS: Final = tuple(
    tuple(f"arm_{turn}_{side}" for turn in ("flex", "add", "rot")) for side in "rl"
)
_ALONE: Final = ("pelvis_rotation", "pelvis_tilt")


def plain_turns(model: KinematicModel, pose: Array) -> Array:
    """Take whole turns out of the shoulders' and the pelvis' angles, without a jump.

    Two triples of angles say the same turn of a shoulder: (a, b, c) and (a + 180, 180 - b, c + 180 degrees).
    Taken for all frames is the one whose medians are smaller.

    Args:
        model: D coordinates; those that it lacks are left out.
        pose: (T, D) radians, continuous in time; NaN where missing.

    Returns:
        (T, D), the same poses.
    """
    found = np.array(pose)
    if not np.isfinite(found).any(axis=0).all():
        return found
    names = model.coordinate_names
    for name in _ALONE:
        if name in names:
            place = model.coordinate_index(name)
            found[:, place] = _centred(found[:, place])
    for triple in _SHOULDERS:
        if all(name in names for name in triple):
            places = [model.coordinate_index(name) for name in triple]
            flex, add, rotation = found[:, places].T
            ways = [
                np.stack([_centred(angle) for angle in way], axis=1)
                for way in ((flex, add, rotation), (flex + np.pi, np.pi - add, rotation + np.pi))
            ]
            found[:, places] = min(
                ways, key=lambda way: sum(abs(_middle(angle)) for angle in way.T)
            )
    return found


def _centred(angle: Array) -> Array:
    return np.asarray(angle - _WHOLE * np.round(_middle(angle) / _WHOLE))


def _middle(angle: Array) -> float:
    """The median of those that are there."""
    return float(np.median(angle[np.isfinite(angle)]))
