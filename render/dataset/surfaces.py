"""All surfaces of a clip as triangles, and which of them a straight way from a camera meets first."""

from dataclasses import dataclass
from typing import Any, Final

import bpy
import numpy as np
import numpy.typing as npt

from ...capture.cameras.camera import Camera
from ...rig.arrays import Array, Mask

__all__ = ["Surfaces", "first_met", "surfaces_of"]

_CELLS, _FINE = 256, 6  # to each side of the picture; bits of a cell's side
_AHEAD: Final = 1e-3  # metres before the camera from which a point has a place in the picture
Indices = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True, eq=False)
class Surfaces:
    """Triangles of meshes that move and bend, but keep their vertices.

    Attributes:
        items: the mesh objects.
        starts: of each item's vertices among those of all, and the number of all.
        corners: (3, T) each triangle's vertices among those of all.
        owner: (T,) the person's number from 1, 0 for things.
    """

    items: tuple[bpy.types.Object, ...]
    starts: tuple[int, ...]
    corners: Indices
    owner: Indices

    def places(self, depsgraph: bpy.types.Depsgraph) -> Array:
        """(V, 3) metres in the world, as they are now."""
        found = np.empty((self.starts[-1], 3))
        for item, start, end in zip(self.items, self.starts, self.starts[1:], strict=False):
            now = item.evaluated_get(depsgraph)
            own = np.empty((end - start, 3), dtype=np.float32)
            now.data.attributes["position"].data.foreach_get("vector", own.ravel())
            turn = np.array(now.matrix_world)
            found[start:end] = own @ turn[:3, :3].T + turn[:3, 3]
        return found


