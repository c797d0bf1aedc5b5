"""Things in people's hands: they hide fingers, and belong to nobody in the masks."""

import json
from pathlib import Path
from typing import Any, Final

import numpy as np

from ...rig.arrays import Array
from .chart import Chart
from .hands import palm
from .skinned import Shape
from .surfaces import nearest, sheet

__all__ = ["PROPS", "prop_shape"]

# Name: rings as (along, across) metres about an axis, how many sides, how flat. The axis lies across the
# palm, where fingers close around it.
PROPS: Final[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "props.json").read_text(encoding="utf-8")
)
_OFF_THE_PALM: Final = 0.035  # metres, on a person of 1.70 m


def prop_shape(chart: Chart, side: str, kind: str, scale: float) -> Shape:
    """Something in a hand.

    Args:
        chart: of the body.
        side: "Left" or "Right".
        kind: of `PROPS`.
        scale: times the usual size.
    """
    rings, around, flat = (PROPS[kind][key] for key in ("rings", "sides", "flat"))
    wrist, index, middle, pinky = (
        chart.head(f"{side}Hand{bone}") for bone in ("", "Index1", "Middle1", "Pinky1")
    )
    out = palm(chart.body, side)
    axis = index - pinky
    axis = axis / np.linalg.norm(axis)
    if kind == "bag":  # hangs down where the hand hangs at rest
        axis = -(middle - wrist) / np.linalg.norm(middle - wrist)
    beside = np.cross(axis, out)
    beside = beside / np.linalg.norm(beside)
    third = np.cross(axis, beside)
    held = 0.25 * wrist + 0.75 * middle + _OFF_THE_PALM * chart.size * out
    places = np.concatenate(
        [held + scale * _ring(ring, around, flat, axis, beside, third) for ring in rings]
    )
    hand = np.flatnonzero(chart.inside(f"{side.lower()}_hand"))
    row = int(hand[nearest(held[None], chart.body.vertices[hand])[0]])
    return sheet(places, len(rings), around, row)


def _ring(
    ring: tuple[float, float], around: int, flat: float, axis: Array, beside: Array, third: Array
) -> Array:
    turn = (np.arange(around) + 0.5) / around * 2.0 * np.pi
    along, across = ring
    return (
        along * axis
        + across * np.cos(turn)[:, None] * beside
        + across * flat * np.sin(turn)[:, None] * third
    )
