"""Hats: woollen ones, caps with a peak, hats with a brim, and swimming caps."""

from typing import Final

import numpy as np

from ...rig.arrays import Array
from ...rig.bodies import landmark_places
from .chart import Chart
from .skinned import Shape
from .surfaces import nearest, sheet

__all__ = ["HATS", "SWIM_CAP", "hat_shape"]

HATS: Final = ("beanie", "cap", "brim")
SWIM_CAP: Final = "swim"
_AROUND, _CROWN, _EDGE = 36, 9, 4
_OVER_EYES: Final = 0.052  # metres from the eyes to the hat's edge, on a person of 1.70 m


def hat_shape(chart: Chart, kind: str, lift: float) -> Shape:
    """A hat.

    Args:
        chart: of the body.
        kind: of `HATS`, or a swimming cap.
        lift: metres off the scalp, for the hair under it.
    """
    body, size = chart.body, chart.size
    scalp = np.flatnonzero(chart.inside("scalp", "head"))
    own = body.vertices[scalp]
    low = float(landmark_places(body, ["left_eye"])[0, 2]) + _OVER_EYES * size
    own = own[own[:, 2] > low - 0.01 * size]
    top = float(own[:, 2].max()) + 1.3 * lift
    middle = np.array([0.0, (own[:, 1].min() + own[:, 1].max()) / 2.0])
    turn = np.linspace(0.0, 2.0 * np.pi, _AROUND, endpoint=False)
    ways = np.stack([np.cos(turn), np.sin(turn)], axis=-1)
    wide = ((own[:, :2] - middle) @ ways.T).max(axis=0) + lift
    rings = [_ring(middle, ways, wide * far, high) for far, high in _edge(kind, ways, low, size)]
    for share in np.linspace(0.0, 1.0, _CROWN):
        rise, narrow = share ** (0.75 if kind == "brim" else 1.0), (1.0 - share**2.6) ** 0.5
        rings.append(_ring(middle, ways, wide * max(narrow, 0.02), low + rise * (top - low)))
    places = np.concatenate(rings)
    row = int(scalp[nearest(np.array([[0.0, middle[1], top]]), body.vertices[scalp])[0]])
    return sheet(places, len(rings), _AROUND, row)


def _edge(kind: str, ways: Array, low: float, size: float) -> list[tuple[Array, float]]:
    """Rings of what stands off around the hat, from outside: factors on its width, and their height."""
    level = np.ones(len(ways))
    if kind == SWIM_CAP:
        return []
    if kind == "beanie":  # a roll
        return [
            (level, low - 0.012 * size),
            (1.06 * level, low),
            (1.05 * level, low + 0.025 * size),
        ]
    ahead = np.clip(-ways[:, 1], 0.0, 1.0) ** 3 if kind == "cap" else level
    reach = 0.75 if kind == "cap" else 0.6
    rings = np.linspace(1.0, 0.0, _EDGE)
    return [(1.0 + reach * share * ahead, low - 0.02 * size * share) for share in rings]


def _ring(middle: Array, ways: Array, far: Array, high: float) -> Array:
    return np.column_stack([middle + far[:, None] * ways, np.full(len(ways), high)])
