"""What `pallas info` says of keypoints and of calibrated cameras."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from ...capture.cameras.camera import Camera
from ...capture.cameras.files import read_calibration
from ...capture.keypoints.files import read_views
from ...capture.keypoints.keypoints import Keypoints

__all__ = ["CALIBRATIONS", "KEYPOINTS", "describe_calibration", "describe_keypoints"]

KEYPOINTS: Final = (".json", ".npy", ".csv", ".h5", ".zip", ".tar", ".xz", ".gz", ".bz2", ".tgz")
CALIBRATIONS: Final = (".toml", ".txt", ".xml")


def describe_keypoints(path: Path) -> dict[str, Any]:
    """The facts of keypoints, of each camera that a file or folder holds."""
    return _facts(read_views([path]))


def _facts(views: Sequence[Keypoints]) -> dict[str, Any]:
    """The facts of views, at least one."""
    first = views[0]
    return {
        "layout": first.layout.key,
        "title": first.layout.title,
        "in": "space, metres" if first.spatial else "pictures, pixels",
        "keypoints": list(first.layout.names),
        "views": [_view(view) for view in views],
    }


def _view(view: Keypoints) -> dict[str, Any]:
    shown = view.seen.any(axis=-1)
    people = shown.sum(axis=1)
    sure = view.confidence[view.seen]
    here = view.seen[shown]
    return {
        "name": view.name or None,
        "frames": len(view),
        "first_frame": view.start,
        "fps": view.fps,
        "image_size": list(view.image_size) if view.image_size else None,
        "most_people": int(people.max(initial=0)),
        "empty_frames": int((people == 0).sum()),
        "seen_percent": 100.0 * float(here.mean()) if here.size else 0.0,
        "median_confidence": float(np.median(sure)) if len(sure) else None,
    }


def describe_calibration(path: Path) -> dict[str, Any]:
    """The facts of calibrated cameras."""
    return {"cameras": [_camera(camera) for camera in read_calibration(path)]}


def _camera(camera: Camera) -> dict[str, Any]:
    return {
        "name": camera.name,
        "image_size": list(camera.size) if camera.size else None,
        "focal_px": [float(camera.matrix[0, 0]), float(camera.matrix[1, 1])],
        "position_m": camera.position.tolist(),
        "lens": "fisheye" if camera.fisheye else f"{len(camera.distortion)} coefficients",
    }
