"""Names that are exchanged in some frames of a solved recording.

A model whose markers sit where they mostly are on the body predicts each of them within a few centimetres.
Two that were exchanged are each where the other one is predicted. The poses of such frames are found anew
with a robust loss first, as exchanged markers bend them. A suspicion counts only if the markers fit much
better under each other's names after another solve.
"""

import math
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from ..arrays import Array
from ..trajectories import MarkerTrajectories
from .fit import solve
from .marker_ik import MarkerFit, MarkerOptions, fit_markers
from .points import Markers
from .problem import Problem
from .swap_evidence import (
    Frames,
    Rings,
    Swap,
    chunks,
    exchange,
    gains,
    jumps,
    kind_of,
    predicted,
    settled,
)

__all__ = ["swaps_of_some_frames"]

_ROBUST = 0.02  # metres; further off counts linearly, while exchanged markers are sought
_ROBUST_START = 0.03  # metres; the markers of a model that nobody registered are further off
_OFTEN = 0.25  # of the frames odd: too many to know where the markers mostly are
_MUCH = 0.6  # of their error, that a pair must reach under each other's names
_CHEAPER = 0.75  # of the cost of the frames, that names must reach that were seen to jump
_LEAST = 0.02  # metres of error, below which nothing is suspected
_FIT = 0.05  # metres: so near an exchanged marker comes, or three times as near as the others
_BRIDGE = 3  # frames: a shorter pause does not end a swap
_PATIENCE = 20  # suspicions that are wrong, before no more are looked into
_LOOKED_AT = 100  # frames of a stretch, at most
_STEPS = 15  # of the solver; poses need not be exact

Pair = tuple[int, int]  # columns
Run = tuple[int, int]  # first frame, and the one after the last


def swaps_of_some_frames(fit: MarkerFit, markers: MarkerTrajectories) -> tuple[Swap, ...]:
    """Swaps in the order in which they were found, each after those before it were undone.

    Args:
        fit: of T frames.
        markers: of the same frames.
    """
    markers = markers.chosen(list(fit.names))
    search = _Search(fit, markers)
    if len(search.frames) > _OFTEN * len(markers):
        weights = dict.fromkeys(fit.names, 1.0)
        options = MarkerOptions(weights, 0.0, robust=_ROBUST_START)
        search = _Search(fit_markers(fit.model, markers, options), markers)
    if not len(search.frames):
        return ()
    search.pose_robustly()
    return (*search.by_jumps(), *search.by_places())


class _Trial(NamedTuple):
    """Frames before and after an exchange: error of the markers, metres, and robust cost of all."""

    before: float
    after: float
    cost: float
    least: float


