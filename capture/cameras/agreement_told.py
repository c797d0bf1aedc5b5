"""What is said of cameras that don't fit each other."""

from collections.abc import Sequence

import numpy as np

from ..keypoints.keypoints import Keypoints
from .camera import Camera
from .checks import APART, Agreement

__all__ = ["told_agreement"]


def told_agreement(
    found: Agreement, views: Sequence[Keypoints], cameras: Sequence[Camera]
) -> str | None:
    """A line about exchanged cameras, a wrong calibration or other times; None where all is well."""
    names = [view.name or f"view {k + 1}" for k, view in enumerate(views)]
    off = f"rays to the same keypoint pass {1000 * found.distance:.0f} mm from each other"
    if not np.isfinite(found.distance):
        return "no two cameras see the same person at the same time"
    if found.order != tuple(range(len(cameras))):
        moved = [
            f"{names[k]} is of {cameras[camera].name}"
            for k, camera in enumerate(found.order)
            if camera != k
        ]
        return f"the cameras are exchanged: {off}, and {1000 * found.best:.0f} mm if {' and '.join(moved)}"
    if found.doubtful is not None:
        return (
            f"{cameras[found.doubtful].name} ({names[found.doubtful]}) disagrees with the other "
            "cameras, which "
            "agree: its calibration is wrong, it was moved, or it started at another time"
        )
    if found.distance > APART:
        return (
            f"the cameras disagree, {off}: the calibration is of another setup, or the views are "
            "not synchronised "
            "(--sync)"
        )
    return None
