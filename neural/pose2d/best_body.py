"""The best body that peaks can make, all keypoints weighed together: dynamic programming along the limbs.

After Felzenszwalb and Huttenlocher 2005, "Pictorial Structures for Object Recognition": the sum of the scores
of peaks and limbs of a tree is highest. Greedy assembly decides limb by limb instead.
"""

from functools import cache
from itertools import pairwise
from typing import Final

import numpy as np

from ...rig.arrays import Array
from .layouts import PafLayout
from .limbs import Candidates, Ints
from .peaks import Peaks

__all__ = ["best_body"]

_LIMB: Final = 0.7  # weight of a limb's score beside that of a peak
_WORST: Final = -1.0  # score of a limb
_NONE: Final = 0.1  # score of a limb from which on it is better than none


def best_body(peaks: Peaks, pairs: Candidates, layout: PafLayout, worth: Array) -> Ints:
    """Which peak is each keypoint of one body.

    Args:
        peaks: of all keypoints.
        pairs: of all of them, as `limb_scores` gives them.
        layout: K keypoints and L limbs.
        worth: (N,) of each peak, usually its score; minus infinity for those that may not be taken.

    Returns:
        (K,) peaks; -1 where the body is better without.
    """
    begins = np.searchsorted(peaks.point, np.arange(layout.points + 1))
    rows = [low + np.nonzero(worth[low:high] > -np.inf)[0] for low, high in pairwise(begins)]
    own = [np.append(worth[row], 0.0) for row in rows]  # the last: it is missing
    scores = _scores(peaks, pairs, layout)
    choices: dict[int, Ints] = {}
    steps = _outwards(layout)
    for point, nearer, limb in reversed(steps):
        both = np.zeros((len(own[nearer]), len(own[point])))
        forth = layout.limbs[limb] == (nearer, point)
        found = scores[limb] if forth else scores[limb].T
        among = np.ix_(rows[nearer] - begins[nearer], rows[point] - begins[point])
        both[:-1, :-1] = _LIMB * found[among]
        both += own[point]
        choices[point] = both.argmax(axis=1)
        own[nearer] = own[nearer] + both.max(axis=1)
    return _chosen(rows, own, choices, steps)


def _chosen(
    rows: list[Ints], own: list[Array], choices: dict[int, Ints], steps: list[tuple[int, int, int]]
) -> Ints:
    """The best peak of the root, and outwards what goes best with it."""
    root = steps[0][1]
    taken = {root: int(own[root].argmax())}
    for point, nearer, _ in steps:
        taken[point] = int(choices[point][taken[nearer]])
    body = np.full(len(rows), -1)
    for point, choice in taken.items():
        if choice < len(rows[point]):
            body[point] = rows[point][choice]
    return body


def _scores(peaks: Peaks, pairs: Candidates, layout: PafLayout) -> list[Array]:
    """Of each limb the scores of every peak of its beginning with every peak of its end."""
    score = np.maximum(pairs.score, _WORST) - _NONE
    count = np.bincount(peaks.point, minlength=layout.points)
    shapes = [(count[a], count[b]) for a, b in layout.limbs]
    parts = np.split(score, np.cumsum([a * b for a, b in shapes])[:-1])
    return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]


@cache
def _outwards(layout: PafLayout) -> list[tuple[int, int, int]]:
    """(keypoint, the one before it, limb between them) from the first limb's beginning outwards."""
    steps: list[tuple[int, int, int]] = []
    reached = [layout.limbs[0][0]]
    for before in reached:
        for limb, ends in enumerate(layout.limbs):
            if limb not in layout.shortcuts and before in ends:
                point = ends[1] if ends[0] == before else ends[0]
                if point not in reached:
                    reached.append(point)
                    steps.append((point, before, limb))
    return steps
