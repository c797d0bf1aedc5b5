"""Left and right that a detector exchanged, found and put right.

Arms and head, and legs, are exchanged each by themselves. In one view an exchange shows as a jump: all
keypoints of a side are suddenly where those of the other were. Where legs pass each other there is no jump to
be seen; then hips tell, which lie along the picture as shoulders do.
"""

import itertools
from dataclasses import replace
from typing import Final

import numpy as np

from ...rig.arrays import Array, Mask
from .keypoints import Keypoints
from .layout import Layout
from .tracks import sizes

__all__ = ["exchanged", "side_groups", "with_steady_sides"]

_LEGS: Final = ("Hip", "Knee", "Ankle", "Heel", "BigToe", "SmallToe")
_APART: Final = 0.02  # of a person's size, what an exchange must make steadier
_FEWEST: Final = 2  # keypoints of each group that tell
_ACROSS: Final = (
    0.05  # of a person's size: hips that lie further against the shoulders are exchanged
)
_AGAINST: Final = 0.5  # how much that counts
_RATHER: Final = (
    0.004  # of a person's size, what a frame with sides not as the detector named them costs
)
_LONG: Final = 0.12  # and what as many of them as there may be cost in all
_LEAST: Final = 1e-6  # for which the fewer frames are exchanged
_EXCHANGED: Final = (0, 1, 1)  # the states of a group: as named; exchanged; exchanged for long


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
    for g, group in reversed(list(enumerate(groups))):  # the legs last
        both = np.stack([positions[:, list(group)], positions[:, mirrored[list(group)]]])
        upper = exchanged(positions, layout, flips, groups)
        against = np.zeros((len(positions), 2))
        if layout.names[group[0]][1:] in _LEGS and size > 0.0:
            across = _across(upper, layout) / size
            against += _AGAINST * size * np.maximum(np.stack([-across, across], -1) - _ACROSS, 0.0)
        flips[:, g] = _steadiest(_jerks(both), against, size)
    return flips


def _across(positions: Array, layout: Layout) -> Array:
    """(T,) how far hips, from right to left, reach along the shoulders; zero where any of them is missing."""
    names = ("RHip", "LHip", "RShoulder", "LShoulder")
    if not set(names) <= set(layout.names):
        return np.zeros(len(positions))
    right, left, from_, to = (positions[:, layout.names.index(name)] for name in names)
    length = np.linalg.norm(to - from_, axis=-1)
    along = np.einsum("td,td->t", left - right, to - from_) / np.where(length > 0.0, length, 1.0)
    return np.asarray(np.where(np.isfinite(along), along, 0.0))


def _jerks(both: Array) -> Array:
    """(T, 2, 2, 2) how far a group is from where it was heading, for sides two frames before, before and now.

    Args:
        both: (2, T, n, D) the group as named and exchanged.
    """
    costs = np.zeros((both.shape[1], 2, 2, 2))
    held = np.stack([_last_seen(one) for one in both])
    for earlier, before, now in itertools.product(range(2), repeat=3):
        step = _mean_away(both[now][1:], held[before][:-1])
        heading = 2 * both[before][1:-1] - both[earlier][:-2]
        away = _mean_away(both[now][2:], heading)
        cost = np.concatenate([[0.0], np.nan_to_num(step)])
        cost[2:] = np.where(np.isfinite(away), away, cost[2:])
        costs[:, earlier, before, now] = cost
    return costs


def _steadiest(costs: Array, against: Array, size: float) -> Mask:
    """(T,) where sides are exchanged so that they move most steadily: Viterbi over pairs of frames.

    Args:
        costs: (T, 2, 2, 2) of `_jerks`.
        against: (T, 2) what else speaks against the sides as named, and exchanged.
        size: of the person.
    """
    flip = np.array(_EXCHANGED)
    frames, states = len(costs), len(flip)
    held = size * np.array([0.0, _RATHER, _LEAST])
    fee = _APART * size * (flip[:, None] != flip) + _LONG * size * np.array([0.0, 0.0, 1.0])
    fee[2, 2] = 0.0
    total = np.zeros((states, states))  # of the states before and now
    if frames:
        total += against[0][flip] + held + _LONG * size * np.array([0.0, 0.0, 1.0])
    came = np.zeros((frames, states, states), dtype=int)
    for frame in range(1, frames):
        now = costs[frame][np.ix_(flip, flip, flip)] + against[frame][flip] + held
        ways = total[:, :, None] + now + fee
        came[frame] = ways.argmin(axis=0)
        total = ways.min(axis=0)
    found = np.zeros(frames, dtype=bool)
    before, state = np.unravel_index(int(total.argmin()), (states, states))
    for frame in range(frames - 1, -1, -1):
        found[frame] = bool(flip[state])
        before, state = came[frame, before, state], before
    return found


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
