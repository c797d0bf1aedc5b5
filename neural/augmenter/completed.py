"""Keypoints that a detector lacks: the neck between the shoulders, small toes by the shape of feet."""

from typing import Final

import numpy as np

from ...rig.arrays import Array
from ...rig.trajectories import MarkerTrajectories

__all__ = ["PLACED", "completed"]

PLACED: Final = ("Neck", "RSmallToe", "LSmallToe")
_SHOULDERS: Final = ("RShoulder", "LShoulder")
# Of the length from heel to big toe: along the foot, outwards, up. The mean of both feet of the package's 28
# bodies; from one body to the next they vary by 0.02, 0.01 and 0.01.
_AWAY: Final = (-0.19, 0.27, -0.03)
_OUTWARDS: Final = {"R": -1.0, "L": 1.0}
_FOOT: Final = ("Knee", "Ankle", "Heel", "BigToe")


def completed(keypoints: MarkerTrajectories) -> MarkerTrajectories:
    """The keypoints, and neck and small toes where they are not among them.

    Args:
        keypoints: with OpenCap's names, metres; a side without knee, ankle, heel or big toe stays as it is.
    """
    names, places = list(keypoints.names), [keypoints.positions]
    if "Neck" not in names and set(_SHOULDERS) <= set(names):
        places.append(keypoints.chosen(_SHOULDERS).positions.mean(axis=1, keepdims=True))
        names.append("Neck")
    for toe in PLACED[1:]:
        foot = [toe[0] + part for part in _FOOT]
        if toe not in names and set(foot) <= set(names):
            knee, ankle, heel, big = keypoints.chosen(tuple(foot)).positions.transpose(1, 0, 2)
            places.append(_beside(big, heel, knee - ankle, _OUTWARDS[toe[0]])[:, None])
            names.append(toe)
    joined = np.concatenate(places, axis=1)
    return MarkerTrajectories(tuple(names), joined, keypoints.fps, keypoints.start)


def _beside(big: Array, heel: Array, shank: Array, side: float) -> Array:
    """(T, 3) small toes; NaN where the shank lies along the foot."""
    foot = big - heel
    length = np.linalg.norm(foot, axis=-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        along = foot / length
        across = np.cross(shank, along)
        across = across / np.linalg.norm(across, axis=-1, keepdims=True)
    up = np.cross(along, across)
    away = _AWAY[0] * along + side * _AWAY[1] * across + _AWAY[2] * up
    placed: Array = big + length * away
    return placed
