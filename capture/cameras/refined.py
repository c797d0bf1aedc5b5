"""People refined: a body, its bones of one length in all frames, fitted to what all cameras saw."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...rig.arrays import Array, Mask
from ...rig.triangulation.linear import reprojected
from ..keypoints.layout import Layout
from .camera import Camera
from .reconstruct import Person

if TYPE_CHECKING:
    from ...rig.solve.views import BodyOptions, SolvedBody
    from ...rig.trajectories import MarkerTrajectories

__all__ = ["Refined", "refined"]


@dataclass(frozen=True, eq=False)
class Refined:
    """A person refined.

    Attributes:
        markers: as of the person, those of the body refined and without gaps while the person is there.
        body: the 24 joints over time, and how well they are known.
        report: numbers, for JSON.
    """

    markers: "MarkerTrajectories"
    body: "SolvedBody"
    report: dict[str, Any]


def refined(
    person: Person,
    layout: Layout,
    cameras: Sequence[Camera],
    options: "BodyOptions | None" = None,
    *,
    before: "MarkerTrajectories | None" = None,
    longest_gap: float = 0.25,
    progress: Callable[[float], None] = lambda done: None,
) -> Refined:
    """Fit a body to a person who was triangulated.

    Args:
        person: T frames.
        layout: of its keypoints.
        cameras: C, those that it was made with.
        options: how much is believed.
        before: points that the report compares with; those of the person if None.
        longest_gap: seconds in which nobody may be seen; the points of longer ones stay missing.
        progress: told the part that is done, 0 to 1.

    Raises:
        ShapeError: no keypoint is a point of the body.
        RecordingError: too little was seen to place a body.
    """
    from ...rig.solve.views import View, solve_views  # noqa: PLC0415  loads torch

    pixels, sure = (
        np.moveaxis(person.views.pixels, 2, 0),
        np.moveaxis(person.views.confidence, 2, 0),
    )
    views = [View(pixels[c], camera.projection, sure[c]) for c, camera in enumerate(cameras)]
    markers = person.markers
    body = solve_views(
        layout.names,
        markers.fps,
        views=views,
        triangulation=person.triangulation,
        options=options,
        progress=progress,
    )
    positions = np.array(markers.positions)
    away = _away(body.interpolated, round(longest_gap * markers.fps))
    for k, name in enumerate(markers.names):
        if name in body.names:
            track = body.tracks[:, body.names.index(name)]
            positions[:, k] = np.where(away[:, None], np.nan, track)
    found = replace(markers, positions=positions)
    return Refined(found, body, _report(person, before or markers, found, layout, cameras, body))


def _away(unseen: Mask, longest: int) -> Mask:
    """(T,) frames of stretches in which the person was not there: longer ones, and those at either end."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], unseen.astype(int), [0]])))
    away = np.zeros(len(unseen), dtype=bool)
    for start, stop in edges.reshape(-1, 2):
        away[start:stop] = stop - start > longest or start == 0 or stop == len(unseen)
    return away


def _report(
    person: Person,
    before: "MarkerTrajectories",
    markers: "MarkerTrajectories",
    layout: Layout,
    cameras: Sequence[Camera],
    body: "SolvedBody",
) -> dict[str, Any]:
    names = body.motion.skeleton.names
    spread = np.median(body.uncertainty, axis=0)
    return {
        "height": body.height,
        "triangulated": _errors(person, before, layout, cameras),
        "refined": _errors(person, markers, layout, cameras),
        "missing": int(np.isnan(markers.positions[..., 0]).sum()),
        "interpolated": int(body.interpolated.sum()),
        "joints_mm": {name: 1000.0 * float(mm) for name, mm in zip(names, spread, strict=True)},
    }


def _errors(
    person: Person, markers: "MarkerTrajectories", layout: Layout, cameras: Sequence[Camera]
) -> dict[str, float]:
    """Pixels between where cameras saw the markers and where they are: of all, and of those that agreed."""
    columns = [layout.names.index(name) for name in markers.names]
    projections = np.stack([camera.projection for camera in cameras])
    flat = markers.positions.reshape(-1, 3)
    where = reprojected(flat, projections)[0].reshape(*markers.positions.shape[:2], -1, 2)
    errors: Array = np.linalg.norm(where - person.views.pixels[:, columns], axis=-1)
    seen = (person.views.confidence[:, columns] > 0.0) & np.isfinite(errors)
    used = seen & person.triangulation.used[:, columns]
    return {
        "median_px": _of(np.median, errors[used]),
        "mean_px": _of(np.mean, errors[used]),
        "all_median_px": _of(np.median, errors[seen]),
        "all_mean_px": _of(np.mean, errors[seen]),
    }


def _of(what: Callable[[Array], Any], values: Array) -> float:
    return float(what(values)) if len(values) else np.nan
