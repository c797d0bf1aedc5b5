"""From a network's maps to people."""

import numpy as np

from ...rig.arrays import Array
from ...rig.errors import ShapeError
from .layouts import PafLayout
from .limbs import limb_candidates
from .peaks import Peaks, find_peaks
from .people import FEWEST, People, assembled

__all__ = ["decode"]


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
        alone: the picture is of one person: the surest one gets what no limb joined to it, parts that it
            lacks wholly and then peaks that nobody has; where no limbs were found somebody is made of the
            best peaks.

    Raises:
        ShapeError: the maps are of another layout.
    """
    sizes = (len(confidence) in (layout.points, layout.points + 1), len(pafs) // 2)
    if sizes != (True, len(layout.limbs)) or confidence.shape[1:] != pafs.shape[1:]:
        raise ShapeError(
            f"the maps have shapes {confidence.shape} and {pafs.shape}; expected {layout.points} or one "
            f"more and {2 * len(layout.limbs)} of the same height and width"
        )
    peaks = find_peaks(confidence[: layout.points], threshold)
    people = assembled(peaks, limb_candidates(peaks, pafs, layout.limbs), layout, matching)
    return _completed(people, peaks, layout.points) if alone else people


def _completed(people: People, peaks: Peaks, points: int) -> People:
    """The first person, or somebody new, with the best peak of each keypoint that nobody has."""
    best = {int(peaks.point[row]): row for row in np.argsort(peaks.score, kind="stable")}
    if len(people.places):
        places, confidence = _with_parts(people)
    elif len(best) >= FEWEST:
        places, confidence = np.full((1, points, 2), np.nan), np.zeros((1, points))
    else:
        return people
    for point, row in best.items():
        if np.isnan(places[:, point]).all():
            places[0, point] = peaks.place[row]
            confidence[0, point] = min(float(peaks.score[row]), 1.0)
    return People(places, confidence)


def _with_parts(people: People) -> People:
    """The first person with the keypoints of others who have none of its own, and who is left."""
    places, confidence = people.places.copy(), people.confidence.copy()
    left = [0]
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
