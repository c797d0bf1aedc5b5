"""How well found keypoints agree with known ones: PCK (Yang and Ramanan 2013) and COCO's OKS and AP."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from ...capture.keypoints.layout import LAYOUTS
from ...rig.arrays import Array, Mask

__all__ = ["COCO_POINTS", "PART", "average_precision", "correct", "oks", "torso"]

COCO_POINTS: Final = LAYOUTS["coco_17"].names
PART: Final = 0.2  # of the torso, within which a keypoint is correct
_SIGMAS: Final = np.array(  # of COCO's keypoints, as its evaluation has them
    [26, 25, 25, 35, 35, 79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89]
) / 1000.0  # fmt: skip
_LEVELS: Final = np.linspace(0.5, 0.95, 10)
_RECALLS: Final = np.linspace(0.0, 1.0, 101)
_ENDS: Final = (("LShoulder", "RHip"), ("RShoulder", "LHip"))


def torso(points: Array) -> Array:
    """The longer way from a shoulder to the other side's hip of people (..., 17, 2); NaN if unknown."""
    ways = [
        points[..., COCO_POINTS.index(a), :] - points[..., COCO_POINTS.index(b), :]
        for a, b in _ENDS
    ]
    sizes = np.linalg.norm(np.stack(ways), axis=-1)
    known = np.where(np.isfinite(sizes), sizes, -1.0).max(axis=0)
    return np.where(known > 0.0, known, np.nan)


def correct(found: Array, known: Array, size: Array, part: float = PART) -> Array:
    """Which keypoints were found where they are.

    Args:
        found: (..., K, 2), NaN where missing: those are wrong.
        known: (..., K, 2), NaN where nothing is known.
        size: (...) of each person, in the same unit; NaN where nothing is to be counted.
        part: of that size, how far off is correct.

    Returns:
        (..., K) 1 where correct, 0 where wrong, NaN where not to be counted.
    """
    apart = np.linalg.norm(found - known, axis=-1)
    counted = np.isfinite(known).all(axis=-1) & np.isfinite(size)[..., None]
    with np.errstate(invalid="ignore"):
        right = np.nan_to_num(apart, nan=np.inf) <= part * size[..., None]
    return np.where(counted, right.astype(np.float64), np.nan)


def oks(found: Array, known: Array, area: Array) -> Array:
    """COCO's object keypoint similarity (F, P) of found (F, 17, 2) and known people (P, 17, 2).

    Args:
        found: a missing keypoint is nowhere near.
        known: NaN where unlabelled; such keypoints don't count.
        area: (P,) of each known person, pixels.
    """
    apart = ((found[:, None] - known[None]) ** 2).sum(axis=-1)
    scale = 2.0 * area[:, None] * (2.0 * _SIGMAS) ** 2
    near = np.nan_to_num(np.exp(-apart / np.maximum(scale, 1e-9)))
    labelled: Mask = np.isfinite(known).all(axis=-1)
    return np.asarray((near * labelled).sum(axis=-1) / np.maximum(labelled.sum(axis=-1), 1))


def average_precision(pictures: Sequence[tuple[Array, Array]]) -> float:
    """COCO's AP over OKS from 0.5 to 0.95.

    Args:
        pictures: of each (similarity (F, P) of found and known people, score (F,) of the found).
    """
    scores = np.concatenate([score for _, score in pictures]) if pictures else np.empty(0)
    count = sum(similar.shape[1] for similar, _ in pictures)
    if not count or not len(scores):
        return 0.0
    order = np.argsort(-scores, kind="stable")
    return float(np.mean([_precision(pictures, order, count, level) for level in _LEVELS]))


def _precision(
    pictures: Sequence[tuple[Array, Array]], order: npt.NDArray[np.intp], count: int, level: float
) -> float:
    """Mean precision over recalls where people are the same from an OKS of `level` on."""
    hits = np.concatenate([_taken(similar, score, level) for similar, score in pictures])[order]
    right = np.cumsum(hits)
    recall, precision = right / count, right / np.arange(1, len(hits) + 1)
    best = np.maximum.accumulate(precision[::-1])[::-1]
    at = np.searchsorted(recall, _RECALLS, side="left")
    return float(np.mean(np.where(at < len(best), best[np.minimum(at, len(best) - 1)], 0.0)))


def _taken(similar: Array, score: Array, level: float) -> npt.NDArray[np.bool_]:
    """(F,) whether each found person is somebody, the surest choosing first."""
    hit = np.zeros(len(score), dtype=bool)
    free = np.ones(similar.shape[1], dtype=bool)
    for row in np.argsort(-score, kind="stable"):
        values = np.where(free, similar[row], -1.0)
        if len(values) and values.max() >= level:
            hit[row] = True
            free[values.argmax()] = False
    return hit
