"""When each camera started, by how people move: what goes up quickly in one view goes up quickly in all.

The vertical speed of every keypoint, in sizes of the person, is compared between views at every shift.
Views of different frame rates are compared, and given back, at the fastest one's times.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np

from ...rig.arrays import Array
from ...rig.errors import RecordingError
from ..keypoints.keypoints import Keypoints
from ..keypoints.tracks import sizes, tracked
from .camera import Camera
from .layouts import one_layout
from .rays import ray_distance, typical

__all__ = ["Offsets", "find_offsets", "refined", "retimed", "synchronised"]

_SMOOTH: Final = 0.05  # seconds, over which speeds are averaged
_FEWEST: Final = 1.0  # seconds that views must share
_SURE: Final = 0.4  # correlation below which nothing is sure
_EXACT: Final = 1e-4  # frames
_REACH: Final = 0.25  # seconds about what motion tells that the cameras look at
_ROUNDS: Final = 2
_SAMPLES: Final = 120  # frames that tell how far rays pass


@dataclass(frozen=True)
class Offsets:
    """When each view started.

    Attributes:
        seconds: C, to add to a view's own time; 0 of the first.
        correlation: C, of the motion with the first view's at that shift; 1 of the first itself.
    """

    seconds: tuple[float, ...]
    correlation: tuple[float, ...]

    @property
    def unsure(self) -> tuple[int, ...]:
        """Indices of the views whose shift can't be trusted."""
        return tuple(k for k, value in enumerate(self.correlation) if not value >= _SURE)


def find_offsets(views: Sequence[Keypoints], longest: float = 5.0) -> Offsets:
    """Find when each view started, from the main person's motion.

    Args:
        views: of any frame rates, which they must know.
        longest: seconds that two views may be apart.

    Raises:
        RecordingError: a view does not know its frame rate, or shows too little, or layouts differ.
    """
    one_layout(views)
    fps = _fastest(views)
    signals = [_speeds(view, fps) for view in views]
    seconds, correlation = [0.0], [1.0]
    for view, signal in zip(views[1:], signals[1:], strict=True):
        shift, sure = _shift(signals[0], signal, round(longest * fps), round(_FEWEST * fps))
        if not np.isfinite(sure):
            raise RecordingError(
                f"{view.name or 'a view'} and {views[0].name or 'the first'} share under "
                f"{_FEWEST:g} s of the same "
                "person; record longer, or give views that are synchronised"
            )
        seconds.append(shift / fps)
        correlation.append(sure)
    return Offsets(tuple(seconds), tuple(correlation))


def refined(views: Sequence[Keypoints], cameras: Sequence[Camera], offsets: Offsets) -> Offsets:
    """Improve offsets by the cameras: at the right time rays to one keypoint pass most closely.

    Args:
        views: as of `find_offsets`.
        cameras: of the views.
        offsets: right to within a quarter of a second.
    """
    fps = _fastest(views)
    people = [
        _Rays(camera.position, camera.rays(tracked(view, 1).positions), view.fps or fps, view.start)
        for view, camera in zip(views, cameras, strict=True)
    ]
    steps = np.arange(-_REACH, _REACH + 0.5 / fps, 0.5 / fps)
    seconds = list(offsets.seconds)
    for _ in range(_ROUNDS):
        for k in range(1, len(people)):
            others = [j for j in range(len(people)) if j != k]
            tried = np.array(
                [
                    [_apart(people[j], seconds[j], people[k], seconds[k] + step) for j in others]
                    for step in steps
                ]
            )
            told = np.isfinite(tried).all(axis=1)
            if told.any():
                total = np.where(told, np.where(told[:, None], tried, 0.0).sum(axis=1), np.inf)
                seconds[k] += float(steps[int(np.argmin(total))])
    return Offsets(tuple(seconds), offsets.correlation)


class _Rays(NamedTuple):
    position: Array  # (3,) of the camera
    rays: Array  # (T, P, K, 3)
    fps: float
    start: int

    def at(self, times: Array) -> Array:
        """(n, P, K, 3) between frames; times as of the view's own clock, all within it."""
        frames = np.clip(times * self.fps - self.start, 0.0, len(self.rays) - 1.0)
        low = np.floor(frames).astype(int)
        part = (frames - low)[:, None, None, None]
        high = np.minimum(low + 1, len(self.rays) - 1)
        between = (1.0 - part) * self.rays[low] + part * self.rays[high]
        return np.asarray(between / np.linalg.norm(between, axis=-1, keepdims=True))

    def span(self, offset: float) -> tuple[float, float]:
        """Seconds of the first and the last frame."""
        last = self.start + len(self.rays) - 1
        return self.start / self.fps + offset, last / self.fps + offset


def _apart(one: _Rays, early: float, other: _Rays, late: float) -> float:
    """Median distance in metres of the rays to the same keypoints, each view moved by its seconds."""
    begin = max(one.span(early)[0], other.span(late)[0])
    end = min(one.span(early)[1], other.span(late)[1])
    if end <= begin:
        return np.nan
    times = np.linspace(begin, end, _SAMPLES)
    first, second = one.at(times - early), other.at(times - late)
    if first.shape[1] != second.shape[1]:
        return np.nan
    return typical(ray_distance(one.position, first, other.position, second).ravel())


