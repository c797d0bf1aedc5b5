"""Which points a camera sees, by rays: from the camera to the point, against every surface."""

import bpy
import numpy as np
from mathutils import Vector

from ...capture.cameras.camera import Camera
from ...rig.arrays import Array, Mask
from .landmarks import Landmarks

__all__ = ["inside", "seen_points"]


def inside(camera: Camera, pixels: Array) -> Mask:
    """(N,) True where pixels (N, 2) lie in the camera's picture."""
    width, height = camera.size or (0, 0)
    with np.errstate(invalid="ignore"):
        found: Mask = (pixels > -0.5).all(axis=-1) & (pixels < (width - 0.5, height - 0.5)).all(
            axis=-1
        )
    return found


def seen_points(
    scene: bpy.types.Scene,
    depsgraph: bpy.types.Depsgraph,
    camera: Camera,
    landmarks: Landmarks,
    places: Array,
) -> Mask:
    """(N,) True where the picture has the point and nothing but the skin over it is before it.

    Args:
        scene: with everything that may hide a point.
        depsgraph: evaluated at the frame.
        camera: from where.
        landmarks: whose points they are.
        places: (N, 3) of the points, world.
    """
    start = Vector(camera.position)
    # What a person holds has no person's number, and hides what is behind it.
    own = {item.name for item in landmarks.armature.children_recursive if item.pass_index}
    found = np.zeros(len(places), dtype=bool)
    known: dict[str, bool] = {}  # sets share points
    for row in np.flatnonzero(inside(camera, camera.project(places))):
        name = landmarks.points[row].name
        if name not in known:
            way = Vector(places[row]) - start
            far = way.length
            hit, at, _, _, item, _ = scene.ray_cast(
                depsgraph, start, way / far, distance=far - 1e-4
            )
            skin = landmarks.skin[row]
            known[name] = not hit or (item.name in own and far - (at - start).length < skin)
        found[row] = known[name]
    return found
