"""What speaks for exchanged names: places that fit better, and markers that jump to each other's places."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch

from ..arrays import Array, Mask
from ..model.kinematics import bodies_in_world, markers_in_world
from ..model.model import BodyMarker, KinematicModel
from ..sides import other_side
from ..trajectories import MarkerTrajectories
from .marker_ik import MarkerFit

__all__ = [
    "Rings",
    "Swap",
    "chunks",
    "exchange",
    "gains",
    "jumps",
    "kind_of",
    "predicted",
    "settled",
]

Kind = Literal["left/right", "pair", "all left and right"]
Rings = tuple[tuple[int, ...], ...]
Frames = npt.NDArray[np.intp]
_CHUNK = 500  # frames whose distances are in memory at once
_JUMP = 0.05  # metres that two markers move from a frame to the next, if their names are exchanged
_STILL = 0.3  # of that, that they move if they are not


@dataclass(frozen=True)
class Swap:
    """Names that were exchanged.

    Attributes:
        kind: "left/right" for two markers that differ in their side, "pair" for any other two, and "all left
            and right" for every marker that has a side.
        names: of the two; ("left", "right") for all.
        first: the frame where it begins.
        stop: the frame after its last.
        before: metres, root mean square error of the two, or of all.
        after: the same, with the names exchanged.
    """

    kind: Kind
    names: tuple[str, str]
    first: int
    stop: int
    before: float
    after: float


def kind_of(pair: tuple[str, str], names: Sequence[str]) -> Kind:
    """Whether two names differ in their side only."""
    return "left/right" if other_side(pair[0], names) == pair[1] else "pair"


def exchange(positions: Array, pair: tuple[int, int], frames: slice) -> None:
    """Exchange two columns of positions (T, P, 3) in some frames, in place."""
    one, other = pair
    kept = positions[frames, one].copy()
    positions[frames, one] = positions[frames, other]
    positions[frames, other] = kept


def chunks(frames: Frames) -> list[Frames]:
    """Frames in parts of bearable size."""
    return np.array_split(frames, -(-len(frames) // _CHUNK)) if len(frames) else []


def predicted(model: KinematicModel, pose: Array, names: Sequence[str]) -> Array:
    """(N, P, 3) metres, some of the model's markers in poses (N, D)."""
    index = [model.marker_index(name) for name in names]
    return np.asarray(markers_in_world(model, torch.as_tensor(pose)).numpy()[:, index])


def gains(places: Array, measured: Array) -> Array:
    """(N, P, P) square metres that exchanging two names would save; above the diagonal, else zero.

    A missing marker costs nothing under either name.

    Args:
        places: (N, P, 3) predicted.
        measured: (N, P, 3), NaN where missing.
    """
    apart = places[:, :, None] - measured[:, None]
    squared = np.nan_to_num(np.einsum("tijk,tijk->tij", apart, apart))
    own = np.einsum("tii->ti", squared)
    saved = own[:, :, None] + own[:, None] - squared - squared.transpose(0, 2, 1)
    return np.asarray(np.triu(saved, 1))


def jumps(measured: Array) -> dict[int, Rings]:
    """Where markers jump to each other's places: rings of columns, by the first frame after the jump.

    Each marker of a ring appears where the next one was last seen.

    Args:
        measured: (T, P, 3), NaN where missing.
    """
    last = _last_seen(measured)
    found = {}
    for part in chunks(np.arange(1, len(measured))):
        step = _steps(measured[part], last[part - 1])
        moving = 2.0 * last[part - 1] - last[np.maximum(part - 2, 0)]  # as fast as before
        step = np.minimum(step, _steps(measured[part], moving))
        own = np.einsum("tii->ti", step)
        near, least = step.argmin(2), step.min(2)
        jumped = np.isfinite(own) & (own > _JUMP) & (least < _STILL * own)
        for row in np.flatnonzero(jumped.sum(1) > 1):
            rings = _rings(near[row].tolist(), set(np.flatnonzero(jumped[row]).tolist()))
            if rings:
                found[int(part[row])] = rings
    return found


def _last_seen(measured: Array) -> Array:
    """(T, P, 3) where each marker is, or was when it was last seen."""
    seen = np.isfinite(measured).all(-1)
    rows = np.where(seen, np.arange(len(measured))[:, None], 0)
    return np.take_along_axis(measured, np.maximum.accumulate(rows)[..., None], axis=0)


def _steps(after: Array, before: Array) -> Array:
    """(N, P, P) metres from the column's place to the row's, infinite where either is missing."""
    step = np.linalg.norm(after[:, :, None] - before[:, None], axis=-1)
    return np.where(np.isfinite(step), step, np.inf)


def _rings(target: Sequence[int], allowed: set[int]) -> Rings:
    """Cycles of a map, of allowed numbers only."""
    rings = []
    for start in sorted(allowed):
        ring, here = [start], target[start]
        while here in allowed and here not in ring:
            ring.append(here)
            here = target[here]
        if here == start and start == min(ring):
            rings.append(tuple(ring))
    return tuple(rings)


def settled(fit: MarkerFit, markers: MarkerTrajectories) -> KinematicModel:
    """The fitted model with each marker where it mostly was on its body.

    Left out are weak frames, and those in which a marker is rather where one of another body or side belongs.

    Args:
        fit: of T frames.
        markers: the same frames, with at least the markers of the fit.
    """
    measured = np.where(fit.weak[:, None, None], np.nan, markers.chosen(fit.names).positions)
    apart = _tell_apart(fit)
    places = predicted(fit.model, fit.pose, fit.names)
    for part in chunks(np.arange(len(measured))):
        better = (gains(places[part], measured[part]) > 0.0) & apart
        doubtful = better.any(2) | better.any(1)
        measured[part] = np.where(doubtful[..., None], np.nan, measured[part])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of markers that are left out everywhere
        places = np.nanmedian(_in_bodies(fit, measured), axis=0)
    by_name = {
        name: tuple(place)
        for name, place in zip(fit.names, places, strict=True)
        if np.isfinite(place).all()
    }
    return fit.model.with_markers(
        [
            BodyMarker(m.name, m.body, by_name.get(m.name, m.position), m.free)
            for m in fit.model.markers
        ]
    )


def _tell_apart(fit: MarkerFit) -> Mask:
    """(P, P) True for markers of different bodies or sides: a model's places tell those apart."""
    bodies = [fit.model.markers[fit.model.marker_index(name)].body for name in fit.names]
    return np.array(
        [
            [
                bodies[i] != bodies[j] or kind_of((one, other), fit.names) == "left/right"
                for j, other in enumerate(fit.names)
            ]
            for i, one in enumerate(fit.names)
        ]
    )


def _in_bodies(fit: MarkerFit, measured: Array) -> Array:
    """(T, P, 3) metres, measured markers in the frames of their bodies."""
    turns, origins = bodies_in_world(fit.model, torch.as_tensor(fit.pose))
    every = [fit.model.markers[fit.model.marker_index(name)] for name in fit.names]
    index = [fit.model.body_index(marker.body) for marker in every]
    arms = measured - origins.numpy()[:, index]
    return np.asarray(np.einsum("tpji,tpj->tpi", turns.numpy()[:, index], arms))
