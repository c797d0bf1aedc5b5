"""Who is who over time in one view: detections in any order become tracks of one person each.

Detections of neighbouring frames that are clearly nearest to each other are linked, also where the detector
takes left for right from one to the next. Where two people
cross and nothing is clear, tracks end and begin; pieces are joined again by where they were heading.
"""

import bisect
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from ...rig.arrays import Array
from .keypoints import Keypoints

__all__ = ["Labels", "Piece", "joined_in_time", "piece_of", "sizes", "tracked", "tracklets"]

Labels = npt.NDArray[np.int64]

_COMMON: Final = 4  # keypoints that two detections must share to be compared
_NEAR: Final = 0.12  # of a person's size, between two frames
_FAR: Final = 0.3
_USUAL: Final = 8.0  # times the median step is still a step
_CLEARLY: Final = 1.5  # times further away must be the second nearest
_BLOCK: Final = 2_000_000  # distances taken at once
_HEADING: Final = 5  # frames that tell where somebody is heading
_JUMP: Final = 0.5  # of a person's size, between where a track was heading and where another begins


class Piece(NamedTuple):
    """A stretch of frames of one person: number of the first frame, and shapes (n, K, D) with NaN."""

    first: int
    shapes: Array

    @property
    def stop(self) -> int:
        """The frame after the last."""
        return self.first + len(self.shapes)


def sizes(positions: Array) -> Array:
    """(...) extent of people (..., K, D) from corner to corner; NaN where nobody is."""
    # These pass over NaN, and say it where there is nothing else; along the first axis they are quick.
    keypoints = np.ascontiguousarray(np.moveaxis(positions, -2, 0))
    extent = np.fmax.reduce(keypoints) - np.fmin.reduce(keypoints)
    return np.sqrt(np.einsum("...d,...d->...", extent, extent))


def tracklets(keypoints: Keypoints) -> Labels:
    """Number the stretches in which people are told apart for sure.

    Returns:
        (T, P) a number for each row of people; the same number is the same person. -1 where nobody is.
    """
    there = keypoints.seen.any(axis=-1)
    rows = np.arange(there.size).reshape(there.shape)
    before = rows.copy()  # where each was a frame ago; where one begins, itself
    links = _links(keypoints.positions, keypoints.layout.mirrored)
    before[1:] = np.where(links >= 0, rows[:-1, :1] + links, rows[1:])
    first = before.ravel()
    while not np.array_equal(first, first[first]):  # twice as far back each time
        first = first[first]
    begins = there & (before == rows)
    numbers = np.cumsum(begins) - 1
    return np.where(there, numbers[first].reshape(there.shape), -1)