class _Search:
    """What is known of the frames in which some marker is far from where it mostly is."""

    def __init__(self, fit: MarkerFit, markers: MarkerTrajectories) -> None:
        self.names = fit.names
        self.model = settled(fit, markers)
        self.measured = np.array(markers.positions)
        self.pose, self.around = fit.pose.copy(), fit.pose
        places = predicted(self.model, fit.pose, fit.names)
        errors = np.linalg.norm(places - self.measured, axis=-1)
        self.usual = float(np.nanmedian(errors))
        limit = max(2.0 * _LEAST, 4.0 * self.usual)
        odd = np.nan_to_num(errors).max(axis=1, initial=0.0) > limit
        self.frames = np.flatnonzero(odd & ~fit.weak)
        self.sound = np.flatnonzero(~odd & ~fit.weak)

    def pose_robustly(self) -> None:
        """New poses for the odd frames."""
        every = np.arange(len(self.pose))
        if len(self.sound):
            known = self.pose[self.sound].T
            self.around = np.array([np.interp(every, self.sound, column) for column in known]).T
        self.pose[self.frames], _ = self._solved(self.frames)

    def by_jumps(self) -> Iterator[Swap]:
        """Markers that jump to each other's places: all of a frame at once, or ring by ring."""
        rejected: set[tuple[Rings, Run]] = set()
        swaps: list[Swap] = []
        while len(rejected) < _PATIENCE:
            for rings, run in _spans(jumps(self.measured), len(self.measured)):
                if (rings, run) not in rejected:
                    swaps = self._tried(_exchanges(rings), run, self._is_cheaper)
                    break
            else:
                return
            if not swaps:
                rejected.add((rings, run))
            yield from swaps

    def by_places(self) -> Iterator[Swap]:
        """Pairs that are nearer to each other's places than to their own."""
        rejected: set[tuple[Pair, int]] = set()
        while len(rejected) < _PATIENCE:
            best = self._most_promising(rejected)
            if best is None:
                return
            pair, run = best
            swaps = self._tried([pair], run, self._is_nearer)
            if not swaps:
                rejected.add((pair, run[0]))
            yield from swaps

    def _solved(self, frames: Frames) -> tuple[Array, Array]:
        """Poses (N, D) and costs (N,) of frames, as their markers are named now.

        The better of those from the poses known, and from what the sound frames around say.
        """
        term = Markers(self.names, np.tile(self.measured[frames], (2, 1, 1)), robust=_ROBUST)
        start = np.concatenate([self.pose[frames], self.around[frames]])
        fit = solve(Problem(self.model, (term,)), start, iterations=_STEPS)
        pose, cost = fit.pose.reshape(2, len(frames), -1), fit.cost.reshape(2, -1)
        return np.where((cost[1] < cost[0])[:, None], pose[1], pose[0]), cost.min(0)

    def _errors(self, pose: Array, frames: Frames) -> Array:
        """(N, P) metres."""
        places = predicted(self.model, pose, self.names)
        return np.asarray(np.linalg.norm(places - self.measured[frames], axis=-1))

    def _most_promising(self, rejected: set[tuple[Pair, int]]) -> tuple[Pair, Run] | None:
        """The pair, and the frames, that would save most."""
        promised: dict[Pair, list[tuple[int, float]]] = {}
        for part in chunks(self.frames):
            places = predicted(self.model, self.pose[part], self.names)
            saved = gains(places, self.measured[part])
            for row, one, other in zip(*np.nonzero(saved > _LEAST**2), strict=True):
                found = promised.setdefault((int(one), int(other)), [])
                found.append((int(part[row]), float(saved[row, one, other])))
        best: tuple[float, tuple[Pair, Run] | None] = (0.0, None)
        for pair, frames in promised.items():
            for run in _runs(frames):
                total, first = sum(gain for _, gain in run), run[0][0]
                if total > best[0] and (pair, first) not in rejected:
                    best = total, (pair, (first, run[-1][0] + 1))
        return best[1]

    def _tried(self, pairs: list[Pair], run: Run, accepts: Callable[[_Trial], bool]) -> list[Swap]:
        """The swaps, if the frames fit much better after them; then they are undone."""
        odd = self.frames[(self.frames >= run[0]) & (self.frames < run[1])]
        if not len(odd):
            return []
        frames = np.unique(np.linspace(*run, _LOOKED_AT, endpoint=False).astype(int))
        columns = sorted({column for pair in pairs for column in pair})
        before, cost = self._judged(frames, columns)
        for pair in pairs:
            exchange(self.measured, pair, slice(*run))
        after, least = self._judged(frames, columns)
        if accepts(_Trial(before, after, cost, least)):
            self.pose[odd], _ = self._solved(odd)
            return [self._swap(pair, run, before, after) for pair in pairs]
        for pair in reversed(pairs):
            exchange(self.measured, pair, slice(*run))
        return []

    def _judged(self, frames: Frames, columns: list[int]) -> tuple[float, float]:
        """Error of some columns in frames, metres, and the frames' cost."""
        pose, cost = self._solved(frames)
        return _root(self._errors(pose, frames)[:, columns]), float(cost.sum())

    def _is_nearer(self, trial: _Trial) -> bool:
        much = trial.after < _MUCH * trial.before and trial.before > _LEAST
        return much and trial.after < max(_FIT, 3.0 * self.usual)

    def _is_cheaper(self, trial: _Trial) -> bool:
        return trial.least < _CHEAPER * trial.cost and trial.after < max(_FIT, 3.0 * self.usual)

    def _swap(self, pair: Pair, run: Run, before: float, after: float) -> Swap:
        names = (self.names[pair[0]], self.names[pair[1]])
        return Swap(kind_of(names, self.names), names, *run, before, after)


def _exchanges(rings: Rings) -> list[Pair]:
    """Exchanges of two that send every marker of the rings back, in order.

    The first of a ring is where the next one belongs: they are exchanged, and the rest of the ring is one
    shorter.
    """
    return [(ring[0], other) for ring in rings for other in ring[1:]]


def _spans(events: dict[int, Rings], frames: int) -> list[tuple[Rings, Run]]:
    """Rings with the frames in which they may be exchanged, the likeliest first.

    All rings of a frame until the next jump of all of them, or of any; each ring until it jumps again; what
    is before the first jump. Of these, the shortest first.
    """
    cuts = sorted(events)
    spans = list(zip(events.values(), pairwise([*cuts, frames]), strict=True))
    units = [(frame, rings) for frame, rings in events.items()]
    units += [(frame, (ring,)) for frame, rings in events.items() for ring in rings]
    same: dict[frozenset[int], list[tuple[int, Rings]]] = {}
    for frame, rings in units:
        found = same.setdefault(frozenset(c for ring in rings for c in ring), [])
        if not found or found[-1][0] != frame:
            found.append((frame, rings))
    for found in same.values():
        backwards = tuple(tuple(reversed(ring)) for ring in found[0][1])
        spans.append((backwards, (0, found[0][0])))
        stops = [frame for frame, _ in found[1:]] + [frames]
        spans += [(rings, (frame, stop)) for (frame, rings), stop in zip(found, stops, strict=True)]
    return sorted(spans, key=lambda span: (span[1][1] - span[1][0], -len(span[0])))


def _root(errors: Array) -> float:
    """Root mean square of those that are known; NaN if none is."""
    known = errors[np.isfinite(errors)]
    return float(np.sqrt(np.mean(known**2))) if len(known) else math.nan


def _runs(frames: list[tuple[int, float]]) -> Iterator[list[tuple[int, float]]]:
    """Frames with their gains, cut where a pause is longer than a bridge."""
    numbers = np.array([frame for frame, _ in frames])
    cuts = np.flatnonzero(np.diff(numbers) > _BRIDGE) + 1
    for part in np.split(np.arange(len(frames)), cuts):
        yield [frames[place] for place in part]
