"""Keypoints drawn over a camera's view: what it saw, where the empties are, and where the solved body is."""

from typing import Final, NamedTuple

import bpy
import gpu
import numpy as np
from gpu_extras.batch import batch_for_shader

from ..rig.arrays import Array
from .camera_objects import is_calibrated, plane_points, read_camera
from .keypoint_views import cameras_of, has_views, shown_at

__all__ = ["Off", "draw_reprojection", "errors_now", "marks", "on_region"]

_DEPTH: Final = 1.0  # metres before the camera, where marks lie
_RADIUS: Final = 5.0  # pixels of the screen, of a mark
_SEEN: Final = (0.1, 0.9, 1.0, 1.0)
_SHOWN: Final = (1.0, 0.6, 0.05, 1.0)
_OFF: Final = (1.0, 0.15, 0.1, 1.0)
_SOLVED: Final = (1.0, 1.0, 1.0, 1.0)
_CROSS: Final = np.array([[-1.0, -1.0], [1.0, 1.0], [-1.0, 1.0], [1.0, -1.0]])
_DIAMOND: Final = np.array(
    [[0, 1], [1, 0], [1, 0], [0, -1], [0, -1], [-1, 0], [-1, 0], [0, 1]], dtype=np.float64
)
_SQUARE: Final = 0.7 * np.array(
    [[-1, -1], [1, -1], [1, -1], [1, 1], [1, 1], [-1, 1], [-1, 1], [-1, -1]], dtype=np.float64
)


class Off(NamedTuple):
    """Mean distances in pixels from what a camera saw; NaN where there is nothing to measure.

    Attributes:
        measured: to the empties.
        count: of these.
        solved: to the solved body.
    """

    measured: float
    count: int
    solved: float


def errors_now(parent: bpy.types.Object, frame: float) -> dict[str, Off]:
    """For each camera, how far what it saw is from the empties and from the solved body."""
    found = {}
    for place, item in cameras_of(parent):
        shown = shown_at(parent, place, item, frame)
        measured, count = _mean_away(shown.seen, shown.measured)
        found[item.name] = Off(measured, count, _mean_away(shown.seen, shown.solved)[0])
    return found


def _mean_away(seen: Array, shown: Array) -> tuple[float, int]:
    away = np.linalg.norm(seen - shown, axis=-1)
    away = away[np.isfinite(away)]
    return float(away.mean()) if len(away) else float("nan"), len(away)


def draw_reprojection(
    context: bpy.types.Context,
    parent: bpy.types.Object | None,
    *,
    measured: bool = True,
    solved: bool = True,
) -> None:
    """Draw over a 3D view that looks through one of the cameras; nothing over any other view.

    Args:
        context: of the view.
        parent: of the empties.
        measured: draw what was seen and the empties.
        solved: draw the solved body's points.
    """
    view = context.region_data
    if not has_views(parent) or view is None or view.view_perspective != "CAMERA":
        return
    space = context.space_data
    item = space.camera if space.use_local_camera else context.scene.camera
    place = next((place for place, one in cameras_of(parent) if one == item), None)
    if place is None or not is_calibrated(item):
        return
    shown = shown_at(parent, place, item, context.scene.frame_current_final)
    if not len(shown.names):
        return
    size = (context.region.width, context.region.height)
    perspective = np.array(view.perspective_matrix, dtype=np.float64)
    places = on_region(item, np.stack(shown[1:]), perspective, size)
    drawn = marks(*places)
    for lines, colour in (*(drawn[:-1] if measured else ()), *(drawn[-1:] if solved else ())):
        _draw(lines, colour, size)


def on_region(
    item: bpy.types.Object, pixels: Array, perspective: Array, size: tuple[int, int]
) -> Array:
    """Pixels (..., 2) of a camera's picture as pixels (..., 2) of a region, from its lower left.

    Args:
        item: the camera.
        pixels: in its picture.
        perspective: (4, 4) of the region's view, clip_from_world.
        size: width and height of the region.
    """
    world = np.array(item.matrix_world, dtype=np.float64)
    points = plane_points(read_camera(item), pixels, _DEPTH) @ world[:3, :3].T + world[:3, 3]
    clip = points @ perspective[:, :3].T + perspective[:, 3]
    return np.asarray((clip[..., :2] / clip[..., 3:] * 0.5 + 0.5) * np.array(size))


def marks(
    seen: Array, measured: Array, solved: Array
) -> list[tuple[Array, tuple[float, float, float, float]]]:
    """Ends of lines (2N, 2) in each colour.

    What is off, a cross on what was seen, a diamond on the empty, a square on the solved body's point.

    Args:
        seen: (N, 2) pixels of the screen; NaN where nothing was seen.
        measured: (N, 2); NaN where there is no empty.
        solved: (N, 2); NaN where nothing was solved.
    """
    both = np.isfinite(seen).all(axis=-1) & np.isfinite(measured).all(axis=-1)
    off = np.stack([seen[both], measured[both]], axis=1).reshape(-1, 2)
    return [
        (off, _OFF),
        (_stamped(_CROSS * 0.7, seen), _SEEN),
        (_stamped(_DIAMOND, measured), _SHOWN),
        (_stamped(_SQUARE, solved), _SOLVED),
    ]


def _stamped(mark: Array, places: Array) -> Array:
    there = places[np.isfinite(places).all(axis=-1)]
    return (there[:, None] + _RADIUS * mark).reshape(-1, 2)


def _draw(lines: Array, colour: tuple[float, float, float, float], size: tuple[int, int]) -> None:
    if not len(lines):
        return
    shader = gpu.shader.from_builtin("POLYLINE_UNIFORM_COLOR")
    corners = np.column_stack([lines, np.zeros(len(lines))]).astype(np.float32)
    batch = batch_for_shader(shader, "LINES", {"pos": corners})
    gpu.state.blend_set("ALPHA")
    shader.bind()
    shader.uniform_float("viewportSize", size)
    shader.uniform_float("lineWidth", 1.5)
    shader.uniform_float("color", colour)
    batch.draw(shader)
    gpu.state.blend_set("NONE")
