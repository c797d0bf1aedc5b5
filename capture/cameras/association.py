"""Who is who across views: tracks whose rays meet are of one person.

Tracks are first cut where a view alone can't tell people apart (`tracks.tracklets`); the pieces of all
views are then joined while their rays pass each other closely, the closest first; and what belongs to
one person at different times is joined by where the person was heading in space.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from ...rig.arrays import Array
from ...rig.triangulation.linear import triangulated
from ..keypoints.keypoints import Keypoints
from ..keypoints.tracks import Labels, Piece, joined_in_time, tracklets
from .camera import Camera
from .rays import ray_distance, typical

__all__ = ["Views", "associated", "common_frames", "flattened"]

_MEET: Final = 0.15  # metres: rays to one keypoint of one person pass each other this closely
_FRAMES: Final = 30  # of two pieces tell whether they are of one person
_SHORTEST: Final = 2  # frames of a piece that is looked at
_PAIRS: Final = 8  # of pieces at a time
_MOST_PIECES: Final = 200  # of a view, the longest
_OVERLAP: Final = 2  # frames in which a view may show one person twice
_GAP: Final = 60  # frames out of sight
_JUMP: Final = 0.6  # of a person's size


@dataclass(frozen=True, eq=False)
class Views:
    """One person as C cameras saw it over T frames.

    Attributes:
        pixels: (T, K, C, 2) without the lens' distortion, NaN where not seen.
        confidence: (T, K, C), 0 where not seen.
    """

    pixels: Array
    confidence: Array

    @property
    def weight(self) -> float:
        """How much was seen of the person, by at least two cameras at a time."""
        several = (self.confidence > 0.0).sum(axis=-1) > 1
        return float(self.confidence.sum(axis=-1)[several].sum())


@dataclass(frozen=True, eq=False)
class _Seen:
    """A piece of a track in one view, with its rays; of neighbouring frames, as `tracklets` are."""

    view: int
    first: int
    rows: Labels  # (n,)
    rays: Array  # (3, n, K)

    @property
    def frames(self) -> slice:
        """Those of the view."""
        return slice(self.first, self.first + len(self.rows))

    def common(self, other: "_Seen") -> range:
        """The frames of both."""
        return range(max(self.first, other.first), min(self.frames.stop, other.frames.stop))


def common_frames(views: Sequence[Keypoints]) -> tuple[Keypoints, ...]:
    """The views with the same frames, from the first that any has to the last."""
    first = min(view.start for view in views)
    stop = max(view.start + len(view) for view in views)
    return tuple(view.between(first, stop) for view in views)


def flattened(
    views: Sequence[Keypoints], cameras: Sequence[Camera], min_confidence: float = 0.0
) -> tuple[Keypoints, ...]:
    """The views as cameras without distortion would show them, without keypoints of less confidence."""
    found = []
    for view, camera in zip(views, cameras, strict=True):
        sure = view.seen & (view.confidence >= min_confidence)
        positions = camera.undistorted(np.where(sure[..., None], view.positions, np.nan))
        found.append(
            replace(view, positions=positions, confidence=np.where(sure, view.confidence, 0.0))
        )
    return tuple(found)


def associated(views: Sequence[Keypoints], cameras: Sequence[Camera]) -> list[Views]:
    """The people that at least two cameras saw, who was seen most first.

    Args:
        views: of C cameras, the same frames and layout, people in any order, without distortion
            (`flattened`).
        cameras: C.
    """
    pieces = [piece for k, view in enumerate(views) for piece in _pieces(k, view, cameras[k])]
    groups = [
        group for group in _grouped(pieces, cameras) if len({pieces[k].view for k in group}) > 1
    ]
    people = [_views([pieces[k] for k in group], views) for group in groups]
    if _one_after_another(people):
        chains = joined_in_time([_in_space(one, cameras) for one in people], _GAP, _JUMP)
        people = [
            _views([pieces[k] for link in chain for k in groups[link]], views) for chain in chains
        ]
    return sorted(people, key=lambda one: -one.weight)


def _pieces(place: int, view: Keypoints, camera: Camera) -> list[_Seen]:
    labels = tracklets(view)
    lengths = np.bincount(labels[labels >= 0], minlength=1) if (labels >= 0).any() else np.zeros(1)
    longest = [
        k for k in np.argsort(-lengths, kind="stable")[:_MOST_PIECES] if lengths[k] >= _SHORTEST
    ]
    if not longest and len(view) < _SHORTEST:  # a picture, not a film
        longest = [k for k in range(len(lengths)) if lengths[k]]
    rays = np.moveaxis(camera.straight_rays(view.positions), -1, 0)
    found = []
    for label in longest:
        frames, rows = np.nonzero(labels == label)
        found.append(_Seen(place, int(frames[0]), rows, rays[:, frames, rows]))
    return found


def _distances(pieces: list[_Seen], cameras: Sequence[Camera]) -> Array:
    """(N, N) median metres between the rays to the same keypoints; NaN where never seen at a time."""
    cost = np.full((len(pieces), len(pieces)), np.nan)
    pairs = [
        (a, b)
        for a, b in itertools.combinations(range(len(pieces)), 2)
        if pieces[a].view != pieces[b].view and pieces[a].common(pieces[b])
    ]
    for k in range(0, len(pairs), _PAIRS):
        some = pairs[k : k + _PAIRS]
        for (a, b), away in zip(some, _away(some, pieces, cameras), strict=True):
            cost[a, b] = cost[b, a] = typical(away.ravel())
    return cost


def _away(
    pairs: list[tuple[int, int]], pieces: list[_Seen], cameras: Sequence[Camera]
) -> list[Array]:
    """(n, K) metres of each pair, in n of the frames of both."""
    ones, others, between, lengths = [], [], [], []
    for a, b in pairs:
        one, other = pieces[a], pieces[b]
        both = one.common(other)
        count = min(_FRAMES, len(both))
        few = both.start + np.arange(count) * (len(both) - 1) // max(count - 1, 1)
        ones.append(one.rays[:, few - one.first])
        others.append(other.rays[:, few - other.first])
        between.append(cameras[other.view].position - cameras[one.view].position)
        lengths.append(count)
    apart = np.repeat(between, lengths, axis=0)[:, None]
    rays = [np.moveaxis(np.concatenate(some, axis=1), 0, -1) for some in (ones, others)]
    away = ray_distance(np.zeros(3), rays[0], apart, rays[1])
    return np.split(away, np.cumsum(lengths)[:-1])


def _grouped(pieces: list[_Seen], cameras: Sequence[Camera]) -> list[set[int]]:
    """Join pieces whose rays meet, the nearest pairs first, while no view shows the person twice."""
    cost = _distances(pieces, cameras)
    groups = [{k} for k in range(len(pieces))]
    of_piece = list(range(len(pieces)))
    near = [(cost[a, b], int(a), int(b)) for a, b in np.argwhere(np.triu(cost <= _MEET))]
    for _, a, b in sorted(near):
        one, other = of_piece[a], of_piece[b]
        if one == other or not _fit(groups[one], groups[other], pieces, cost):
            continue
        for k in groups[other]:
            of_piece[k] = one
        groups[one] |= groups[other]
        groups[other] = set()
    return [group for group in groups if group]


def _fit(one: set[int], other: set[int], pieces: list[_Seen], cost: Array) -> bool:
    """Whether two groups may be one person: their rays meet, and no view shows both at a time."""
    across = cost[np.ix_(sorted(one), sorted(other))]
    known = across[np.isfinite(across)]
    if not len(known) or known.mean() > _MEET:
        return False
    return not any(
        pieces[a].view == pieces[b].view and len(pieces[a].common(pieces[b])) > _OVERLAP
        for a in one
        for b in other
    )


def _views(pieces: list[_Seen], views: Sequence[Keypoints]) -> Views:
    """What the cameras saw of one person; of pieces that overlap, the longest counts."""
    first = views[0].positions
    shape = (len(first), first.shape[2], len(views))
    pixels, confidence = np.full((*shape, 2), np.nan), np.zeros(shape)
    for piece in sorted(pieces, key=lambda one: len(one.rows)):
        view, frames = views[piece.view], np.r_[piece.frames]
        pixels[piece.frames, :, piece.view] = view.positions[frames, piece.rows]
        confidence[piece.frames, :, piece.view] = view.confidence[frames, piece.rows]
    return Views(pixels, confidence)


def _one_after_another(people: list[Views]) -> bool:
    """Whether some were seen only after others were: they may be the same."""
    frames = [np.flatnonzero((one.confidence > 0.0).any(axis=(1, 2))) for one in people]
    return bool(frames) and max(f[0] for f in frames) > min(f[-1] for f in frames)


def _in_space(one: Views, cameras: Sequence[Camera]) -> Piece:
    """Roughly where a person was: all cameras that saw a keypoint count alike."""
    frames = np.flatnonzero((one.confidence > 0.0).any(axis=(1, 2)))
    span = slice(int(frames[0]), int(frames[-1]) + 1)
    pixels, confidence = one.pixels[span], one.confidence[span]
    count, keypoints, number, _ = pixels.shape
    projections = np.stack([camera.projection for camera in cameras])
    flat = np.nan_to_num(pixels).reshape(-1, number, 2)
    points = triangulated(flat, projections, confidence.reshape(-1, number))
    return Piece(span.start, points.reshape(count, keypoints, 3))
