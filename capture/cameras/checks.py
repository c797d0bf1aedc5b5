"""Whether cameras and views belong together, told by how far rays pass each other."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from ...rig.arrays import Array
from ..keypoints.keypoints import Keypoints
from .association import common_frames
from .camera import Camera
from .layouts import one_layout
from .rays import ray_distance, typical

__all__ = ["APART", "Agreement", "agreement"]

_PEOPLE: Final = 4  # of a frame that are tried
_FRAMES: Final = 40
_KEYPOINTS: Final = 6  # that two views must share to be compared
_MOST_ORDERS: Final = 6  # cameras whose every order is tried; of more, every exchange of two
_CLEARLY: Final = 0.4  # of the distance as given is the distance in the right order
_NOISE: Final = 0.02  # metres; rays that pass this closely may well be of the right cameras
APART: Final = 0.08  # metres; rays that pass this closely agree
_ALONE: Final = 3.0  # times further than the others' is the distance of a camera that is wrong


@dataclass(frozen=True)
class Agreement:
    """How far the rays of two cameras pass each other.

    Attributes:
        distance: metres, median over the pairs of cameras; NaN where no two cameras see anybody at a time.
        order: for each view, the index of the camera that it fits best; as given unless another order is
            clearly better.
        best: metres, the distance in that order.
        doubtful: index of the one camera that disagrees with the others; None where there is none.
    """

    distance: float
    order: tuple[int, ...]
    best: float
    doubtful: int | None


def agreement(views: Sequence[Keypoints], cameras: Sequence[Camera]) -> Agreement:
    """Compare views with cameras, in the order given and in others.

    Args:
        views: of C cameras, the same layout; compared where they have the same frames.
        cameras: C.

    Raises:
        RecordingError: the layouts differ.
    """
    one_layout(views)
    count = len(cameras)
    views = common_frames(views)
    people = [_sampled(view) for view in views]
    rays = [[camera.rays(one) for camera in cameras] for one in people]
    table = np.full((count, count, count, count), np.nan)  # views v, w seen by cameras i, j
    for v, w in itertools.combinations(range(count), 2):
        for i, j in itertools.permutations(range(count), 2):
            table[v, w, i, j] = _nearest(rays[v][i], cameras[i], rays[w][j], cameras[j])
    given = tuple(range(count))
    distances = {order: _total(table, order) for order in _orders(count)}
    known = {order: d for order, d in distances.items() if np.isfinite(d)}
    best = min(known, key=lambda order: known[order], default=given)
    now = distances[given]
    if not (now > _NOISE and known.get(best, np.inf) < _CLEARLY * now):
        best = given
    return Agreement(now, best, distances[best], _doubtful(table) if best == given else None)


def _sampled(view: Keypoints) -> Array:
    """(n, P, K, 2) the surest people of frames spread over the whole."""
    few = np.unique(np.linspace(0, len(view) - 1, min(_FRAMES, len(view))).astype(int))
    surest = np.argsort(-view.confidence[few].sum(axis=-1), axis=1, kind="stable")[:, :_PEOPLE]
    return np.take_along_axis(view.positions[few], surest[..., None, None], axis=1)


def _nearest(one: Array, camera: Camera, other: Array, second: Camera) -> float:
    """Metres: of every frame the two people whose rays pass most closely, and of these the median."""
    away = ray_distance(camera.position, one[:, :, None], second.position, other[:, None])
    known = np.isfinite(away).sum(axis=-1)
    away = np.sort(away, axis=-1)  # NaN last
    middle = np.take_along_axis(away, np.maximum(known - 1, 0)[..., None] // 2, axis=-1)[..., 0]
    middle = np.where(known >= _KEYPOINTS, middle, np.inf).reshape(len(away), -1)
    return typical(middle.min(axis=1, initial=np.inf), 1)


def _orders(count: int) -> list[tuple[int, ...]]:
    if count <= _MOST_ORDERS:
        return list(itertools.permutations(range(count)))
    orders = [tuple(range(count))]
    for a, b in itertools.combinations(range(count), 2):
        order = list(range(count))
        order[a], order[b] = b, a
        orders.append(tuple(order))
    return orders


def _total(table: Array, order: tuple[int, ...]) -> float:
    pairs = [
        table[v, w, order[v], order[w]] for v, w in itertools.combinations(range(len(order)), 2)
    ]
    known = [distance for distance in pairs if np.isfinite(distance)]
    return float(np.mean(known)) if known else np.nan


def _doubtful(table: Array) -> int | None:
    """The camera whose pairs disagree while those without it agree."""
    count = len(table)
    if count < 3:
        return None
    off = np.full((count, count), np.nan)
    for v, w in itertools.combinations(range(count), 2):
        off[v, w] = off[w, v] = table[v, w, v, w]
    ratios = np.zeros(count)
    for camera in range(count):
        others = np.delete(np.delete(off, camera, 0), camera, 1)
        with_it, without = off[camera][np.isfinite(off[camera])], others[np.isfinite(others)]
        if len(with_it) and len(without) and with_it.mean() > APART > without.mean():
            ratios[camera] = with_it.mean() / max(without.mean(), 1e-9)
    worst = int(np.argmax(ratios))
    return worst if ratios[worst] > _ALONE else None
