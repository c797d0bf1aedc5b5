"""Heads: where lips, brows and beards are, and hair in a few cuts."""

from functools import cache

import numpy as np
import numpy.typing as npt

from ...rig.arrays import Array
from ...rig.bodies import Body, body_names, landmark_places, load_body
from .chart import Chart
from .cloth import Neighbours
from .skinned import Shape
from .surfaces import sheet

__all__ = ["HAIR_CUTS", "face_masks", "hair_shape", "iris_faces"]

HAIR_CUTS = ("bald", "cropped", "short", "full", "bun", "ponytail", "long")


@cache
def _reference() -> tuple[Body, Array, float]:
    """A grown body, the middle between its eyes, and its size; masks are the same vertices on all bodies."""
    body = load_body("woman_33" if "woman_33" in body_names() else body_names()[-1])
    eyes = landmark_places(body, ["left_eye", "right_eye"])
    return body, eyes.mean(axis=0), float(np.linalg.norm(eyes[0] - eyes[1])) / 0.060


@cache
def face_masks() -> Array:
    """(V, 3) between 0 and 1: lips, brows, beard."""
    body, eyes, size = _reference()
    x, y, z = ((body.vertices - eyes) / size).T
    ahead = (y < 0.045) & (z > -0.13)
    lips = ahead & (np.abs(x) < 0.024) & (np.abs(z + 0.069) < 0.0095 * (1.0 - np.abs(x) / 0.032))
    brows = ahead & (np.abs(np.abs(x) - 0.032) < 0.021) & (np.abs(z - 0.0265) < 0.005)
    jaw = (z < -0.035 - 0.25 * np.clip(0.03 - np.abs(x), 0.0, 0.03)) & (z > -0.12) & (y < 0.09)
    beard = jaw & ~lips
    parts = np.isin(body.vertex_regions, [0])  # "head"
    found: Array = np.stack([lips & parts, brows & parts, beard & parts], axis=-1).astype(
        np.float64
    )
    return found


@cache
def iris_faces() -> npt.NDArray[np.bool_]:
    """(F,) True on the front of the eyeballs."""
    body, _, size = _reference()
    found = np.zeros(len(body.faces), dtype=bool)
    for name in ("left_eye", "right_eye"):
        pupil = landmark_places(body, [name])[0]
        middle = body.vertices[body.faces].mean(axis=1)
        found |= body.faces_of(name) & (np.linalg.norm(middle - pupil, axis=1) < 0.0068 * size)
    return found


def hair_shape(chart: Chart, cut: str, fullness: float) -> Shape | None:
    """Hair as a surface over the scalp; None where there is none, or only painted stubble.

    Args:
        chart: of the body.
        cut: of `HAIR_CUTS`.
        fullness: 0 to 1, how far it stands off.
    """
    if cut == "bald":
        return None
    body = chart.body
    kept = body.faces_of("scalp")
    rows, faces = np.unique(body.faces[kept], return_inverse=True)
    faces = faces.reshape(-1, 4)
    ring = Neighbours(faces, len(rows))
    depth = np.where(ring.rim, 0.0, 1.0)[:, None]
    for _ in range(6):  # rising from the hairline inwards
        depth = np.where(ring.rim[:, None], 0.0, ring.smoothed(depth, 0.5))
    lift = {
        "cropped": 0.006,
        "short": 0.016,
        "full": 0.034,
        "bun": 0.014,
        "ponytail": 0.014,
        "long": 0.022,
    }[cut]
    lift *= (0.7 + 0.6 * fullness) * chart.size
    base = body.vertices[rows]
    for _ in range(5):  # the hairline is no row of squares
        base = np.where(ring.rim[:, None], ring.smoothed(base, 0.5), base)
    places = base + (0.002 + lift * depth) * chart.normals[rows]
    shape = Shape(places, rows, faces, np.zeros(len(faces), dtype=np.int32))
    if cut == "bun":
        return _joined(shape, _ball(chart, fullness))
    if cut == "ponytail":
        return _joined(shape, _tail(chart, fullness, 0.24, 0.030))
    if cut == "long":
        return _joined(shape, _curtain(chart, shape, fullness))
    return shape