def surfaces_of(scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph) -> Surfaces:
    """Everything in a scene that may hide something."""
    items = tuple(item for item in scene.objects if item.type == "MESH")
    starts, corners, owner = [0], [], []
    for item in items:
        mesh = item.evaluated_get(depsgraph).data
        own = np.empty(3 * len(mesh.loop_triangles), dtype=np.int32)
        mesh.loop_triangles.foreach_get("vertices", own)
        corners.append(own.reshape(-1, 3).T + starts[-1])
        owner.append(np.full(len(own) // 3, item.pass_index))
        starts.append(starts[-1] + len(mesh.vertices))
    whole = np.concatenate([np.zeros((3, 0), dtype=np.int64), *corners], axis=1)
    return Surfaces(items, tuple(starts), whole, np.concatenate([np.zeros(0, int), *owner]))


def first_met(
    surfaces: Surfaces, vertices: Array, camera: Camera, targets: Array, short: float
) -> tuple[Array, Indices]:
    """What straight ways from the camera to points in its picture meet first.

    Args:
        surfaces: that may be met.
        vertices: (V, 3) metres, where they are.
        camera: where the ways start.
        targets: (N, 3) metres, where they end.
        short: metres before the end within which nothing is met.

    Returns:
        (N,) how far in metres, inf where the way is free, and (N,) the owner of what is met.
    """
    triangle, point = _crossing(surfaces.corners, vertices, camera, targets)
    ways = targets - camera.position
    far = np.sqrt((ways**2).sum(axis=-1))
    ways = ways / far[:, None]
    # As three rows each: numpy is several times faster on long rows.
    a, b, c = (vertices[corner[triangle]].T for corner in surfaces.corners)
    away = _distances(a - camera.position[:, None], b - a, c - a, ways[point].T)
    met = (away > 0.0) & (away < far[point] - short)
    triangle, point, away = triangle[met], point[met], away[met]
    order = np.lexsort((away, point))
    rows, first = np.unique(point[order], return_index=True)
    found, owner = np.full(len(targets), np.inf), np.zeros(len(targets), dtype=np.int64)
    found[rows], owner[rows] = away[order][first], surfaces.owner[triangle[order][first]]
    return found, owner


def _distances(corner: Array, one: Array, other: Array, ways: Array) -> Array:
    """(N,) how far along ways (3, N) from 0 triangles are met, given a corner and two sides; NaN if not.

    "Fast, minimum storage ray-triangle intersection", Moeller and Trumbore 1997.
    """
    across, beside = _cross(ways, other), _cross(corner, one)
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = -1.0 / _dot(one, across)
        u, v = _dot(corner, across) * scale, _dot(ways, beside) * scale
        away: Array = _dot(other, beside) * scale
        return np.where((u >= 0.0) & (v >= 0.0) & (u + v <= 1.0), away, np.nan)


def _cross(one: Array, other: Array) -> Array:
    (a, b, c), (x, y, z) = one, other
    return np.stack([b * z - c * y, c * x - a * z, a * y - b * x])


def _dot(one: Array, other: Array) -> Array:
    found: Array = one[0] * other[0] + one[1] * other[1] + one[2] * other[2]
    return found


def _crossing(
    corners: Indices, vertices: Array, camera: Camera, targets: Array
) -> tuple[Indices, Indices]:
    """Pairs of a triangle and a target that may lie behind it: their boxes in the picture meet.

    Most triangles have no target near at all; a table of how many targets lie left of and above each cell of
    the picture tells so at once.
    """
    steps, depth = _steps(vertices, camera)
    own, far = _steps(targets, camera)
    (left, right), (top, bottom) = (_ends(axis, corners) for axis in steps)
    near = _any_within((left, right, top, bottom), own)
    if depth.min() <= _AHEAD:  # what reaches behind the camera may be anywhere in the picture
        before = depth > _AHEAD
        a, b, c = (before[corner] for corner in corners)
        through = (a | b | c) & ~(a & b & c)
        near |= through
        left[through] = top[through] = -1
        right[through] = bottom[through] = _CELLS << _FINE
    rows = np.flatnonzero(near)
    order = np.argsort(own[0], kind="stable")
    first = np.searchsorted(own[0][order], left[rows], "left")
    count = np.searchsorted(own[0][order], right[rows], "right") - first
    triangle = np.repeat(rows, count)
    point = order[np.arange(count.sum()) + np.repeat(first - (np.cumsum(count) - count), count)]
    y = own[1][point]
    meet = (top[triangle] <= y) & (y <= bottom[triangle])
    triangle, point = triangle[meet], point[meet]
    nearest = np.minimum.reduce([depth[corner[triangle]] for corner in corners])
    before = nearest < far[point]
    return triangle[before], point[before]


def _any_within(box: tuple[Indices, ...], own: Indices) -> Mask:
    """(T,) True where boxes (left, right, top, bottom) have one of the points (2, N) in their cells."""
    wide = _CELLS + 3
    count = np.zeros((wide, wide), dtype=np.int16)
    np.add.at(count, ((own[1] >> _FINE) + 2, (own[0] >> _FINE) + 2), 1)
    count = count.cumsum(axis=0, dtype=np.int16).cumsum(axis=1, dtype=np.int16).ravel()
    left, right, top, bottom = (side >> _FINE for side in box)
    high, low = (top + 1) * wide, (bottom + 2) * wide
    right, left = right + 2, left + 1
    inside = count[low + right] - count[low + left] - count[high + right] + count[high + left]
    found: Mask = inside > 0
    return found


def _ends(steps: Indices, corners: Indices) -> tuple[Indices, Indices]:
    """(T,) the least and the greatest of each triangle's three."""
    a, b, c = (steps[corner] for corner in corners)
    return np.minimum(np.minimum(a, b), c), np.maximum(np.maximum(a, b), c)


def _steps(places: Array, camera: Camera) -> tuple[Indices, Array]:
    """(2, N) column and row in the picture in fine steps, the least or most beside it; (N,) depth."""
    width, height = camera.size or (1, 1)
    local = camera.camera_from_world @ places.T + camera.translation[:, None]
    x, y, _ = camera.matrix @ local
    z = np.where(local[2] > _AHEAD, local[2], 1.0)
    found = np.empty((2, len(places)), dtype=np.int32)
    for axis, (along, size) in enumerate(((x, width), (y, height))):
        step = np.floor((along / z + 0.5) * ((_CELLS << _FINE) / size))
        found[axis] = np.clip(step, -1, _CELLS << _FINE)
    return found, local[2]
