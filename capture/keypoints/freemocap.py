"""FreeMoCap's arrays: `mediaPipeSkel_3d_body_hands_face.npy` (F, N, 3) in millimetres, and those in pictures.

In pictures they are (cameras, F, N, 2 or 3). The first 33 points are MediaPipe's body; hands and face
follow. FreeMoCap's third number in 2D is a depth, not a confidence.
"""

from typing import Final

import numpy as np

from ...rig.errors import FormatError
from ..npz import parse_npy
from ..textfile import LARGEST
from .keypoints import Keypoints
from .layout import LAYOUTS

__all__ = ["is_npy", "parse_freemocap"]

_BODY: Final = LAYOUTS["mediapipe_33"]
_TALLEST: Final = 20.0  # metres; a body that is larger is in millimetres


def is_npy(start: bytes) -> bool:
    """Whether bytes are an array of numpy's."""
    return start.startswith(b"\x93NUMPY")


def parse_freemocap(content: bytes) -> tuple[Keypoints, ...]:
    """The body of an npy of FreeMoCap: one in space, or one for each camera.

    Raises:
        FormatError: it is damaged, or has another shape.
    """
    array = parse_npy(content)
    body = len(_BODY)
    shaped = array.ndim in (3, 4) and array.shape[-1] in (2, 3) and array.shape[-2] >= body
    if not shaped or array.dtype.kind not in "fiu" or 0 in array.shape:
        raise FormatError(
            f"an array has shape {array.shape} of {array.dtype}; expected FreeMoCap's (frames, 33 "
            "or more, 3) in "
            "space, or (cameras, frames, 33 or more, 2) in pictures"
        )
    points = array[..., :body, :].astype(np.float64)
    points[~(np.abs(points) < LARGEST)] = np.nan
    if array.ndim == 3 and array.shape[-1] == 3:
        return (_in_space(points),)
    return tuple(
        _in_picture(view) for view in (points if array.ndim == 4 else points[None])[..., :2]
    )


def _in_space(points: np.ndarray) -> Keypoints:  # type: ignore[type-arg]
    seen = points[np.isfinite(points).all(axis=-1)]
    extent = float(np.ptp(seen, axis=0).max()) if len(seen) else 0.0
    metres = points * (1e-3 if extent > _TALLEST else 1.0)
    return Keypoints(_BODY, metres[:, None], np.ones((len(points), 1, len(_BODY))))


def _in_picture(points: np.ndarray) -> Keypoints:  # type: ignore[type-arg]
    return Keypoints(_BODY, points[:, None], np.ones((len(points), 1, len(_BODY))))
