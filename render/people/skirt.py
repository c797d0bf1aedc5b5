"""Skirts: a tube from the waist down around both legs, as wide as the widest above it."""

import numpy as np

from ...rig.arrays import Array
from .chart import Chart
from .skinned import Shape
from .surfaces import nearest, sheet

__all__ = ["skirt"]

_RINGS, _AROUND = 12, 48
_BAND = 0.02  # metres of the body over and under a ring that it goes around


def skirt(chart: Chart, waist: float, length: float, flare: float, thickness: float) -> Shape:
    """A skirt.

    Args:
        chart: of the body.
        waist: where it begins: 0 at the hips, 1 at the neck.
        length: where it ends: 1 at the knees, 2 at the ankles; legs walk out of one beyond the calves.
        flare: metres that it grows wider on every metre down.
        thickness: metres off the skin.
    """
    hips, knees, ankles = (float(chart.head(f"Left{bone}")[2]) for bone in ("UpLeg", "Leg", "Foot"))
    top = hips + waist * (float(chart.head("Neck")[2]) - hips)
    hem = float(np.interp(length, (0.0, 1.0, 2.0), (hips, knees, ankles)))
    under = np.flatnonzero(chart.inside("abdomen", "hips", "thigh", "shin", "chest"))
    heights = np.linspace(top, hem, _RINGS)
    body = chart.body.vertices[under]
    turn = np.linspace(0.0, 2.0 * np.pi, _AROUND, endpoint=False)
    ways = np.stack([np.cos(turn), np.sin(turn)], axis=-1)
    middle = np.array([0.0, float(chart.head("LeftUpLeg")[1])])
    wide, rings = np.zeros(_AROUND), []
    for height in heights:
        wide = np.maximum(wide, _reach(body, height, middle, ways))
        far = wide + thickness + flare * (top - height)
        rings.append(np.column_stack([middle + far[:, None] * ways, np.full(_AROUND, height)]))
    places = np.concatenate(rings)
    # It moves with the thighs alone: shins would tear it.
    holds = under[~chart.inside("shin")[under]]
    return sheet(places, _RINGS, _AROUND, holds[nearest(places, chart.body.vertices[holds])])


def _reach(body: Array, height: float, middle: Array, ways: Array) -> Array:
    """(N,) metres that the body reaches from the middle along directions (N, 2), at a height."""
    own = body[np.abs(body[:, 2] - height) < _BAND, :2] - middle
    found: Array = (own @ ways.T).max(axis=0, initial=0.0)
    return found