def synchronised(
    views: Sequence[Keypoints], cameras: Sequence[Camera], told: list[str]
) -> tuple[Keypoints, ...]:
    """The views at the same times; what was found is told in lines.

    Raises:
        RecordingError: see `find_offsets`.
    """
    found = find_offsets(views)
    # A shift that motion does not tell is left to the cameras: it is looked for about no shift at all.
    start = Offsets(
        tuple(0.0 if k in found.unsure else s for k, s in enumerate(found.seconds)),
        found.correlation,
    )
    better = refined(views, cameras, start)
    told += [
        f"{view.name} started {abs(second):.3f} s {'after' if second > 0.0 else 'before'} {views[0].name}"
        + (" (unsure: the motion hardly tells)" if k + 1 in found.unsure else "")
        for k, (view, second) in enumerate(zip(views[1:], better.seconds[1:], strict=True))
    ]
    fps = _fastest(views)
    return tuple(
        retimed(tracked(view), second, fps)
        for view, second in zip(views, better.seconds, strict=True)
    )


def _fastest(views: Sequence[Keypoints]) -> float:
    rates = [view.fps for view in views]
    known = [rate for rate in rates if rate is not None]
    if len(known) < len(rates):
        name = views[rates.index(None)].name or "a view"
        raise RecordingError(f"{name} does not say its frame rate; give it, as --fps 60")
    return max(known)


def _speeds(view: Keypoints, fps: float) -> Array:
    """(T, K) vertical speed at `fps`, in sizes per second; NaN where not known."""
    person = tracked(view, 1)
    start = -person.start / float(view.fps or fps)
    frames = round(len(view) / float(view.fps or fps) * fps)
    even = retimed(person, start, fps, (0, max(frames, 1))).positions
    if not even.shape[1]:
        return np.full((len(even), len(view.layout)), np.nan)
    extent = sizes(even[:, 0])
    known = extent[np.isfinite(extent)]
    size = float(np.median(known)) if len(known) else 1.0
    width = max(1, round(_SMOOTH * fps))
    height = even[:, 0, :, 1] / max(size, 1e-9)
    padded = np.full((len(height) + 2 * width, height.shape[1]), np.nan)
    padded[width:-width] = height
    return (padded[2 * width :] - padded[: -2 * width]) * (fps / (2 * width))


def _shift(one: Array, other: Array, longest: int, fewest: int) -> tuple[float, float]:
    """Frames by which `other` began later than `one`, to fractions, and the correlation there."""
    reach = range(-min(longest, len(other) - 1), min(longest, len(one) - 1) + 1)
    values = np.array([_correlation(one, other, shift, fewest) for shift in reach])
    if not np.isfinite(values).any():
        return 0.0, np.nan
    best = int(np.nanargmax(values))
    fraction = 0.0
    if 0 < best < len(values) - 1 and np.isfinite(values[best - 1 : best + 2]).all():
        before, at, after = values[best - 1 : best + 2]
        bend = before - 2 * at + after
        fraction = float(np.clip(0.5 * (before - after) / bend, -0.5, 0.5)) if bend < 0.0 else 0.0
    return reach[best] + fraction, float(values[best])


def _correlation(one: Array, other: Array, shift: int, fewest: int) -> float:
    """Of `other`, moved `shift` frames later, with `one`; NaN where they share too little."""
    begin, end = max(shift, 0), min(len(one), len(other) + shift)
    if end - begin < fewest:
        return np.nan
    a, b = one[begin:end], other[begin - shift : end - shift]
    both = np.isfinite(a) & np.isfinite(b)
    if both.any(axis=1).sum() < fewest:
        return np.nan
    a, b = np.where(both, a, 0.0), np.where(both, b, 0.0)
    size = np.sqrt((a * a).sum() * (b * b).sum())
    return float((a * b).sum() / size) if size > 0.0 else np.nan


def retimed(
    view: Keypoints, offset: float, fps: float, frames: tuple[int, int] | None = None
) -> Keypoints:
    """A view at other times: linear between frames, and nothing where a neighbour is missing.

    Args:
        view: with each row of people one person, unless times are its own frames'.
        offset: seconds to add to its time.
        fps: frames per second of the result.
        frames: numbers of the first and after the last frame of the result; all that the view covers if None.
    """
    rate = view.fps if view.fps is not None else fps
    begin, end = view.start / rate + offset, (view.start + len(view) - 1) / rate + offset
    first, stop = frames or (
        int(np.ceil(begin * fps - _EXACT)),
        int(np.floor(end * fps + _EXACT)) + 1,
    )
    at = (np.arange(first, max(stop, first)) / fps - offset) * rate - view.start
    nearest = np.round(at)
    at = np.where(np.abs(at - nearest) < _EXACT, nearest, at)
    inside = (at >= 0.0) & (at <= len(view) - 1)
    low = np.clip(np.floor(at), 0, max(len(view) - 1, 0)).astype(int)
    high = np.clip(np.ceil(at), 0, max(len(view) - 1, 0)).astype(int)
    part = (at - low)[:, None, None]
    confidence = np.minimum(view.confidence[low], view.confidence[high])
    positions = (
        view.positions[low] * (1.0 - part[..., None]) + view.positions[high] * part[..., None]
    )
    confidence = np.where(inside[:, None, None], confidence, 0.0)
    return replace(view, positions=positions, confidence=confidence, fps=fps, start=first)
