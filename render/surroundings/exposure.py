"""How bright a floor is under drawn lights, and lights turned down together where that is too bright."""

from collections.abc import Iterable, Sequence
from typing import Final

import bpy
import numpy as np
from mathutils import Vector

from ...rig.arrays import Array

__all__ = ["expose"]

_BRIGHTEST: Final = 0.85  # of a floor, 1 being white in a picture
_LUMINANCE: Final = np.array([0.2126, 0.7152, 0.0722])  # of linear RGB, Rec. 709
_GRID: Final = 13  # places along each side that are looked at


def expose(
    lamps: Iterable[bpy.types.Object],
    floor: bpy.types.Material,
    background: bpy.types.Node,
    half: tuple[float, float],
    even: Sequence[float] | None = None,
) -> float:
    """Turn all lights down by one factor where a floor would be brighter than paper.

    Args:
        lamps: that shine on it.
        floor: its `diffuse_color` is how much it throws back.
        background: the world's light, even from everywhere.
        half: metres that the floor reaches along x and y from the origin.
        even: linear RGB of the background, where its colour isn't the same everywhere.

    Returns:
        The factor, at most 1.
    """
    sides = (np.linspace(-reach, reach, _GRID) for reach in half)
    places = np.stack(np.meshgrid(*sides), axis=-1).reshape(-1, 2)
    colour = background.inputs["Color"].default_value[:3] if even is None else even
    strength = background.inputs["Strength"]
    lamps = list(lamps)
    light = float(strength.default_value) * _LUMINANCE @ np.array(colour)
    light = light + sum((_light_of(lamp, places) for lamp in lamps), np.zeros(len(places)))
    brightest = float(_LUMINANCE @ np.array(floor.diffuse_color[:3])) * float(light.max())
    factor = min(1.0, _BRIGHTEST / brightest)
    strength.default_value *= factor
    for lamp in lamps:
        lamp.data.energy *= factor
    return factor


def _light_of(lamp: bpy.types.Object, places: Array) -> Array:
    """(N,) what a white floor throws back of a lamp's light at places (N, 2) metres on it.

    Cycles gives a lamp of P watts and area A the radiance P / 4A, and a sun of strength S the irradiance S.
    """
    shade = float(_LUMINANCE @ np.array(lamp.data.color[:])) * lamp.data.energy / np.pi
    down = np.array(lamp.rotation_euler.to_matrix() @ Vector((0.0, 0.0, -1.0)))
    if lamp.data.type == "SUN":
        return np.full(len(places), shade * max(-down[2], 0.0))
    way = np.column_stack([places, np.zeros(len(places))]) - np.array(lamp.location)
    # A lamp isn't a point: close to it, it is no brighter than at a distance of half its side.
    far = np.sqrt((way**2).sum(axis=-1) + (lamp.data.size / 2.0) ** 2)
    found: Array = shade / 4.0 * np.maximum(way @ down, 0.0) * np.maximum(-way[:, 2], 0.0) / far**4
    return found
