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

_FAINT: Final = 0.03  # a peak that may be of a body that is there
_MOST: Final = 6  # such peaks of a keypoint
_WHOLE: Final = 8  # keypoints of somebody who isn't a part of another


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
        alone: the picture is of one person, who is the best body that all peaks can make, fainter ones too;
            of several people in it, each is the best of its own peaks and those nobody has.

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
        return _bodies(_with_parts(people), peaks, pairs, layout)
    return people


def _bodies(people: People, peaks: Peaks, pairs: Candidates, layout: PafLayout) -> People:
    """The best body of all peaks; of several people the best of each, of what no other has."""
    count = np.isfinite(people.places[..., 0]).sum(axis=1)
    several = bool((count >= _WHOLE).sum() > 1)
    owner = _owners(people, peaks) if several else np.full(len(peaks.point), -1)
    places = np.full((len(people.places) if several else 1, layout.points, 2), np.nan)
    confidence = np.zeros(places.shape[:2])
    for row in range(len(places)):
        body = best_body(peaks, pairs, layout, (owner == -1) | (owner == row))
        there = body >= 0
        owner[body[there]] = row
        places[row, there] = peaks.place[body[there]]
        confidence[row, there] = np.minimum(peaks.score[body[there]], 1.0)
    return People(places, confidence)


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
