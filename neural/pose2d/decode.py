"""From a network's maps to people."""

from typing import Final

import numpy as np

from ...rig.arrays import Array
from ...rig.errors import ShapeError
from .best_body import best_body
from .layouts import PafLayout
from .limbs import Candidates, Ints, limb_scores
from .peaks import MOST, Peaks, find_peaks
from .people import FEWEST, People, assembled

__all__ = ["decode"]

_FAINT: Final = 0.05  # a peak that may be of a body that is there
_MOST: Final = 6  # such peaks of a keypoint
_WHOLE: Final = 5  # keypoints of somebody who isn't a part of another
_CENTRAL: Final = 2.0  # what a keypoint of the trunk loses at the border, beside one in the middle
_OUTER: Final = 3.0  # what others lose in as many halves of the maps beyond ...
_REACH: Final = 0.9  # ... this many from the middle


def decode(
    confidence: Array,
    pafs: Array,
    layout: PafLayout,
    matching: str = "greedy",
    threshold: float = 0.1,
    *,
    alone: bool = False,
) -> People:
    """Find people in the maps of one picture.

    Args:
        confidence: (K, h, w), or (K + 1, h, w) with the background.
        pafs: (2L, h, w), x and y of each limb.
        layout: K keypoints and L limbs.
        matching: "greedy" or "hungarian".
        threshold: of a keypoint's confidence.
        alone: the picture is around one person, who is the best body that all peaks can make, fainter ones
            too; of several people in it, each is the best of its own peaks and those nobody has.

    Raises:
        ShapeError: the maps are of another layout.
    """
    sizes = (len(confidence) in (layout.points, layout.points + 1), len(pafs) // 2)
    if sizes != (True, len(layout.limbs)) or confidence.shape[1:] != pafs.shape[1:]:
        raise ShapeError(
            f"the maps have shapes {confidence.shape} and {pafs.shape}; expected {layout.points} or one "
            f"more and {2 * len(layout.limbs)} of the same height and width"
        )
    lowest, most = (min(threshold, _FAINT), _MOST) if alone else (threshold, MOST)
    peaks = find_peaks(confidence[: layout.points], lowest, most)
    pairs, likely = limb_scores(peaks, pafs, layout.limbs)
    sure = peaks.score > threshold
    candidates = pairs.chosen(likely & sure[pairs.start] & sure[pairs.end])
    people = assembled(peaks, candidates, layout, matching)
    if alone and (len(people.places) or len(np.unique(peaks.point[sure])) >= FEWEST):
        return _bodies(_with_parts(people), peaks, pairs, layout, (pafs.shape[1], pafs.shape[2]))
    return people


def _bodies(
    people: People, peaks: Peaks, pairs: Candidates, layout: PafLayout, shape: tuple[int, int]
) -> People:
    """The best body around the middle; of several people the best of each, of what no other has."""
    count = np.isfinite(people.places[..., 0]).sum(axis=1)
    if (count >= _WHOLE).sum() < 2:
        worth = peaks.score - _from_middle(peaks, layout, shape)
        return _found(peaks, best_body(peaks, pairs, layout, worth)[None])
    owner, bodies = _owners(people, peaks), []
    for row in range(len(people.places)):
        worth = np.where((owner == -1) | (owner == row), peaks.score, -np.inf)
        bodies.append(best_body(peaks, pairs, layout, worth))
        owner[bodies[-1][bodies[-1] >= 0]] = row
    return _found(peaks, np.stack(bodies))


def _from_middle(peaks: Peaks, layout: PafLayout, shape: tuple[int, int]) -> Array:
    """(N,) what it costs a peak to be further from the middle than others of its keypoint."""
    half = np.array(shape[::-1]) / 2.0
    away = np.linalg.norm((peaks.place - (half - 0.5)) / half, axis=-1)
    trunk = np.isin(peaks.point, layout.trunk)
    cost = np.where(trunk, _CENTRAL * away, 0.0) + _OUTER * np.maximum(away - _REACH, 0.0)
    least = np.full(layout.points, np.inf)
    np.minimum.at(least, peaks.point, cost)
    return np.asarray(cost - least[peaks.point])


def _found(peaks: Peaks, bodies: Ints) -> People:
    """(P, K) peaks as people."""
    there = bodies >= 0
    places = np.where(there[..., None], peaks.place[bodies], np.nan)
    return People(places, np.where(there, np.minimum(peaks.score[bodies], 1.0), 0.0))


def _owners(people: People, peaks: Peaks) -> Ints:
    """(N,) whose each peak is; -1 where nobody's."""
    same = (people.places[:, peaks.point] == peaks.place).all(axis=-1)
    return np.where(same.any(axis=0), same.argmax(axis=0), -1)


def _with_parts(people: People) -> People:
    """The first person with the keypoints of others who have none of its own, and who is left."""
    places, confidence = people.places.copy(), people.confidence.copy()
    left = [0] if len(places) else []
    for other in range(1, len(places)):
        own, theirs = (~np.isnan(places[row, :, 0]) for row in (0, other))
        if (own & theirs).any():
            left.append(other)
        else:
            places[0, theirs], confidence[0, theirs] = (
                places[other, theirs],
                confidence[other, theirs],
            )
    return People(places[left], confidence[left])
