"""Calibrated cameras as Blender's: where they stand, their lens, and read back with whatever was moved.

Blender's camera looks along its -z with y up; ours is OpenCV's, along z with y down. Blender measures a
picture from its edges, OpenCV from the centre of the first pixel: half a pixel lies between the two.
"""

import json
from typing import Final

import bpy
import numpy as np
from mathutils import Matrix

from ..capture.cameras.camera import Camera
from ..rig.arrays import Array
from ..rig.errors import SceneError

__all__ = [
    "add_camera",
    "is_calibrated",
    "lens_bend",
    "look_through",
    "picture_size",
    "plane_points",
    "read_camera",
    "resized",
]

_CALIBRATION: Final = (
    "pallas_calibration"  # custom property of the camera object: what Blender can't hold
)
_SENSOR: Final = 36.0  # millimetres wide
_DISPLAY: Final = 0.25  # metres, of the pyramid that shows the camera
_FAR: Final = 1000.0  # metres
_FLIP: Final = np.diag([1.0, -1.0, -1.0])  # OpenCV's camera axes in Blender's
_GRID: Final = 9  # points across the picture that tell how far a lens bends
_CROPPED: Final = 0.02  # of the picture that a clip may lack of what was calibrated


def add_camera(
    camera: Camera,
    collection: bpy.types.Collection,
    parent: bpy.types.Object | None = None,
) -> bpy.types.Object:
    """Add a camera that projects as the calibrated one does, its lens' distortion left out.

    With the picture's size as the render size and `look_through`'s shape of pixels, a point is seen where
    `Camera.without_lens` projects it.

    Args:
        camera: in the parent's coordinates.
        collection: where it goes.
        parent: an object that carries it.
    """
    width, height = picture_size(camera)
    (fx, _), (_, fy) = camera.matrix[:2, :2]
    cx, cy = camera.matrix[:2, 2]
    data = bpy.data.cameras.new(camera.name)
    data.sensor_fit, data.sensor_width = "HORIZONTAL", _SENSOR
    data.lens = fx / width * _SENSOR
    data.shift_x = ((width - 1) / 2 - cx) / width
    data.shift_y = (cy - (height - 1) / 2) * (fx / fy) / width
    data.clip_start, data.clip_end, data.display_size = 0.01, _FAR, _DISPLAY
    item = bpy.data.objects.new(camera.name, data)
    item[_CALIBRATION] = json.dumps(
        {
            "name": camera.name,
            "matrix": camera.matrix.tolist(),
            "distortion": camera.distortion.tolist(),
            "fisheye": camera.fisheye,
            "size": [width, height],
        }
    )
    pose = np.eye(4)
    pose[:3, :3] = camera.camera_from_world.T @ _FLIP
    pose[:3, 3] = camera.position
    item.parent = parent
    item.matrix_basis = Matrix(pose.tolist())
    collection.objects.link(item)
    return item


def is_calibrated(item: bpy.types.Object | None) -> bool:
    """Whether an object is a camera of a calibration."""
    return item is not None and item.type == "CAMERA" and _CALIBRATION in item


def read_camera(item: bpy.types.Object) -> Camera:
    """The calibrated camera of an object, where the object stands now.

    Raises:
        SceneError: it is none.
    """
    if not is_calibrated(item):
        raise SceneError(f"{item.name!r} is no camera of a calibration; import the views again")
    kept = json.loads(item[_CALIBRATION])
    world = np.array(item.matrix_world, dtype=np.float64)
    u, _, vt = np.linalg.svd(world[:3, :3])
    turn = _FLIP @ (u @ vt).T
    return Camera(
        kept["name"],
        np.array(kept["matrix"]),
        turn,
        -turn @ world[:3, 3],
        np.array(kept["distortion"]),
        fisheye=kept["fisheye"],
        size=tuple(kept["size"]),
    )


def picture_size(camera: Camera) -> tuple[int, int]:
    """Width and height in pixels; as if its axis met the middle where the calibration doesn't say."""
    if camera.size is not None:
        return camera.size
    width, height = (max(round(2.0 * centre + 1.0), 2) for centre in camera.matrix[:2, 2])
    return width, height


def resized(camera: Camera, clip: tuple[int, int]) -> tuple[Camera, str]:
    """The camera with the size of its clip, and what to tell where the two differ.

    A clip that lacks a few columns or rows of what was calibrated has the same pixels. One of another size
    was scaled, and its pixels are others: the camera stays as it is.
    """
    size = picture_size(camera)
    if clip == size:
        return camera, ""
    told = f"{camera.name} is calibrated for {size[0]} x {size[1]} pixels, its clip has {clip[0]} x {clip[1]}"
    if any(abs(a - b) > _CROPPED * b for a, b in zip(clip, size, strict=True)):
        return camera, f"{told}; give the clip in the size that was calibrated"
    cropped = Camera(
        camera.name,
        camera.matrix,
        camera.camera_from_world,
        camera.translation,
        camera.distortion,
        camera.fisheye,
        clip,
    )
    return cropped, f"{told}: it is taken as cut at the right and below"


def lens_bend(camera: Camera) -> float:
    """Pixels by which the lens moves a point at most within the picture; Blender's camera does not."""
    width, height = picture_size(camera)
    grid = np.stack(
        np.meshgrid(np.linspace(0, width - 1, _GRID), np.linspace(0, height - 1, _GRID)), axis=-1
    )
    away = np.linalg.norm(camera.undistorted(grid) - grid, axis=-1)
    return float(np.nanmax(away)) if np.isfinite(away).any() else float("inf")


def plane_points(camera: Camera, pixels: Array, depth: float) -> Array:
    """Pixels (..., 2) as points (..., 3) of the camera object's own space, `depth` metres before it."""
    (fx, skew), (_, fy) = camera.matrix[:2, :2]
    y = (pixels[..., 1] - camera.matrix[1, 2]) / fy
    x = (pixels[..., 0] - camera.matrix[0, 2] - skew * y) / fx
    return depth * np.stack([x, -y, -np.ones_like(x)], axis=-1)


def look_through(scene: bpy.types.Scene, item: bpy.types.Object) -> tuple[int, int]:
    """Make a calibrated camera the scene's, and pictures of its size and shape of pixels.

    Returns:
        Width and height in pixels.

    Raises:
        SceneError: it is no camera of a calibration.
    """
    camera = read_camera(item)
    width, height = picture_size(camera)
    shape = camera.matrix[0, 0] / camera.matrix[1, 1]  # height over width of a pixel
    render = scene.render
    scene.camera = item
    render.resolution_x, render.resolution_y, render.resolution_percentage = width, height, 100
    render.pixel_aspect_x, render.pixel_aspect_y = max(1.0 / shape, 1.0), max(shape, 1.0)
    return width, height
