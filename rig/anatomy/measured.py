"""How much the anatomical model's markers count, and which of its angles they tell nothing of."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np

from ..model import KinematicModel
from ..model.places import body_places
from .model import anatomical_table

__all__ = ["marker_kinds", "measured_weights", "without_unseen"]

_WEIGHTS: Final = {"bone": 1.0, "skin": 0.2, "keypoint": 1.0}  # of squared errors
_SPREADS: Final = {
    "bone": 0.01,
    "skin": 0.04,
    "keypoint": 0.015,
}  # metres, about the table's places
_ENOUGH: Final = 2  # markers on a body, beside which its keypoints count no more
_BENT: Final = 0.3  # radians, of every angle, where it is seen what moves
_STEP: Final = 1e-4  # radians
_MOVES: Final = 1e-3  # metres per radian, below which nothing is told of an angle


@lru_cache(maxsize=1)
def marker_kinds() -> dict[str, str]:
    """Of every marker: on bone, on moving skin, or a keypoint."""
    found = {}
    for name, _, _, kind in anatomical_table()["markers"]:
        found[name] = kind
        if name[0] in "rR":
            found[f"L{name[1:]}"] = kind
    return found


def measured_weights(model: KinematicModel, names: Sequence[str]) -> dict[str, float]:
    """Weights of the squared errors of measured markers; 0 for keypoints of bodies that wear markers.

    Args:
        model: the anatomical one.
        names: of what was measured; others than the model's are left out.
    """
    kinds, bodies = marker_kinds(), {marker.name: marker.body for marker in model.markers}
    known = [name for name in names if name in bodies and name in kinds]
    worn = [bodies[name] for name in known if kinds[name] != "keypoint"]
    return {
        name: 0.0
        if kinds[name] == "keypoint" and worn.count(bodies[name]) >= _ENOUGH
        else _WEIGHTS[kinds[name]]
        for name in known
    }


def without_unseen(model: KinematicModel, names: Sequence[str]) -> KinematicModel:
    """Lock the angles that move none of the measured markers, so that they stay as they are."""
    return _without_unseen(model, tuple(names))


@lru_cache(maxsize=16)
def _without_unseen(model: KinematicModel, names: tuple[str, ...]) -> KinematicModel:
    places = [model.marker_index(name) for name in names if name in model.marker_names]
    bodies = [model.body_index(model.markers[place].body) for place in places]
    positions = np.array([model.markers[place].position for place in places]).reshape(-1, 3)
    free = list(model.free_coordinates)
    bent = np.array(model.default_pose)
    bent[free] += _BENT
    poses = np.tile(bent, (len(free) + 1, 1))
    poses[np.arange(len(free)), free] += _STEP
    turns, origins = body_places(model, poses)
    found = origins[:, bodies] + np.einsum("tmij,mj->tmi", turns[:, bodies], positions)
    moved = np.linalg.norm(found[:-1] - found[-1:], axis=-1).max(axis=1, initial=0.0) / _STEP
    return model.with_coordinates(
        {
            model.coordinate_names[place]: {"locked": True}
            for place, much in zip(free, moved, strict=True)
            if much < _MOVES
        }
    )
