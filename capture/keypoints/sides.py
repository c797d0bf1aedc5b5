"""Left and right that a detector exchanged, found and put right.

Arms and head, and legs, are exchanged each by themselves. In one view an exchange shows as a jump: all
keypoints of a side are suddenly where those of the other were.
"""

from dataclasses import replace
from typing import Final

import numpy as np

from ...rig.arrays import Array, Mask
from .keypoints import Keypoints
from .layout import Layout
from .tracks import sizes

__all__ = ["exchanged", "side_groups", "with_steady_sides"]

_LEGS: Final = ("Hip", "Knee", "Ankle", "Heel", "BigToe", "SmallToe")
_CLEARLY: Final = 0.5  # of the distance as named is the distance when exchanged
_APART: Final = 0.03  # of a person's size; sides nearer to each other are as good as one
_FEWEST: Final = 2  # keypoints of each group that tell


def side_groups(layout: Layout) -> tuple[tuple[int, ...], ...]:
    """Keypoints with a side, of the legs and of the rest; empty groups are left out."""
    sided = [k for pair in layout.pairs for k in pair]
    legs = tuple(sorted(k for k in sided if layout.names[k][1:] in _LEGS))
    rest = tuple(sorted(set(sided) - set(legs)))
    return tuple(group for group in (legs, rest) if group)


def exchanged(
    values: Array, layout: Layout, flips: Mask, groups: tuple[tuple[int, ...], ...]
) -> Array:
    """Values (T, K, ...) with left and right exchanged where flips (T, G) say so."""
    mirrored = np.array(layout.mirrored)
    out = np.array(values)
    for g, group in enumerate(groups):
        frames = np.flatnonzero(flips[:, g])
        out[np.ix_(frames, np.array(group))] = values[np.ix_(frames, mirrored[list(group)])]
    return out


def with_steady_sides(keypoints: Keypoints) -> tuple[Keypoints, Mask]:
    """Undo exchanges of left and right in the tracks of one view.

    The sides that most frames have are taken as right: a detector is wrong for moments.

    Args:
        keypoints: each row of people one person (`tracks.tracked`).

    Returns:
        The keypoints put right, and where they were exchanged (T, P, G), groups as of `side_groups`.
    """
    groups = side_groups(keypoints.layout)
    positions, confidence = np.array(keypoints.positions), np.array(keypoints.confidence)
    flips = np.zeros((len(keypoints), keypoints.people, len(groups)), dtype=bool)
    for person in range(keypoints.people):
        one = _flips(positions[:, person], keypoints.layout, groups)
        flips[:, person] = one
        positions[:, person] = exchanged(positions[:, person], keypoints.layout, one, groups)
        confidence[:, person] = exchanged(confidence[:, person], keypoints.layout, one, groups)
    return replace(keypoints, positions=positions, confidence=confidence), flips


def _flips(positions: Array, layout: Layout, groups: tuple[tuple[int, ...], ...]) -> Mask:
    """(T, G) where a person (T, K, D) has left and right exchanged."""
    extent = sizes(positions)
    known = extent[np.isfinite(extent)]
    size = float(np.median(known)) if len(known) else 0.0
    mirrored = np.array(layout.mirrored)
    flips = np.zeros((len(positions), len(groups)), dtype=bool)
    for g, group in enumerate(groups):
        here = positions[:, list(group)]
        there = positions[:, mirrored[list(group)]]
        before = _last_seen(here)
        same, turned = _mean_away(here[1:], before[:-1]), _mean_away(there[1:], before[:-1])
        with np.errstate(invalid="ignore"):
            jumps = (turned < _CLEARLY * same) & (same > _APART * size)
        state = np.concatenate([[False], np.logical_xor.accumulate(jumps)])
        seen = np.isfinite(here).all(axis=-1).any(axis=-1)
        flips[:, g] = ~state if state[seen].mean() > 0.5 else state
    return flips


def _last_seen(values: Array) -> Array:
    """(T, n, D) with each missing point where it was last."""
    seen = np.isfinite(values).all(axis=-1)
    last = np.maximum.accumulate(np.where(seen, np.arange(len(values))[:, None], -1), axis=0)
    held = np.take_along_axis(values, np.maximum(last, 0)[..., None], axis=0)
    return np.where(last[..., None] >= 0, held, np.nan)


def _mean_away(one: Array, other: Array) -> Array:
    """(T,) mean distance; NaN where too few are seen in both."""
    away = np.linalg.norm(one - other, axis=-1)
    seen = np.isfinite(away)
    count = seen.sum(axis=-1)
    mean = np.where(seen, away, 0.0).sum(axis=-1) / np.maximum(count, 1)
    return np.asarray(np.where(count >= _FEWEST, mean, np.nan))
