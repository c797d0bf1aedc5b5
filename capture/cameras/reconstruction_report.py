"""How well people were triangulated: errors, cameras left out, gaps."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...rig.arrays import Array
from ..keypoints.keypoints import Keypoints
from .camera import Camera
from .reconstruct import Person

__all__ = ["report_of"]


def report_of(
    person: Person, views: Sequence[Keypoints], cameras: Sequence[Camera]
) -> dict[str, Any]:
    """Numbers of one person, for JSON.

    Errors are pixels between where a camera saw a point and where it should have, without the lens'
    distortion.
    """
    layout = views[0].layout
    kept = [layout.names.index(name) for name in person.markers.names]
    found = person.triangulation
    missing = np.isnan(person.markers.positions[..., 0])
    return {
        "markers": list(person.markers.names),
        "found": float(person.found[:, kept].mean()),
        "closed": int(person.closed.sum()),
        "missing": int(missing.sum()),
        "median_px": _median(found.error),
        "mean_px": _mean(found.error),
        "points": {
            layout.names[k]: {
                "median_px": _median(found.error[:, k]),
                "found": float(person.found[:, k].mean()),
            }
            for k in kept
        },
        "cameras": [_camera(person, views[k], camera, k) for k, camera in enumerate(cameras)],
    }


def _camera(person: Person, view: Keypoints, camera: Camera, place: int) -> dict[str, Any]:
    found = person.triangulation
    used = np.where(found.used[..., place], found.errors[..., place], np.nan)
    seen = (person.views.confidence[..., place] > 0.0).sum()
    return {
        "camera": camera.name,
        "keypoints": view.name,
        "median_px": _median(used),
        "mean_px": _mean(used),
        "seen": int(seen),
        "left_out": float(found.left_out[..., place].sum() / max(seen, 1)),
        "sides_exchanged": int(person.flips[:, place].any(axis=-1).sum()),
    }


def _median(values: Array) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else np.nan


def _mean(values: Array) -> float:
    known = values[np.isfinite(values)]
    return float(np.mean(known)) if len(known) else np.nan
