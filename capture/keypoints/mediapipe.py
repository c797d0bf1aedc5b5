"""MediaPipe's 33 landmarks, as the many scripts around it write them: JSON of its results, CSV wide or long.

Landmarks in the picture are fractions of its width and height (z as x, and dropped), so its size is
needed. World landmarks are metres about the middle of the hips, x right, y down, z away from the camera;
the data show which they are.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from ...rig.arrays import Array
from ...rig.errors import FormatError
from ..up_axis import to_world
from .keypoints import Keypoints
from .layout import LAYOUTS
from .people_table import number

__all__ = ["is_mediapipe_json", "of_landmarks", "parse_mediapipe_json"]

_BODY: Final = LAYOUTS["mediapipe_33"]
_PICTURE: Final = ("pose_landmarks", "poseLandmarks", "landmarks", "keypoints")
_WORLD: Final = ("pose_world_landmarks", "poseWorldLandmarks", "worldLandmarks", "world_landmarks")
_FRACTION: Final = 4.0  # landmarks outside the picture are guessed, but not further than this
_ORIGIN: Final = 0.02  # metres; this near to it is the middle of the hips of world landmarks
_HIPS: Final = (_BODY.names.index("LHip"), _BODY.names.index("RHip"))
_MOST_PEOPLE: Final = 64


def is_mediapipe_json(document: Any) -> bool:  # noqa: ANN401  JSON
    """Whether a JSON document holds MediaPipe's landmarks."""
    frames = _frames(document)
    first = next((one for one in frames[:1000] if isinstance(one, dict)), None) if frames else None
    return first is not None and any(key in first for key in (*_PICTURE, *_WORLD))


def _frames(document: Any) -> list[Any] | None:  # noqa: ANN401  JSON
    if isinstance(document, dict):
        inner = document.get("frames", document.get("results"))
        return inner if isinstance(inner, list) else [document]
    return document if isinstance(document, list) else None


def parse_mediapipe_json(
    document: Any,  # noqa: ANN401  JSON
    image_size: tuple[int, int] | None = None,
    *,
    world: bool = False,
) -> Keypoints:
    """Landmarks of a JSON document: those in the picture, or `world` ones if asked or if there are no others.

    Raises:
        FormatError: a frame has another number of landmarks, or the image size is needed and not told.
    """
    frames = _frames(document) or []
    keys = _PICTURE
    if world or not any(isinstance(one, dict) and _under(one, _PICTURE) for one in frames):
        keys = _WORLD
    poses = [_poses(_under(one, keys) if isinstance(one, dict) else None) for one in frames]
    widest = max((len(one) for one in poses), default=0)
    if not 0 < widest <= _MOST_PEOPLE:
        raise FormatError(
            f"{widest} people are in {len(frames)} frames; expected MediaPipe's landmarks"
        )
    table = np.full((len(frames), widest, len(_BODY), 4), np.nan)
    for frame, people in enumerate(poses):
        for row, one in enumerate(people):
            table[frame, row] = one
    told = document if isinstance(document, dict) else {}
    fps = told.get("fps", told.get("frame_rate"))
    good = isinstance(fps, (int, float)) and 0 < fps < 1e5
    size = image_size or _size(told)
    return of_landmarks(table, size, fps=float(fps) if good and fps is not None else None)


def _under(frame: Mapping[str, Any], keys: tuple[str, ...]) -> Any:  # noqa: ANN401  JSON
    return next((frame[key] for key in keys if frame.get(key)), None)


def _poses(found: Any) -> list[Array]:  # noqa: ANN401  JSON
    """The people of one frame: landmarks, a list of such lists, or MediaPipe's {"landmark": […]}."""
    if isinstance(found, dict):
        found = found.get("landmark", found.get("landmarks"))
    if not found:
        return []
    if not isinstance(found, list):
        raise FormatError(f"landmarks are {str(found)[:40]!r}; expected a list")
    first = found[0]
    several = isinstance(first, dict) and ("landmark" in first or "landmarks" in first)
    several = several or (
        isinstance(first, list) and bool(first) and isinstance(first[0], (dict, list))
    )
    return [pose for one in found for pose in _poses(one)] if several else [_pose(found)]


def _pose(landmarks: list[Any]) -> Array:
    if len(landmarks) != len(_BODY):
        raise FormatError(
            f"a frame has {len(landmarks)} landmarks; MediaPipe's body has {len(_BODY)}"
        )
    return np.array([_landmark(one) for one in landmarks])


def _landmark(one: Any) -> tuple[float, float, float, float]:  # noqa: ANN401  JSON
    if isinstance(one, list) and len(one) in (2, 3, 4):
        x, y, z, sure = (*one, *(0.0, 1.0)[len(one) - 2 :]) if len(one) < 4 else one
    elif isinstance(one, dict) and {"x", "y"} <= set(one):
        x, y, z, sure = one["x"], one["y"], one.get("z", 0.0), one.get("visibility", 1.0)
    else:
        raise FormatError(f"a landmark is {str(one)[:60]}; expected x, y, z and visibility")
    sure = 1.0 if sure is None else sure
    if x is None or y is None:
        return np.nan, np.nan, np.nan, 0.0
    return tuple(number(v if v is not None else 0.0, "a landmark") for v in (x, y, z, sure))  # type: ignore[return-value]


def _size(told: Mapping[str, Any]) -> tuple[int, int] | None:
    width, height = (told.get(key, told.get(f"image_{key}")) for key in ("width", "height"))
    if (
        isinstance(width, int)
        and isinstance(height, int)
        and 0 < width < 10**6
        and 0 < height < 10**6
    ):
        return width, height
    return None


def of_landmarks(
    table: Array, image_size: tuple[int, int] | None, *, fps: float | None = None, start: int = 0
) -> Keypoints:
    """Keypoints of landmarks (T, P, 33, 4): x, y, z and visibility, in the picture or in the world.

    Raises:
        FormatError: they are fractions of a picture, and its size is not told.
    """
    sure = np.where(np.isfinite(table[..., :2]).all(axis=-1), np.nan_to_num(table[..., 3]), 0.0)
    # Its visibility may be 0 for what it guesses behind others; the point is there all the same.
    sure = np.where(np.isfinite(table[..., :2]).all(axis=-1), np.maximum(sure, 1e-3), 0.0)
    if _is_world(table):
        return Keypoints(_BODY, to_world(table[..., :3], "-y"), sure, fps=fps, start=start)
    pixels, x = table[..., :2], table[..., 0]
    if np.isfinite(x).any() and np.nanmax(np.abs(pixels)) <= _FRACTION:
        if image_size is None:
            raise FormatError(
                "the landmarks are fractions of the picture; give its width and height, as "
                "--image-size 1920x1080"
            )
        pixels = pixels * image_size
    return Keypoints(_BODY, pixels, sure, fps=fps, image_size=image_size, start=start)


def _is_world(table: Array) -> bool:
    """Whether the middle of the hips is the origin, in three dimensions."""
    middle = table[..., _HIPS, :3].mean(axis=-2).reshape(-1, 3)
    middle = middle[np.isfinite(middle).all(axis=-1)]
    some = table[..., :3][np.isfinite(table[..., :3]).all(axis=-1)]
    return (
        bool(len(middle))
        and float(np.median(np.linalg.norm(middle, axis=-1))) < _ORIGIN
        and float(np.abs(some).max()) < _FRACTION
    )
