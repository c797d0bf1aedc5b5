"""Markers that bear each other's names: found in a solved recording, told, and exchanged if asked.

Two questions are asked of a few frames of the recording: whether all names of left and right are exchanged,
and whether two markers are in every frame. What is exchanged only for a while is sought in all frames.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..arrays import Array
from ..model.joints import GROUND
from ..model.model import KinematicModel
from ..sides import side_pairs
from ..trajectories import MarkerTrajectories
from .marker_ik import MarkerFit, MarkerOptions, fit_markers
from .marker_report import at_limits
from .swap_evidence import Swap, exchange, gains, kind_of, predicted
from .swap_search import swaps_of_some_frames

__all__ = ["Swap", "find_swaps", "without_swaps"]

_SAMPLE = 12  # frames that tell of a whole recording
_ROBUST = 0.03  # metres; the markers of a model that nobody registered are that far off
_CLEARLY = 0.8  # of the mean error, that the other sides' names must reach
_MUCH = 0.6  # of their error, that a pair must reach under each other's names
_LEAST = 0.02  # metres of error, below which nothing is suspected
_SELDOM = 0.05  # of the frames at a bound of the root
_REGISTERED = 0.025  # metres of median error, up to which markers sit where the model has them


def without_swaps(markers: MarkerTrajectories, swaps: Sequence[Swap]) -> MarkerTrajectories:
    """The recording with the names put right.

    Args:
        markers: of T frames.
        swaps: as found, in that order.

    Raises:
        ShapeError: a name is not in the recording.
    """
    positions = np.array(markers.positions)
    for swap in swaps:
        every = swap.kind == "all left and right"
        pairs = side_pairs(markers.names) if every else (swap.names,)
        markers.chosen([name for pair in pairs for name in pair])
        for one, other in pairs:
            columns = (markers.names.index(one), markers.names.index(other))
            exchange(positions, columns, slice(swap.first, swap.stop))
    return replace(markers, positions=positions)


def find_swaps(
    model: KinematicModel, markers: MarkerTrajectories, fit: MarkerFit
) -> tuple[Swap, ...]:
    """Find names that were exchanged.

    Two markers of one side of one body that are exchanged in every frame can be told only on a model whose
    markers were registered; else it could as well be that they sit elsewhere.

    Args:
        model: that was fitted, with its own sizes.
        markers: T frames that it was fitted to.
        fit: the result.

    Returns:
        The swaps in the order in which `without_swaps` undoes them.
    """
    chosen = markers.chosen(list(fit.names))
    anywhere = _with_free_root(model)
    found = _in_every_frame(anywhere, chosen)
    if found or not _is_within(anywhere, model, fit):
        chosen = without_swaps(chosen, found)
        fit = fit_markers(anywhere, chosen)
    return (*found, *_merged(swaps_of_some_frames(fit, chosen)))


def _with_free_root(model: KinematicModel) -> KinematicModel:
    """The model without bounds of its root: a person who faces beyond them has no names exchanged."""
    root = {n for j in model.joints if j.parent == GROUND for n in j.coordinates}
    bounded = {
        c.name: {"clamped": False} for c in model.coordinates if c.clamped and c.name in root
    }
    return model.with_coordinates(bounded) if bounded else model


def _is_within(free: KinematicModel, model: KinematicModel, fit: MarkerFit) -> bool:
    """Whether hardly a frame of the fit is at one of the bounds that a free root lacks."""
    if free is model:
        return True
    lacking = {c.name for c, f in zip(model.coordinates, free.coordinates, strict=True) if c != f}
    return all(
        share < _SELDOM for name, share in at_limits(model, fit.pose).items() if name in lacking
    )


def _merged(swaps: Sequence[Swap]) -> list[Swap]:
    """The same swaps; those of one pair that follow each other as one, where no other one stands between."""
    merged: list[Swap] = []
    for swap in swaps:
        place = next((k for k, other in enumerate(merged) if _follows(swap, other)), None)
        if place is None or any(
            set(swap.names) & set(other.names) for other in merged[place + 1 :]
        ):
            merged.append(swap)
            continue
        other = merged[place]
        share = (swap.stop - swap.first) / (swap.stop - swap.first + other.stop - other.first)
        before, after = (
            float(np.sqrt(share * a**2 + (1.0 - share) * b**2))
            for a, b in ((swap.before, other.before), (swap.after, other.after))
        )
        first, stop = min(swap.first, other.first), max(swap.stop, other.stop)
        merged[place] = Swap(swap.kind, other.names, first, stop, before, after)
    return merged


def _follows(swap: Swap, other: Swap) -> bool:
    touch = swap.first == other.stop or swap.stop == other.first
    return touch and set(swap.names) == set(other.names)


def _in_every_frame(model: KinematicModel, markers: MarkerTrajectories) -> tuple[Swap, ...]:
    """What a few frames say of all."""
    sample = _sample(markers)
    fit = _solved(model, sample)
    found = _best_sides(model, sample, fit)
    if found:
        sample = without_swaps(sample, found)
        fit = _solved(model, sample)
    for pair in _suspected_pairs(sample, fit):
        swap = _tried_pair(model, sample, fit, pair)
        if swap is not None:
            found.append(swap)
            sample = without_swaps(sample, [swap])
            fit = _solved(model, sample)
    return tuple(replace(swap, stop=len(markers)) for swap in found)


def _sample(markers: MarkerTrajectories) -> MarkerTrajectories:
    """Well seen frames from the whole recording."""
    seen = np.isfinite(markers.positions).all(-1).sum(1)
    good = np.flatnonzero(seen >= 0.75 * seen.max())
    chosen = good[np.unique(np.linspace(0, len(good) - 1, _SAMPLE).astype(int))]
    return replace(markers, positions=markers.positions[chosen])


def _solved(model: KinematicModel, sample: MarkerTrajectories) -> MarkerFit:
    return fit_markers(model, sample, MarkerOptions(robust=_ROBUST))


def _best_sides(model: KinematicModel, sample: MarkerTrajectories, fit: MarkerFit) -> list[Swap]:
    """The exchange of left and right of all markers, or of a pair of limbs, that clearly fits better."""
    before, most = _root(fit.errors), _CLEARLY * float(np.nanmean(fit.errors))
    every = Swap("all left and right", ("left", "right"), 0, len(sample), before, before)
    limbs = [
        [replace(every, kind="left/right", names=pair) for pair in pairs]
        for pairs in _limbs(model, side_pairs(sample.names))
    ]
    best: list[Swap] = []
    for swaps in ([every], *limbs) if limbs else ():
        again = _solved(model, without_swaps(sample, swaps))
        if np.nanmean(again.errors) < most:
            most = float(np.nanmean(again.errors))
            best = [replace(swap, after=_root(again.errors)) for swap in swaps]
    return best


def _limbs(model: KinematicModel, pairs: Sequence[tuple[str, str]]) -> list[list[tuple[str, str]]]:
    """Pairs whose markers are on two bodies, by the bodies at which the two limbs begin."""
    body = {marker.name: model.body_index(marker.body) for marker in model.markers}
    limbs: dict[tuple[int, int], list[tuple[str, str]]] = {}
    for left, right in pairs:
        chains = [_chain(model, body[name]) for name in (left, right)]
        own = [
            next((b for b in chain if b not in other), -1)
            for chain, other in zip(chains, chains[::-1], strict=True)
        ]
        limbs.setdefault((own[0], own[1]), []).append((left, right))
    return [found for roots, found in limbs.items() if -1 not in roots]


def _chain(model: KinematicModel, body: int) -> list[int]:
    """Bodies from the ground to this one."""
    chain: list[int] = []
    while body >= 0:
        chain.insert(0, body)
        body = model.parents[body]
    return chain


def _suspected_pairs(sample: MarkerTrajectories, fit: MarkerFit) -> list[tuple[str, str]]:
    """Pairs that fit better under each other's names in most frames, the best first, no name twice."""
    saved = gains(predicted(fit.model, fit.pose, fit.names), sample.positions)
    often, total = (saved > 0.0).mean(0) > 0.5, saved.sum(0)
    bodies = {marker.name: marker.body for marker in fit.model.markers}
    registered = np.nanmedian(fit.errors) < _REGISTERED
    pairs: list[tuple[str, str]] = []
    for flat in np.argsort(-total, axis=None)[: int(often.sum())]:
        place = np.unravel_index(flat, total.shape)
        pair = (fit.names[place[0]], fit.names[place[1]])
        other_place = bodies[pair[0]] != bodies[pair[1]]
        tells = registered or other_place or kind_of(pair, fit.names) == "left/right"
        if often[place] and tells and not {n for p in pairs for n in p} & set(pair):
            pairs.append(pair)
    return pairs


def _tried_pair(
    model: KinematicModel, sample: MarkerTrajectories, fit: MarkerFit, pair: tuple[str, str]
) -> Swap | None:
    """The exchange of a pair, if it fits much better so, and the others no worse."""
    columns = [fit.names.index(name) for name in pair]
    before = _root(fit.errors[:, columns])
    swap = Swap(kind_of(pair, fit.names), pair, 0, len(sample), before, 0.0)
    again = _solved(model, without_swaps(sample, [swap]))
    swap = replace(swap, after=_root(again.errors[:, columns]))
    better = np.nanmean(again.errors) < np.nanmean(fit.errors)
    return swap if better and before > _LEAST and swap.after < _MUCH * before else None


def _root(errors: Array) -> float:
    """Root mean square of those that are known; NaN if none is."""
    known = errors[np.isfinite(errors)]
    return float(np.sqrt(np.mean(known**2))) if len(known) else math.nan
