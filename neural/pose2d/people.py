"""People from limbs: peaks that limbs join are one person's."""

from typing import Final, NamedTuple

import numpy as np

from ...rig.arrays import Array
from .layouts import PafLayout
from .limbs import Candidates
from .matching import best_pairs, greedy_pairs
from .peaks import Peaks

__all__ = ["FEWEST", "MATCHINGS", "People", "assembled"]

MATCHINGS: Final = {"greedy": greedy_pairs, "hungarian": best_pairs}
FEWEST: Final = 4  # keypoints of a person
_WEAKEST: Final = 0.2  # mean score of the peaks and limbs of a person


class People(NamedTuple):
    """P people: (P, K, 2) x and y in cells, NaN where missing, and (P, K) confidence; the surest first."""

    places: Array
    confidence: Array


class _Person:
    """The peak of each keypoint, and the sum of the scores of its limbs."""

    def __init__(self) -> None:
        self.peaks: dict[int, int] = {}
        self.score = 0.0


def assembled(
    peaks: Peaks, candidates: Candidates, layout: PafLayout, matching: str = "greedy"
) -> People:
    """Join peaks to people, limb by limb, trunk first.

    Args:
        peaks: of all keypoints.
        candidates: of limbs.
        layout: keypoints and limbs.
        matching: of each limb's candidates: "greedy" or "hungarian".
    """
    people: list[_Person] = []
    owner: dict[int, _Person] = {}
    order = sorted(range(len(layout.limbs)), key=lambda limb: limb in layout.shortcuts)
    for limb in order:
        for start, end, score in _connections(candidates, limb, matching):
            _join(people, owner, peaks, (start, end), score, begins=limb not in layout.shortcuts)
    return _told(people, peaks, layout.points)


def _connections(candidates: Candidates, limb: int, matching: str) -> list[tuple[int, int, float]]:
    """(peak, peak, score) of the limb's candidates that are taken."""
    low, high = np.searchsorted(candidates.limb, [limb, limb + 1])
    if low == high:
        return []
    starts, row = np.unique(candidates.start[low:high], return_inverse=True)
    ends, column = np.unique(candidates.end[low:high], return_inverse=True)
    scores = np.zeros((len(starts), len(ends)))
    scores[row, column] = candidates.score[low:high]
    return [
        (int(starts[r]), int(ends[c]), float(scores[r, c])) for r, c in MATCHINGS[matching](scores)
    ]


def _join(
    people: list[_Person],
    owner: dict[int, _Person],
    peaks: Peaks,
    ends: tuple[int, int],
    score: float,
    *,
    begins: bool,
) -> None:
    """Add a limb to the person of either end; two people with no keypoint in common become one."""
    first, second = owner.get(ends[0]), owner.get(ends[1])
    if first is None and second is None:
        if not begins:
            return
        first = _Person()
        people.append(first)
    if first is not None and second is not None:
        if first is second or first.peaks.keys() & second.peaks.keys():
            first.score += score if first is second else 0.0
            return
        people.remove(second)
        first.score += second.score
        first.peaks |= second.peaks
    person = first if first is not None else second
    assert person is not None
    added = {int(peaks.point[peak]): peak for peak in ends if owner.get(peak) is None}
    if added.keys() & person.peaks.keys():
        return  # the person has such a keypoint already, by a limb nearer the trunk
    person.peaks |= added
    person.score += score
    owner.update(dict.fromkeys(person.peaks.values(), person))


def _told(people: list[_Person], peaks: Peaks, points: int) -> People:
    kept = []
    for person in people:
        count = len(person.peaks)
        of_peaks = float(peaks.score[list(person.peaks.values())].sum())
        if count >= FEWEST and (of_peaks + person.score) / (2 * count) > _WEAKEST:
            kept.append((of_peaks + person.score, person))
    kept.sort(key=lambda one: -one[0])
    places = np.full((len(kept), points, 2), np.nan)
    confidence = np.zeros((len(kept), points))
    for row, (_, person) in enumerate(kept):
        which = list(person.peaks.values())
        places[row, list(person.peaks)] = peaks.place[which]
        confidence[row, list(person.peaks)] = np.clip(peaks.score[which], 0.0, 1.0)
    return People(places, confidence)
