"""Which points a camera sees, by straight ways from the camera to the point, against every surface."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from ...capture.cameras.camera import Camera
from ...rig.arrays import Array, Mask
from .landmarks import Landmarks
from .surfaces import Surfaces, first_met

__all__ = ["inside", "seen_points"]

_SHORT: Final = 1e-4  # metres before a point that may be the surface that it lies on


def inside(camera: Camera, pixels: Array) -> Mask:
    """(N,) True where pixels (N, 2) lie in the camera's picture."""
    width, height = camera.size or (0, 0)
    with np.errstate(invalid="ignore"):
        found: Mask = (pixels > -0.5).all(axis=-1) & (pixels < (width - 0.5, height - 0.5)).all(
            axis=-1
        )
    return found


def seen_points(
    camera: Camera,
    surfaces: Surfaces,
    vertices: Array,
    landmarks: Sequence[Landmarks],
    places: Sequence[Array],
) -> list[Mask]:
    """Of each person (N,), True where the picture has the point and only the skin over it is before it.

    Args:
        camera: from where.
        surfaces: of the scene.
        vertices: (V, 3) metres, of the surfaces as they are now.
        landmarks: whose points they are.
        places: (N, 3) metres, of each person's points.
    """
    if not landmarks:
        return []
    rows = [
        own.first[inside(camera, camera.project(at[own.first]))]
        for own, at in zip(landmarks, places, strict=True)
    ]
    targets = np.concatenate([at[some] for at, some in zip(places, rows, strict=True)])
    skin = np.concatenate([own.skin[some] for own, some in zip(landmarks, rows, strict=True)])
    person = np.repeat([own.body.pass_index for own in landmarks], [len(some) for some in rows])
    away, owner = first_met(surfaces, vertices, camera, targets, _SHORT)
    # What a person holds has no person's number, and hides what is behind it.
    far = np.linalg.norm(targets - camera.position, axis=-1)
    free = np.isinf(away) | ((owner == person) & (far - away < skin))
    found = []
    for own, some in zip(landmarks, rows, strict=True):
        seen = np.zeros(len(own.points), dtype=bool)
        seen[some], free = free[: len(some)], free[len(some) :]
        found.append(seen[own.among])
    return found
