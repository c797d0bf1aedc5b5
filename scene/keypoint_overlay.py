"""Keypoints drawn over a camera's view: what it saw, where the empties are, and a line between the two."""

from typing import Final

import bpy
import gpu
import numpy as np
from gpu_extras.batch import batch_for_shader

from ..rig.arrays import Array
from .camera_objects import is_calibrated, plane_points, read_camera
from .keypoint_views import cameras_of, has_views, shown_at

__all__ = ["draw_reprojection", "errors_now", "marks", "on_region"]

_DEPTH: Final = 1.0  # metres before the camera, where marks lie
_RADIUS: Final = 5.0  # pixels of the screen, of a mark
_SEEN: Final = (0.1, 0.9, 1.0, 1.0)
_SHOWN: Final = (1.0, 0.6, 0.05, 1.0)
_OFF: Final = (1.0, 0.15, 0.1, 1.0)
_CROSS: Final = np.array([[-1.0, -1.0], [1.0, 1.0], [-1.0, 1.0], [1.0, -1.0]])
_DIAMOND: Final = np.array(
    [[0, 1], [1, 0], [1, 0], [0, -1], [0, -1], [-1, 0], [-1, 0], [0, 1]], dtype=np.float64
)


def errors_now(parent: bpy.types.Object, frame: float) -> dict[str, tuple[float, int]]:
    """For each camera, the mean distance in pixels from what it saw to the empties, and of how many."""
    found = {}
    for place, item in cameras_of(parent):
        _, seen, shown = shown_at(parent, place, item, frame)
        away = np.linalg.norm(seen - shown, axis=-1)
        away = away[np.isfinite(away)]
        found[item.name] = (float(away.mean()) if len(away) else float("nan"), len(away))
    return found


def draw_reprojection(context: bpy.types.Context, parent: bpy.types.Object | None) -> None:
    """Draw over a 3D view that looks through one of the cameras; nothing over any other view."""
    view = context.region_data
    if not has_views(parent) or view is None or view.view_perspective != "CAMERA":
        return
    space = context.space_data
    item = space.camera if space.use_local_camera else context.scene.camera
    place = next((place for place, one in cameras_of(parent) if one == item), None)
    if place is None or not is_calibrated(item):
        return
    _, seen, shown = shown_at(parent, place, item, context.scene.frame_current_final)
    size = (context.region.width, context.region.height)
    perspective = np.array(view.perspective_matrix, dtype=np.float64)
    both = on_region(item, np.stack([seen, shown]), perspective, size)
    for lines, colour in marks(*both):
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


def marks(seen: Array, shown: Array) -> list[tuple[Array, tuple[float, float, float, float]]]:
    """Ends of lines (2N, 2) in each colour: what is off, a cross on what was seen, a diamond on the empty.

    Args:
        seen: (N, 2) pixels of the screen.
        shown: (N, 2); NaN where there is no empty.
    """
    both = np.isfinite(seen).all(axis=-1) & np.isfinite(shown).all(axis=-1)
    off = np.stack([seen[both], shown[both]], axis=1).reshape(-1, 2)
    return [
        (off, _OFF),
        (_stamped(_CROSS * 0.7, seen), _SEEN),
        (_stamped(_DIAMOND, shown), _SHOWN),
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