def _occiput(chart: Chart) -> tuple[Array, int]:
    """The hindmost place of the head, and its vertex."""
    rows = np.flatnonzero(chart.inside("scalp"))
    row = int(rows[np.argmax(chart.body.vertices[rows, 1])])
    return chart.body.vertices[row], row


def _ball(chart: Chart, fullness: float) -> Shape:
    place, row = _occiput(chart)
    radius = (0.030 + 0.02 * fullness) * chart.size
    middle = place + np.array([0.0, 0.6 * radius, 0.04 * chart.size])
    turn, rise = np.linspace(0, 2 * np.pi, 12, endpoint=False), np.linspace(-1.45, 1.45, 8)
    grid = np.stack(
        [
            np.outer(np.cos(rise), np.cos(turn)),
            np.outer(np.cos(rise), np.sin(turn)),
            np.outer(np.sin(rise), np.ones(12)),
        ],
        axis=-1,
    )
    return sheet(middle + radius * grid.reshape(-1, 3), 8, 12, row)


def _tail(chart: Chart, fullness: float, length: float, radius: float) -> Shape:
    place, row = _occiput(chart)
    count = 8
    share = np.linspace(0.0, 1.0, count)[:, None]
    size = chart.size * (0.8 + 0.4 * fullness)
    spine = place + size * np.concatenate(
        [0 * share, 0.02 + 0.05 * np.sin(2.2 * share), 0.03 - length * share**1.3], axis=1
    )
    wide = radius * size * np.sqrt(np.clip(np.sin(np.pi * (0.12 + 0.83 * share)), 0.05, 1.0))
    turn = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    rings = spine[:, None] + wide[..., None] * np.stack(
        [np.cos(turn), np.sin(turn), 0.3 * np.sin(turn)], axis=-1
    )
    return sheet(rings.reshape(-1, 3), count, 12, row)


def _curtain(chart: Chart, cap: Shape, fullness: float) -> Shape:
    """Hair that falls from ear to ear to the shoulders, outside of the neck."""
    body, count, around = chart.body, 8, 25
    size, middle = chart.size, chart.head("Head")
    own = body.vertices[chart.inside("scalp")]
    top = float(landmark_places(body, ["left_ear"])[0, 2]) + 0.03 * size
    wide = float(np.abs(own[:, 0]).max()) + (0.008 + 0.012 * fullness) * size
    back = float(own[:, 1].max() - middle[1]) + 0.006 * size
    turn = np.linspace(-0.06 * np.pi, 1.06 * np.pi, around)
    levels = np.linspace(0.0, 1.0, count)
    length = (0.15 + 0.12 * fullness) * size
    rings = [
        np.stack(
            [
                middle[0] + wide * (1.0 + 0.10 * level) * np.cos(turn),
                middle[1] + back * np.sin(turn) * (1.0 - 0.25 * level) + 0.015 * level,
                np.full(around, top - length * level),
            ],
            axis=-1,
        )
        for level in levels
    ]
    _, row = _occiput(chart)
    fallen = sheet(np.concatenate(rings), count, around, row, closed=False)
    # Below the chin it moves with the neck and the chest a little, as hair that lies on them.
    lower = np.repeat(levels > 0.7, around)
    nape = int(
        np.argmin(np.linalg.norm(body.vertices - chart.head("Neck") - [0, 0.06 * size, 0], axis=1))
    )
    rows = np.where(lower, nape, fallen.rows)
    return Shape(fallen.places, rows, fallen.faces, fallen.slots)


def _joined(one: Shape, other: Shape) -> Shape:
    return Shape(
        np.concatenate([one.places, other.places]),
        np.concatenate([one.rows, other.rows]),
        np.concatenate([one.faces, other.faces + len(one.places)]),
        np.concatenate([one.slots, other.slots]),
    )
