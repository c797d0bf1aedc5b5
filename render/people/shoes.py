"""Shoes: lofts around the feet with flat soles, so that people stand as they stood without."""

import numpy as np

from ...rig.arrays import Array
from ...rig.bodies import Body
from .chart import Chart
from .skinned import Indices, Shape
from .surfaces import nearest

__all__ = ["shoe"]

_SLICES, _AROUND = 14, 20


def shoe(chart: Chart, side: str, collar: float, thickness: float = 0.008) -> Shape:
    """One shoe.

    Args:
        chart: of the body.
        side: "left" or "right".
        collar: metres over the floor, where it ends, on a person of 1.70 m.
        thickness: metres around the foot.
    """
    body = chart.body
    collar *= chart.size
    own = np.flatnonzero(
        chart.inside(f"{side}_foot", f"{side}_shin") & (body.vertices[:, 2] < collar)
    )
    foot = body.vertices[own]
    forward, origin = _forward(body, side)
    across = np.array([-forward[1], forward[0], 0.0])
    along, beside, high = (foot - origin) @ forward, (foot - origin) @ across, foot[:, 2]
    stations = np.linspace(along.min() - thickness, along.max() + 1.5 * thickness, _SLICES)
    rings = [
        _ring(along, beside, high, station, np.ptp(stations) / _SLICES, thickness)
        for station in _eased(stations)
    ]
    local = np.concatenate(rings)
    places = origin * (1.0, 1.0, 0.0) + local[:, :1] * forward + local[:, 1:2] * across
    places = places + local[:, 2:] * np.array([0.0, 0.0, 1.0])
    rows = own[nearest(places, foot)]
    faces = _loft()
    sole = (local[:, 2] < 0.012 * chart.size)[faces].all(axis=1)
    return Shape(places, rows, faces, sole.astype(np.int32))


def _forward(body: Body, side: str) -> tuple[Array, Array]:
    """(3,) level direction from the heel to the toes, and (3,) the ankle."""
    ankle = body.bone_heads[body.bone(f"{side.title()}Foot")]
    toes = body.bone_tails[body.bone(f"{side.title()}ToeBase")]
    way = (toes - ankle) * (1.0, 1.0, 0.0)
    return way / np.linalg.norm(way), ankle


def _eased(stations: Array) -> Array:
    """The same span, closer at both ends, where a shoe is round."""
    share = (stations - stations[0]) / np.ptp(stations)
    return stations[0] + np.ptp(stations) * (0.5 - 0.5 * np.cos(np.pi * share))


def _ring(
    along: Array, beside: Array, high: Array, at: float, half: float, thickness: float
) -> Array:
    """(20, 3) one cross-section: along, beside, high; flat below, round above, small at heel and tip."""
    low, top = float(along.min()), float(along.max())
    inside = np.clip(at, low, top)
    near = np.abs(along - inside) < max(half, 0.012)
    left, right = float(beside[near].min()), float(beside[near].max())
    roof = float(high[near].max())
    over = (at - inside) / (1.5 * thickness)
    small = np.sqrt(max(1.0 - over * over, 0.0)) if over else 1.0
    small = max(small, 0.25)
    middle, wide = (left + right) / 2.0, ((right - left) / 2.0 + thickness) * small
    roof = (roof + thickness) * (0.55 + 0.45 * small)
    turn = np.linspace(0.0, 2.0 * np.pi, _AROUND, endpoint=False)
    x, z = np.cos(turn), np.sin(turn)
    x = np.sign(x) * np.abs(x) ** 0.6
    z = 0.5 + 0.5 * np.sign(z) * np.abs(z) ** np.where(z < 0.0, 0.35, 0.8)
    return np.stack([np.full(_AROUND, at), middle + wide * x, roof * z], axis=-1)


def _loft() -> Indices:
    """(F, 4) quads between rings, and fans of quads over both ends."""
    ring = np.arange(_AROUND)
    following = np.roll(ring, -1)
    faces = [
        np.stack(
            [
                s * _AROUND + ring,
                s * _AROUND + following,
                (s + 1) * _AROUND + following,
                (s + 1) * _AROUND + ring,
            ],
            -1,
        )
        for s in range(_SLICES - 1)
    ]
    half = np.arange(_AROUND // 2 - 1)
    cap = np.stack([half, half + 1, _AROUND - 2 - half, _AROUND - 1 - half], axis=-1)
    last = (_SLICES - 1) * _AROUND
    return np.concatenate([*faces, cap, (last + cap)[:, ::-1]])
