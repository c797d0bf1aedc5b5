"""Bones pointed to where they were seen: rotations of many frames, from directions."""

from typing import Final

import numpy as np

from .. import quaternion
from ..arrays import Array

__all__ = ["known", "turned", "twisted"]

_LEAST_BEND: Final = 0.25  # sine of a bend that begins to show how the bone above is twisted


def known(rotation: Array, otherwise: Array | None = None) -> Array:
    """`rotation` (T, 4) where it is known; elsewhere another, or the nearest frame's."""
    bad = np.isnan(rotation).any(axis=-1)
    if otherwise is not None:
        return np.where(bad[:, None], otherwise, rotation)
    if bad.all():
        return np.tile(quaternion.IDENTITY, (len(rotation), 1))
    good = np.flatnonzero(~bad)
    after = np.searchsorted(good, np.arange(len(rotation))).clip(0, len(good) - 1)
    before = (after - 1).clip(0)
    frames = np.arange(len(rotation))
    nearer = np.abs(good[before] - frames) <= np.abs(good[after] - frames)
    return np.asarray(rotation[good[np.where(nearer, before, after)]])


def turned(frame: Array, offset: Array, along: Array) -> Array:
    """`frame` (T, 4) turned the shortest way so that `offset` points `along` (T, 3); NaN changes nothing."""
    have = quaternion.rotate(frame, offset)
    return known(quaternion.multiply(quaternion.shortest_arc(have, along), frame), frame)


def twisted(frame: Array, bone: Array, direction: Array, shown: Array) -> Array:
    """Turn `frame` (T, 4) about its bone so that `direction` points to `shown` (T, 3), if that tells much."""
    axis = quaternion.rotate(frame, bone / np.linalg.norm(bone))
    have = quaternion.rotate(frame, direction)
    across = np.nan_to_num(shown - np.sum(shown * axis, axis=-1, keepdims=True) * axis)
    sine = np.sum(axis * np.cross(have, across), axis=-1)
    angle = np.arctan2(sine, np.sum(have * across, axis=-1))
    trust = np.clip((np.linalg.norm(across, axis=-1) - _LEAST_BEND) / _LEAST_BEND, 0.0, 1.0)
    turn = quaternion.from_rotation_vector((trust * angle)[:, None] * axis)
    return quaternion.multiply(turn, frame)
