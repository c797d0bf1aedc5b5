"""From what calibrated cameras saw to people in space: who is who, which side is which, and where."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from ...rig.arrays import Mask
from ...rig.errors import RecordingError
from ...rig.filters.gaps import close_gaps
from ...rig.trajectories import MarkerTrajectories
from ...rig.triangulation.linear import reprojected
from ...rig.triangulation.robust import Triangulation, triangulate
from ..keypoints.keypoints import Keypoints
from ..keypoints.layout import Layout
from ..keypoints.sides import exchanged, side_groups
from .association import Views, associated, common_frames, flattened
from .camera import Camera
from .layouts import one_layout

__all__ = ["Person", "ReconstructionOptions", "reconstruct", "threshold_of"]

_ANGLE: Final = 0.009  # pixels of error per pixel of focal length: about half a degree
_CLEARLY: Final = 0.5  # of the error as named is the error with the sides exchanged
_FAR: Final = 0.5  # of the threshold; sides nearer to each other are as good as one
_ROUNDS: Final = 2
_FEWEST: Final = 2  # keypoints of a side that tell


@dataclass(frozen=True)
class ReconstructionOptions:
    """How people are placed in space.

    Attributes:
        threshold: pixels, mean reprojection error above which a camera is left out; None for half a degree.
        min_cameras: that must agree on a point.
        min_confidence: of the detector; less sure keypoints are not seen.
        repair_sides: exchange left and right back in views that disagree with the others.
        longest_gap: seconds; longer gaps stay.
        people: how many, those seen most.
    """

    threshold: float | None = None
    min_cameras: int = 2
    min_confidence: float = 0.2
    repair_sides: bool = True
    longest_gap: float = 0.25
    people: int = 1


@dataclass(frozen=True, eq=False)
class Person:
    """One person in space.

    Attributes:
        markers: named as the layout's keypoints, short gaps closed; keypoints that were never found are
            left out.
        found: (T, K) of the layout's keypoints, where cameras agreed on the point.
        closed: (T, K) where a gap was closed.
        triangulation: points (T, K, 3), and errors per camera (T, K, C).
        views: what the cameras saw without their lenses' distortion, sides put right.
        flips: (T, C, G) where sides were exchanged, groups as of `sides.side_groups`.
    """

    markers: MarkerTrajectories
    found: Mask
    closed: Mask
    triangulation: Triangulation
    views: Views
    flips: Mask


def reconstruct(
    views: Sequence[Keypoints],
    cameras: Sequence[Camera],
    fps: float,
    options: ReconstructionOptions | None = None,
    progress: Callable[[float], None] = lambda done: None,
) -> list[Person]:
    """Place the people that several cameras saw in space.

    Args:
        views: of C cameras at the same times, frames with the same number at the same moment.
        cameras: C.
        fps: frames per second.
        options: see there.
        progress: told the part that is done, 0 to 1.

    Returns:
        The people, who was seen most first; none where no two cameras agree on anybody.

    Raises:
        RecordingError: there are fewer than two views, or their layouts differ.
    """
    options = options or ReconstructionOptions()
    _check(views, cameras)
    views = common_frames(flattened(views, cameras, options.min_confidence))
    people = associated(views, cameras)[: options.people]
    found = []
    for k, person in enumerate(people):
        progress((k + 0.5) / (len(people) + 0.5))
        placed = _placed(person, views[0], cameras, fps, options)
        if placed is not None:
            found.append(placed)
    progress(1.0)
    return found


def _check(views: Sequence[Keypoints], cameras: Sequence[Camera]) -> None:
    if len(views) < 2 or len(views) != len(cameras):
        raise RecordingError(
            f"there are keypoints of {len(views)} views and {len(cameras)} cameras; expected at "
            "least two, and a "
            "camera for each"
        )
    one_layout(views)


def _placed(
    person: Views,
    view: Keypoints,
    cameras: Sequence[Camera],
    fps: float,
    options: ReconstructionOptions,
) -> Person | None:
    layout = view.layout
    groups = side_groups(layout)
    flips = np.zeros((len(person.pixels), len(cameras), len(groups)), dtype=bool)
    found = _triangulated(person, cameras, options)
    for _ in range(_ROUNDS if options.repair_sides else 0):
        wrong = _exchanged_sides(person, found, cameras, layout, options)
        if not wrong.any():
            break
        person = _with_sides(person, layout, wrong)
        flips ^= wrong
        found = _renewed(found, person, _touched(wrong, layout), cameras, options)
    points, closed = close_gaps(found.points, round(options.longest_gap * fps))
    there = np.isfinite(points).all(axis=-1)
    kept = np.flatnonzero(there.any(axis=0))
    if not len(kept):
        return None
    names = tuple(layout.names[k] for k in kept)
    markers = MarkerTrajectories(names, points[:, kept], fps, view.start / fps)
    return Person(markers, there & ~closed, closed, found, person, flips)


def threshold_of(cameras: Sequence[Camera], options: ReconstructionOptions) -> float:
    """Pixels of mean reprojection error above which a camera is left out."""
    if options.threshold is not None:
        return options.threshold
    return _ANGLE * float(np.mean([(c.matrix[0, 0] + c.matrix[1, 1]) / 2 for c in cameras]))


def _triangulated(
    person: Views, cameras: Sequence[Camera], options: ReconstructionOptions
) -> Triangulation:
    return triangulate(
        person.pixels,
        person.confidence,
        np.stack([camera.projection for camera in cameras]),
        threshold=threshold_of(cameras, options),
        min_cameras=options.min_cameras,
    )


def _touched(wrong: Mask, layout: Layout) -> Mask:
    """(T, K) keypoints whose sides were exchanged in any view, `wrong` (T, C, G)."""
    touched = np.zeros((len(wrong), len(layout)), dtype=bool)
    for group, frames in zip(side_groups(layout), wrong.any(axis=1).T, strict=True):
        touched[np.ix_(frames, group)] = True
    return touched


def _renewed(
    found: Triangulation,
    person: Views,
    touched: Mask,
    cameras: Sequence[Camera],
    options: ReconstructionOptions,
) -> Triangulation:
    """Triangulated again where `touched` (T, K)."""
    part = replace(person, pixels=person.pixels[touched], confidence=person.confidence[touched])
    again = _triangulated(part, cameras, options)
    points, errors = np.array(found.points), np.array(found.errors)
    used, left_out = np.array(found.used), np.array(found.left_out)
    points[touched], errors[touched] = again.points, again.errors
    used[touched], left_out[touched] = again.used, again.left_out
    return Triangulation(points, errors, used, left_out)


def _exchanged_sides(
    person: Views,
    found: Triangulation,
    cameras: Sequence[Camera],
    layout: Layout,
    options: ReconstructionOptions,
) -> Mask:
    """(T, C, G) where a view fits the points better with its sides exchanged."""
    groups, shape = side_groups(layout), found.points.shape[:2]
    projections = np.stack([camera.projection for camera in cameras])
    where = reprojected(found.points.reshape(-1, 3), projections)[0]
    other_side = person.pixels[:, list(layout.mirrored)]
    apart = where.reshape(other_side.shape) - other_side
    same, turned = found.errors, np.sqrt(np.einsum("...d,...d->...", apart, apart))
    wrong = np.zeros((shape[0], len(cameras), len(groups)), dtype=bool)
    for g, group in enumerate(groups):
        both = np.isfinite(same[:, list(group)]) & np.isfinite(turned[:, list(group)])
        count = both.sum(axis=1)
        as_is = np.where(both, same[:, list(group)], 0.0).sum(axis=1)
        other = np.where(both, turned[:, list(group)], 0.0).sum(axis=1)
        far = as_is > _FAR * threshold_of(cameras, options) * count
        wrong[..., g] = (count >= _FEWEST) & far & (other < _CLEARLY * as_is)
    return wrong


def _with_sides(person: Views, layout: Layout, wrong: Mask) -> Views:
    pixels, confidence = np.array(person.pixels), np.array(person.confidence)
    groups = side_groups(layout)
    for camera in range(wrong.shape[1]):
        flips = wrong[:, camera]
        pixels[:, :, camera] = exchanged(pixels[:, :, camera], layout, flips, groups)
        confidence[:, :, camera] = exchanged(confidence[:, :, camera], layout, flips, groups)
    return replace(person, pixels=pixels, confidence=confidence)