def _links(positions: Array, mirrored: Sequence[int]) -> Labels:
    """(T - 1, P) for each row of people, the row that it was in the frame before; -1 where none is clear."""
    count = positions.shape[1]
    if len(positions) < 2 or not count:
        return np.full((0, count), -1, dtype=np.int64)
    length = max(1, _BLOCK // (count * count * positions.shape[2]))
    blocks = [slice(k, k + length) for k in range(0, len(positions) - 1, length)]
    now, before = positions[1:], positions[:-1]
    extent = sizes(positions)
    size = np.fmax(extent[1:, :, None], extent[:-1, None, :])
    nearest = np.concatenate(
        [_steps(now[k], before[k], size[k]) for k in blocks]
    )  # (T - 1, now, before)
    best = nearest.min(axis=2)
    moved = best[np.isfinite(best)]
    reach = np.clip(_USUAL * np.median(moved) if len(moved) else 0.0, _NEAR, _FAR)
    far = np.flatnonzero(((best > reach) & np.isfinite(best)).any(axis=1))
    for k in (far[k : k + length] for k in range(0, len(far), length)):
        turned = _steps(now[k][:, :, list(mirrored)], before[k], size[k])
        nearest[k] = np.minimum(nearest[k], turned)
    best = nearest.min(axis=2)
    came = nearest.argmin(axis=2)
    mutual = np.take_along_axis(nearest.argmin(axis=1), came, axis=1) == np.arange(count)
    clear = mutual & (best <= reach)
    if count > 1:
        across = np.partition(nearest, 1, axis=2)[..., 1]
        along = np.take_along_axis(np.partition(nearest, 1, axis=1)[:, 1], came, axis=1)
        clear &= np.minimum(across, along) > _CLEARLY * best
    return np.where(clear, came, -1)


def _steps(now: Array, before: Array, size: Array) -> Array:
    """(n, P, P) mean distance of people now from those before, in their sizes; infinite if unknown."""
    axes = zip(np.moveaxis(now, -1, 0), np.moveaxis(before, -1, 0), strict=True)
    squares = [(one[:, :, None] - other[:, None]) ** 2 for one, other in axes]
    away = np.sqrt(sum(squares))
    common = np.isfinite(away).sum(axis=-1)
    mean = np.fmax(away, 0.0).sum(axis=-1) / np.maximum(common, 1)  # NaN counts nothing
    enough = (common >= min(_COMMON, now.shape[2])) & (size > 0.0)
    return np.where(enough, mean / np.where(size > 0.0, size, 1.0), np.inf)


def piece_of(keypoints: Keypoints, labels: Labels, label: int) -> Piece:
    """The frames and positions of one number of `tracklets`."""
    frames, rows = np.nonzero(labels == label)
    return Piece(int(frames[0]), keypoints.positions[frames, rows])


def joined_in_time(pieces: list[Piece], gap: int, jump: float = _JUMP) -> list[list[int]]:
    """Join pieces that follow each other where the one was heading to where the other begins.

    Args:
        pieces: in any order, each of one person.
        gap: frames that may lie between two.
        jump: of a person's size, how far the other may begin from there.

    Returns:
        Indices of the pieces of every person, in time.
    """
    ends = [_heading(piece, last=True) for piece in pieces]
    starts = [_heading(piece, last=False) for piece in pieces]
    found = []
    order = sorted(range(len(pieces)), key=lambda k: pieces[k].first)
    firsts = [pieces[k].first for k in order]
    for a, one in enumerate(pieces):
        near = bisect.bisect_left(firsts, one.stop), bisect.bisect_right(firsts, one.stop + gap - 1)
        for b in order[slice(*near)]:
            cost = _away(ends[a], starts[b], pieces[b].first - one.stop + 1)
            if cost <= jump:
                found.append((cost, a, b))
    following: dict[int, int] = {}
    led: set[int] = set()
    for _, a, b in sorted(found):
        if a not in following and b not in led:
            following[a] = b
            led.add(b)
    chains = []
    for first in sorted(set(range(len(pieces))) - led, key=lambda k: pieces[k].first):
        chain = [first]
        while chain[-1] in following:
            chain.append(following[chain[-1]])
        chains.append(chain)
    return chains


class _Heading(NamedTuple):
    shape: Array  # (K, D) at the end
    velocity: Array  # (D,) per frame, of the whole
    size: float


def _heading(piece: Piece, *, last: bool) -> _Heading:
    shapes = piece.shapes[-_HEADING:] if last else piece.shapes[:_HEADING][::-1]
    shape = shapes[-1]
    steps = np.diff(shapes, axis=0).reshape(-1, shapes.shape[-1])
    steps = steps[np.isfinite(steps).all(axis=-1)]
    velocity = np.median(steps, axis=0) if len(steps) else np.zeros(shapes.shape[-1])
    extent = sizes(piece.shapes)
    known = extent[np.isfinite(extent)]
    return _Heading(shape, velocity, float(np.median(known)) if len(known) else 0.0)


def _away(end: _Heading, start: _Heading, frames: int) -> float:
    """How far apart two ends meet halfway, in a person's size; infinite where they share no keypoint."""
    ahead = end.shape + end.velocity * (frames / 2)
    back = start.shape + start.velocity * (frames / 2)
    away = np.linalg.norm(ahead - back, axis=-1)
    away, size = away[np.isfinite(away)], max(end.size, start.size)
    return float(away.mean() / size) if len(away) and size > 0.0 else np.inf


def tracked(keypoints: Keypoints, people: int | None = None, gap: int = 20) -> Keypoints:
    """The same keypoints with each row of people one person, the surest and largest first.

    Args:
        keypoints: of one view, people in any order.
        people: how many are kept; all if None.
        gap: frames for which a person may be out of sight.
    """
    labels = tracklets(keypoints)
    count = int(labels.max(initial=-1)) + 1
    chains = joined_in_time([piece_of(keypoints, labels, k) for k in range(count)], gap)
    extent = np.nan_to_num(sizes(keypoints.positions)) * keypoints.confidence.sum(axis=-1)
    weight = [float(extent[np.isin(labels, chain)].sum()) for chain in chains]
    order = sorted(range(len(chains)), key=lambda k: -weight[k])[:people]
    shape = (len(keypoints), len(order), *keypoints.positions.shape[2:])
    positions, confidence = np.full(shape, np.nan), np.zeros(shape[:3])
    for row, chain in enumerate(order):
        frames, rows = np.nonzero(np.isin(labels, chains[chain]))
        positions[frames, row] = keypoints.positions[frames, rows]
        confidence[frames, row] = keypoints.confidence[frames, rows]
    return replace(keypoints, positions=positions, confidence=confidence)
