"""A garment: the skin's faces within its cut, lifted off the skin, smoothed, and trimmed to straight hems."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...rig.arrays import Array, Mask
from .chart import Chart
from .skinned import Shape

__all__ = ["Cut", "Neighbours", "cut_garment"]


@dataclass(frozen=True)
class Cut:
    """What a garment covers.

    Attributes:
        top: whether it covers chest and belly, with straps over the shoulders.
        sleeves: how far down the arms: 1 at the elbow, 2 at the wrist; below 0.1 there are none.
        hem: where the trunk's cover ends below, of a top: 0 at the hips, 1 at the neck.
        neck: metres that the collar lies below the neck's base; negative for a high one.
        waist: where it ends above, of trousers, as `hem`.
        legs: how far down the legs: 1 at the knee, 2 at the ankle; 0 for none.
        thickness: metres off the skin.
        loose: 0 for what clings, 1 for what hangs wide.
    """

    top: bool
    sleeves: float = 0.0
    hem: float = 0.0
    neck: float = 0.02
    waist: float = 0.0
    legs: float = 0.0
    thickness: float = 0.006
    loose: float = 0.3


_FURTHER = 0.02  # metres of skin that is left inside a hem


def cut_garment(chart: Chart, cut: Cut) -> tuple[Shape, Mask]:
    """Cut a garment for a body.

    Returns:
        The garment, and (F,) True on the faces of the skin that it hides for sure.
    """
    excess = _excess(chart, cut)
    faces = chart.body.faces
    within = excess <= 0.0
    kept = within[faces].any(axis=1) & (excess[faces].max(axis=1) < 0.5)
    hidden = (excess[faces] < -_FURTHER * chart.size).all(axis=1)
    rows, own_faces = np.unique(faces[kept], return_inverse=True)
    own_faces = own_faces.reshape(-1, 4)
    places = chart.body.vertices[rows] - _trimmed(chart, cut, rows)
    places = _draped(chart, cut, rows, own_faces, places)
    slots = np.zeros(len(own_faces), dtype=np.int32)
    return Shape(places, rows, own_faces, slots), hidden


def _planes(chart: Chart, cut: Cut) -> list[tuple[Array, Array]]:
    """Every edge of the garment: (V,) metres beyond it, and (V, 3) the way that leads out."""
    body, count = chart.body, len(chart.body.vertices)
    vertices = body.vertices
    up = np.tile([0.0, 0.0, 1.0], (count, 1))
    rise = float(chart.head("Neck")[2] - chart.head("LeftUpLeg")[2])
    found = []
    if cut.top:
        tilt = np.array([0.0, -0.45, 1.0]) / np.linalg.norm([0.0, -0.45, 1.0])
        base = chart.head("Neck") - cut.neck * tilt
        near = np.linalg.norm(vertices[:, :2] - base[:2], axis=1) < 0.13 * chart.size
        neck = np.where(
            near | chart.inside("neck", "head", "scalp", "eye"), (vertices - base) @ tilt, -1.0
        )
        found.append((neck, np.tile(tilt, (count, 1))))
        found.append((np.where(_trunk(chart), (cut.hem - chart.up) * rise, -1.0), -up))
        found.append(_limb_edge(chart, "arm", max(cut.sleeves, 0.04)))
    else:
        trunk = _trunk(chart) | chart.inside("chest")
        found.append((np.where(trunk, (chart.up - cut.waist) * rise, -1.0), up))
        found.append(_limb_edge(chart, "leg", cut.legs))
    return found


def _trunk(chart: Chart) -> Mask:
    return chart.inside("abdomen", "hips", "thigh")


def _limb_edge(chart: Chart, limb: str, end: float) -> tuple[Array, Array]:
    along = chart.along(limb)
    every = np.arange(len(along))
    _, ways = chart.limb_frame(limb, every, np.where(np.isfinite(along), along, 0.0))
    length = np.linalg.norm(ways, axis=1)
    beyond = np.where(np.isfinite(along), (along - end) * length, -1.0)
    return beyond, ways / length[:, None]


def _excess(chart: Chart, cut: Cut) -> Array:
    """(V,) metres beyond the nearest edge, below 0 inside; 1 on parts that the garment never covers."""
    if cut.top:
        parts = ["chest", "abdomen", "hips", "neck", "upper_arm", "forearm"]
        parts += ["thigh"] if cut.hem < 0.02 else []
    else:
        parts = ["hips", "abdomen", "thigh", "shin", "chest", "foot"]
    own = chart.inside(*parts)
    worst: Array = np.max([beyond for beyond, _ in _planes(chart, cut)], axis=0)
    return np.where(own, worst, 1.0)


def _trimmed(chart: Chart, cut: Cut, rows: npt.NDArray[np.intp]) -> Array:
    """(N, 3) how far vertices beyond an edge are drawn back to it."""
    back = np.zeros((len(rows), 3))
    for beyond, ways in _planes(chart, cut):
        over = np.clip(beyond[rows], 0.0, 0.05)
        back += over[:, None] * ways[rows]
    return back


def _draped(
    chart: Chart, cut: Cut, rows: npt.NDArray[np.intp], faces: npt.NDArray[np.intp], places: Array
) -> Array:
    """Lifted off the skin, bridging hollows, wide where it hangs."""
    normals = chart.normals[rows]
    start = places
    lift = cut.thickness * (1.0 + cut.loose)
    places = start + lift * normals
    places = _widened(chart, cut, rows, places)
    ring = Neighbours(faces, len(rows))
    for _ in range(int(4 + 16 * cut.loose)):
        places = ring.smoothed(places, 0.5)
        short = cut.thickness - np.einsum("ij,ij->i", places - start, normals)
        places = places + np.maximum(short, 0.0)[:, None] * normals
    return places


def _widened(chart: Chart, cut: Cut, rows: npt.NDArray[np.intp], places: Array) -> Array:
    """Sleeves and trouser legs as wide below as they are above, by how loose they are."""
    limb, wide = ("arm", 0.35) if cut.top else ("leg", 0.45)
    along = chart.along(limb)[rows]
    own = np.flatnonzero(np.isfinite(along) & (along > wide * 0.5))
    if not len(own) or cut.loose <= 0.0:
        return places
    points, ways = chart.limb_frame(limb, rows[own], along[own])
    ways = ways / np.linalg.norm(ways, axis=1, keepdims=True)
    away = places[own] - points
    away -= np.einsum("ij,ij->i", away, ways)[:, None] * ways
    radius = np.linalg.norm(away, axis=1)
    above = np.abs(along[own] - wide) < 0.15
    reference = float(np.median(radius[above])) if above.any() else float(radius.max())
    fade = np.clip((along[own] - wide) / 0.4, 0.0, 1.0)
    wanted = np.maximum(radius, reference * (0.55 + 0.4 * cut.loose))
    grown = 1.0 + fade * min(cut.loose * 1.5, 1.0) * (wanted / np.maximum(radius, 1e-6) - 1.0)
    found = places.copy()
    found[own] += (grown - 1.0)[:, None] * away
    return found


class Neighbours:
    """Who is beside whom in a mesh; along its rim only the rim counts, so that hems keep their place.

    Attributes:
        rim: (N,) True on the mesh's edges.
    """

    def __init__(self, faces: npt.NDArray[np.intp], count: int) -> None:
        pairs = np.concatenate([np.stack([faces[:, k], faces[:, k - 1]], axis=1) for k in range(4)])
        pairs.sort(axis=1)
        edges, times = np.unique(pairs, axis=0, return_counts=True)
        rim = np.zeros(count, dtype=bool)
        rim[edges[times == 1]] = True
        both = rim[edges].all(axis=1)
        inner = edges[~(both & (times > 1))]
        one, other = np.concatenate([inner, inner[:, ::-1]]).T
        used = ~rim[one] | rim[other]
        self.one, self.other, self.count, self.rim = one[used], other[used], count, rim
        self.share = np.maximum(np.bincount(self.one, minlength=count), 1)

    def smoothed(self, values: Array, by: float) -> Array:
        """(N, 3) moved towards the mean of their neighbours."""
        mean = np.stack(
            [
                np.bincount(self.one, weights=values[self.other, k], minlength=self.count)
                for k in range(values.shape[1])
            ],
            axis=1,
        )
        return values + by * (mean / self.share[:, None] - values)
