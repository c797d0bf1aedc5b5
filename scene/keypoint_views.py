"""What cameras saw of a person, kept with the empties in space; and how far these are from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import bpy
import numpy as np

from ..capture.cameras.camera import Camera
from ..capture.cameras.lens import distorted
from ..rig.arrays import Array
from ..rig.errors import SceneError
from .camera_objects import is_calibrated, read_camera
from .clock import Clock
from .keypoint_solved import solved_empties
from .markers import marker_objects

__all__ = [
    "Seen",
    "Shown",
    "cameras_of",
    "has_views",
    "keep_views",
    "pixels_at",
    "read_seen",
    "shown_at",
]

_COUNT: Final = "pallas_views"  # custom property of the empties' parent: how many cameras
_CAMERA: Final = "pallas_view_camera_{}"  # the camera object
_PIXELS: Final = (
    "pallas_view_pixels_{}"  # (T, K, 3) pixels without the lens' distortion, and confidence
)
_NAMES: Final = "pallas_view_points"  # names of the K keypoints, a line each


_ON: Final = 1e-3  # of a sample, within which a frame is on it


@dataclass(frozen=True, eq=False)
class Seen:
    """What C cameras saw of one person in T frames.

    Attributes:
        names: K keypoints.
        cameras: C, where their objects stand now.
        pixels: (T, K, C, 2) without the lenses' distortion; NaN where not seen.
        confidence: (T, K, C), 0 where not seen.
    """

    names: tuple[str, ...]
    cameras: tuple[Camera, ...]
    pixels: Array
    confidence: Array

    def of(self, names: tuple[str, ...]) -> "Seen":
        """The same of these keypoints only; what was not seen of them is missing."""
        places = [self.names.index(name) if name in self.names else -1 for name in names]
        known = np.array([place >= 0 for place in places])
        pixels = np.where(known[None, :, None, None], self.pixels[:, places], np.nan)
        confidence = np.where(known[None, :, None], self.confidence[:, places], 0.0)
        return Seen(names, self.cameras, pixels, confidence)


class Shown(NamedTuple):
    """N keypoints in a camera's clip, as its lens shows them.

    Attributes:
        names: of the keypoints.
        seen: (N, 2) pixels that the camera saw; NaN where it saw none.
        measured: (N, 2) of the empties; NaN where hidden, or where nothing was seen.
        solved: (N, 2) of the solved body's empties; NaN where there are none.
    """

    names: tuple[str, ...]
    seen: Array
    measured: Array
    solved: Array


def keep_views(parent: bpy.types.Object, cameras: list[bpy.types.Object], seen: Seen) -> None:
    """Keep with the empties' parent what each camera saw; row t is its clock's sample t."""
    parent[_COUNT], parent[_NAMES] = len(cameras), "\n".join(seen.names)
    for place, item in enumerate(cameras):
        told = np.where(seen.confidence[..., place] > 0.0, seen.confidence[..., place], 0.0)
        rows = np.concatenate([seen.pixels[:, :, place], told[..., None]], axis=-1)
        parent[_CAMERA.format(place)] = item
        parent[_PIXELS.format(place)] = np.nan_to_num(rows).astype(np.float32).ravel()


def has_views(parent: bpy.types.Object | None) -> bool:
    """Whether an object is the parent of empties that cameras saw."""
    return parent is not None and _COUNT in parent


def cameras_of(parent: bpy.types.Object) -> list[tuple[int, bpy.types.Object]]:
    """The cameras that are still there, each with its place among those that were kept."""
    found = [(place, parent.get(_CAMERA.format(place))) for place in range(parent[_COUNT])]
    return [(place, item) for place, item in found if is_calibrated(item) and item.users_scene]


def read_seen(parent: bpy.types.Object) -> Seen:
    """What the cameras saw that are still there.

    Raises:
        SceneError: no camera saw these empties, or all were deleted.
    """
    if not has_views(parent):
        raise SceneError(f"no camera saw {parent.name!r}; import views first")
    found = cameras_of(parent)
    if not found:
        raise SceneError(f"the cameras of {parent.name!r} were deleted; import the views again")
    names = tuple(parent[_NAMES].split("\n"))
    rows = np.stack([_rows(parent, place, len(names)) for place, _ in found], axis=2)
    there = rows[..., 2] > 0.0
    pixels = np.where(there[..., None], rows[..., :2], np.nan)
    return Seen(
        names,
        tuple(read_camera(item) for _, item in found),
        pixels,
        np.where(there, rows[..., 2], 0.0),
    )


def pixels_at(parent: bpy.types.Object, place: int, frame: float) -> dict[str, Array]:
    """What one camera saw at a scene frame: (2,) pixels without distortion, by keypoint.

    Between two samples it is between theirs; nothing is there where one of them is missing.
    """
    names = tuple(parent[_NAMES].split("\n"))
    rows = _rows(parent, place, len(names))
    clock = Clock.of(parent)
    at = (frame - clock.first) / clock.step
    low = round(at) if abs(at - round(at)) < _ON else int(np.floor(at))
    part = 0.0 if abs(at - low) < _ON else at - low
    high = low + (part > 0.0)
    if low < 0 or high >= len(rows):
        return {}
    between = (1.0 - part) * rows[low] + part * rows[high]
    there = (rows[low, :, 2] > 0.0) & (rows[high, :, 2] > 0.0)
    return {name: between[k, :2] for k, name in enumerate(names) if there[k]}


def shown_at(parent: bpy.types.Object, place: int, item: bpy.types.Object, frame: float) -> Shown:
    """What a camera saw of each keypoint now, and where it would show its empties as they are now.

    Args:
        parent: of the empties.
        place: of the camera among those kept, as `cameras_of` says.
        item: the camera.
        frame: of the scene, at which the empties are.
    """
    seen, camera = pixels_at(parent, place, frame), read_camera(item)
    measured, solved = marker_objects(parent), solved_empties(parent)
    names = tuple(name for name in measured if name in seen or name in solved)
    missing = np.full(2, np.nan)
    pixels = np.array([seen.get(name, missing) for name in names], dtype=np.float64)
    return Shown(
        names,
        _bent(camera, pixels.reshape(-1, 2)),
        camera.project(_places(measured, [name if name in seen else "" for name in names])),
        camera.project(_places(solved, names)),
    )


def _places(empties: Mapping[str, bpy.types.Object], names: Sequence[str]) -> Array:
    """(N, 3) metres in the world; NaN where there is no empty, or it is hidden."""
    places = np.full((len(names), 3), np.nan)
    for row, name in enumerate(names):
        item = empties.get(name)
        if item is not None and not item.hide_viewport and item.visible_get():
            places[row] = item.matrix_world.translation
    return places


def _rows(parent: bpy.types.Object, place: int, count: int) -> Array:
    """(T, K, 3) pixels and confidence of one camera."""
    kept = np.frombuffer(parent[_PIXELS.format(place)], dtype=np.float32)
    return kept.astype(np.float64).reshape(-1, count, 3)


def _bent(camera: Camera, pixels: Array) -> Array:
    """Where the lens shows what is at pixels (N, 2) without its distortion."""
    (fx, skew), (_, fy) = camera.matrix[:2, :2]
    y = (pixels[..., 1] - camera.matrix[1, 2]) / fy
    x = (pixels[..., 0] - camera.matrix[0, 2] - skew * y) / fx
    flat = distorted(np.stack([x, y], axis=-1), camera.distortion, fisheye=camera.fisheye)
    return np.asarray(flat @ camera.matrix[:2, :2].T + camera.matrix[:2, 2])
